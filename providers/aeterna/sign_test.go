package aeterna

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"countinghouse/providers"
)

const vectorTime = 1735689600 // 2025-01-01T00:00:00Z

// The positive vectors of the contract, section 2.4.
func positive() map[string]struct{ secret, email, want string } {
	return map[string]struct{ secret, email, want string }{
		"V1": {secretToken, email, "e38b5f9ea174f27bc0c58008ec0f56b7951654b3754cdfa919674ee0d6b956d4"},
		"V2": {secretToken, "Merchant.Demo+pay@Example.com", "bb3bc9c1a94d56e7cd646eee1905a9af29ce61dd70f5c94cc7778bfb77d5eae3"},
		"V3": {secretToken, "7seven@example.com", "aad65170ad685cb25ceca36400c09c6e7166fde376a66175f4faf2c1460189f1"},
		"V4": {"a1b2c3d4e5f60718293a4b5c6d7e8f90", email, "392da5a955c1b7c16972836146ce70eec8c234455343665598e4c2b632a19212"},
		"V5": {"c2VjcmV0LWtleS1iYXNlNjQ=", email, "072b9903e4bdd001b2080680fbcf4884365bebb0760f3923486eb4ed50b8a76c"},
		"V6": {"Секрет-42", email, "2efa773e5b8898409089540ddf690f4e64660732aabc3c2304d171cf0570d5cf"},
	}
}

func TestRequestsAreSignedAsTheVectorsSay(t *testing.T) {
	for name, v := range positive() {
		if got := Sign(v.secret, vectorTime, v.email); got != v.want {
			t.Errorf("%s: %s, want %s", name, got, v.want)
		}
		// The engine's own description of the documented rule gives the same headers.
		h := documentedAuth().headers(identity{publicToken, v.secret, v.email}, signed{at: time.Unix(vectorTime, 999_999_999), method: "POST", path: "/x", body: []byte("{}")})
		if h.Get(headerSignature) != v.want || h.Get(headerTime) != "1735689600" || h.Get(headerToken) != publicToken || len(h) != 3 {
			t.Errorf("%s: headers %v", name, h)
		}
	}
}

// mistakes are what wrong implementations yield (N1 to N11). Each is computed here from its description, so that the table of the
// contract and the mistake are held against each other.
func mistakes(t *testing.T) map[string]string {
	t.Helper()
	h := func(key, message string) string {
		m := hmac.New(sha256.New, []byte(key))
		m.Write([]byte(message))
		return hex.EncodeToString(m.Sum(nil))
	}
	hexed, err1 := hex.DecodeString("a1b2c3d4e5f60718293a4b5c6d7e8f90")
	based, err2 := base64.StdEncoding.DecodeString("c2VjcmV0LWtleS1iYXNlNjQ=")
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	const ts = "1735689600"
	made := map[string][2]string{
		"N1":  {h(secretToken, email+ts), "b0b51a2d5aa1086066202ab86747353b9acdf105b08263ab767128ebb9c3d4e5"},
		"N2":  {h(secretToken, ts+" "+email), "096a96500f217dc7e5a0958f43592d4f0448043702463c3e7a34b27927e7cdc7"},
		"N3":  {h(secretToken, ts+"|"+email), "4d16dda280676f1db04b666b5c5f4b7a4d0c0a47b233021f2ccb5181e0331510"},
		"N4":  {h(ts+email, secretToken), "6299973546f83c1ea8f2d75b0c163f58a0a3af50a8213b7f83ab19f383abe664"},
		"N5":  {h(secretToken, ts+"000"+email), "6bda711458d1e0e9581e3c3e20b580c7bb1d152754ba6f64ffb5ab5790cd9a25"},
		"N6":  {h(secretToken, ts+"merchant.demo+pay@example.com"), "02b65c887824fd1663202b66642b98eed82237d2d12cbad1e31b4b49ab03994b"},
		"N7":  {h(secretToken, ts+"POST/x/y"+`{"a":1}`), "9b2b1d639b1a608bcb29d89e7f71284615caa0c7d2383cea39c8207eef179561"},
		"N8":  {h(secretToken, ts+`{"a":1}`), "52e24ff4b1b04454a327bbf9fe672c9591d777d6cd467123d4f06cd0a393fd4c"},
		"N9":  {h(string(hexed), ts+email), "58158b6ad1896f445f9fecb98bc2e791052d573fc3f1c1789d1048151f747941"},
		"N10": {h(string(based), ts+email), "4f880a55def0f0aab1680e21dab5fe431d568b1e9b7d39ef518b05b0418b37e9"},
		"N11": {strings.ToUpper(Sign(secretToken, vectorTime, email)), "E38B5F9EA174F27BC0C58008EC0F56B7951654B3754CDFA919674EE0D6B956D4"},
	}
	out := map[string]string{}
	for name, m := range made {
		if m[0] != m[1] {
			t.Errorf("%s: the mistake yields %s, the contract says %s", name, m[0], m[1])
		}
		out[name] = m[1]
	}
	return out
}

