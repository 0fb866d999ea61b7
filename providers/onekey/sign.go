package onekey

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// depositSignature signs a call of the deposits family (OKP-SIG-1): lower hex HMAC-SHA-256 of the X-Date text, the X-Login text and the
// raw body, one behind the other. A GET has no body and signs the empty string there.
func depositSignature(secret, xDate, xLogin string, body []byte) string {
	return hex.EncodeToString(mac(secret, []byte(xDate), []byte(xLogin), body))
}

// payloadSignature signs a call of the cashouts family (OKP-SIG-3): lower hex HMAC-SHA-256 of the raw body.
func payloadSignature(secret string, body []byte) string {
	return hex.EncodeToString(mac(secret, body))
}

// webhookControl is the control field of a cashout callback (OKP-WH-1, sibling): upper hex HMAC-SHA-256 of "Be4", our external_id and
// "Bo7". It covers nothing else of the callback.
func webhookControl(secret, externalID string) string {
	return strings.ToUpper(hex.EncodeToString(mac(secret, []byte("Be4"), []byte(externalID), []byte("Bo7"))))
}

func mac(secret string, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// xDate writes a moment as X-Date wants it: UTC, whole seconds, a literal Z (OKP-SIG-5).
func xDate(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
