package tasks_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"countinghouse/handlers/tasks"
	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
	"countinghouse/models/vault"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// canary is the secret that must appear nowhere.
const canary = "canary-5b7e11c9-keep-me-hidden-4242"

// plainpay is a made-up provider: one key, one secret, balances, a look-up, signed webhooks. Its client deliberately names no secret to
// httpx, so that the tests see whether the desk and the recorder keep it in all the same.
func plainpay() *providers.Provider {
	d := providers.Description{Name: "plainpay", Title: "Plain Pay", Short: "Plain", Fields: []providers.Field{
		{Name: "base_url", Label: "Base URL", Kind: providers.URL, Required: true},
		{Name: "secret", Label: "Secret", Secret: true, Required: true}},
		Settings:     []providers.Setting{{Name: "scheme", Label: "Scheme", Item: "PP-AUTH", Default: "one", Options: []providers.Option{{Value: "one", Label: "One"}, {Value: "two", Label: "Two"}}}},
		Capabilities: []providers.Capability{providers.CanCheck, providers.CanReadBalances, providers.CanLookUp, providers.CanReceiveWebhooks},
		Items:        []providers.Item{{ID: "PP-AUTH", Text: "Auth", Mark: providers.Assumed, Setting: "scheme"}, {ID: "PP-WH", Text: "Webhook", Mark: providers.Documented}},
		Reads:        []providers.Read{{ID: "banks", Title: "Banks", Params: []providers.Field{{Name: "country", Label: "Country", Required: true, Pattern: "[A-Z]{2}"}}}},
		Webhooks:     []providers.WebhookTopic{{ID: "payment", Title: "Payments"}}}
	return &providers.Provider{Description: d, New: newPlainClient, Webhooks: plainHooks{}}
}

type plainClient struct {
	http     *httpx.Client
	secret   string
	settings map[string]string
}

func newPlainClient(c providers.Config) (any, error) {
	h, err := httpx.New(httpx.Config{Name: "plainpay", BaseURL: c.Values["base_url"], AllowLoopback: c.Environment == models.Sandbox, Recorder: c.Recorder, Now: c.Clock})
	if err != nil {
		return nil, models.FieldErrorf("base_url", "The base URL is refused (%s): %v", c.Secrets["secret"], err)
	}
	return &plainClient{http: h, secret: c.Secrets["secret"], settings: c.Settings}, nil
}

func (c *plainClient) get(ctx context.Context, op, path string) (httpx.Response, error) {
	return c.http.Do(ctx, httpx.Request{Operation: op, Method: http.MethodGet, Path: path, Idempotent: true,
		Header: http.Header{"X-Key": {c.secret}, "X-Scheme": {c.settings["scheme"]}, "X-Proven": {c.settings["proven:PP-AUTH"]}}})
}

func (c *plainClient) Check(ctx context.Context) []providers.CheckResult {
	res, err := c.get(ctx, "balance.read", "/balance")
	r := providers.CheckResult{Title: "Balance", Operation: "balance.read", Items: []string{"PP-AUTH"}}
	switch {
	case err != nil:
		r.Verdict, r.Sentence = providers.Unreachable, "The host does not answer: "+err.Error()
	case res.Status == http.StatusUnauthorized:
		r.Verdict, r.Sentence = providers.KeysRejected, "The provider does not know this key."
	default:
		r.Verdict, r.Sentence, r.Proved = providers.CheckOK, "The balance came.", true
	}
	return []providers.CheckResult{r}
}

func (c *plainClient) Balances(ctx context.Context) ([]providers.Balance, error) {
	res, err := c.get(ctx, "balance.read", "/balance")
	if err != nil {
		return nil, models.Errorf(models.Unavailable, "The balance could not be read: %v", err)
	}
	if res.Status != http.StatusOK {
		return nil, models.Errorf(models.Unavailable, "The balance could not be read: status %d.", res.Status)
	}
	var body struct{ Available json.Number }
	if err := json.Unmarshal(res.Body, &body); err != nil {
		return nil, models.Errorf(models.Unavailable, "The balance could not be read.")
	}
	m, err := models.ParseMoney(body.Available.String(), "BRL")
	return []providers.Balance{{Account: "main", Available: m, Text: body.Available.String(), Mark: providers.Documented}}, err
}

func (c *plainClient) LookUp(ctx context.Context, id string, params map[string]string) (providers.Sheet, error) {
	return providers.Sheet{Columns: []string{"Code", "Name"}, Rows: [][]string{{"001", "Banco " + params["country"]}}}, nil
}

type plainHooks struct{}