func TestNoVectorIsSignedByMistake(t *testing.T) {
	for name, wrong := range mistakes(t) {
		for _, v := range positive() {
			if Sign(v.secret, vectorTime, v.email) == wrong {
				t.Errorf("%s is what we sign", name)
			}
		}
	}
}

// The callback vectors of section 3.2: exact body bytes, their length, their signature.
func callbackVectors() map[string]struct {
	body string
	size int
	want string
} {
	return map[string]struct {
		body string
		size int
		want string
	}{
		"W1": {`{"id":"pi_0001","status":"EXAMPLE","amount":1500.50}`, 52, "f8fd28b6d057e3fe6deda4feb2a47720d06e21159a6373503cb87b027888d687"},
		"W2": {`{"id":"pi_0002","note":"\u0418\u0432\u0430\u043D \u0026 Co \u002B1"}`, 68, "270a067d1917741da56d1a41e52601e3a694b0a5b3b2bb08d87ec7f4fa6524ba"},
		"W3": {`{"id":"pi_0002","note":"Иван & Co +1"}`, 42, "03bb23beb250a5513b4bea02d26274b4b2af39c47322dab984dfaeaae88921bd"},
		"W4": {`{"id":"pi_0003","note":"two words: keep, spaces"}`, 49, "d94516866830438122ad61b1ec0ca95a4316c3374e14199131e5b65653826014"},
		"W5": {`{"id":"pi_0001","status":"EXAMPLE","amount":1500.5}`, 51, "c1c7c4aa22b5dec847925f477a8f1e3f9944b53cca8a70cfebe7511a507c0688"},
		"W6": {`{"id":"pi_0001","status":"EXAMPLE","amount":1500.50}` + "\n", 53, "095a5367b437cb455eaec7d70300aad9cd44add421c3563ddfa8b94775aa350a"},
		"W7": {`{"id": "pi_0001", "status": "EXAMPLE", "amount": 1500.50}`, 57, "cf8af44bcfb15079e1cdb8f71f13c9586f2f5804e6ee3f7229c8205ddc3c21c3"},
	}
}

