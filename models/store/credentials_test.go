package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
	"countinghouse/models/vault"
)

const canary = "canary-9f2c61d07b-secret-7788"

func newVault(t testing.TB) *vault.Vault {
	t.Helper()
	doc, err := vault.NewDocument()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.FromString(doc)
	if err != nil {
		t.Fatal(err)
	}
	return vault.New(keys)
}

// keyKeepers are two admins who have just shown their second factor, and a person from finance.
func keyKeepers(s *store.Store) (ann, bob, fay models.Actor) {
	admin := func(id, name string) models.Actor {
		return models.Actor{UserID: id, Name: name, Roles: []models.Role{models.Admin}, StepUp: s.Now()}
	}
	return admin("u-ann", "Ann"), admin("u-bob", "Bob"), models.Actor{UserID: "u-fay", Name: "Fay", Roles: []models.Role{models.Finance}, StepUp: s.Now()}
}

func spec(env models.Environment) models.CredentialSpec {
	return models.CredentialSpec{Provider: "onekey", Environment: env, CredentialNotes: models.CredentialNotes{Name: "Main keys"},
		Values: map[string]string{"base_url": "https://api.example.test"}, Settings: map[string]string{"auth_scheme": "D24"},
		Secrets: map[string]string{"login": "login-0123456789", "secret": canary}}
}

func create(t *testing.T, s *store.Store, v *vault.Vault, by models.Actor, env models.Environment) models.Credential {
	t.Helper()
	c, err := s.CreateCredential(t.Context(), by, v, spec(env))
	if err != nil {
		t.Fatalf("create the credential: %v", err)
	}
	return c
}

func get(t *testing.T, s *store.Store, id string) models.Credential {
	t.Helper()
	c, err := s.CredentialForTask(t.Context(), id)
	if err != nil {
		t.Fatalf("read the credential: %v", err)
	}
	return c
}

func refusedWith(t *testing.T, err error, code models.Code, part string) {
	t.Helper()
	if !models.Is(err, code) || !strings.Contains(err.Error(), part) {
		t.Errorf("error %v; want code %s with %q", err, code, part)
	}
}

func TestASecretIsKeptSealedAndOnlyItsEndIsShown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := newVault(t)
		ann, _, _ := keyKeepers(s)
		c := create(t, s, v, ann, models.Sandbox)
		got := get(t, s, c.ID)
		if len(got.Secrets) != 2 || got.Secrets[1].Last4 != "7788" || got.Secrets[1].Fingerprint == "" || strings.Contains(got.Secrets[1].Fingerprint, "canary") {
			t.Errorf("what is shown of the secrets: %+v", got.Secrets)
		}
		if got.State != models.CredentialDraft || got.Version != 1 || got.RotateBy != s.Now().Add(90*24*time.Hour) {
			t.Errorf("a new credential is %s, version %d, rotate by %s", got.State, got.Version, got.RotateBy.Time())
		}
		sealed, err := s.SealedSecrets(t.Context(), c.ID)
		if err != nil || len(sealed) != 2 {
			t.Fatalf("sealed: %v, %v", sealed, err)
		}
		for _, x := range sealed {
			if strings.Contains(string(x.Sealed), canary) {
				t.Error("the sealed bytes hold the secret in clear")
			}
		}
		plain, err := v.Open(t.Context(), sealed[1].Sealed, store.SecretPlace(c.ID, "secret"))
		if err != nil || string(plain) != canary {
			t.Errorf("opened %q, %v", plain, err)
		}
		if _, err := v.Open(t.Context(), sealed[1].Sealed, store.SecretPlace("another", "secret")); !errors.Is(err, vault.ErrWillNotOpen) {
			t.Errorf("a secret moved to another credential gave %v; want ErrWillNotOpen", err)
		}
	})
}

func TestOnlyAdminsWithAFreshSecondFactorChangeKeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := newVault(t)
		ann, _, fay := keyKeepers(s)
		_, err := s.CreateCredential(t.Context(), fay, v, spec(models.Sandbox))
		refusedWith(t, err, models.Forbidden, "credentials.manage")
		stale := ann
		stale.StepUp = s.Now().Add(-6 * time.Minute)
		_, err = s.CreateCredential(t.Context(), stale, v, spec(models.Sandbox))
		refusedWith(t, err, models.StepUp, "second factor")
		c := create(t, s, v, ann, models.Sandbox)
		_, err = s.CreateCredential(t.Context(), ann, v, spec(models.Sandbox))
		refusedWith(t, err, models.Invalid, "with this name already")
		if _, err := s.CreateCredential(t.Context(), ann, v, spec(models.Live)); err != nil {
			t.Errorf("the same name in the other environment: %v", err)
		}
		refusedWith(t, s.SuspendCredential(t.Context(), fay, c.ID, ""), models.Forbidden, "credentials.manage")
		refusedWith(t, s.RevokeCredential(t.Context(), stale, c.ID, "gone"), models.StepUp, "second factor")
		_, err = s.Credential(t.Context(), models.Actor{UserID: "x"}, c.ID)
		refusedWith(t, err, models.Forbidden, "credentials.read")
	})
}

