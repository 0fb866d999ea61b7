package tasks_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
)

func delivery(secret, body string) providers.Delivery {
	return providers.Delivery{Topic: "payment", Method: http.MethodPost, Path: "/hooks/c/payment", Body: []byte(body),
		Header: http.Header{"X-Signature": {sign(secret, []byte(body))}}}
}

// judged is what the desk says of one delivery.
type judged struct {
	Delivery models.Delivery
	Reply    providers.Reply
	Discard  bool
}

func (b *bench) judge(id string, in providers.Delivery) (j judged) {
	b.Helper()
	var err error
	if j.Delivery, j.Reply, j.Discard, err = b.desk.Judge(b.Context(), id, in, "203.0.113.9"); err != nil {
		b.Fatalf("judge: %v", err)
	}
	return j
}

func TestAWebhookIsVerifiedBeforeItIsReadAndForgedOnesAreNeverProcessed(t *testing.T) {
	each(t, func(b *bench) {
		c := b.credential()
		var work []string
		in := b.store.NewIntake(func(_ *store.Tx, credentials []string) error { work = append(work, credentials...); return nil })
		defer in.Close()
		good := b.judge(c.ID, delivery(canary, `{"event":"e1","ref":"CH1","status":"done"}`))
		forged := b.judge(c.ID, delivery("guessed-secret", `{"event":"e1","ref":"CH1","status":"done"}`))
		if good.Delivery.State != models.DeliveryReceived || good.Delivery.Reference != "CH1" || string(good.Reply.Body) != "SUCCESS" {
			b.Errorf("a right one: %+v", good.Delivery)
		}
		if forged.Delivery.State != models.DeliveryRefused || forged.Delivery.Reference != "" || forged.Discard {
			b.Errorf("a forged one was read: %+v", forged.Delivery)
		}
		// The forged one comes first: it must not take the right one's place.
		for _, j := range []judged{forged, good} {
			if k := in.Keep(b.Context(), j.Delivery); k.Err != nil || k.Repeat {
				b.Fatalf("keep: %+v", k)
			}
		}
		if todo, err := b.store.ReceivedDeliveries(b.Context(), c.ID, "", 10); err != nil || len(work) != 1 || work[0] != c.ID || len(todo) != 1 || todo[0] != good.Delivery.ID {
			b.Errorf("work to do: %v of credentials %v, %v; want only the right one %s", todo, work, err, good.Delivery.ID)
		}
		got, err := b.store.Delivery(b.Context(), b.ann, forged.Delivery.ID)
		if err != nil || got.State != models.DeliveryRefused || got.Trust != "forged" || string(got.Body) != `{"event":"e1","ref":"CH1","status":"done"}` {
			b.Errorf("the forged one as stored: %+v, %v", got, err)
		}
		err = b.store.ReplayDelivery(b.Context(), b.ann, forged.Delivery.ID, func(*store.Tx, []string) error { return nil })
		if !models.Is(err, models.Conflict) {
			b.Errorf("a forged one was replayed: %v", err)
		}
		if use := b.get(c.ID).Use.WebhookAt; use != b.store.Now() {
			b.Errorf("last webhook noted at %d", use)
		}
	})
}

func TestRepeatsAreCountedAndNotProcessedAgain(t *testing.T) {
	each(t, func(b *bench) {
		c := b.credential()
		var work []string
		in := b.store.NewIntake(func(_ *store.Tx, credentials []string) error { work = append(work, credentials...); return nil })
		defer in.Close()
		// The provider signs the same event afresh with another body.
		first := b.judge(c.ID, delivery(canary, `{"event":"e1","ref":"CH1","status":"done"}`)).Delivery
		for i, body := range []string{`{"event":"e1","ref":"CH1","status":"done"}`, `{"event":"e1","ref":"CH1","status":"done","try":2}`, `{"event":"e1","ref":"CH1","status":"done","try":3}`} {
			d := b.judge(c.ID, delivery(canary, body)).Delivery
			if i == 0 {
				d = first
			}
			if k := in.Keep(b.Context(), d); k.Err != nil || k.Repeat != (i > 0) || k.ID != first.ID {
				b.Fatalf("delivery %d: %+v; want the row %s", i, k, first.ID)
			}
		}
		got, err := b.store.Delivery(b.Context(), b.ann, first.ID)
		if err != nil || got.Repeats != 2 || len(work) != 1 {
			b.Errorf("repeats %d, work %v, %v", got.Repeats, work, err)
		}
		if err := b.store.FinishDelivery(b.Context(), first.ID, store.Reading{State: models.DeliveryDead, Error: "No."}, nil); err != nil {
			b.Fatal(err)
		}
		if k := in.Keep(b.Context(), b.judge(c.ID, delivery(canary, `{"event":"e1","ref":"CH1","status":"done","try":4}`)).Delivery); k.Err != nil || !k.Repeat {
			b.Fatal(k)
		}
		if got, err := b.store.Delivery(b.Context(), b.ann, first.ID); err != nil || got.State != models.DeliveryReceived || len(work) != 2 {
			b.Errorf("a dead one that came again: %s, work %v, %v; want it tried again", got.State, work, err)
		}
	})
}

