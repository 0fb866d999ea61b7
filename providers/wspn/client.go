package wspn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// client speaks to WSPN with one set of keys. It keeps no state but the token cache, which it shares (WSPN-TOK-3).
type client struct {
	env      models.Environment
	set      settings
	key      string
	secret   string
	clientID int64 // from WSPN's e-mail; 0 when not typed
	http     *httpx.Client
	prefix   string // path of the base URL, which belongs to the signed URL
	tokens   *tokenCache
	now      func() time.Time
	egress   string
}

// quoteLife is how long a quote lives (P-RATE).
const quoteLife = 30 * time.Second

func newClient(cfg providers.Config, pool *tokenPool) (*client, error) {
	set, err := readSettings(cfg.Environment, cfg.Settings)
	if err != nil {
		return nil, err
	}
	for _, f := range []string{"api_key", "api_secret"} {
		if v := fieldOf(cfg, f); strings.TrimSpace(v) == "" || len(v) > 512 {
			return nil, models.FieldErrorf(f, "Type the %s from WSPN's e-mail.", map[string]string{"api_key": "API key", "api_secret": "API secret"}[f])
		}
	}
	c := &client{env: cfg.Environment, set: set, key: strings.TrimSpace(fieldOf(cfg, "api_key")), secret: strings.TrimSpace(fieldOf(cfg, "api_secret")),
		clientID: parseID(cfg.Values["client_id"]), now: cfg.Clock, egress: cfg.CallerAddress}
	if c.now == nil {
		c.now = time.Now
	}
	base := strings.TrimSpace(cfg.Values["base_url"])
	if base == "" && cfg.Environment == models.Sandbox {
		base = testBase
	}
	if !onThisMachine(base) && !set.statusWordsTyped {
		c.set.statusWords = pairs(documentedWords) // WSPN's own test environment too: the words of the stand-in are ours, not WSPN's (contract 6.5)
	}
	hosts := []string{testHost}
	if cfg.Environment == models.Live {
		// WSPN-ENV-2: the production host is not documented; what two admins approved with the credential is the pin.
		hosts = nil
		if u, err := url.Parse(base); err == nil && u.Host != "" {
			hosts = []string{u.Host}
		}
		if u, err := url.Parse(base); err == nil && strings.EqualFold(strings.TrimRight(u.Hostname(), "."), testHost) {
			return nil, models.FieldErrorf("base_url", "%s is WSPN's test environment: a live credential needs the address that WSPN names in writing.", testHost)
		}
	}
	c.http, err = httpx.New(httpx.Config{Name: "wspn", BaseURL: base, AllowedHosts: hosts, AllowLoopback: cfg.Environment == models.Sandbox,
		Recorder: cfg.Recorder, Redact: c.redactor(), Now: c.now})
	if err != nil {
		return nil, models.FieldErrorf("base_url", "WSPN's address cannot be used: %s.", err)
	}
	if u, err := url.Parse(c.http.BaseURL()); err == nil {
		c.prefix = strings.TrimRight(u.EscapedPath(), "/")
	}
	c.tokens = &tokenCache{}
	if set.tokenShared {
		c.tokens = pool.of(c.http.BaseURL(), c.key, c.secret)
	}
	return c, nil
}

// onThisMachine reports whether an address is that of a stand-in.
func onThisMachine(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return strings.EqualFold(u.Hostname(), "localhost") || err == nil && ip.Unmap().IsLoopback()
}

// Close drops kept connections.
func (c *client) Close() { c.http.Close() }

// CircuitOpen tells whether calls are being refused because WSPN did not answer lately.
func (c *client) CircuitOpen() bool { return c.http.CircuitOpen() }

// fieldOf reads a credential field wherever it is kept.
func fieldOf(cfg providers.Config, name string) string {
	if v := cfg.Secrets[name]; v != "" {
		return v
	}
	return cfg.Values[name]
}

// redactor names what no record may show: keys, tokens and signatures, wherever they stand.
func (c *client) redactor() httpx.Redactor {
	secretNames := []string{"api_key", "api_secret", "access_token", "refresh_token", "apiKey", "apiSecret", "accessToken", "refreshToken",
		"secret", "secretKey", "apiSecretKey", "signature", "password", "token"}
	return httpx.Redactor{Headers: []string{"D-SIGNATURE"}, Query: secretNames, JSON: secretNames, Form: secretNames,
		Secrets: []string{c.secret, c.key}}
}

// call is one request to WSPN.
type call struct {
	at       endpoint
	query    [][2]string // GET parameters
	body     any         // what goes below "query" in the JSON envelope; nil means no body
	flat     bool        // body is sent as it is, without the envelope
	page     [2]int      // current, size; zero means no paging object
	form     []byte      // a multipart body, with its content type
	formType string
	noRecord bool
	single   bool // carries no requestId: never made twice, not even after a refused token
}

// answer is an answer that said success.
type answer struct {
	object
	raw []byte
	res httpx.Response
}

// stages of a call that went wrong.
const (
	stageLocked = "locked"
	stageToken  = "token"
	stageCall   = "call"
)

// kinds of what went wrong, for the credential check.
const (
	kindTransport  = "transport"
	kindAuth       = "auth"       // the token, or the signature, was refused
	kindSignature  = "signature"  // their signature is wrong
	kindSaidNo     = "said_no"    // a readable answer without success
	kindUnreadable = "unreadable" // an answer that is not in the contract
)

// callError is everything but success. notSent means that the call itself never left this machine, whatever the token call did.
type callError struct {
	stage    string
	kind     string
	notSent  bool
	status   int
	code     string
	sentence string
	raw      []byte
	skew     time.Duration
	err      error
}

