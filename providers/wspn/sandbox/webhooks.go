package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// event is one webhook as it will be sent.
type event struct {
	status string
	body   []byte
	forged bool
}

// hooksBefore says whether webhooks go out before the answer; the lock is held. hooksBeforeReply takes it.
func (s *Sandbox) hooksBefore() bool { return s.hookMode == "before_reply" }

func (s *Sandbox) hooksBeforeReply() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hooksBefore()
}

// eventOf writes the documented members (contract 5). `type` and `eventStatus` are not documented: ours are marked as tests.
func (s *Sandbox) eventOf(o *order, status string) event {
	record := s.fiatRecord(o, false)
	if o.kind == "mint" {
		record = s.mintRecord(o, false)
	}
	record["status"] = status
	data, _ := json.Marshal(record)
	kind := map[string]string{"fiat-out": "TEST_FIAT_WITHDRAW", "fiat-in": "TEST_FIAT_DEPOSIT", "crypto-out": "TEST_CRYPTO_WITHDRAW", "mint": "TEST_MINT_REDEEM"}[o.kind]
	body, _ := json.Marshal(map[string]any{"eventId": strconv.FormatInt(o.id, 10), "type": kind, "clientId": s.clientID, "eventStatus": status,
		"requestId": o.requestID, "eventTime": s.written(s.clock()), "data": string(data)})
	return event{status: status, body: body}
}

// announce sends the webhook of an order's new status in the chosen mode. The lock is held.
func (s *Sandbox) announce(o *order) {
	target := s.target()
	if target == "" || s.hookMode == "off" || s.closed || o.kind == "crypto-in" {
		return
	}
	now := s.eventOf(o, o.status)
	list := []event{now}
	switch s.hookMode {
	case "twice":
		list = append(list, now)
	case "reordered": // the news of the step before arrives after the news of the end
		list = append(list, s.eventOf(o, "PROCESSING"))
	case "forged":
		lie := s.eventOf(o, "COMPLETED")
		lie.forged = true
		list = []event{lie, now}
	}
	delay := s.hookDelay
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		if !s.rest(delay) {
			return
		}
		for _, e := range list {
			s.deliver(target, e)
		}
	}()
}

// deliverNow sends the webhook of a fresh order and waits for it, so that it arrives before the answer.
func (s *Sandbox) deliverNow(o *order) {
	s.mu.Lock()
	target, e := s.target(), s.eventOf(o, o.status)
	s.mu.Unlock()
	if target != "" {
		s.post(target, e)
	}
}

func (s *Sandbox) target() string {
	return s.setting("webhook_url_events", s.setting("webhook_url", ""))
}

// retries is how often a webhook is repeated.
const retries = 6

// deliver tries until it hears SUCCESS: at once and 6 times more, after 15, 30, 60, 120, 240 and 480 seconds, or as the setting scales them.
func (s *Sandbox) deliver(target string, e event) {
	first, err := strconv.Atoi(s.setting("webhook_retry_ms", "15000"))
	if err != nil {
		first = 15000
	}
	for try := range retries + 1 {
		if s.post(target, e) || try == retries || !s.rest(time.Duration(first<<try)*time.Millisecond) {
			return
		}
	}
}

// post signs afresh and sends once; true means that SUCCESS came back.
func (s *Sandbox) post(target string, e event) bool {
	ctx, cancel := context.WithTimeout(s.ctx, 15*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(e.body))
	if err != nil {
		return false
	}
	stamp := strconv.FormatInt(s.now().UnixMilli(), 10)
	u, err := url.Parse(target)
	if err != nil {
		return false
	}
	sum := s.signature(http.MethodPost, stamp, u, e.body)
	if e.forged {
		sum = s.signature(http.MethodPost, stamp, u, append([]byte("forged"), e.body...))
	}
	r.Header.Set("Content-Type", "application/json;charset=UTF-8")
	r.Header.Set("D-TIMESTAMP", stamp)
	r.Header.Set("D-SIGNATURE", sum)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.note(e.status + " to " + target + ": " + err.Error())
		return false
	}
	defer func() { _ = res.Body.Close() }()
	said, _ := io.ReadAll(io.LimitReader(res.Body, 1024))
	s.note(e.status + " to " + target + ": HTTP " + strconv.Itoa(res.StatusCode))
	return res.StatusCode >= 200 && res.StatusCode <= 299 && string(said) == "SUCCESS"
}

func (s *Sandbox) note(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = append(s.hooks, s.clock().Format(time.TimeOnly)+" "+line)
	if len(s.hooks) > 50 {
		s.hooks = s.hooks[1:]
	}
}

// rest waits unless the stand-in is closed.
func (s *Sandbox) rest(d time.Duration) bool {
	if d <= 0 {
		return s.ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}