func TestTheOldSecretVerifiesUntilItsOverlapEnds(t *testing.T) {
	each(t, func(b *bench) {
		c := b.credential()
		const fresh = "the-new-secret-of-plainpay-99"
		if err := b.store.FillNext(b.Context(), b.ann, b.vault, c.ID, map[string]string{"secret": fresh}, nil); err != nil {
			b.Fatal(err)
		}
		b.server.key = fresh
		if got, err := b.desk.Check(b.Context(), b.ann, c.ID, models.SlotNext); err != nil || !got.Passed() {
			b.Fatalf("test of the new secret: %+v, %v", got, err)
		}
		trust := func(secret string, n int) string {
			b.Helper()
			return b.judge(c.ID, delivery(secret, fmt.Sprintf(`{"event":"e%d"}`, n))).Delivery.Trust
		}
		if a, z := trust(canary, 1), trust(fresh, 2); a != "verified" || z != "verified" {
			b.Errorf("before the promotion: old %s, new %s", a, z)
		}
		b.change(models.CredentialChange{CredentialID: c.ID, Kind: models.ChangePromote}, 1)
		if a, z := trust(canary, 3), trust(fresh, 4); a != "verified" || z != "verified" {
			b.Errorf("in the overlap: old %s, new %s", a, z)
		}
		b.clock.Advance(store.Overlap + time.Second)
		if a, z := trust(canary, 5), trust(fresh, 6); a != "forged" || z != "verified" {
			b.Errorf("after the overlap: old %s, new %s", a, z)
		}
	})
}

func TestAddressesThatDoNotExistTellNothing(t *testing.T) {
	each(t, func(b *bench) {
		c := b.credential()
		other := delivery(canary, `{}`)
		other.Topic = "nothing"
		gone := func(what, id string, in providers.Delivery) {
			b.Helper()
			if _, _, _, err := b.desk.Judge(b.Context(), id, in, ""); !models.Is(err, models.NotFound) {
				b.Errorf("%s: %v; want not found", what, err)
			}
		}
		gone("an unknown credential", "' OR 1=1 --", delivery(canary, `{}`))
		gone("an unknown topic", c.ID, other)
		if err := b.store.RevokeCredential(b.Context(), b.ann, c.ID, "gone"); err != nil {
			b.Fatal(err)
		}
		gone("a revoked credential", c.ID, delivery(canary, `{}`))
	})
}

func TestAFloodOfForgeriesFillsNoDisk(t *testing.T) {
	each(t, func(b *bench) {
		c := b.credential()
		kept := 0
		for i := range 600 {
			if !b.judge(c.ID, delivery("guess", fmt.Sprintf(`{"event":"%d"}`, i))).Discard {
				kept++
			}
		}
		if kept != 500 {
			b.Errorf("%d of 600 forged deliveries would be stored; want 500", kept)
		}
		if j := b.judge(c.ID, delivery(canary, `{"event":"right"}`)); j.Discard || j.Delivery.Trust != "verified" {
			b.Error("a right delivery was thrown away in the flood")
		}
		b.clock.Advance(2 * time.Hour)
		if b.judge(c.ID, delivery("guess", `{"event":"later"}`)).Discard {
			b.Error("two hours later a forged one is still not stored")
		}
	})
}

func TestHostileDeliveriesAreStoredWholeAndHarmless(t *testing.T) {
	each(t, func(b *bench) {
		c := b.credential()
		in := b.store.NewIntake(func(*store.Tx, []string) error { return nil })
		defer in.Close()
		for name, body := range map[string]string{
			"not JSON":      "\x00\xff\xfe<script>alert(1)</script>",
			"deep JSON":     strings.Repeat("[", 100_000),
			"one megabyte":  strings.Repeat("a", models.MaxWebhookBody),
			"empty":         "",
			"huge values":   `{"event":"` + strings.Repeat("é", 300_000) + `","ref":"` + strings.Repeat("\\u0000", 5000) + `"}`,
			"wrong types":   `{"event":{"a":1},"ref":[1],"status":null}`,
			"double keys":   `{"event":"a","event":"b","ref":"x","ref":"y"}`,
			"NUL in a name": "{\"ref\":\"a\\u0000b\"}",
		} {
			d := delivery(canary, body)
			d.Header["X-Long"] = []string{strings.Repeat("h", 100_000)}
			d.Header["X-Bad"] = []string{"\xff\x00"}
			j := b.judge(c.ID, d)
			if k := in.Keep(b.Context(), j.Delivery); k.Err != nil {
				b.Errorf("%s: %v", name, k.Err)
				continue
			}
			got, err := b.store.Delivery(b.Context(), b.ann, j.Delivery.ID)
			if err != nil || string(got.Body) != body {
				b.Errorf("%s: stored %d bytes of %d, %v", name, len(got.Body), len(body), err)
			}
		}
	})
}

