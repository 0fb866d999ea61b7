package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// hookMode is how callbacks behave: normal, off, twice, before_reply, reordered or forged, each after a delay.
type hookMode struct {
	mode  string
	delay time.Duration
}

// callback is one delivery to the merchant.
type callback struct {
	topic       string
	target      string
	contentType string
	body        []byte
	header      map[string]string
	exactly200  bool
	about       string
}

// target picks the address: the request's own, else the panel's default.
func (s *Sandbox) target(topic, given string) string {
	if given != "" {
		return given
	}
	return s.setting("webhook_url_"+topic, s.setting("webhook_url", ""))
}

// cashoutCallback is form-urlencoded; its control covers the external id only (OKP-WH-1).
func (s *Sandbox) cashoutCallback(c *cashout) callback {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cashoutForm(c, c.id, s.controlOf(c.external))
}

func (s *Sandbox) controlOf(external string) string {
	return strings.ToUpper(sign(s.opt.Credential["cashout_api_signature"], "Be4", external, "Bo7"))
}

func (s *Sandbox) cashoutForm(c *cashout, id int64, control string) callback {
	form := url.Values{
		"date": {c.changedAt.Format("2006-01-02 15:04:05")}, "bank_reference_id": {c.bankRef}, "comments": {c.comments},
		"external_id": {c.external}, "control": {control}, "cashout_id": {strconv.FormatInt(id, 10)}, "status_reason": {c.reason},
	}
	cb := callback{topic: "cashout", target: s.target("cashout", c.notify), contentType: "application/x-www-form-urlencoded", body: []byte(form.Encode()),
		about: fmt.Sprintf("cashout %s is %s", c.external, describe(c.status))}
	if s.setting("control_formula", "be4_bo7") == "payload_signature" {
		cb.header = map[string]string{"Payload-Signature": sign(s.opt.Credential["cashout_api_signature"], string(cb.body))}
	}
	return cb
}

// signedCallback is JSON and carries the headers of a request, made with the merchant's own key pair (OKP-WH-3, OKP-WH-4).
func (s *Sandbox) signedCallback(topic, given string, body map[string]any, key, secret string) callback {
	b, _ := json.Marshal(body)
	cb := callback{topic: topic, target: s.target(topic, given), contentType: "application/json", body: b, about: topic + " " + string(b), exactly200: topic == "refund"}
	if s.setting("unsigned_callbacks", "no") != "yes" && key != "" {
		date := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
		login := s.opt.Credential[key]
		cb.header = map[string]string{"X-Date": date, "X-Login": login,
			"Authorization": s.setting("auth_scheme", "D24") + " " + sign(s.opt.Credential[secret], date, login, string(b))}
	}
	return cb
}

// notify sends a callback in the mode that is set. It does not wait.
func (s *Sandbox) notify(cb callback) {
	s.mu.Lock()
	mode := s.hooks
	var first *callback
	if mode.mode == "reordered" {
		if s.held == nil {
			held := cb
			s.held = &held
			s.mu.Unlock()
			s.later(800*time.Millisecond+mode.delay, func() { s.flush(&held) })
			return
		}
		first, s.held = s.held, nil
	}
	s.mu.Unlock()
	if mode.mode == "off" || cb.target == "" {
		return
	}
	s.later(mode.delay, func() {
		if mode.mode == "forged" {
			s.forge(cb)
		}
		s.deliver(cb, 0)
		if mode.mode == "twice" {
			s.deliver(cb, 0)
		}
		if first != nil {
			s.deliver(*first, 0)
		}
	})
}

// flush sends a callback that waited in vain for a successor.
func (s *Sandbox) flush(held *callback) {
	s.mu.Lock()
	mine := s.held == held
	if mine {
		s.held = nil
	}
	s.mu.Unlock()
	if mine {
		s.deliver(*held, 0)
	}
}

// forge sends what a merchant must survive before the true one comes (contract 4.4): a wrong control, a lower-case one, a right control
// with another cashout's number, and wrong signature headers.
func (s *Sandbox) forge(cb callback) {
	if cb.topic != "cashout" {
		bad := cb
		bad.header = map[string]string{"X-Date": time.Now().UTC().Format(time.RFC3339), "X-Login": "somebody", "Authorization": "D24 " + strings.Repeat("0", 64)}
		s.once(bad)
		return
	}
	form, err := url.ParseQuery(string(cb.body))
	if err != nil {
		return
	}
	right := form.Get("control")
	for _, change := range []map[string]string{{"control": strings.Repeat("A", 64)}, {"control": strings.ToLower(right)}, {"cashout_id": "8400001"}} {
		bad := cb
		changed := url.Values{}
		for k := range form {
			changed.Set(k, form.Get(k))
		}
		for k, v := range change {
			changed.Set(k, v)
		}
		bad.body = []byte(changed.Encode())
		s.once(bad)
	}
}

// deliver sends and tries again up to 5 more times, with growing gaps, until it is answered as the contract wants.
func (s *Sandbox) deliver(cb callback, tries int) {
	if s.once(cb) || tries >= 5 {
		return
	}
	gap := time.Duration(s.number("webhook_retry_ms", 400)) * time.Millisecond
	for range min(tries, 3) {
		gap *= 5
	}
	s.later(gap, func() { s.deliver(cb, tries+1) })
}

// deliverNow sends at once and waits, for callbacks that overtake the answer.
func (s *Sandbox) deliverNow(cb callback) { s.once(cb) }

func (s *Sandbox) once(cb callback) bool {
	if cb.target == "" {
		return true
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-s.ctx.Done():
		return true
	}
	r, err := http.NewRequestWithContext(s.ctx, http.MethodPost, cb.target, bytes.NewReader(cb.body))
	if err != nil {
		s.note(cb, err.Error())
		return true
	}
	r.Header.Set("Content-Type", cb.contentType)
	for k, v := range cb.header {
		r.Header.Set(k, v)
	}
	res, err := s.client.Do(r)
	if err != nil {
		s.note(cb, "no answer")
		return false
	}
	_ = res.Body.Close()
	s.note(cb, res.Status)
	if cb.exactly200 {
		return res.StatusCode == http.StatusOK
	}
	return res.StatusCode >= 200 && res.StatusCode < 300
}

// note keeps the last callbacks for the page.
func (s *Sandbox) note(cb callback, result string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, cb.about+": "+result)
	if len(s.sent) > 40 {
		s.sent = s.sent[len(s.sent)-40:]
	}
}