func TestCallbacksAreVerifiedOverTheBytesAsTheyCame(t *testing.T) {
	vectors := callbackVectors()
	for name, v := range vectors {
		if len(v.body) != v.size || SignCallback(secretToken, []byte(v.body)) != v.want {
			t.Errorf("%s: %d bytes, %s", name, len(v.body), SignCallback(secretToken, []byte(v.body)))
		}
		for _, spelling := range []string{v.want, strings.ToUpper(v.want)} { // AET-CB-3
			if err := VerifySignature(secretToken, []byte(v.body), spelling); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for other, o := range vectors {
			if other != name && VerifySignature(secretToken, []byte(v.body), o.want) == nil {
				t.Errorf("the body of %s passes with the signature of %s", name, other)
			}
		}
	}
	const squeezed = "458f1c3f8d433e8f4322e2e59cfd46fc77802d56030f7c569de4ef6e0e49c925" // W4 with all its spaces deleted
	if VerifySignature(secretToken, []byte(vectors["W4"].body), squeezed) == nil {
		t.Error("spaces inside strings were deleted before hashing")
	}
	for what, header := range map[string]string{"empty": "", "short": "f8fd", "prefixed": "sha256=" + vectors["W1"].want, "not hex": strings.Repeat("g", 64)} {
		if VerifySignature(secretToken, []byte(vectors["W1"].body), header) == nil {
			t.Errorf("a signature that is %s passes", what)
		}
	}
	if VerifySignature(secretToken, nil, SignCallback(secretToken, nil)) == nil || VerifySignature("", []byte("{}"), SignCallback("", []byte("{}"))) == nil {
		t.Error("an empty body or an empty key verifies")
	}
}

func deliveryOf(body, signature string) providers.Delivery {
	return providers.Delivery{Topic: "callback", Method: "POST", Body: []byte(body), Header: http.Header{"Content-Type": {"application/json"}, "X-Signature": {signature}}}
}

func TestADeliveryIsForgedForEveryReasonInTheContract(t *testing.T) {
	w1 := callbackVectors()["W1"]
	keys := func(settings map[string]string, secrets ...string) providers.Keys {
		k := providers.Keys{Settings: settings}
		for _, s := range secrets {
			k.Secrets = append(k.Secrets, map[string]string{"secret_token": s})
		}
		return k
	}
	good := func() providers.Delivery { return deliveryOf(w1.body, w1.want) }
	const other = "another-secret"
	for _, c := range []struct {
		what     string
		keys     providers.Keys
		change   func(*providers.Delivery)
		want     providers.Trust
		sentence string
	}{
		{"as it should be", keys(nil, secretToken), nil, providers.Verified, "can be sent again for ever"},
		{"in capitals", keys(nil, secretToken), func(d *providers.Delivery) { d.Header.Set("X-Signature", strings.ToUpper(w1.want)) }, providers.Verified, ""},
		{"in capitals where small letters are asked for", keys(map[string]string{settingHexCase: "lower"}, secretToken), func(d *providers.Delivery) { d.Header.Set("X-Signature", strings.ToUpper(w1.want)) }, providers.Forged, ""},
		{"a body changed by one byte", keys(nil, secretToken), func(d *providers.Delivery) { d.Body[10] ^= 1 }, providers.Forged, "was not made with"},
		{"another merchant's secret", keys(nil, other), nil, providers.Forged, "was not made with"},
		{"no header", keys(nil, secretToken), func(d *providers.Delivery) { d.Header.Del("X-Signature") }, providers.Forged, "is missing"},
		{"the header twice", keys(nil, secretToken), func(d *providers.Delivery) { d.Header.Add("X-Signature", w1.want) }, providers.Forged, "2 times"},
		{"signed over the indented form", keys(nil, secretToken), func(d *providers.Delivery) { d.Header.Set("X-Signature", callbackVectors()["W7"].want) }, providers.Forged, ""},
		{"a prefix", keys(nil, secretToken), func(d *providers.Delivery) { d.Header.Set("X-Signature", "sha256="+w1.want) }, providers.Forged, ""},
		{"an empty body", keys(nil, secretToken), func(d *providers.Delivery) { d.Body = nil }, providers.Forged, "empty"},
		{"a GET", keys(nil, secretToken), func(d *providers.Delivery) { d.Method = "GET" }, providers.Forged, "POST"},
		{"plain text", keys(nil, secretToken), func(d *providers.Delivery) { d.Header.Set("Content-Type", "text/plain") }, providers.Forged, "content type"},
		{"too large", keys(map[string]string{settingLimit: "100"}, secretToken), func(d *providers.Delivery) { d.Body = make([]byte, 101) }, providers.Forged, "at most 100"},
		{"the other slot, without overlap", keys(nil, other, secretToken), nil, providers.Forged, ""},
		{"the other slot, in the overlap", keys(map[string]string{settingOverlap: "on"}, other, secretToken), nil, providers.Verified, "still in its overlap"},
		{"an indented body, as received", keys(nil, secretToken), func(d *providers.Delivery) { d.Body = []byte(callbackVectors()["W7"].body) }, providers.Forged, ""},
		{"an indented body, where the compact form is allowed", keys(map[string]string{settingCanonical: "compact"}, secretToken), func(d *providers.Delivery) { d.Body = []byte(callbackVectors()["W7"].body) }, providers.Verified, "compact form"},
	} {
		t.Run(c.what, func(t *testing.T) {
			d := good()
			if c.change != nil {
				c.change(&d)
			}
			got := Provider().Webhooks.VerifyWebhook(c.keys, d)
			if got.Trust != c.want || !strings.Contains(got.Sentence, c.sentence) {
				t.Errorf("%s: %s", got.Trust, got.Sentence)
			}
		})
	}
}
