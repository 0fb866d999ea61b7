package providertest

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
)

func webhooks(t *testing.T, s Subject) {
	if s.Provider.Webhooks == nil {
		t.Skip("the provider sends no webhooks")
	}
	authentic(t, s)
	for _, topic := range s.Provider.Description.Webhooks {
		if r := s.Provider.Webhooks.WebhookReply(topic.ID); r.Status < 200 || r.Status > 299 {
			t.Errorf("topic %s: the reply to a stored delivery is %d", topic.ID, r.Status)
		}
	}
	junk(t, s)
}

func (s Subject) keys() providers.Keys {
	return providers.Keys{Values: maps.Clone(s.Values), Secrets: []map[string]string{maps.Clone(s.Secrets)}, Settings: maps.Clone(s.Settings)}
}

// authentic holds that true deliveries verify, that any other slot's secrets do too, and that nobody else's do.
func authentic(t *testing.T, s Subject) {
	foreign := map[string]string{}
	for k := range s.Secrets {
		foreign[k] = "somebody-else-" + k
	}
	for i, d := range s.Deliveries {
		where := fmt.Sprintf("delivery %d (%s)", i, d.Topic)
		if _, ok := s.Provider.Description.Topic(d.Topic); !ok {
			t.Errorf("%s: the topic is not described", where)
		}
		k := s.keys()
		first := verify(t, s, k, d)
		if first.Trust != providers.Verified && first.Trust != providers.Partly {
			t.Errorf("%s: an authentic delivery is %s: %s", where, first.Trust, first.Sentence)
		}
		if first.Sentence == "" {
			t.Errorf("%s: the verification has no sentence", where)
		}
		k.Secrets = []map[string]string{foreign, s.Secrets}
		if a := verify(t, s, k, d); a.Trust != first.Trust {
			t.Errorf("%s: signed with the second slot it is %s: %s", where, a.Trust, a.Sentence)
		}
		for what, slots := range map[string][]map[string]string{"somebody else's secrets": {foreign}, "no secrets": nil, "empty secrets": {{}}} {
			k.Secrets = slots
			if a := verify(t, s, k, d); a.Trust != providers.Forged {
				t.Errorf("%s: with %s it is %s, want %s", where, what, a.Trust, providers.Forged)
			}
		}
		if _, err := s.Provider.Webhooks.TranslateWebhook(d); err != nil {
			t.Errorf("%s: translating: %v", where, err)
		}
		tampered(t, s, where, d)
	}
}

// tampered changes one byte of the body at a time: a delivery of full trust must not survive any of them.
func tampered(t *testing.T, s Subject, where string, d providers.Delivery) {
	t.Helper()
	if verify(t, s, s.keys(), d).Trust != providers.Verified {
		return
	}
	for i := range d.Body {
		changed := d
		changed.Body = bytes.Clone(d.Body)
		changed.Body[i] ^= 0x01
		if a := verify(t, s, s.keys(), changed); a.Trust == providers.Verified {
			t.Errorf("%s: it still verifies with byte %d of the body changed", where, i)
			return
		}
	}
}

// verify calls twice, with copies kept aside, and fails when the two answers differ or the input was changed.
func verify(t *testing.T, s Subject, k providers.Keys, d providers.Delivery) providers.Authenticity {
	t.Helper()
	header, body, settings := d.Header.Clone(), bytes.Clone(d.Body), maps.Clone(k.Settings)
	one := s.Provider.Webhooks.VerifyWebhook(k, d)
	two := s.Provider.Webhooks.VerifyWebhook(k, d)
	if diff := cmp.Diff(one, two); diff != "" {
		t.Errorf("verification is not pure: %s", diff)
	}
	if !cmp.Equal(header, d.Header) || !bytes.Equal(body, d.Body) || !maps.Equal(settings, k.Settings) {
		t.Error("verification changed its input")
	}
	for _, id := range one.Items {
		if _, ok := s.Provider.Description.Item(id); !ok {
			t.Errorf("the verification speaks to the item %q, which is not described", id)
		}
	}
	return one
}

// junk throws noise at verification and translation: no panic, no trust.
func junk(t *testing.T, s Subject) {
	noise := rand.New(rand.NewPCG(1, 2))
	bodies := [][]byte{nil, {}, {0}, []byte("{}"), []byte("[]"), []byte("null"), []byte(`"`), []byte("a=b&a=c&%zz"), []byte(strings.Repeat("[", 100_000)),
		[]byte(strings.Repeat("a=b&", 50_000)), []byte(`{"a":1,"a":2}`), []byte("\xff\xfe{}"), []byte(`{"deposit_id":1e999}`)}
	for range 200 {
		b := make([]byte, noise.IntN(300))
		for i := range b {
			b[i] = byte(noise.Uint32())
		}
		bodies = append(bodies, b)
	}
	for _, d := range s.Deliveries {
		for range 50 {
			b := bytes.Clone(d.Body)
			b[noise.IntN(len(b))] = byte(noise.Uint32())
			bodies = append(bodies, b)
		}
	}
	topics := []string{"", "nonsense", "../x"}
	for _, w := range s.Provider.Description.Webhooks {
		topics = append(topics, w.ID)
	}
	for _, topic := range topics {
		for _, body := range bodies {
			d := providers.Delivery{Topic: topic, Method: http.MethodPost, Path: "/hooks/x/" + topic, Body: body, ReceivedAt: models.Micros(1),
				Header: http.Header{"Content-Type": {"application/json"}, "Authorization": {"x"}}}
			if a := verify(t, s, s.keys(), d); a.Trust == providers.Verified {
				t.Errorf("topic %q: noise is verified: %q", topic, body)
			}
			_, _ = s.Provider.Webhooks.TranslateWebhook(d)
		}
	}
}
