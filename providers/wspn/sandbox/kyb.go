package sandbox

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// clientWords are the status words of the stand-in; only "Pending KYC" is WSPN's own (P-SUB).
func clientWords() map[string]string {
	return map[string]string{"pending": "Pending KYC", "review": "KYC In Review", "question": "Additional Information Required", "approved": "KYC Approved", "rejected": "KYC Rejected"}
}

func (s *Sandbox) memberByID(text string) *member {
	id, err := strconv.ParseInt(text, 10, 64)
	for _, m := range s.members {
		if err == nil && m.id == id {
			return m
		}
	}
	return nil
}

// reviewKYB is what happens after files have come: WSPN looks at them, and with a verdict set, decides by itself. The lock is held.
func (s *Sandbox) reviewKYB(clientID string) {
	m := s.memberByID(clientID)
	if m == nil {
		return
	}
	s.standing(m, clientWords()["review"], "")
	if s.verdict == "" || s.closed {
		return
	}
	to := s.verdict
	if to == "mixed" {
		to = []string{"approved", "approved", "approved", "approved", "question", "rejected"}[s.rng.IntN(6)]
	}
	var t *time.Timer
	t = time.AfterFunc(time.Duration(s.verdictMS)*time.Millisecond, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.timers, t)
		if !s.closed && m.status == clientWords()["review"] {
			s.standing(m, clientWords()[to], map[string]string{"question": "Please send the register of shareholders with the date of issue.", "rejected": "The passport cannot be read."}[to])
		}
	})
	s.timers[t] = true
}

// standing changes how a client stands and announces it. WSPN documents no such webhook: ours is marked as a test. The lock is held.
func (s *Sandbox) standing(m *member, word, remark string) {
	m.status, m.remark = word, remark
	target := s.target()
	if target == "" || s.hookMode == "off" || s.closed {
		return
	}
	data, _ := json.Marshal(map[string]any{"clientId": m.id, "clientStatus": word})
	body, _ := json.Marshal(map[string]any{"eventId": strconv.FormatInt(m.id, 10), "type": "TEST_CLIENT_STATUS", "clientId": s.clientID, "eventStatus": word, "requestId": "",
		"eventTime": s.written(s.clock()), "data": string(data)})
	delay := s.hookDelay
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		if s.rest(delay) {
			s.deliver(target, event{status: word, body: body})
		}
	}()
}

// kybCommand: client=…, status=pending|review|question|approved|rejected or any word, remark=….
func (s *Sandbox) kybCommand(r *http.Request) string {
	m := s.memberByID(r.PostFormValue("client"))
	word := r.PostFormValue("status")
	if m == nil || word == "" {
		return "client is a client's id, and status is needed"
	}
	if w, ok := clientWords()[word]; ok {
		word = w
	}
	s.standing(m, word, r.PostFormValue("remark"))
	return ""
}

// verdictCommand: outcome=approved|rejected|question|mixed|off, after_ms=N.
func (s *Sandbox) verdictCommand(r *http.Request) string {
	ms, err := strconv.Atoi(r.PostFormValue("after_ms"))
	outcome := r.PostFormValue("outcome")
	if err != nil || ms < 0 || outcome == "" || !strings.Contains(" approved rejected question mixed off ", " "+outcome+" ") {
		return "outcome is approved, rejected, question, mixed or off; after_ms is a number"
	}
	if outcome == "off" {
		outcome = ""
	}
	s.verdict, s.verdictMS = outcome, ms
	return ""
}

// memberCommand opens a sub-account by hand: company=…, country=…, client=… (its id, optional), status=….
func (s *Sandbox) memberCommand(r *http.Request) string {
	name := r.PostFormValue("company")
	if name == "" {
		return "company is needed"
	}
	m := &member{name: name, country: r.PostFormValue("country"), kind: "Corporate", status: clientWords()["pending"], remark: r.PostFormValue("remark")}
	if w, ok := clientWords()[r.PostFormValue("status")]; ok {
		m.status = w
	}
	for _, w := range clientWords() { // or by a word of its own, whatever the letter case
		if strings.EqualFold(w, r.PostFormValue("word")) {
			m.status = w
		}
	}
	m.user = "user-" + strconv.Itoa(len(s.members))
	m.email = m.user + "@example.com"
	s.admit(m)
	if id, err := strconv.ParseInt(r.PostFormValue("client"), 10, 64); err == nil {
		if s.memberByID(r.PostFormValue("client")) != nil && m.id != id {
			s.members = s.members[:len(s.members)-1]
			return "there is such a client already"
		}
		m.id = id
	}
	return ""
}