func sign(secret string, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

func (plainHooks) VerifyWebhook(k providers.Keys, d providers.Delivery) providers.Authenticity {
	for _, s := range k.Secrets {
		if hmac.Equal([]byte(d.Header.Get("X-Signature")), []byte(sign(s["secret"], d.Body))) {
			return providers.Authenticity{Trust: providers.Verified, Sentence: "The signature is right.", Items: []string{"PP-WH"}}
		}
	}
	return providers.Authenticity{Trust: providers.Forged, Sentence: "The signature is wrong."}
}

func (plainHooks) TranslateWebhook(d providers.Delivery) (providers.Notice, error) {
	var body struct{ Event, Ref, Status string }
	if err := json.Unmarshal(d.Body, &body); err != nil {
		return providers.Notice{}, models.Errorf(models.Invalid, "The body is not JSON.")
	}
	return providers.Notice{Kind: models.Payout, Reference: body.Ref, Word: body.Status, Dedupe: body.Event, Event: body.Event}, nil
}

func (plainHooks) WebhookReply(string) providers.Reply {
	return providers.Reply{Status: http.StatusOK, ContentType: "text/plain", Body: []byte("SUCCESS")}
}

// plainServer plays the provider: it counts clients by their calls and echoes the key, as a careless provider does.
type plainServer struct {
	*httptest.Server
	mu      sync.Mutex
	key     string
	balance string
	seen    []http.Header
}

func newPlainServer(t *testing.T) *plainServer {
	s := &plainServer{key: canary, balance: "1234.50"}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.seen = append(s.seen, r.Header.Clone())
		if r.Header.Get("X-Key") != s.key {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"error":"unknown key ` + r.Header.Get("X-Key") + `"}`))
			return
		}
		_, _ = w.Write([]byte(`{"available":` + s.balance + `,"echo":"` + r.Header.Get("X-Key") + `"}`))
	}))
	t.Cleanup(s.Close)
	return s
}

// bench is one store with everything the tasks need around it.
type bench struct {
	*testing.T
	store    *store.Store
	vault    *vault.Vault
	desk     *tasks.Desk
	recorder *tasks.Recorder
	clock    *storetest.Clock
	server   *plainServer
	log      *bytes.Buffer
	ann, bob models.Actor
}

func each(t *testing.T, test func(b *bench)) {
	clock := storetest.NewClock()
	storetest.Each(t, func(t *testing.T, s *store.Store) { test(newBench(t, s, clock)) }, storetest.WithClock(clock))
}

func newBench(t *testing.T, s *store.Store, clock *storetest.Clock) *bench {
	doc, err := vault.NewDocument()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.FromString(doc)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{T: t, store: s, vault: vault.New(keys), clock: clock, server: newPlainServer(t), log: &bytes.Buffer{}}
	b.recorder = tasks.NewRecorder(s, slog.New(slog.NewJSONHandler(b.log, nil)))
	b.desk = tasks.NewDesk(tasks.DeskConfig{Store: s, Vault: b.vault, Registry: providers.NewRegistry(plainpay()), Recorder: b.recorder, Log: slog.New(slog.NewJSONHandler(b.log, nil))})
	t.Cleanup(func() { b.recorder.Close(); b.desk.Close() })
	admin := func(id, name string) models.Actor {
		return models.Actor{UserID: id, Name: name, Roles: []models.Role{models.Admin, models.Finance}, StepUp: s.Now()}
	}
	b.ann, b.bob = admin("u-ann", "Ann"), admin("u-bob", "Bob")
	return b
}

// credential writes an active sandbox credential down.
func (b *bench) credential() models.Credential {
	b.Helper()
	c, err := b.store.CreateCredential(b.Context(), b.ann, b.vault, models.CredentialSpec{Provider: "plainpay", Environment: models.Sandbox,
		CredentialNotes: models.CredentialNotes{Name: "Main"}, Values: map[string]string{"base_url": b.server.URL}, Secrets: map[string]string{"secret": canary}})
	if err != nil {
		b.Fatal(err)
	}
	b.change(models.CredentialChange{CredentialID: c.ID, Kind: models.ChangeActivate}, 1)
	return b.get(c.ID)
}

func (b *bench) change(ch models.CredentialChange, version int64) {
	b.Helper()
	if done, err := b.store.AskChange(b.Context(), b.ann, ch, version); !done || err != nil {
		b.Fatalf("%s: done %v, %v", ch.Kind, done, err)
	}
}

func (b *bench) get(id string) models.Credential {
	b.Helper()
	c, err := b.store.CredentialForTask(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	return c
}