func (e *callError) Error() string { return e.sentence }
func (e *callError) Unwrap() error { return e.err }

// saidByThem reports whether a code of the answer may be believed. Behind a 5xx or a redirect no code proves that nothing was created, whatever
// staff have typed about it (README, rule 1).
func (e *callError) saidByThem() bool {
	return e.status >= 200 && e.status < 300 || e.status >= 400 && e.status < 500
}

// do makes one call: lock, token, signature, request, verification, envelope. When the token is refused it fetches one new token and
// makes the call once more; that is safe for money calls too, because both carry the same requestId and WSPN rejects a requestId
// that it has already taken (WSPN-IDEM-1).
func (c *client) do(ctx context.Context, k call) (answer, *callError) {
	if why := c.locked(k.at); why != "" {
		return answer{}, &callError{stage: stageLocked, notSent: true, sentence: why}
	}
	req, err := c.request(k)
	if err != nil {
		return answer{}, &callError{stage: stageCall, notSent: true, sentence: "the request could not be written: " + err.Error(), err: err}
	}
	access, err := c.accessToken(ctx, "")
	if err != nil {
		return answer{}, tokenTrouble(err)
	}
	a, first := c.once(ctx, req, access)
	if first == nil || first.kind != kindAuth {
		return a, first
	}
	if k.single {
		c.tokens.forget(access)
		return a, first
	}
	if access, err = c.accessToken(ctx, access); err != nil {
		return answer{}, first.and("a new token could not be had: " + tokenTrouble(err).sentence)
	}
	a, e := c.once(ctx, req, access)
	if e != nil && e.notSent {
		return answer{}, first.and("the second try was not sent: " + e.sentence)
	}
	return a, e
}

// and says what came after an error. What the first call did stays what is judged: it was sent, whatever the second one was not.
func (e *callError) and(then string) *callError {
	twin := *e
	twin.sentence += "; " + then
	return &twin
}

// tokenTrouble is an error before the call itself.
func tokenTrouble(err error) *callError {
	var e *callError
	if errors.As(err, &e) {
		twin := *e
		twin.notSent = true
		return &twin
	}
	return &callError{stage: stageToken, kind: kindTransport, notSent: true, sentence: "no token could be had in time", err: err}
}

// once signs with a fresh timestamp and sends.
func (c *client) once(ctx context.Context, req httpx.Request, access string) (answer, *callError) {
	req.Header = req.Header.Clone()
	req.Header.Set("Authorization", "Bearer "+access)
	req.Secrets = []string{access}
	c.signRequest(&req)
	res, err := c.http.Do(ctx, req)
	if err != nil {
		return answer{}, c.transportError(stageCall, res, err)
	}
	if e := c.verifyAnswer(req, res, false); e != nil {
		return answer{}, e
	}
	o, e := c.readEnvelope(res, true)
	if e != nil {
		return answer{}, e
	}
	return answer{object: o, raw: res.Exchange.ResponseBody, res: res}, nil // redacted: an answer may repeat a key or a token
}

// request writes the bytes of a call. They are marshalled once; the same bytes are signed and sent.
func (c *client) request(k call) (httpx.Request, error) {
	req := httpx.Request{Operation: k.at.op, Method: k.at.method, Path: c.pathOf(k.at), Header: http.Header{}, NoRecord: k.noRecord}
	// Not even a GET is repeated below us: every attempt must be signed with a timestamp of its own (contract 3.3).
	var q []string
	for _, p := range k.query {
		if strings.ContainsAny(p[1], "&=+%") { // un-encoded for the signature, these would be ambiguous (contract 3.3)
			return req, fmt.Errorf("%s must not contain & = + or %%", p[0])
		}
		q = append(q, p[0]+"="+escape(p[1]))
	}
	req.RawQuery = strings.Join(q, "&")
	switch {
	case k.form != nil:
		req.Body = k.form
		req.Header.Set("Content-Type", k.formType)
		return req, nil
	case k.body == nil:
		return req, nil
	}
	wire := k.body
	if !k.flat {
		envelope := map[string]any{"query": k.body}
		if k.page != [2]int{} {
			envelope[c.set.pageObject] = map[string]int{"current": k.page[0], "size": k.page[1]}
		}
		wire = envelope
	}
	body, err := json.Marshal(wire)
	if err != nil {
		return req, err
	}
	req.Body = body
	kind := "application/json"
	if c.set.contentTypes == "page" && k.at.plain { // WSPN-CT-1
		kind = "text/plain"
	}
	req.Header.Set("Content-Type", kind)
	return req, nil
}

// signRequest sets D-TIMESTAMP and D-SIGNATURE. The clock is read once per attempt; text and header carry the same digits.
func (c *client) signRequest(req *httpx.Request) {
	stamp := strconv.FormatInt(c.now().Add(c.set.timestampOffset).UnixMilli(), 10)
	m := c.messageOf(*req, stamp)
	m.body = req.Body
	if strings.HasPrefix(req.Header.Get("Content-Type"), "multipart/") && !c.set.signMultipart { // WSPN-SIG-4
		m.body = nil
	}
	req.Header["D-TIMESTAMP"] = []string{stamp}
	req.Header["D-SIGNATURE"] = []string{c.set.profile.sign(m, c.key, c.secret)}
}

func (c *client) messageOf(req httpx.Request, stamp string) message {
	query, _ := decodedQuery(req.RawQuery)
	m := message{method: req.Method, timestamp: stamp, path: c.prefix + req.Path, query: query}
	if c.set.pathWithQuery && req.RawQuery != "" { // WSPN-SIG-3
		m.path += "?" + req.RawQuery
	}
	return m
}
