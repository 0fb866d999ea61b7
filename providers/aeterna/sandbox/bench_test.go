package sandbox

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A stand-in must not be what limits a test: it creates and signs in far less than two milliseconds.
func BenchmarkCreatePayOut(b *testing.B) {
	s := New(Options{Credential: map[string]string{"public_token": token, "secret_token": secret, "email": address}, Settings: map[string]string{"autosettle": "off"}})
	defer func() { _ = s.Close() }()
	n := 0
	for b.Loop() {
		n++
		body := strings.Replace(goodPayOut, "CH1", fmt.Sprintf("B%d", n), 1)
		r := httptest.NewRequest("POST", "/api/payout/create", strings.NewReader(strings.Replace(body, "10.00", "0.01", 1)))
		ts := fmt.Sprint(time.Now().Unix())
		for name, v := range map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/plain", "X-App-Token": token,
			"X-App-Access-Ts": ts, "X-App-Access-Sig": keyed(secret, ts+address)} {
			r.Header.Set(name, v)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}
