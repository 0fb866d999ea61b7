package providertest

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"countinghouse/providers"
)

// secrets sends and asks under every fault and searches all that came out for the credential's secrets.
func secrets(t *testing.T, s Subject) {
	h := Open(t, s)
	var said []string
	for _, x := range s.Samples {
		for _, kind := range []string{"", "http_500", "garbage", "lose_reply"} {
			r := x.request(t, h, Reference())
			client := Build(t, s.Provider, h.Config)
			if kind != "" {
				h.Fault(t, x.operation(), kind)
			}
			out, err := Send(t.Context(), client, x.Kind, r)
			said = append(said, fmt.Sprintf("%+v %v", out, err), rawOf(out))
			f, _ := Find(t.Context(), client, query(x, r, ""))
			said = append(said, fmt.Sprintf("%+v", f), string(f.Raw))
		}
	}
	said = append(said, rejected(t, s, h)...)
	_, err := s.Provider.New(providers.Config{Environment: "elsewhere", Values: s.Values, Secrets: s.Secrets, Clock: time.Now})
	said = append(said, fmt.Sprint(err))
	for _, x := range h.Book.All() {
		said = append(said, fmt.Sprintf("%+v", x), string(x.RequestBody), string(x.ResponseBody))
	}
	if len(h.Book.All()) == 0 {
		t.Fatal("no exchange was recorded")
	}
	for name, secret := range s.Secrets {
		searchFor(t, name, secret, said)
	}
}

func rawOf(o providers.Outcome) string {
	switch o := o.(type) {
	case providers.Accepted:
		return string(o.Raw)
	case providers.Refused:
		return string(o.Raw)
	case providers.Unknown:
		return string(o.Raw)
	}
	return ""
}

// rejected uses wrong secrets, which a provider might repeat in its error, and gives what was said.
func rejected(t *testing.T, s Subject, h *House) (said []string) {
	for name := range s.Secrets {
		c := h.Config
		c.Secrets = maps.Clone(c.Secrets)
		c.Secrets[name] = "wrong-" + c.Secrets[name]
		client, err := s.Provider.New(c)
		if err != nil {
			said = append(said, err.Error())
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if checks, ok := client.(providers.Checker); ok {
			said = append(said, fmt.Sprintf("%+v", checks.Check(ctx)))
		}
		for _, x := range s.Samples {
			out, _ := Send(ctx, client, x.Kind, x.Request(Reference()))
			said = append(said, fmt.Sprintf("%+v", out), rawOf(out))
		}
		cancel()
	}
	return said
}

func searchFor(t *testing.T, name, secret string, said []string) {
	t.Helper()
	if len(secret) < 8 {
		t.Errorf("the suite's %s is too short to be searched for", name)
		return
	}
	spellings := []string{secret, url.QueryEscape(secret), hex.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte(secret))}
	for _, text := range said {
		for _, spelling := range spellings {
			if i := strings.Index(text, spelling); i >= 0 {
				t.Errorf("the secret %s stands in: …%.200s", name, text[max(0, i-80):])
				return
			}
		}
	}
}
