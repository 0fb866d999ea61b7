package wspn

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
)

// The four vectors of the contract file, section 3.3. They are ours: they prove that the two sides agree, and nothing about WSPN.
func TestTheContractsVectorsAreReproduced(t *testing.T) {
	const key, stamp = "test-secret-not-real-0001", "1735891200000"
	for _, v := range []struct{ id, method, path, wireQuery, body, hex, base64 string }{
		{"A", "POST", "/openapi/v1/wallet-account/balance", "", "",
			"8feafb81a3d09ff26eafb1aa6c6753fcccfbe2719fbcf4c2796b28e051718d24", "j+r7gaPQn/Jur7GqbGdT/Mz74nGfvPTCeWso4FFxjSQ="},
		{"B", "POST", "/openapi/v1/mint-redeem/exchange-rate", "", `{"query":{"sellCurrency":"USD","buyCurrency":"WUSD"}}`,
			"acc60b814793d4893f8dd64ff8624777bf248497b8628ca5f366e0f79114770f", "rMYLgUeT1Ik/jdZP+GJHd78khJe4Yoyl82bg95EUdw8="},
		{"C", "GET", "/openapi/v1/example", "note=a%20b&x=1%2F2", "",
			"0f4f386e85abff0b6806bfa6aaee439e963dad955c8a33ea74968696eb4a1a98", "D084boWr/wtoBr+mqu5DnpY9rZVcijPqdJaGlutKGpg="},
		{"C with a plus for the space", "GET", "/openapi/v1/example", "note=a+b&x=1%2f2", "",
			"0f4f386e85abff0b6806bfa6aaee439e963dad955c8a33ea74968696eb4a1a98", "D084boWr/wtoBr+mqu5DnpY9rZVcijPqdJaGlutKGpg="},
		{"D", "POST", "/openapi/v1/example", "", "{\"query\":{\"customerRemark\":\"café\"}}\n",
			"05d14328ad930d3ce44f74f4fe91857491098c9e8a45b258f5ea71bcd1244977", "BdFDKK2TDTzkT3T0/pGFdJEJjJ6KRbJY9epxvNEkSXc="},
	} {
		query, ok := decodedQuery(v.wireQuery)
		if !ok {
			t.Fatalf("%s: the query cannot be decoded", v.id)
		}
		m := message{v.method, stamp, v.path, query, []byte(v.body)}
		for profileText, want := range map[string]string{assumedProfile: v.hex, "none/hmac-sha256/api_secret/base64": v.base64,
			"none/hmac-sha256/api_secret/HEX": strings.ToUpper(v.hex), "none/hmac-sha256/api_key/hex": v.hex} {
			p, ok := parseProfile(profileText)
			if !ok {
				t.Fatalf("profile %s is refused", profileText)
			}
			secret, apiKey := key, "another"
			if strings.Contains(profileText, "api_key") {
				secret, apiKey = "another", key
			}
			if got := p.sign(m, apiKey, secret); got != want {
				t.Errorf("vector %s under %s: %s, want %s", v.id, profileText, got, want)
			}
			if !p.matches(m, apiKey, secret, want) || p.matches(m, apiKey, secret, want+"0") {
				t.Errorf("vector %s under %s does not compare", v.id, profileText)
			}
		}
	}
}

func TestSeparatorAndHashAreChoices(t *testing.T) {
	m := message{"POST", "1", "/p", "q=1", []byte("body")}
	p, _ := parseProfile("newline/hmac-sha512/api_secret/hex")
	h := hmac.New(sha512.New, []byte("k"))
	h.Write([]byte("POST\n1\n/p\nq=1\nbody"))
	if got, want := p.sign(m, "", "k"), hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("newline and SHA-512: %s, want %s", got, want)
	}
	for _, bad := range []string{"", "none", "none/md5/api_secret/hex", "none/hmac-sha256/api_secret/hex/x", "dot/hmac-sha256/api_secret/hex"} {
		if _, ok := parseProfile(bad); ok {
			t.Errorf("profile %q is taken", bad)
		}
	}
}

// Both sides were written apart; every profile that can be chosen must agree over HTTP, for POST with a body and GET with a query.
func TestClientAndStandInAgreeUnderEveryProfile(t *testing.T) {
	for _, text := range []string{assumedProfile, "newline/hmac-sha256/api_secret/base64", "ampersand/hmac-sha512/api_key/HEX", "none/sha256-appended/api_secret/hex"} {
		s := play(t, map[string]string{"signature_profile": text, "response_signature_mode": "required"})
		if _, err := s.client.Balances(t.Context()); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if _, err := s.client.Quote(t.Context(), "USD", "WUSD", usd(t, "1")); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if got := s.another(nil); got.tokens != s.client.tokens {
			t.Error("two clients of one credential do not share the token")
		}
	}
	s := play(t, map[string]string{"sign_path_includes_query": "yes", "response_signature_mode": "required", "timestamp_offset": "+8h", "sign_scope": "all"})
	if _, err := s.client.Balances(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestOneChangedByteIsRefusedByTheStandIn(t *testing.T) {
	s := play(t, nil)
	const path, body = "/openapi/v1/mint-redeem/exchange-rate", `{"query":{"sellCurrency":"USD","buyCurrency":"WUSD"}}`
	if code := s.post(path, body); code != "" {
		t.Fatalf("the unchanged call is refused: %s", code)
	}
	status, out := s.signed("POST", path, "application/json", body, func(r *http.Request) {
		r.Body = http.NoBody
		changed := strings.Replace(body, "USD", "EUR", 1)
		r.Body = nopCloser{strings.NewReader(changed)}
		r.ContentLength = int64(len(changed))
	})
	if status != 401 || codeOf(out) != "TEST_SIGNATURE" {
		t.Errorf("one changed byte: %d %v", status, out)
	}
}

type nopCloser struct{ *strings.Reader }

func (nopCloser) Close() error { return nil }

func TestSignatureDoesNotReadTheBodyAsText(t *testing.T) {
	p, _ := parseProfile(assumedProfile)
	a := p.sign(message{"POST", "1", "/p", "", []byte("a\x00\xffb")}, "", "k")
	b := p.sign(message{"POST", "1", "/p", "", bytes.Join([][]byte{[]byte("a\x00\xff"), []byte("b")}, nil)}, "", "k")
	if a != b || a == p.sign(message{"POST", "1", "/p", "", []byte("a\x00b")}, "", "k") {
		t.Error("the body's bytes are not what is signed")
	}
}
