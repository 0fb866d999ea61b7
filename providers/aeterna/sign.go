package aeterna

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// The header names of https://aeterna.biz/docs. Sumsub uses the same three for another rule; nothing of theirs fits here.
const (
	headerToken     = "X-App-Token"
	headerTime      = "X-App-Access-Ts"
	headerSignature = "X-App-Access-Sig"
	headerCallback  = "X-Signature"
)

// Sign makes the value of X-App-Access-Sig (AET-SIG-1, AET-SIG-6): 64 small hex digits of HMAC-SHA256, keyed with the SecretToken as it
// stands, over the Unix seconds immediately followed by the account's e-mail address. Path, method and body are not covered. All requests
// of one second carry the same signature, which is lawful (AET-SIG-4).
func Sign(secretToken string, unixSeconds int64, email string) string {
	return hmacHex(secretToken, []byte(strconv.FormatInt(unixSeconds, 10)+email))
}

// SignCallback makes the value of X-Signature (AET-CB-1): the same key, over the raw bytes of the body and nothing else. Requests and
// callbacks sign different things; they share no function but the HMAC.
func SignCallback(secretToken string, rawBody []byte) string {
	return hmacHex(secretToken, rawBody)
}

func hmacHex(key string, message []byte) string {
	m := hmac.New(sha256.New, []byte(key))
	_, _ = m.Write(message) // a hash never fails
	return hex.EncodeToString(m.Sum(nil))
}
