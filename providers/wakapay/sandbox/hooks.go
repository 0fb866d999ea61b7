package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// hooks is how webhooks are sent: normal, off, twice, before_reply, reordered, forged; and once more the events that wait to be overtaken.
type hooks struct {
	mode  string
	delay time.Duration
	kept  map[string]event // reordered: the first event of a payout waits for its second
	sent  int
}

// event is one change of status (contract 9.2), as it will be written.
type event struct{ business, ref, id, status string }

func (s *Sandbox) eventOf(p *payout) event { return event{s.businessID, p.ref, p.id, p.status} }

// body writes an event with the constant signature of a pair (WAKA-WH-2), or without one in legacy mode.
func (e event) body(signature string) []byte {
	m := map[string]string{"businessId": e.business, "businessReference": e.ref, "wakapayReference": e.id, "status": e.status}
	if signature != "" {
		m["signature"] = signature
	}
	b, _ := json.Marshal(m)
	return b
}

func signatureOf(p pair) string {
	sum := sha256.Sum256([]byte(p.key + ":" + p.secret))
	return hex.EncodeToString(sum[:])
}

// announce sends the webhook of a payout's present status in the background, as the mode wants it. The caller holds the lock.
func (s *Sandbox) announce(p *payout) {
	e := s.eventOf(p)
	list := []event{e}
	switch s.hooks.mode {
	case "off":
		return
	case "twice":
		list = []event{e, e}
	case "reordered":
		if e.status == pending {
			if s.hooks.kept == nil {
				s.hooks.kept = map[string]event{}
			}
			s.hooks.kept[e.ref] = e
			return
		}
		if first, ok := s.hooks.kept[e.ref]; ok {
			list = []event{e, first}
			delete(s.hooks.kept, e.ref)
		}
	case "forged":
		s.send(event{e.business, e.ref, e.id, success}, strings.Repeat("0", 64))
	}
	for _, one := range list {
		s.send(one, "")
	}
}

// send starts one delivery with its repeats. The caller holds the lock.
func (s *Sandbox) send(e event, forged string) {
	if s.target() == "" || s.ctx.Err() != nil {
		return
	}
	delay := s.hooks.delay
	s.work.Go(func() {
		if s.sleep(delay) {
			s.push(e, forged)
		}
	})
}

// deliver sends one event now and waits for it; if nobody takes it, it is repeated in the background. The caller does not hold the lock.
func (s *Sandbox) deliver(e event) {
	s.mu.Lock()
	url, p, legacy := s.target(), s.pairs[0], s.settings["webhook_signature_mode"] == "legacy"
	s.mu.Unlock()
	if url == "" || s.post(url, e, signatureOf(p), p.secret, legacy) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.send(e, "")
}

func (s *Sandbox) target() string {
	return or(s.settings["webhook_url_transaction"], s.settings["webhook_url"])
}

// push posts an event and repeats it after growing pauses until somebody answers 2xx (WAKA-WH-6: redelivery is assumed).
func (s *Sandbox) push(e event, forged string) {
	s.mu.Lock()
	url, signature, pause := s.target(), signatureOf(s.pairs[0]), s.millis("webhook_retry_ms", 1000)
	legacy, secret := s.settings["webhook_signature_mode"] == "legacy", s.pairs[0].secret
	s.mu.Unlock()
	if url == "" {
		return
	}
	if forged != "" {
		signature, secret = forged, forged
	}
	for try := 0; try < 4; try++ {
		if try > 0 {
			if !s.sleep(pause) {
				return
			}
			pause *= 5
		}
		if s.post(url, e, signature, secret, legacy) {
			return
		}
	}
}

func (s *Sandbox) post(url string, e event, signature, secret string, legacy bool) bool {
	ctx, cancel := context.WithTimeout(s.ctx, 5*time.Second)
	defer cancel()
	body := e.body(signature)
	if legacy {
		body = e.body("")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return true // an address that cannot be called will not become one
	}
	r.Header.Set("Content-Type", "application/json")
	if legacy { // WAKA-WH-4
		t := strconv.FormatInt(time.Now().Unix(), 10)
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(append([]byte(t+"."), body...))
		r.Header.Set("X-Wakapay-Signature", "t="+t+",v1="+hex.EncodeToString(mac.Sum(nil)))
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
	s.mu.Lock()
	s.hooks.sent++
	s.mu.Unlock()
	return res.StatusCode >= 200 && res.StatusCode < 300
}

// sleep waits unless the sandbox is closed.
func (s *Sandbox) sleep(d time.Duration) bool {
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

// millis reads a setting in milliseconds.
func (s *Sandbox) millis(name string, def int) time.Duration {
	n, err := strconv.Atoi(s.settings[name])
	if err != nil || n < 0 || n > 3_600_000 {
		n = def
	}
	return time.Duration(n) * time.Millisecond
}
