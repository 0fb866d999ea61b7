package onekey

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// Client speaks to OneKey for one credential. It is safe for concurrent use.
type Client struct {
	cfg     providers.Config
	set     settings
	main    *httpx.Client // api-stg…: everything but card operations and the reconciliation API
	card    *httpx.Client // cc-api-stg…; nil if its address is not known
	books   *httpx.Client // merchants-api…/v1
	secrets []string      // every secret, for cleaning the provider's own sentences
}

// New checks a configuration and builds a client. Nothing is sent. Errors are models.Error with the field at fault.
func New(cfg providers.Config) (any, error) {
	if cfg.Clock == nil {
		return nil, models.Errorf(models.Invalid, "A client of OneKey needs a clock: its requests are dated.")
	}
	if !cfg.Environment.Valid() {
		return nil, models.FieldErrorf("environment", "The environment must be sandbox or live.")
	}
	set, err := readSettings(cfg)
	if err != nil {
		return nil, err
	}
	if err := checkKeys(cfg.Secrets); err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, set: set}
	for _, f := range credentialFields() {
		if v := cfg.Secrets[f.Name]; f.Secret && v != "" {
			c.secrets = append(c.secrets, v)
		}
	}
	if c.main, err = c.open("base_url", cfg.Values["base_url"]); err != nil {
		return nil, err
	}
	if c.card, err = c.openOptional("card_base_url", ""); err != nil {
		return nil, err
	}
	if c.books, err = c.openOptional("reconciliation_base_url", "/v1"); err != nil {
		return nil, err
	}
	return c, nil
}

// checkKeys demands that every set of keys is whole or absent, and that there is one.
func checkKeys(secrets map[string]string) error {
	whole := 0
	for _, set := range [][]string{{fCashoutKey, fCashoutPass, fCashoutSignature}, {fDepositKey, fDepositSignature}, {fReadOnlyKey}} {
		missing := slices.IndexFunc(set, func(f string) bool { return secrets[f] == "" })
		if missing < 0 {
			whole++
			continue
		}
		if slices.ContainsFunc(set, func(f string) bool { return secrets[f] != "" }) {
			return models.FieldErrorf(set[missing], "OneKey's keys come in sets: this one is missing while another of its set is given.")
		}
	}
	if whole == 0 {
		return models.FieldErrorf(fCashoutKey, "Give at least one whole set of keys: cashouts, deposits, or the read-only key.")
	}
	for f, v := range secrets {
		if strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return models.FieldErrorf(f, "This key has a space or a character that OneKey's keys never have. Copy it again.")
		}
	}
	return nil
}

// openOptional opens a host that the merchant may not use. A loopback credential (a stand-in) finds it at the stand-in's own address,
// so that nothing meant for a stand-in can ever leave this machine.
func (c *Client) openOptional(field, prefix string) (*httpx.Client, error) {
	address := c.cfg.Values[field]
	if base, err := url.Parse(c.cfg.Values["base_url"]); address == "" && err == nil && loopback(base.Hostname()) {
		address = base.Scheme + "://" + base.Host + prefix
	}
	if address == "" {
		address = siteOf(c.cfg.Environment, field).Default
	}
	if address == "" {
		return nil, nil //nolint:nilnil // a host that is not configured is no error: what needs it says so
	}
	return c.open(field, address)
}

// open checks an address against the pins of its site (OKP-ENV-1) and makes the one httpx client for it.
func (c *Client) open(field, address string) (*httpx.Client, error) {
	site := siteOf(c.cfg.Environment, field)
	if address == "" {
		address = site.Default
	}
	if address == "" {
		return nil, models.FieldErrorf(field, "Type the address that OneKey handed over after its tests. It is not published and cannot be guessed.")
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, models.FieldErrorf(field, "This is not a full address such as https://api.example.com.")
	}
	if strings.TrimRight(u.Path, "/") != site.Prefix {
		return nil, models.FieldErrorf(field, "This address must end with %q.", u.Host+site.Prefix)
	}
	hosts := site.Hosts
	if c.cfg.Environment == models.Live {
		if slices.Contains(stagingHosts(), strings.TrimRight(strings.ToLower(u.Hostname()), ".")) {
			return nil, models.FieldErrorf(field, "This is OneKey's staging host. A live credential needs the production host that OneKey handed over.")
		}
		if len(hosts) == 0 {
			// The host is not published: what two admins approved with the credential is the pin.
			hosts = []string{u.Host}
		}
	}
	client, err := httpx.New(httpx.Config{
		Name: "OneKey", BaseURL: address, AllowedHosts: hosts, AllowLoopback: c.cfg.Environment == models.Sandbox,
		Timeout: c.set.timeout, Recorder: c.cfg.Recorder, Now: c.cfg.Clock, UserAgent: userAgent, Redact: redactor(c.secrets),
	})
	if err != nil {
		return nil, models.FieldErrorf(field, "%s.", sentence(err.Error()))
	}
	return client, nil
}

