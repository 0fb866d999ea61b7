package store_test

import (
	"maps"
	"testing"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

func TestAnotherOperationTableNeedsASecondAdminInTheSandboxToo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := newVault(t)
		ann, bob, fay := keyKeepers(s)
		for _, env := range []models.Environment{models.Sandbox, models.Live} {
			first := spec(env)
			first.Settings[models.OperationTable] = `{"format":1}`
			_, err := s.CreateCredential(t.Context(), ann, v, first)
			refusedWith(t, err, models.Invalid, "begins with the provider's own operation table")

			c := create(t, s, v, ann, env)
			ask := func(kind models.ChangeKind, edit func(values, settings map[string]string)) (models.Credential, error) {
				now := get(t, s, c.ID)
				ch := models.CredentialChange{CredentialID: c.ID, Kind: kind, Values: maps.Clone(now.Values), Settings: maps.Clone(now.Settings), Reason: "their list came"}
				edit(ch.Values, ch.Settings)
				applied, err := s.AskChange(t.Context(), ann, ch, now.Version)
				if applied {
					t.Errorf("%s: a %s change was made at once", env, kind)
				}
				return get(t, s, c.ID), err
			}
			table := func(text string) func(_, settings map[string]string) {
				return func(_, settings map[string]string) { settings[models.OperationTable] = text }
			}
			_, err = ask(models.ChangeEdit, table("{}"))
			refusedWith(t, err, models.Conflict, "on its own page")
			_, err = ask(models.ChangeTable, func(values, settings map[string]string) {
				settings[models.OperationTable], values["base_url"] = "{}", "https://elsewhere.example.test"
			})
			refusedWith(t, err, models.Conflict, "nothing else is changed")
			_, err = ask(models.ChangeTable, func(_, _ map[string]string) {})
			refusedWith(t, err, models.Conflict, "in force already")

			waits, err := ask(models.ChangeTable, table("{1}"))
			if err != nil || waits.Change == nil || waits.Settings[models.OperationTable] != "" || waits.Version != 1 {
				t.Fatalf("%s: what was asked for is %+v, %v", env, waits, err)
			}
			for _, who := range []models.Actor{ann, fay} {
				if _, err := s.DecideChange(t.Context(), who, waits.Change.ID, true, ""); !models.Is(err, models.Forbidden) {
					t.Errorf("%s decided: %v", who.Name, err)
				}
			}
			if state, err := s.DecideChange(t.Context(), bob, waits.Change.ID, true, ""); err != nil || state != models.ChangeApproved {
				t.Fatalf("the second admin: %s, %v", state, err)
			}
			now := get(t, s, c.ID)
			if now.Settings[models.OperationTable] != "{1}" || now.Settings["auth_scheme"] != "D24" || now.Version != 2 || now.Tested != "" {
				t.Errorf("%s: in force is %+v", env, now)
			}
			if waits, err = ask(models.ChangeTable, table("{2}")); err != nil {
				t.Fatal(err)
			}
			if _, err := s.DecideChange(t.Context(), bob, waits.Change.ID, false, "the path is wrong"); err != nil {
				t.Fatal(err)
			}
			if waits, err = ask(models.ChangeTable, table("")); err != nil {
				t.Fatal(err)
			}
			if _, err := s.DecideChange(t.Context(), bob, waits.Change.ID, true, ""); err != nil {
				t.Fatal(err)
			}
			list, err := s.TableVersions(t.Context(), fay, c.ID)
			if err != nil || len(list) != 2 || list[0].Settings[models.OperationTable] != "" || list[1].Settings[models.OperationTable] != "{1}" || list[1].DecidedName != "Bob" {
				t.Errorf("%s: the versions are %+v, %v", env, list, err)
			}
			if _, err := s.TableVersions(t.Context(), models.Actor{UserID: "x"}, c.ID); !models.Is(err, models.Forbidden) {
				t.Errorf("somebody without a role reads the versions: %v", err)
			}
		}
	})
}

func TestATableChangeIsVoidWhenTheCredentialChangedMeanwhile(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := newVault(t)
		ann, bob, _ := keyKeepers(s)
		c := create(t, s, v, ann, models.Sandbox)
		settings := maps.Clone(c.Settings)
		settings[models.OperationTable] = "{1}"
		if _, err := s.AskChange(t.Context(), ann, models.CredentialChange{CredentialID: c.ID, Kind: models.ChangeTable, Values: c.Values, Settings: settings}, c.Version); err != nil {
			t.Fatal(err)
		}
		other := map[string]string{"auth_scheme": "OKP"}
		if applied, err := s.AskChange(t.Context(), ann, models.CredentialChange{CredentialID: c.ID, Kind: models.ChangeEdit, Values: c.Values, Settings: other}, c.Version); err != nil || !applied {
			t.Fatalf("another change in the sandbox: %v, %v", applied, err)
		}
		if state, err := s.DecideChange(t.Context(), bob, get(t, s, c.ID).Change.ID, true, ""); err != nil || state != models.ChangeVoid {
			t.Errorf("the second admin agreed to something that is no longer there: %s, %v", state, err)
		}
		if got := get(t, s, c.ID); got.Settings[models.OperationTable] != "" || got.Settings["auth_scheme"] != "OKP" {
			t.Errorf("in force is %v", got.Settings)
		}
	})
}
