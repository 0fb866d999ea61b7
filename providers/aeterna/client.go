package aeterna

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

const (
	mediaJSON   = "application/json"             // exactly so, without charset (AET-HTTP-2)
	acceptBoth  = "application/json, text/plain" // AET-HTTP-1
	maxAnswer   = 1 << 20
	readRepeats = 2
)

// Client calls Aeterna, or what an operation table describes, with one credential. Safe for concurrent use.
type Client struct {
	http     *httpx.Client
	clock    models.Clock
	env      models.Environment
	settings map[string]string
	table    *Table
	auth     *Auth
	id       identity
	baseURL  string
	caller   string
	wait     func(ctx context.Context, attempt int) bool // between repeats of a read
}

// New builds a client. It refuses a missing or unusable field, and an operation table that breaks its rules, by the field's name.
func New(c providers.Config) (any, error) {
	for _, f := range credentialFields() {
		value := c.Values[f.Name]
		if f.Secret {
			value = c.Secrets[f.Name]
		}
		if err := checkField(f, value); err != nil {
			return nil, err
		}
	}
	t, err := tableOf(c.Settings)
	if err != nil {
		return nil, err
	}
	id := identity{publicToken: c.Values[fieldPublicToken], secretToken: c.Secrets[fieldSecretToken], email: c.Values[fieldEmail]}
	if chosen(c.Settings, settingEmail) == "lower" {
		id.email = strings.ToLower(id.email)
	}
	auth := documentedAuth()
	if t.Auth != nil {
		auth = t.Auth
	}
	client, err := httpx.New(transport(c, t, auth, id))
	if err != nil {
		return nil, models.FieldErrorf(fieldBaseURL, "%s.", sentence(err.Error()))
	}
	clock := c.Clock
	if clock == nil {
		clock = time.Now
	}
	return &Client{http: client, clock: clock, env: c.Environment, settings: c.Settings, table: t, auth: auth, id: id,
		baseURL: c.Values[fieldBaseURL], caller: c.CallerAddress, wait: pause}, nil
}

// checkField refuses what cannot be signed or sent. White space around a value is refused, never removed (AET-SIG-2).
func checkField(f providers.Field, value string) error {
	switch {
	case value == "":
		return models.FieldErrorf(f.Name, "%s is missing.", f.Label)
	case strings.TrimSpace(value) != value:
		return models.FieldErrorf(f.Name, "%s begins or ends with a space. Remove it: it would become part of the signature.", f.Label)
	case hasControl(value):
		return models.FieldErrorf(f.Name, "%s contains a control or invisible character.", f.Label)
	case !matches(f.Pattern, value):
		return models.FieldErrorf(f.Name, "%s", f.PatternHelp)
	}
	return nil
}

// transport pins the one host that was typed; in live its approval as part of the credential is the pin (AET-ENV-1). The three headers
// are never recorded: whoever sees them can send anything while the time is fresh.
func transport(c providers.Config, t *Table, auth *Auth, id identity) httpx.Config {
	redact := httpx.Redactor{
		Headers: []string{headerToken, headerTime, headerSignature, headerCallback},
		JSON:    append(t.sensitive(), "secretToken", "secret_token"), Form: t.sensitive(), Query: t.sensitive(),
		Secrets: []string{id.secretToken, id.publicToken, id.email},
	}
	for _, h := range auth.Headers {
		redact.Headers = append(redact.Headers, h.Name)
	}
	return httpx.Config{Name: "aeterna", BaseURL: c.Values[fieldBaseURL], AllowedHosts: pins(c), AllowLoopback: c.Environment == models.Sandbox,
		MaxBody: maxAnswer, Recorder: c.Recorder, Redact: redact, Now: c.Clock}
}

// pins gives the host that may be called besides this machine. A test environment of Aeterna is not documented, so a sandbox credential
// reaches a foreign host only where an admin has switched typed operations on by name. A bare number is no host name.
func pins(c providers.Config) []string {
	u, err := url.Parse(c.Values[fieldBaseURL])
	if err != nil || u.Hostname() == "" {
		return nil
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return nil
	}
	if c.Environment != models.Live && chosen(c.Settings, settingProfile) != "on" {
		return nil
	}
	return []string{u.Host}
}

// exchange signs one attempt with a fresh clock reading (AET-SIG-3) and sends it once.
func (c *Client) exchange(ctx context.Context, operation string, w wire) (httpx.Response, error) {
	prefix := ""
	if u, err := url.Parse(c.baseURL); err == nil {
		prefix = strings.TrimRight(u.EscapedPath(), "/")
	}
	// A field of the table that travels as a header never takes the place of one that authenticates.
	header := w.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	maps.Copy(header, c.auth.headers(c.id, signed{at: c.clock(), method: w.method, path: prefix + w.path, body: w.body}))
	header.Set("Accept", acceptBoth)
	if w.contentType != "" {
		header.Set("Content-Type", w.contentType)
	}
	return c.http.Do(ctx, httpx.Request{Operation: operation, Method: w.method, Path: w.path, RawQuery: w.query, Header: header, Body: w.body})
}