func TestManyDeliveriesShareTheirCommitsAndEachIsAnsweredAfterItsOwn(t *testing.T) {
	each(t, func(b *bench) {
		c := b.credential()
		var commits atomic.Int64
		in := b.store.NewIntake(func(tx *store.Tx, credentials []string) error {
			if diff := cmp.Diff([]string{c.ID}, credentials); diff != "" {
				b.Errorf("credentials of a group (-want +got):\n%s", diff)
			}
			tx.AfterCommit(func() { commits.Add(1) })
			return nil
		})
		const n = 1000
		var wg sync.WaitGroup
		for w := range 50 {
			wg.Go(func() {
				for i := range n / 50 {
					d, _, _, err := b.desk.Judge(b.Context(), c.ID, delivery(canary, fmt.Sprintf(`{"event":"%d-%d"}`, w, i)), "203.0.113.9")
					if err != nil {
						b.Errorf("judge: %v", err)
						return
					}
					k := in.Keep(b.Context(), d)
					if _, err := b.store.DeliveryForTask(b.Context(), k.ID); k.Err != nil || err != nil {
						b.Errorf("answered before it was stored: %v, %v", k.Err, err)
					}
				}
			})
		}
		wg.Wait()
		in.Close()
		todo, err := b.store.ReceivedDeliveries(b.Context(), c.ID, "", 2*n)
		if err != nil || len(todo) != n || commits.Load() > n/2 {
			b.Errorf("%d deliveries to read (%v) after %d commits; want %d in far fewer", len(todo), err, commits.Load(), n)
		}
		if k := in.Keep(b.Context(), b.judge(c.ID, delivery(canary, `{}`)).Delivery); !models.Is(k.Err, models.Unavailable) {
			b.Errorf("after the stop: %v", k.Err)
		}
	})
}

func TestAWebhookFromOutsideTheCredentialsNetworksIsTurnedAway(t *testing.T) {
	each(t, func(b *bench) {
		c := b.credential()
		if err := b.store.Update(b.Context(), func(tx *store.Tx) error {
			return tx.Exec("INSERT INTO ip_rules (id, scope, role, credential_id, cidr, note, created_us, created_by, removed_us) VALUES (?,?,'',?,?,'',?,'',0)",
				models.NewID(), models.ScopeWebhook, c.ID, "198.51.100.0/24", tx.Now)
		}); err != nil {
			b.Fatal(err)
		}
		for from, ok := range map[string]bool{"198.51.100.20": true, "203.0.113.9": false, "": false, "::ffff:198.51.100.20": true, "nonsense": false} {
			_, _, _, err := b.desk.Judge(b.Context(), c.ID, delivery(canary, `{"event":"e"}`), from)
			if ok && err != nil || !ok && !models.Is(err, models.Forbidden) {
				b.Errorf("from %q: %v; want let in %v", from, err, ok)
			}
		}
		// What was refused is on the page of the rules, by address.
		auditor := models.Actor{UserID: "u-rhea", Name: "Rhea", Roles: []models.Role{models.Auditor}}
		list, err := b.store.RefusedAddresses(b.Context(), auditor, models.ScopeWebhook, c.Environment)
		var ips []string
		for _, x := range list {
			ips = append(ips, x.IP)
		}
		slices.Sort(ips)
		if err != nil || strings.Join(ips, " ") != " 203.0.113.9 nonsense" {
			b.Errorf("refused: %q, %v", ips, err)
		}
		hooks, _, err := b.store.NetworksForTask(b.Context(), c.ID)
		if err != nil || hooks[0].Hit == 0 {
			b.Errorf("the rule's last use: %+v, %v", hooks, err)
		}
		// A rule that has ended lets nobody in, and does not open the door to everybody.
		if err := b.store.Update(b.Context(), func(tx *store.Tx) error {
			return tx.Exec("UPDATE ip_rules SET expires_us = ?", tx.Now)
		}); err != nil {
			b.Fatal(err)
		}
		b.clock.Advance(3 * time.Second) // until the gate is read again
		for _, from := range []string{"198.51.100.20", "203.0.113.9"} {
			if _, _, _, err := b.desk.Judge(b.Context(), c.ID, delivery(canary, `{"event":"e"}`), from); !models.Is(err, models.Forbidden) {
				b.Errorf("from %s after the rule has ended: %v", from, err)
			}
		}
	})
}
