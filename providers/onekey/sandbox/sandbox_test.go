package sandbox_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"countinghouse/providers/onekey/sandbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t testing.TB, settings map[string]string) (*httptest.Server, *sandbox.Sandbox) {
	t.Helper()
	s := sandbox.New(sandbox.Options{Credential: map[string]string{"cashout_api_key": "k", "cashout_api_passphrase": "p", "cashout_api_signature": "s"}, Settings: settings, Seed: 1})
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		server.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return server, s
}

func get(t testing.TB, address string) (int, string) {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(b)
}

func control(t testing.TB, server *httptest.Server, what string, pairs ...string) int {
	t.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	res, err := http.PostForm(server.URL+"/_sandbox/"+what, v)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// cashout posts a PIX payout signed as the contract says.
func cashout(t testing.TB, server *httptest.Server, reference, note string) int {
	t.Helper()
	body := fmt.Sprintf(`{"login":"k","pass":"p","external_id":%q,"country":"BR","amount":1.00,"currency":"BRL","document_id":"52998224725","beneficiary_name":"Ana","bank_code":"10002","bank_account":"","bank_branch":"","account_type":"C","notification_url":"http://127.0.0.1:1/n","comments":%q,"type":"json"}`, reference, note)
	h := hmac.New(sha256.New, []byte("s"))
	h.Write([]byte(body))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v3/cashout", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Content-Type": {"application/json"}, "User-Agent": {"test"}, "Payload-Signature": {hex.EncodeToString(h.Sum(nil))}}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res.StatusCode
}

func TestThePageShowsWhatTheStandInHolds(t *testing.T) {
	server, _ := start(t, map[string]string{"autosettle": "off"})
	if got := cashout(t, server, "CHPAGE1", "<script>alert(1)</script>"); got != 200 {
		t.Fatal(got)
	}
	control(t, server, "fault", "operation", "payout", "kind", "lose_reply")
	_, page := get(t, server.URL+"/_sandbox/")
	for _, want := range []string{"CHPAGE1", "1.00 BRL", "Pending", "BRL 49999999.00", "Armed: the next cashout shall be carried out, and its reply lost", "Send its callback again", "Pay this cashout"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "<script") {
		t.Error("the page has a script")
	}
	if _, counts := get(t, server.URL+"/_sandbox/executions"); counts != `{"CHPAGE1":1}` {
		t.Errorf("%s", counts)
	}
}

func TestTheControlsRefuseWhatTheyDoNotKnow(t *testing.T) {
	server, _ := start(t, nil)
	for name, got := range map[string]int{
		"a fault of no kind":     control(t, server, "fault", "operation", "payout", "kind", "explode"),
		"a fault of nothing":     control(t, server, "fault", "operation", "coffee", "kind", "late"),
		"a fate for nobody":      control(t, server, "settle", "reference", "NOBODY", "status", "succeeded"),
		"a mode of no kind":      control(t, server, "webhooks", "mode", "loud"),
		"a clock of words":       control(t, server, "clock", "advance_seconds", "soon"),
		"an outcome of no kind":  control(t, server, "autosettle", "outcome", "lost"),
		"a balance of words":     control(t, server, "balance", "amount", "much"),
		"a code of words":        control(t, server, "refuse", "code", "x"),
		"a callback for nothing": control(t, server, "resend", "reference", "NOBODY"),
	} {
		if got != http.StatusBadRequest {
			t.Errorf("%s: %d", name, got)
		}
	}
	if got := control(t, server, "coffee"); got != http.StatusNotFound {
		t.Errorf("an unknown control: %d", got)
	}
	if status, _ := get(t, server.URL+"/_sandbox/pay/1"); status != http.StatusNotFound {
		t.Errorf("paying nothing: %d", status)
	}
}

// Closing gives up what still waits, at once, and leaves nothing running (goleak).
func TestClosingStopsWhatStillWaits(t *testing.T) {
	server, s := start(t, map[string]string{"autosettle_ms": "3600000"})
	for i := range 20 {
		cashout(t, server, fmt.Sprintf("CHWAIT%d", i), "")
	}
	done := make(chan error, 1)
	go func() { done <- s.Close() }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("closing waits for what should happen in an hour")
	}
}

func TestManyPayoutsAtOnceAreEachExecutedOnce(t *testing.T) {
	server, _ := start(t, map[string]string{"autosettle": "mixed", "autosettle_ms": "10"})
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 25 {
				if got := cashout(t, server, fmt.Sprintf("CHMANY%d", i), ""); got != 200 && got != http.StatusPreconditionFailed {
					t.Errorf("worker %d: %d", worker, got)
				}
			}
		})
	}
	wg.Wait()
	_, counts := get(t, server.URL+"/_sandbox/executions")
	if strings.Count(counts, ":1") != 25 || strings.Count(counts, "CHMANY") != 25 {
		t.Errorf("%s", counts)
	}
}

func BenchmarkCashouts(b *testing.B) {
	server, _ := start(b, map[string]string{"autosettle": "off"})
	n := 0
	for b.Loop() {
		n++
		cashout(b, server, fmt.Sprintf("CHBENCH%d", n), "")
	}
}
