package store

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// newToken makes 256 random bits for a cookie or a link. Only its digest is ever stored.
func newToken() (token, hash string) {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails since Go 1.24
	token = base64.RawURLEncoding.EncodeToString(b)
	return token, tokenHash(token)
}

func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// newRecoveryCode makes 120 random bits as four groups of six letters and digits. That is past the 112 bits from which ASVS 5 (6.5.2)
// accepts a plain digest.
func newRecoveryCode() (code, hash string) {
	b := make([]byte, 15)
	_, _ = rand.Read(b)
	s := strings.ToLower(base32.StdEncoding.EncodeToString(b))
	code = s[0:6] + "-" + s[6:12] + "-" + s[12:18] + "-" + s[18:24]
	return code, recoveryHash(code)
}

// recoveryHash forgives capitals, spaces and missing hyphens.
func recoveryHash(code string) string {
	code = strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' || r == '\t' {
			return -1
		}
		return r
	}, strings.ToLower(code))
	return tokenHash("recovery " + code)
}