// send makes a call that may create something: exactly one request, never a repeat (AET-RETRY-1).
func (c *Client) send(ctx context.Context, operation string, w wire) (httpx.Response, error) {
	return c.exchange(ctx, operation, w)
}

// ask makes a harmless call. It may be repeated twice when nothing was sent or the answer is 502, 503 or 504, signed anew each time.
func (c *Client) ask(ctx context.Context, operation string, w wire) (httpx.Response, error) {
	for attempt := 1; ; attempt++ {
		res, err := c.exchange(ctx, operation, w)
		var fault *httpx.Error
		repeat := errors.As(err, &fault) && fault.Kind == httpx.KindNotSent || err == nil && res.Status >= 502 && res.Status <= 504
		if !repeat || attempt > readRepeats || chosen(c.settings, settingRetry) != "reads" || !c.wait(ctx, attempt) {
			return res, err
		}
	}
}

// pause waits 100 to 200 ms before the first repeat and three times that before the second.
func pause(ctx context.Context, attempt int) bool {
	d := 100 * time.Millisecond
	if attempt > 1 {
		d *= 3
	}
	t := time.NewTimer(d + rand.N(d)) //nolint:gosec // spreading load needs no secrecy
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// typed builds the request of a typed operation, if it may be used at all.
func (c *Client) typed(operation string, in input) (wire, error) {
	if ok, why := profileAllowed(c.env, c.baseURL, c.settings); !ok {
		return wire{}, models.Errorf(models.Conflict, "%s", why)
	}
	if unconfirmed(c.env, operation, c.settings) {
		return wire{}, models.Errorf(models.Conflict, "%s", assumedSentence(c.table))
	}
	in.loopback = c.env == models.Sandbox
	in.cabinet = chosen(c.settings, settingCallback) == "cabinet"
	w, err := c.table.build(operation, in)
	if err == nil && string(w.body) == "{}" && chosen(c.settings, settingTransport) == "empty" {
		w.body = nil
	}
	return w, err
}

// Reply is the answer to a raw call.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte // as received, at most 1 MiB
}

// CallError is an answer to a raw call that is not a success, or not what was asked for. The transport's own failures are *httpx.Error.
type CallError struct {
	Reply  Reply
	Reason string // a sentence
}

func (e *CallError) Error() string { return e.Reason }

// Call makes one authenticated POST to a path of the caller's choice: all that the documentation covers (AET-OPS-2). in must marshal to a
// JSON object; nil sends {}. The answer is decoded into out, when that is not nil, only if the status is 2xx and the content type JSON;
// 2xx does not prove success. It is never repeated.
func (c *Client) Call(ctx context.Context, path string, in, out any) (Reply, error) {
	w, err := rawCall(path, in)
	if err != nil {
		return Reply{}, err
	}
	res, err := c.exchange(ctx, "raw.call", w)
	reply := Reply{Status: res.Status, Header: res.Header, Body: res.Body}
	if err != nil {
		return reply, err
	}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch {
	case res.Status < 200 || res.Status > 299:
		return reply, &CallError{reply, fmt.Sprintf("The answer is HTTP %s (%s).", statusText(res.Status), orNothing(kind))}
	case out == nil:
		return reply, nil
	case kind != mediaJSON:
		return reply, &CallError{reply, fmt.Sprintf("The answer is not JSON but %s.", orNothing(kind))}
	}
	if _, err := httpx.ReadJSON(res.Body); err != nil {
		return reply, &CallError{reply, sentence(err.Error()) + "."}
	}
	dec := json.NewDecoder(strings.NewReader(string(res.Body)))
	dec.UseNumber()
	if err := dec.Decode(out); err != nil {
		return reply, &CallError{reply, "The answer does not have the expected shape."}
	}
	return reply, nil
}

func rawCall(path string, in any) (wire, error) {
	if strings.Contains(path, ":") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "?#\\") {
		return wire{}, models.Errorf(models.Invalid, "The path must be relative: no scheme, host, query or fragment.")
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == ".." || part == "." {
			return wire{}, models.Errorf(models.Invalid, "The path must not contain dot segments.")
		}
	}
	body := []byte("{}")
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return wire{}, models.Errorf(models.Invalid, "The body cannot be written as JSON.")
		}
	}
	if tree, err := httpx.ReadJSON(body); err != nil || !tree.IsObject() {
		return wire{}, models.Errorf(models.Invalid, "The body must be a JSON object.")
	}
	return wire{method: http.MethodPost, path: "/" + strings.TrimPrefix(path, "/"), contentType: mediaJSON, body: body}, nil
}

func statusText(status int) string {
	if text := http.StatusText(status); text != "" {
		return fmt.Sprintf("%d %s", status, text)
	}
	return fmt.Sprint(status)
}

func orNothing(kind string) string {
	if kind == "" {
		return "without a content type"
	}
	return clip(kind)
}

// sentence begins a text with a capital.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func problemsOf(err error) []models.Problem {
	var e *models.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return []models.Problem{{Field: e.Field, Sentence: e.Sentence}}
	}
	return []models.Problem{{Sentence: err.Error()}}
}
