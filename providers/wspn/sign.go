package wspn

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"regexp"
	"strings"
)

// profilePattern is the shape of the setting signature_profile: separator/hash/key/encoding.
const profilePattern = `^(none|newline|ampersand)/(hmac-sha256|hmac-sha512|sha256-appended)/(api_secret|api_key)/(hex|HEX|base64)$`

// assumedProfile is WSPN-SIG-1: nothing between the parts, HMAC-SHA256 under the API secret, lower-case hex. The documentation that
// we have contains no test vector; nothing here is claimed to be WSPN's real signature.
const assumedProfile = "none/hmac-sha256/api_secret/hex"

// profile is how the parts of a message become a signature: the four choices that WSPN's page leaves to a code example which we
// have not seen (contract 3.2).
type profile struct{ separator, hash, key, encoding string }

var profileShape = regexp.MustCompile(profilePattern)

func parseProfile(text string) (profile, bool) {
	m := profileShape.FindStringSubmatch(text)
	if m == nil {
		return profile{}, false
	}
	p := profile{hash: m[2], key: m[3], encoding: m[4]}
	switch m[1] {
	case "newline":
		p.separator = "\n"
	case "ampersand":
		p.separator = "&"
	}
	return p, true
}

// message is what is signed. For an answer, body is the answer's body and everything else the request's (WSPN-SIG-6).
type message struct {
	method    string
	timestamp string // the very text of D-TIMESTAMP
	path      string // without scheme, host and query (WSPN-SIG-3)
	query     string // decoded, unsorted
	body      []byte
}

// sign gives the value of D-SIGNATURE.
func (p profile) sign(m message, apiKey, apiSecret string) string {
	key := []byte(apiSecret)
	if p.key == "api_key" {
		key = []byte(apiKey)
	}
	text := strings.Join([]string{m.method, m.timestamp, m.path, m.query, ""}, p.separator)
	var sum []byte
	switch p.hash {
	case "hmac-sha512":
		h := hmac.New(sha512.New, key)
		h.Write([]byte(text))
		h.Write(m.body)
		sum = h.Sum(nil)
	case "sha256-appended":
		h := sha256.New()
		h.Write([]byte(text))
		h.Write(m.body)
		h.Write(key)
		sum = h.Sum(nil)
	default:
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		h.Write(m.body)
		sum = h.Sum(nil)
	}
	switch p.encoding {
	case "base64":
		return base64.StdEncoding.EncodeToString(sum)
	case "HEX":
		return strings.ToUpper(hex.EncodeToString(sum))
	}
	return hex.EncodeToString(sum)
}

// matches compares in constant time.
func (p profile) matches(m message, apiKey, apiSecret, signature string) bool {
	return subtle.ConstantTimeCompare([]byte(p.sign(m, apiKey, apiSecret)), []byte(signature)) == 1
}

// decodedQuery undoes the escaping of a query for signing: pairs in the order sent, %20 and + both a space, nothing sorted
// (contract 3.3, WSPN-SIG-3).
func decodedQuery(raw string) (string, bool) {
	if raw == "" {
		return "", true
	}
	pairs := strings.Split(raw, "&")
	for i, p := range pairs {
		k, v, has := strings.Cut(p, "=")
		dk, err1 := url.QueryUnescape(k)
		dv, err2 := url.QueryUnescape(v)
		if err1 != nil || err2 != nil {
			return "", false
		}
		pairs[i] = dk
		if has {
			pairs[i] += "=" + dv
		}
	}
	return strings.Join(pairs, "&"), true
}

// escape writes a query value with %20 for a space.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
