package httpx_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"countinghouse/providers/httpx"
)

var rules = httpx.Redactor{
	JSON: []string{"pass", "api_secret", "token"}, Form: []string{"pass", "cvv"}, Query: []string{"key"},
	Secrets: []string{"S3cr/et+va\"lue é", "PLAINCANARY"},
}

func TestWhatABodyKeepsAndLoses(t *testing.T) {
	for name, tc := range map[string]struct{ in, contentType, want string }{
		"untouched":             {`{"a": 1,  "b":[true,null]}`, "application/json", `{"a": 1,  "b":[true,null]}`},
		"string":                {`{"pass":"x","a":"y"}`, "application/json", `{"pass":"[redacted]","a":"y"}`},
		"number":                {`{"pass": 12.5 ,"a":1}`, "application/json", `{"pass": "[redacted]" ,"a":1}`},
		"object":                {`{"token":{"a":["}",{}],"b":"\""},"c":1}`, "application/json", `{"token":"[redacted]","c":1}`},
		"array at depth":        {`[{"x":{"TOKEN":[1,[2]],"y":0}}]`, "application/json", `[{"x":{"TOKEN":"[redacted]","y":0}}]`},
		"null and bool":         {`{"pass":null,"token":true}`, "application/json", `{"pass":"[redacted]","token":"[redacted]"}`},
		"escaped key":           {`{"p\u0061ss":"x"}`, "application/json", `{"p\u0061ss":"[redacted]"}`},
		"duplicate key":         {`{"pass":"x","pass":"y"}`, "application/json", `{"pass":"[redacted]","pass":"[redacted]"}`},
		"value looks like key":  {`{"a":"pass","b":"x"}`, "application/json", `{"a":"pass","b":"x"}`},
		"other key":             {`{"passenger":"x","my_pass":"y"}`, "application/json", `{"passenger":"x","my_pass":"y"}`},
		"JSON in a string":      {`{"data":"{\"pass\":\"x\",\"n\":1}"}`, "application/json", `{"data":"{\"pass\":\"[redacted]\",\"n\":1}"}`},
		"cut off":               {`{"a":1,"pass":"hunter2`, "application/json", `{"a":1,"pass":"[redacted]"`},
		"cut off in an object":  {`{"token":{"x":"hunter2"`, "application/json", `{"token":"[redacted]"`},
		"trailing comma":        {`{"pass":"hunter2",}`, "application/json", `{"pass":"[redacted]",}`},
		"stray quote":           {`{"a":"x"y","pass":"hunter2"}`, "application/json", `{"a":"x"y","pass":"[redacted]"}`},
		"single quotes":         {`{'pass':'hunter2','a':1}`, "application/json", `{'pass':'[redacted]','a':1}`},
		"bare":                  {`{pass:hunter2,a:1}`, "application/json", `{pass:[redacted],a:1}`},
		"form":                  {`a=b&pass=hunter2&c=d`, "application/x-www-form-urlencoded", `a=b&pass=[redacted]&c=d`},
		"form, escaped name":    {`p%61ss=hunter2&x=1`, "application/x-www-form-urlencoded", `p%61ss=[redacted]&x=1`},
		"form, nested name":     {`card[cvv]=123&x=1`, "application/x-www-form-urlencoded", `card[cvv]=[redacted]&x=1`},
		"form without a type":   {`pass=hunter2`, "", `pass=[redacted]`},
		"XML":                   {`<r><pass>hunter2</pass><a>1</a></r>`, "text/xml", `<r><pass>[redacted]</pass><a>1</a></r>`},
		"HTML error page":       {`<p>token: hunter2 refused</p>`, "text/html", `<p>token: [redacted] refused</p>`},
		"literal":               {`{"note":"it was PLAINCANARY."}`, "application/json", `{"note":"it was [redacted]."}`},
		"literal, JSON escapes": {`{"n":"S3cr\/et+va\"lue \u00E9!"}`, "application/json", `{"n":"[redacted]!"}`},
		"literal, urlencoded":   {`x=S3cr%2Fet%2bva%22lue+%C3%A9&y=1`, "", `x=[redacted]&y=1`},
		"base64 of user:pass":   {"Basic " + base64.StdEncoding.EncodeToString([]byte("someone:PLAINCANARY")) + " end", "", "Basic [redacted] end"},
		"file":                  {"%PDF\x00\x01", "application/pdf", "[6 bytes of application/pdf, sha256 5ed6a1fee40ecb80df8b2ae0b1b3f3a2a8a4ddaaf2b06bd5b44f4b4cf4dba3bb]"},
		"empty":                 {"", "application/json", ""},
	} {
		got := string(httpx.RedactBody(rules, []byte(tc.in), tc.contentType))
		if name == "file" {
			if !strings.HasPrefix(got, "[6 bytes of application/pdf, sha256 ") {
				t.Errorf("file: %s", got)
			}
			continue
		}
		if got != tc.want {
			t.Errorf("%s:\n in   %s\n got  %s\n want %s", name, tc.in, got, tc.want)
		}
	}
}