func TestInTheSandboxChangesHappenAtOnceAndCountVersions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := newVault(t)
		ann, _, _ := keyKeepers(s)
		c := create(t, s, v, ann, models.Sandbox)
		ask := func(ch models.CredentialChange, version int64) (bool, error) {
			ch.CredentialID = c.ID
			return s.AskChange(t.Context(), ann, ch, version)
		}
		if done, err := ask(models.CredentialChange{Kind: models.ChangeActivate}, 1); !done || err != nil {
			t.Fatalf("activate: %v, %v", done, err)
		}
		edit := models.CredentialChange{Kind: models.ChangeEdit, Values: map[string]string{"base_url": "http://127.0.0.1:9000"}, Settings: map[string]string{"auth_scheme": "OKP"}}
		if done, err := ask(edit, 1); !done || err != nil {
			t.Fatalf("edit: %v, %v", done, err)
		}
		got := get(t, s, c.ID)
		if got.Version != 2 || got.State != models.CredentialActive || got.Values["base_url"] != "http://127.0.0.1:9000" || got.Settings["auth_scheme"] != "OKP" {
			t.Errorf("after the edit: %+v", got)
		}
		_, err := ask(edit, 1)
		refusedWith(t, err, models.Conflict, "meanwhile")
		_, err = ask(edit, 2)
		refusedWith(t, err, models.Conflict, "Nothing was changed")
		if err := s.SuspendCredential(t.Context(), ann, c.ID, "looks odd"); err != nil {
			t.Fatal(err)
		}
		if done, err := ask(models.CredentialChange{Kind: models.ChangeResume}, 2); !done || err != nil {
			t.Errorf("resume: %v, %v", done, err)
		}
	})
}

func TestNewSecretsTakeOverOnlyAfterTheyPassedAndThereIsAWayBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := newVault(t)
		ann, _, _ := keyKeepers(s)
		c := create(t, s, v, ann, models.Sandbox)
		old := fingerprints(get(t, s, c.ID), models.SlotCurrent)
		if err := s.FillNext(t.Context(), ann, v, c.ID, map[string]string{"secret": "the-new-secret-4321"}, []string{"login"}); err != nil {
			t.Fatal(err)
		}
		promote := models.CredentialChange{CredentialID: c.ID, Kind: models.ChangePromote}
		_, err := s.AskChange(t.Context(), ann, promote, 1)
		refusedWith(t, err, models.Conflict, "have not passed")
		c = get(t, s, c.ID)
		test := store.CredentialTest{CredentialID: c.ID, Version: c.Version, Slot: models.SlotNext, Verdict: "keys_rejected", Sentence: "No."}
		for _, k := range c.In(models.SlotNext) {
			test.SecretIDs = append(test.SecretIDs, k.ID)
		}
		record(t, s, ann, test)
		_, err = s.AskChange(t.Context(), ann, promote, 1)
		refusedWith(t, err, models.Conflict, "have not passed")
		test.Verdict = "ok"
		record(t, s, ann, test)
		next := fingerprints(get(t, s, c.ID), models.SlotNext)
		if next["login"] != old["login"] || next["secret"] == old["secret"] {
			t.Errorf("next %v from current %v: login must be carried over, secret must be new", next, old)
		}
		if done, err := s.AskChange(t.Context(), ann, promote, 1); !done || err != nil {
			t.Fatalf("promote: %v, %v", done, err)
		}
		got := get(t, s, c.ID)
		if diff := cmp.Diff(next, fingerprints(got, models.SlotCurrent)); diff != "" {
			t.Errorf("in use after the promotion (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(old, fingerprints(got, models.SlotPrevious)); diff != "" {
			t.Errorf("kept for the overlap (-want +got):\n%s", diff)
		}
		if got.Version != 2 || got.In(models.SlotPrevious)[0].OverlapUntil != s.Now().Add(store.Overlap) || got.Has(models.SlotNext) {
			t.Errorf("after the promotion: version %d, %+v", got.Version, got.Secrets)
		}
		if done, err := s.AskChange(t.Context(), ann, models.CredentialChange{CredentialID: c.ID, Kind: models.ChangeBack}, 2); !done || err != nil {
			t.Fatalf("back: %v, %v", done, err)
		}
		got = get(t, s, c.ID)
		if diff := cmp.Diff(old, fingerprints(got, models.SlotCurrent)); diff != "" || got.Version != 3 || got.NextPassed() {
			t.Errorf("after the way back: version %d, next passed %v, diff %s", got.Version, got.NextPassed(), diff)
		}
	})
}

