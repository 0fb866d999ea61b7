package wspn

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"countinghouse/providers/httpx"
)

// verifyAnswer holds the answer's signature against its raw bytes (WSPN-SIG-6). A mismatch is never a refusal: the call may have worked.
// The token call is made before anything can be signed, so a missing signature is no mismatch there.
func (c *client) verifyAnswer(req httpx.Request, res httpx.Response, tokenCall bool) *callError {
	signature := res.Header.Get("D-SIGNATURE")
	switch {
	case c.set.responseMode == "off":
		return nil
	case signature == "" && (c.set.responseMode != "required" || tokenCall):
		return nil
	case signature == "":
		return &callError{stage: stageCall, kind: kindSignature, status: res.Status, raw: res.Exchange.ResponseBody,
			sentence: "WSPN's answer carries no signature, which this credential requires"}
	}
	stamp := res.Header.Get("D-Timestamp") // Get finds it however it was spelt
	if stamp == "" {
		stamp = strings.Join(req.Header["D-TIMESTAMP"], "") //nolint:staticcheck // written on the wire in the contract's capitals
	}
	m := c.messageOf(req, stamp)
	m.body = res.Body
	if !c.set.profile.matches(m, c.key, c.secret, signature) {
		return &callError{stage: stageCall, kind: kindSignature, status: res.Status, raw: res.Exchange.ResponseBody,
			sentence: "the signature of WSPN's answer does not match its content"}
	}
	return nil
}

// readEnvelope accepts an answer only when its status is 2xx and header.success is literally true (WSPN-ERR-1). With needHeader false,
// a missing header passes: the token answer may stand at the top level (WSPN-TOK-2).
func (c *client) readEnvelope(res httpx.Response, needHeader bool) (object, *callError) {
	skew, _ := res.ClockSkew()
	bad := func(kind, format string, args ...any) *callError {
		return &callError{stage: stageCall, kind: kind, status: res.Status, raw: res.Exchange.ResponseBody, skew: skew, sentence: fmt.Sprintf(format, args...)}
	}
	v, err := parseJSON(res.Body)
	o, isObject := v.(object)
	denied := res.Status >= 400 && res.Status < 500 // the one range in which a status can say that a call was turned away
	if err != nil || !isObject {
		if denied && slices.Contains(c.set.authErrors, strconv.Itoa(res.Status)) {
			return nil, bad(kindAuth, "WSPN refused the token or the signature (HTTP %d)", res.Status)
		}
		if err == nil {
			err = errors.New("it is not an object")
		}
		return nil, bad(kindUnreadable, "WSPN's answer (HTTP %d) cannot be read: %s", res.Status, err)
	}
	header, has := o["header"].(object)
	ok := res.Status >= 200 && res.Status <= 299
	if ok && (header["success"] == true || !has && !needHeader) {
		return o, nil
	}
	code, text := c.errorWords(header), ""
	for _, name := range c.set.errorTexts {
		if text = c.blanked(header.words(name)); text != "" {
			break
		}
	}
	e := bad(kindSaidNo, "WSPN answered HTTP %d without success%s%s", res.Status, before(" ", code), before(": ", text))
	e.code = code
	switch {
	case denied && slices.Contains(c.set.authErrors, strconv.Itoa(res.Status)) || (ok || denied) && code != "" && slices.Contains(c.set.authErrors, code):
		e.kind = kindAuth
		e.sentence = fmt.Sprintf("WSPN refused the token or the signature (HTTP %d%s%s)", res.Status, before(", ", code), before(": ", text))
	case ok && (!has || header["success"] != false):
		e.kind, e.sentence = kindUnreadable, fmt.Sprintf("WSPN's answer (HTTP %d) does not say whether it succeeded", res.Status)
	}
	if record := o.child("result"); record.id("id") != 0 || record.id("orderId") != 0 {
		e.kind, e.sentence = kindUnreadable, e.sentence+", and gives a record all the same: it contradicts itself"
	}
	return nil, e
}

func (c *client) errorWords(header object) string {
	for _, name := range c.set.errorCodes {
		if code := c.blanked(header.words(name)); code != "" {
			return clean(code, 64)
		}
	}
	return ""
}

// blanked takes our keys and the live token out of a text of theirs.
func (c *client) blanked(s string) string {
	secrets := []string{c.secret, c.key}
	if c.tokens != nil {
		secrets = append(secrets, c.tokens.cached())
	}
	for _, secret := range secrets {
		if len(secret) >= 4 {
			s = strings.ReplaceAll(s, secret, httpx.Redacted)
		}
	}
	return s
}

func before(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

func (c *client) transportError(stage string, res httpx.Response, err error) *callError {
	e := &callError{stage: stage, kind: kindTransport, notSent: httpx.NotSent(err), status: res.Status, raw: res.Exchange.ResponseBody, err: err}
	var he *httpx.Error
	if errors.As(err, &he) {
		e.sentence = he.Message
		if he.Kind == httpx.KindBadBody || he.Kind == httpx.KindTooLarge {
			e.kind = kindUnreadable
		}
		return e
	}
	e.sentence = "the call failed"
	return e
}