func TestAMultipartBodyIsReplacedByItsDigest(t *testing.T) {
	got := string(httpx.RedactBody(rules, []byte("--b\r\nhunter2\r\n--b--"), "multipart/form-data; boundary=PLAINCANARY"))
	if strings.Contains(got, "hunter2") || strings.Contains(got, "PLAINCANARY") || !strings.HasPrefix(got, "[19 bytes of multipart/form-data") {
		t.Error(got)
	}
}

func TestALongBodyIsCutAfterRedaction(t *testing.T) {
	body := strings.Repeat("é", 131069) + "PLAINCANARY" + strings.Repeat("x", 1000) // the secret lies across the cut
	got := string(httpx.RedactBody(rules, []byte(body), "text/plain"))
	if strings.Contains(got, "PLAIN") || !strings.HasSuffix(got, " more bytes not kept]") || len(got) > 263000 {
		t.Errorf("%d bytes, end %q", len(got), got[len(got)-60:])
	}
}

func TestTheCallersBodyIsNotShared(t *testing.T) {
	in := []byte(`{"a":1}`)
	out := httpx.RedactBody(httpx.Redactor{}, in, "")
	in[0] = 'X'
	if string(out) != `{"a":1}` {
		t.Error(string(out))
	}
}

func TestHostileBodiesDoNotHang(t *testing.T) {
	const size = 1 << 20
	for _, unit := range []string{"[", `{"pass":`, `\`, `"\u0061`, "%41", "&amp;", `"{\"`, "pass=", "<pass>", `"`, "pass:'"} {
		body := strings.Repeat(unit, size/len(unit))
		if got := httpx.RedactBody(rules, []byte(body), "application/json"); len(got) == 0 {
			t.Errorf("%q: nothing left", unit)
		}
	}
}

// spellings are the ways in which a secret may come back.
var spellings = map[string]func(string) string{
	"plain":    func(s string) string { return s },
	"query":    url.QueryEscape,
	"path":     url.PathEscape,
	"lower":    func(s string) string { return lowerHex(url.QueryEscape(s)) },
	"every":    func(s string) string { return everyByte(s) },
	"json":     func(s string) string { b, _ := json.Marshal(s); return strings.Trim(string(b), `"`) },
	"html":     html.EscapeString,
	"json+url": func(s string) string { b, _ := json.Marshal(s); return url.QueryEscape(string(b)) },
	"json twice": func(s string) string {
		b, _ := json.Marshal(s)
		b, _ = json.Marshal(string(b))
		return strings.Trim(string(b), `"`)
	},
	"hex":       func(s string) string { return hex.EncodeToString([]byte(s)) },
	"basic":     func(s string) string { return base64.StdEncoding.EncodeToString([]byte("u:" + s)) },
	"basic url": func(s string) string { return base64.URLEncoding.EncodeToString([]byte("user:" + s + ":z")) },
}

func lowerHex(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] == '%' {
			copy(b[i+1:i+3], strings.ToLower(string(b[i+1:i+3])))
		}
	}
	return string(b)
}

func everyByte(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteString("%" + hex.EncodeToString([]byte{s[i]}))
	}
	return b.String()
}