func record(t *testing.T, s *store.Store, by models.Actor, test store.CredentialTest) {
	t.Helper()
	if err := s.RecordTest(t.Context(), by, test); err != nil {
		t.Fatal(err)
	}
}

func fingerprints(c models.Credential, slot models.Slot) map[string]string {
	out := map[string]string{}
	for _, k := range c.In(slot) {
		out[k.Field] = k.Fingerprint
	}
	return out
}

func TestInLiveASecondAdminDecides(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := newVault(t)
		ann, bob, fay := keyKeepers(s)
		c := create(t, s, v, ann, models.Live)
		activate := models.CredentialChange{CredentialID: c.ID, Kind: models.ChangeActivate, Reason: "Going live on Monday"}
		_, err := s.AskChange(t.Context(), ann, activate, 1)
		refusedWith(t, err, models.Conflict, "Test the credential first")
		record(t, s, ann, store.CredentialTest{CredentialID: c.ID, Version: 1, Slot: models.SlotCurrent, Verdict: "ok", Sentence: "Works."})
		if done, err := s.AskChange(t.Context(), ann, activate, 1); done || err != nil {
			t.Fatalf("live must wait: done %v, %v", done, err)
		}
		_, err = s.AskChange(t.Context(), ann, activate, 1)
		refusedWith(t, err, models.Conflict, "already waits")
		ch := get(t, s, c.ID).Change
		if ch == nil {
			t.Fatal("no change waits")
		}
		_, err = s.DecideChange(t.Context(), ann, ch.ID, true, "")
		refusedWith(t, err, models.Forbidden, "yourself")
		_, err = s.DecideChange(t.Context(), fay, ch.ID, true, "")
		refusedWith(t, err, models.Forbidden, "changes.approve")
		_, err = s.DecideChange(t.Context(), bob, ch.ID, false, "")
		refusedWith(t, err, models.Invalid, "Say why")
		if got := get(t, s, c.ID).State; got != models.CredentialDraft {
			t.Errorf("before anybody decided it is %s", got)
		}
		if state, err := s.DecideChange(t.Context(), bob, ch.ID, true, ""); state != models.ChangeApproved || err != nil {
			t.Fatalf("approve: %s, %v", state, err)
		}
		if got := get(t, s, c.ID); got.State != models.CredentialActive || got.Change != nil {
			t.Errorf("after Bob agreed: %s, %+v", got.State, got.Change)
		}
		_, err = s.DecideChange(t.Context(), bob, ch.ID, true, "")
		refusedWith(t, err, models.Conflict, "decided already")
	})
}

func TestAnApprovalIsVoidWhenItsGroundMoved(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := newVault(t)
		ann, bob, _ := keyKeepers(s)
		c := create(t, s, v, ann, models.Live)
		edit := models.CredentialChange{CredentialID: c.ID, Kind: models.ChangeEdit, Values: map[string]string{"base_url": "https://evil.example.test"}, Settings: c.Settings}
		if done, err := s.AskChange(t.Context(), ann, edit, 1); done || err != nil {
			t.Fatal(done, err)
		}
		// Meanwhile other secrets are entered: what Bob looks at is no longer what would be in use.
		if err := s.FillNext(t.Context(), ann, v, c.ID, map[string]string{"secret": "another-new-secret-1"}, nil); err != nil {
			t.Fatal(err)
		}
		ch := get(t, s, c.ID).Change
		if state, err := s.DecideChange(t.Context(), bob, ch.ID, true, ""); state != models.ChangeVoid || err != nil {
			t.Fatalf("decide: %s, %v; want void", state, err)
		}
		got := get(t, s, c.ID)
		if got.Values["base_url"] != "https://api.example.test" || got.Version != 1 {
			t.Errorf("a void change was done: %+v", got.Values)
		}
	})
}

