package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	token   = "pk_test_0001"
	secret  = "sk_test_7Qm2vLx9RtY4bNc8"
	address = "merchant.demo@example.com"
)

func open(t *testing.T, settings map[string]string) (*Sandbox, string) {
	t.Helper()
	all := map[string]string{"autosettle": "off"}
	for k, v := range settings {
		all[k] = v
	}
	s := New(Options{Credential: map[string]string{"public_token": token, "secret_token": secret, "email": address}, Settings: all, Seed: 1})
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, server.URL
}

// call is one signed request; change spoils it.
func call(t *testing.T, base, path, body string, change func(*http.Request)) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	ts := fmt.Sprint(time.Now().Unix())
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/plain")
	r.Header.Set("X-App-Token", token)
	r.Header.Set("X-App-Access-Ts", ts)
	r.Header.Set("X-App-Access-Sig", keyed(secret, ts+address))
	if change != nil {
		change(r)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var out map[string]any
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		t.Fatalf("HTTP %d: %v", res.StatusCode, err)
	}
	return res.StatusCode, out
}

func codeOf(out map[string]any) string {
	e, _ := out["error"].(map[string]any)
	code, _ := e["code"].(string)
	return code
}

// The nine checks of the contract's section 2.3, in their order: each request breaks its own check and all later ones.
func TestRequestsAreCheckedInTheOrderOfTheContract(t *testing.T) {
	_, base := open(t, nil)
	sign := func(ts string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("X-App-Access-Ts", ts)
			r.Header.Set("X-App-Access-Sig", keyed(secret, ts+address))
		}
	}
	all := []struct {
		what   string
		spoil  func(*http.Request)
		status int
		code   string
	}{
		{"not POST", func(r *http.Request) { r.Method = http.MethodPut }, 405, "method_not_allowed"},
		{"another content type", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 415, "unsupported_media_type"},
		{"half the Accept", func(r *http.Request) { r.Header.Set("Accept", "application/json") }, 406, "not_acceptable"},
		{"a header twice", func(r *http.Request) { r.Header.Add("X-App-Access-Sig", "x") }, 401, "header_missing"},
		{"milliseconds", func(r *http.Request) { r.Header.Set("X-App-Access-Ts", fmt.Sprint(time.Now().UnixMilli())) }, 401, "timestamp_rejected"},
		{"a capital in the signature", func(r *http.Request) { r.Header.Set("X-App-Access-Sig", strings.Repeat("A", 64)) }, 401, "signature_rejected"},
		{"an unknown token", func(r *http.Request) { r.Header.Set("X-App-Token", "pk_other") }, 401, "token_unknown"},
		{"a wrong signature", func(r *http.Request) { r.Header.Set("X-App-Access-Sig", strings.Repeat("a", 64)) }, 401, "signature_rejected"},
	}
	for i, first := range all {
		status, out := call(t, base, "/api/balance", "not json", func(r *http.Request) {
			for j := len(all) - 1; j >= i; j-- { // later spoils first, so that the one under test has its way
				all[j].spoil(r)
			}
		})
		if status != first.status || codeOf(out) != first.code {
			t.Errorf("%s: %d %s", first.what, status, codeOf(out))
		}
	}
	for _, body := range []string{"", "[]", "null", "{} {}", "{", "{}x", "\"a\"", "{\"a\":\"\xff\"}"} {
		if status, out := call(t, base, "/any/path", body, nil); status != 400 || codeOf(out) != "bad_json" {
			t.Errorf("%q: %d %s", body, status, codeOf(out))
		}
	}
	for what, c := range map[string]struct {
		spoil  func(*http.Request)
		status int
	}{
		"charset utf-8":     {func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=UTF-8") }, 200},
		"another charset":   {func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=latin1") }, 415},
		"another parameter": {func(r *http.Request) { r.Header.Set("Content-Type", "application/json; v=1") }, 415},
		"59 seconds old":    {sign(fmt.Sprint(time.Now().Unix() - 58)), 200},
		"a day old":         {sign(fmt.Sprint(time.Now().Unix() - 86400)), 401},
		"a day ahead":       {sign(fmt.Sprint(time.Now().Unix() + 86400)), 401},
		"an empty header":   {func(r *http.Request) { r.Header.Set("X-App-Token", "") }, 401},
		"no header":         {func(r *http.Request) { r.Header.Del("X-App-Access-Ts") }, 401},
		"signed with spaces": {func(r *http.Request) {
			r.Header.Set("X-App-Access-Sig", keyed(secret, r.Header.Get("X-App-Access-Ts")+" "+address))
		}, 401},
		"email in capitals": {func(r *http.Request) {
			r.Header.Set("X-App-Access-Sig", keyed(secret, r.Header.Get("X-App-Access-Ts")+strings.ToUpper(address)))
		}, 401},
	} {
		if status, out := call(t, base, "/api/balance", "{}", c.spoil); status != c.status {
			t.Errorf("%s: %d %v", what, status, out)
		}
	}
}

const goodPayOut = `{"externalId":"CH1","amount":"10.00","currency":"RUB","method":"card","recipient":{"number":"4111111111111111"}}`

func TestFieldsAreCheckedStrictly(t *testing.T) {
	_, base := open(t, nil)
	for what, c := range map[string]struct{ path, body string }{
		"an unknown field":       {"/api/payout/create", strings.Replace(goodPayOut, `{`, `{"note":"x",`, 1)},
		"a number for an amount": {"/api/payout/create", strings.Replace(goodPayOut, `"10.00"`, `10.00`, 1)},
		"three decimals":         {"/api/payout/create", strings.Replace(goodPayOut, `10.00`, `10.001`, 1)},
		"nothing":                {"/api/payout/create", strings.Replace(goodPayOut, `10.00`, `0.00`, 1)},
		"a minus":                {"/api/payout/create", strings.Replace(goodPayOut, `10.00`, `-1`, 1)},
		"a small currency":       {"/api/payout/create", strings.Replace(goodPayOut, `RUB`, `rub`, 1)},
		"an unknown method":      {"/api/payout/create", strings.Replace(goodPayOut, `card`, `cash`, 1)},
		"a space in a reference": {"/api/payout/create", strings.Replace(goodPayOut, `CH1`, `CH 1`, 1)},
		"no recipient":           {"/api/payout/create", strings.Replace(goodPayOut, `,"recipient":{"number":"4111111111111111"}`, ``, 1)},
		"no bank for sbp":        {"/api/payout/create", strings.Replace(goodPayOut, `card`, `sbp`, 1)},
		"a callback by http":     {"/api/payout/create", strings.Replace(goodPayOut, `{`, `{"callbackUrl":"http://example.com/x",`, 1)},
		"no payer":               {"/api/payin/create", `{"externalId":"CH1","amount":"10.00","currency":"RUB","method":"card"}`},
		"neither id":             {"/api/payout/status", `{}`},
		"both ids":               {"/api/payout/status", `{"id":"x","externalId":"y"}`},
		"days in disorder":       {"/api/statistics", `{"from":"2025-02-01T00:00:00Z","to":"2025-01-01T00:00:00Z"}`},
		"a day without a zone":   {"/api/statistics", `{"from":"2025-01-01","to":"2025-02-01T00:00:00Z"}`},
		"a balance of something": {"/api/balance", `{"currency":"RUB"}`},
		"a dispute about a word": {"/api/dispute/create", `{"payInId":"x"}`},
	} {
		if status, out := call(t, base, c.path, c.body, nil); status != 400 || codeOf(out) != "validation_failed" {
			t.Errorf("%s: %d %v", what, status, out)
		}
	}
	if status, out := call(t, base, "/api/payout/create", goodPayOut, nil); status != 200 {
		t.Errorf("the good one: %d %v", status, out)
	}
	if status, out := call(t, base, "/api/payin/status", `{"externalId":"CH1"}`, nil); status != 404 || codeOf(out) != "not_found" {
		t.Errorf("a payout is no payin: %d %v", status, out)
	}
	if status, out := call(t, base, "/api/nothing", `{}`, nil); status != 404 || codeOf(out) != "no_such_path" {
		t.Errorf("%d %v", status, out)
	}
}

// inbox keeps the callbacks that arrive.
type inbox struct {
	mu   sync.Mutex
	got  []string
	sigs [][]string
	next chan struct{}
	fail int // how many to refuse first
}

func (b *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail > 0 {
		b.fail--
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	b.got = append(b.got, string(body))
	b.sigs = append(b.sigs, r.Header.Values("X-Signature"))
	b.next <- struct{}{}
}

func (b *inbox) wait(t *testing.T, n int) {
	t.Helper()
	for range n {
		select {
		case <-b.next:
		case <-time.After(10 * time.Second):
			t.Fatal("no callback came")
		}
	}
}

func control(t *testing.T, base, what string, form url.Values) {
	t.Helper()
	res, err := http.PostForm(base+"/_sandbox/"+what, form) //nolint:noctx,gosec // the test's own sandbox
	if err != nil || res.StatusCode != http.StatusNoContent {
		t.Fatalf("%s: %v %v", what, err, res)
	}
	_ = res.Body.Close()
}

func TestCallbacksAreCompactSignedAndPlayedAsAsked(t *testing.T) {
	box := &inbox{next: make(chan struct{}, 100)}
	receiver := httptest.NewServer(box)
	defer receiver.Close()
	s, base := open(t, map[string]string{"webhook_url_callback": receiver.URL, "webhook_retry_ms": "1"})
	pay := func(ref string) string {
		_, out := call(t, base, "/api/payout/create", strings.Replace(goodPayOut, "CH1", ref, 1), nil)
		id, _ := out["data"].(map[string]any)["id"].(string)
		return id
	}
	id := pay("N1")
	box.wait(t, 1)
	want := fmt.Sprintf(`{"type":"payout","id":"%s","externalId":"N1","status":"processing","amount":"10.00","currency":"RUB"}`, id)
	if box.got[0] != want || len(box.sigs[0]) != 1 || box.sigs[0][0] != keyed(secret, want) {
		t.Errorf("%s %v", box.got[0], box.sigs[0])
	}
	if got := string(s.compact([][2]string{{"n", "Иван & Co +1 \"x\" 😀"}})); got != `{"n":"\u0418\u0432\u0430\u043D \u0026 Co \u002B1 \"x\" \uD83D\uDE00"}` {
		t.Errorf("as .NET writes it: %s", got)
	}
	for _, c := range []struct {
		mode string
		n    int
		good bool
		sigs int
	}{{"twice", 2, true, 1}, {"before_reply", 1, true, 1}, {"forged", 1, false, 1}, {"forged_body", 1, false, 1}, {"forged_secret", 1, false, 1},
		{"forged_none", 1, false, 0}, {"forged_twice", 1, true, 2}, {"forged_indent", 1, false, 1}} {
		control(t, base, "webhooks", url.Values{"mode": {c.mode}})
		box.mu.Lock()
		before := len(box.got)
		box.mu.Unlock()
		pay("M" + strings.ReplaceAll(c.mode, "_", "-"))
		box.wait(t, c.n)
		box.mu.Lock()
		for i, body := range box.got[before:] {
			sigs := box.sigs[before+i]
			if len(sigs) != c.sigs || len(sigs) > 0 && (sigs[0] == keyed(secret, body)) != c.good {
				t.Errorf("%s: %s %v", c.mode, body, sigs)
			}
		}
		box.mu.Unlock()
	}
	control(t, base, "webhooks", url.Values{"mode": {"reordered"}})
	pay("R1")
	pay("R2")
	box.wait(t, 2)
	last := box.got[len(box.got)-2:]
	if !strings.Contains(last[0], "R2") || !strings.Contains(last[1], "R1") {
		t.Errorf("not reordered: %v", last)
	}
	control(t, base, "webhooks", url.Values{"mode": {"normal"}})
	box.mu.Lock()
	box.fail = 2
	box.mu.Unlock()
	pay("T1")
	box.wait(t, 1) // the third try
}

func TestOrdersSettleByThemselvesAndTheBooksBalance(t *testing.T) {
	s, base := open(t, map[string]string{"autosettle": "5"})
	for i := range 20 {
		call(t, base, "/api/payout/create", strings.Replace(goodPayOut, "CH1", fmt.Sprintf("P%d", i), 1), nil)
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		s.mu.Lock()
		open := 0
		paid := parseAmount("0", 6)
		for _, o := range s.list {
			switch o.status {
			case "processing":
				open++
			case "completed":
				paid = paid.plus(o.cost)
			}
		}
		available, hold := s.available, s.hold
		s.mu.Unlock()
		if open == 0 {
			if got := available.plus(hold).plus(paid).text(); got != "1000000.000000" || hold.positive() {
				t.Errorf("available %s, hold %s, paid %s", available.text(), hold.text(), paid.text())
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d never settled", open)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestThePageShowsWhatIsHeldWithButtons(t *testing.T) {
	_, base := open(t, nil)
	call(t, base, "/api/payout/create", goodPayOut, nil)
	call(t, base, "/api/payin/create", `{"externalId":"CH2","amount":"5.00","currency":"RUB","method":"sbp","clientId":"<script>alert(1)</script>"}`, nil)
	get := func() string {
		res, err := http.Get(base + "/_sandbox/") //nolint:noctx,gosec // the test's own sandbox
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		b, _ := io.ReadAll(res.Body)
		return string(b)
	}
	page := get()
	for _, want := range []string{"CH1", "CH2", "Pay this deposit", "Reject", "Lose the reply to the next PayOut", "Send every callback twice", "999999.875000"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	if strings.Contains(page, "<script>") {
		t.Error("a payer's name is run as a script")
	}
	control(t, base, "settle", url.Values{"reference": {"CH2"}, "status": {"paid"}})
	if !strings.Contains(get(), "completed") {
		t.Error("the paid deposit is not shown as completed")
	}
	control(t, base, "clock", url.Values{"advance_seconds": {"3600"}})
	if status, out := call(t, base, "/api/balance", "{}", nil); status != 401 || codeOf(out) != "timestamp_rejected" {
		t.Errorf("an hour later the same clock is refused: %d %v", status, out)
	}
	for _, bad := range []url.Values{{"operation": {"payout"}, "kind": {"nonsense"}}} {
		res, err := http.PostForm(base+"/_sandbox/fault", bad) //nolint:noctx,gosec // the test's own sandbox
		if err != nil || res.StatusCode != http.StatusBadRequest {
			t.Errorf("%v %v", err, res)
		}
		_ = res.Body.Close()
	}
}

func TestAnyPathCanBeGivenAnyAnswer(t *testing.T) {
	_, base := open(t, nil)
	control(t, base, "reply", url.Values{"path": {"/their/path"}, "status": {"201"}, "content_type": {"application/json"}, "body": {`{"fine":true}`}})
	status, out := call(t, base, "/their/path", "{}", nil)
	if diff := cmp.Diff(map[string]any{"fine": true}, out); status != 201 || diff != "" {
		t.Error(status, diff)
	}
	if status, _ := call(t, base, "/their/path", "{}", func(r *http.Request) { r.Header.Del("X-App-Token") }); status != 401 {
		t.Errorf("without a token: %d", status)
	}
}

func TestAmountsAreExact(t *testing.T) {
	for text, want := range map[string]string{"1500.50": "1500.50", "0.01": "0.01", "7": "7.00", "1.5": "1.50", "1.005": "0.00", "x": "0.00", "999999999999.99": "999999999999.99"} {
		if got := parseAmount(text, 2).text(); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	if got := inUSDT(parseAmount("1500.50", 2), "RUB").text(); got != "18.756250" {
		t.Error(got)
	}
	if got := inUSDT(parseAmount("0.01", 2), "KZT").text(); got != "0.000020" {
		t.Error(got)
	}
}

// A PayIn that ended without money ended once: only money that comes late turns it, or a dispute.
func TestAPayInThatEndedDoesNotEndAnotherWay(t *testing.T) {
	s, _ := open(t, nil)
	for _, first := range []string{"cancelled", "expired"} {
		for _, then := range []string{"failed", "cancelled", "expired"} {
			o := &order{kind: "payin", status: "pending", currency: "USD", amount: parseAmount("5.00", 2)}
			s.mu.Lock()
			begun, again, late := s.end(o, first), s.end(o, then), s.end(o, "paid_late")
			s.mu.Unlock()
			if begun != nil || again == nil || late != nil || o.status != "completed" {
				t.Errorf("%s: %v; then %s: %v; then late money: %v, %s", first, begun, then, again, late, o.status)
			}
		}
	}
}