// userAgent is required by the cashouts family (OKP-SIG-4) and sent everywhere.
const userAgent = "Countinghouse/1"

// redactor names what no record may hold. Card data is there although this client never sends a card number: an answer might.
func redactor(secrets []string) httpx.Redactor {
	return httpx.Redactor{
		Headers: []string{"Payload-Signature", "X-Login"},
		JSON: []string{"login", "pass", "credit_card", "card_number", "cvv", "card_token", "card_identifier", "cavv",
			"expiration_month", "expiration_year"},
		Form:    []string{"control", "pass", "login"},
		Query:   []string{"token"},
		Secrets: secrets,
	}
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// cashout calls the cashouts family (OKP-SIG-4): the keys travel in the body, the signature in Payload-Signature, and there is no
// Authorization header. body is marshalled once; those bytes are signed and sent.
func (c *Client) cashout(ctx context.Context, operation, method, path string, body any) (httpx.Response, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return httpx.Response{}, err
	}
	return c.main.Do(ctx, httpx.Request{Operation: operation, Method: method, Path: path, Body: raw, Header: http.Header{
		"Content-Type":      {"application/json"},
		"User-Agent":        {userAgent},
		"Payload-Signature": {payloadSignature(c.cfg.Secrets[fCashoutSignature], raw)},
	}})
}

// keys is a pair of the deposits family: which one owns an endpoint is OKP-SIG-6.
type keys struct{ login, signature string }

func (c *Client) depositKeys() keys {
	return keys{c.cfg.Secrets[fDepositKey], c.cfg.Secrets[fDepositSignature]}
}

// validationKeys are the cashouts pair: the validation endpoints belong to cashouts although they are signed like deposits.
func (c *Client) validationKeys() keys {
	return keys{c.cfg.Secrets[fCashoutKey], c.cfg.Secrets[fCashoutSignature]}
}

// signed calls the deposits family. Date and signature are made anew for every attempt; idempotency is empty or our reference; secrets are
// further values that the record must not show.
func (c *Client) signed(ctx context.Context, host *httpx.Client, k keys, operation, method, path, query string, body any, idempotency string, secrets ...string) (httpx.Response, error) {
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return httpx.Response{}, err
		}
	}
	date := xDate(c.cfg.Clock())
	header := http.Header{
		"X-Date":        {date},
		"X-Login":       {k.login},
		"Authorization": {c.set.scheme + " " + depositSignature(k.signature, date, k.login, raw)},
		"User-Agent":    {userAgent},
	}
	if body != nil {
		header["Content-Type"] = []string{"application/json"}
	}
	if idempotency != "" && c.set.sendKey {
		header["X-Idempotency-Key"] = []string{idempotency}
	}
	return host.Do(ctx, httpx.Request{Operation: operation, Method: method, Path: path, RawQuery: query, Body: raw, Header: header, Secrets: secrets})
}

// bearer reads with a plain key and without a signature (OKP-SIG-6).
func (c *Client) bearer(ctx context.Context, host *httpx.Client, key, operation, path, query string) (httpx.Response, error) {
	return host.Do(ctx, httpx.Request{Operation: operation, Method: http.MethodGet, Path: path, RawQuery: query, Idempotent: true,
		Header: http.Header{"Authorization": {"Bearer " + key}, "User-Agent": {userAgent}, "Accept": {"application/json"}}})
}

// holdsSecret reports whether a text of the provider repeats one of our keys.
func (c *Client) holdsSecret(s string) bool {
	return slices.ContainsFunc(c.secrets, func(secret string) bool { return len(secret) >= 4 && strings.Contains(s, secret) })
}

// clean makes a text of the provider fit for a page: no secret, no control character, at most 300 characters.
func (c *Client) clean(s string) string {
	for _, secret := range c.secrets {
		if len(secret) >= 4 {
			s = strings.ReplaceAll(s, secret, httpx.Redacted)
		}
	}
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, " "), func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }), " ")
	if utf8.RuneCountInString(s) > 300 {
		s = string([]rune(s)[:299]) + "…"
	}
	return s
}

// sentence begins with a capital letter.
func sentence(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}