func TestNoSpellingOfASecretSurvives(t *testing.T) {
	// The generated secrets share no four-byte stretch with the mark or the filler, so a hit is a leak.
	secret := rapid.StringMatching(`[A-Z0-9"\\/+&<%=é ]{0,20}[XYZ]{3}[A-Z0-9]{3,20}`)
	filler := rapid.StringMatching(`[a-z {}\[\]:,]{0,30}`)
	rapid.Check(t, func(t *rapid.T) {
		s := secret.Draw(t, "secret")
		r := httpx.Redactor{Secrets: []string{s}, JSON: []string{"pass"}, Form: []string{"pass"}}
		for name, spell := range spellings {
			spelt := spell(s)
			body := filler.Draw(t, "before") + " " + spelt + " " + filler.Draw(t, "after")
			for where, out := range map[string]string{
				"body": string(httpx.RedactBody(r, []byte(body), "")), "text": httpx.RedactText(r, body),
			} {
				if strings.Contains(out, spelt) || strings.Contains(out, s) {
					t.Fatalf("%s in %s: %q leaves %q", name, where, body, out)
				}
				if strings.TrimSpace(s) == s && !strings.Contains(out, httpx.Redacted) {
					t.Fatalf("%s in %s: %q shows no mark: %q", name, where, body, out)
				}
			}
		}
	})
}

func TestNoValueOfANamedKeySurvives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := drawDoc(t, 0)
		b, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		cut := rapid.IntRange(0, len(b)).Draw(t, "cut")
		for _, body := range [][]byte{b, b[:cut]} {
			out := string(httpx.RedactBody(httpx.Redactor{JSON: []string{"pass"}}, body, "application/json"))
			if strings.Contains(out, "hunter2") {
				t.Fatalf("%s leaves %s", body, out)
			}
			if len(body) == len(b) && !json.Valid([]byte(out)) {
				t.Fatalf("%s became invalid: %s", body, out)
			}
		}
	})
}

// drawDoc draws JSON in which "hunter2" stands only below the key pass.
func drawDoc(t *rapid.T, depth int) any {
	switch n := rapid.IntRange(0, 5).Draw(t, "kind"); {
	case depth > 4 || n == 0:
		return rapid.SampledFrom([]any{nil, true, 1.5, "x", `a"b`, "{", `\`, "é"}).Draw(t, "leaf")
	case n == 1:
		return []any{drawDoc(t, depth+1), drawDoc(t, depth+1)}
	case n == 2:
		return map[string]any{"Pass": []any{"hunter2", map[string]any{"a": "hunter2"}}, "z": drawDoc(t, depth+1)}
	case n == 3:
		inner, _ := json.Marshal(map[string]any{"pass": "hunter2", "a": drawDoc(t, depth+1)})
		if depth > 2 { // the walk opens four layers of quoting; deeper ones are for the literals
			return "x"
		}
		return map[string]any{"data": string(inner)}
	default:
		return map[string]any{"pass": "hunter2", `k"ey`: drawDoc(t, depth+1)}
	}
}

func FuzzRedactBody(f *testing.F) {
	f.Add([]byte(`{"pass":"a","b":"\u0041"}`), "SECRET")
	f.Add([]byte(`pass=a&b=%41`), "a+b/c=")
	f.Add([]byte("\x00\xff"), "\xffabc")
	f.Fuzz(func(t *testing.T, body []byte, secret string) {
		if len(secret) < 4 || strings.ContainsAny(secret, "[redacted]") || strings.Trim(secret, "0123456789bytesofunkwp,ha …mr") == "" {
			t.Skip("no secret: too short, or made of what the mark itself is made of")
		}
		r := httpx.Redactor{Secrets: []string{secret}, JSON: []string{"pass"}, Form: []string{"cvv"}}
		if out := string(httpx.RedactBody(r, body, "text/plain")); strings.Contains(out, secret) {
			t.Fatalf("%q leaves %q", body, out)
		}
		withSecret := append(append([]byte{}, body...), secret...)
		if out := string(httpx.RedactBody(r, withSecret, "text/plain")); strings.Contains(out, secret) {
			t.Fatalf("%q leaves %q", withSecret, out)
		}
	})
}
