package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

func TestADriftIsNotedOnceAndForgottenWhenItHasPassed(t *testing.T) {
	clock := storetest.NewClock()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ann, _, fay := keyKeepers(s)
		c := create(t, s, newVault(t), ann, models.Sandbox)
		began := s.Now()
		slow := models.Drift{Kind: models.DriftLatency, Sentence: "slow"}
		grave := models.Drift{Kind: models.DriftAnswers, Sentence: "nobody answers", Grave: true}
		for i, now := range [][]models.Drift{nil, {slow}, {slow, grave}, {slow, grave}} {
			for j := range now {
				if now[j].Kind == models.DriftLatency {
					now[j].Sentence = fmt.Sprint("slow, round ", i)
				}
			}
			if err := s.RecordDrift(t.Context(), c, now); err != nil {
				t.Fatal(err)
			}
			clock.Advance(5 * time.Minute)
		}
		got, err := s.Drifting(t.Context(), fay, models.Sandbox)
		want := []models.Drift{{CredentialID: c.ID, Credential: c.Name, Provider: c.Provider, Kind: models.DriftAnswers, Sentence: "nobody answers", Grave: true, Since: began.Add(10 * time.Minute)},
			{CredentialID: c.ID, Credential: c.Name, Provider: c.Provider, Kind: models.DriftLatency, Sentence: "slow, round 3", Since: began.Add(5 * time.Minute)}}
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("what drifts: %v\n%s", err, cmp.Diff(want, got))
		}
		if other, err := s.Drifting(t.Context(), fay, models.Live); err != nil || len(other) != 0 {
			t.Errorf("in the other environment: %v, %v", other, err)
		}
		if _, err := s.Drifting(t.Context(), models.Actor{UserID: "x"}, models.Sandbox); !models.Is(err, models.Forbidden) {
			t.Errorf("somebody without a role: %v", err)
		}
		for range 2 {
			if err := s.RecordDrift(t.Context(), c, nil); err != nil {
				t.Fatal(err)
			}
		}
		if got, err = s.Drifting(t.Context(), fay, models.Sandbox); err != nil || len(got) != 0 {
			t.Errorf("when it has passed: %v, %v", got, err)
		}
		entries, err := s.AuditList(t.Context(), ann, models.AuditFilter{})
		if err != nil {
			t.Fatal(err)
		}
		told := map[string]int{}
		for _, e := range entries {
			told[e.Action]++
		}
		if told["credential.drift"] != 2 || told["credential.drift_over"] != 2 {
			t.Errorf("the audit trail tells %v", told)
		}
	}, storetest.WithClock(clock))
}

func TestDriftIsJudgedByTheLastHourAgainstTheWeekBefore(t *testing.T) {
	clock := storetest.NewClock()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ann, _, _ := keyKeepers(s)
		c := create(t, s, newVault(t), ann, models.Sandbox)
		now := s.Now()
		for i, x := range []struct {
			ago    time.Duration
			ms     int64
			failed bool
		}{{8 * 24 * time.Hour, 9000, true}, {3 * time.Hour, 100, false}, {2 * time.Hour, 300, false}, {61 * time.Minute, 200, true}, {59 * time.Minute, 800, false}, {time.Minute, 900, true}} {
			x := models.ExchangeRecord{ID: models.NewID(), CredentialID: c.ID, Provider: c.Provider, Environment: c.Environment, Operation: fmt.Sprint("op", i), StartedAt: now.Add(-x.ago),
				DurationUS: x.ms * 1000, Method: "GET", URL: "https://api.example.test/", Status: map[bool]int{false: 200, true: 503}[x.failed], Sent: true}
			if err := s.PutExchanges(t.Context(), []models.ExchangeRecord{x}); err != nil {
				t.Fatal(err)
			}
		}
		f, err := s.DriftFigures(t.Context(), get(t, s, c.ID))
		want := models.DriftFigures{Recent: models.Health{Calls: 2, Failed: 1, P50: 800_000}, Before: models.Health{Calls: 3, Failed: 1, P50: 300_000}}
		if err != nil || !cmp.Equal(f, want) {
			t.Errorf("%v\n%s", err, cmp.Diff(want, f))
		}
	}, storetest.WithClock(clock))
}