func TestRevokingDestroysSecretsAndVoidsWhatWaits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := newVault(t)
		ann, bob, _ := keyKeepers(s)
		c := create(t, s, v, ann, models.Live)
		edit := models.CredentialChange{CredentialID: c.ID, Kind: models.ChangeEdit, Values: map[string]string{"base_url": "https://two.example.test"}}
		if _, err := s.AskChange(t.Context(), ann, edit, 1); err != nil {
			t.Fatal(err)
		}
		ch := get(t, s, c.ID).Change
		if err := s.RevokeCredential(t.Context(), bob, c.ID, "leaked"); err != nil {
			t.Fatal(err)
		}
		sealed, err := s.SealedSecrets(t.Context(), c.ID)
		if err != nil || len(sealed) != 0 {
			t.Errorf("after revoking %d sealed secrets are left, %v", len(sealed), err)
		}
		_, err = s.DecideChange(t.Context(), bob, ch.ID, true, "")
		refusedWith(t, err, models.Conflict, "void")
		refusedWith(t, s.FillNext(t.Context(), ann, v, c.ID, map[string]string{"secret": "xxxxxxxxxxxx"}, nil), models.Conflict, "revoked")
		rep, err := s.VerifyAudit(t.Context())
		if err != nil || !rep.Whole() || rep.Entries != 3 {
			t.Errorf("audit: %+v, %v; want three entries", rep, err)
		}
	})
}

func TestInLiveAnAssumedItemNeedsTwoAdminsAndTheEvidenceOfTheSameBasis(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := newVault(t)
		ann, bob, _ := keyKeepers(s)
		c := create(t, s, v, ann, models.Live)
		standing := func() models.ItemStanding {
			t.Helper()
			all, err := s.Standings(t.Context(), ann, get(t, s, c.ID))
			if err != nil {
				t.Fatal(err)
			}
			return all["OKP-SIG-2"]
		}
		proof := models.ItemEvidence{CredentialID: c.ID, Item: "OKP-SIG-2", Verdict: models.Proved, ExchangeID: "x1", Sentence: "Balance answered.", Basis: c.Basis()}
		record(t, s, ann, store.CredentialTest{CredentialID: c.ID, Version: 1, Slot: models.SlotCurrent, Verdict: "ok", Evidence: []models.ItemEvidence{proof}})
		if st := standing(); st.Proven(models.Live, false) || !st.Proven(models.Live, true) || !st.Proven(models.Sandbox, false) {
			t.Errorf("with a proof alone: %+v", st)
		}
		for _, who := range []models.Actor{ann, ann} {
			if err := s.ConfirmItem(t.Context(), who, c.ID, "OKP-SIG-2", "Saw the exchange"); err != nil {
				t.Fatal(err)
			}
		}
		if standing().Proven(models.Live, false) {
			t.Error("one admin, twice, unlocked an item")
		}
		if err := s.ConfirmItem(t.Context(), bob, c.ID, "OKP-SIG-2", "Saw it too"); err != nil {
			t.Fatal(err)
		}
		if st := standing(); !st.Proven(models.Live, false) {
			t.Errorf("two admins did not unlock it: %+v", st)
		}
		refuted := proof
		refuted.Verdict, refuted.ExchangeID = models.Refuted, "x2"
		if err := s.AddEvidence(t.Context(), "recorder", []models.ItemEvidence{refuted}); err != nil {
			t.Fatal(err)
		}
		if st := standing(); st.Proven(models.Sandbox, false) && st.Latest.Verdict != models.Refuted {
			t.Errorf("a refuted item counts as proven: %+v", st)
		}
		moved := get(t, s, c.ID)
		moved.Settings = map[string]string{"auth_scheme": "OKP"}
		all, err := s.StandingsForTask(t.Context(), moved)
		if err != nil {
			t.Fatal(err)
		}
		if st := all["OKP-SIG-2"]; !st.Stale || st.Latest != nil || len(st.Confirmations) != 0 || st.Proven(models.Live, true) {
			t.Errorf("on another basis the evidence still counts: %+v", st)
		}
	})
}

func TestRewrappingKeepsEverySecretReadable(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		path := t.TempDir() + "/vault.key"
		if err := vault.CreateFile(path); err != nil {
			t.Fatal(err)
		}
		keys, err := vault.FromFile(path)
		if err != nil {
			t.Fatal(err)
		}
		v := vault.New(keys)
		ann, _, _ := keyKeepers(s)
		c := create(t, s, v, ann, models.Sandbox)
		if n, err := s.RewrapSecrets(t.Context(), v); n != 0 || err != nil {
			t.Errorf("nothing to do, but %d changed, %v", n, err)
		}
		if _, err := vault.Rotate(path); err != nil {
			t.Fatal(err)
		}
		if _, err := keys.Reload(); err != nil {
			t.Fatal(err)
		}
		if n, err := s.RewrapSecrets(t.Context(), v); n != 2 || err != nil {
			t.Errorf("after a rotation %d changed, %v; want 2", n, err)
		}
		sealed, err := s.SealedSecrets(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := v.Open(t.Context(), sealed[1].Sealed, store.SecretPlace(c.ID, "secret")); err != nil || string(plain) != canary {
			t.Errorf("opened %q, %v", plain, err)
		}
	})
}
