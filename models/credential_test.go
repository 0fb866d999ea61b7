package models_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"countinghouse/models"
)

func moment(day int) models.Micros {
	return models.At(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)).Add(models.Days(day))
}

func TestKeysAgeFromABadgeAtThirtyDaysToOverdueAtNinety(t *testing.T) {
	c := models.Credential{State: models.CredentialActive, IssuedAt: moment(0), RotateBy: moment(90)}
	var got []string
	last := models.Rotation("")
	for d := range 100 {
		if r := c.Rotation(moment(d)); r != last {
			got, last = append(got, string(r)), r
			switch r {
			case models.RotationAging:
				if d != 30 {
					t.Errorf("the badge begins on day %d", d)
				}
			case models.RotationDue:
				if d != 83 {
					t.Errorf("due from day %d", d)
				}
			case models.RotationOverdue:
				if d != 90 {
					t.Errorf("overdue from day %d", d)
				}
			}
		}
	}
	if diff := cmp.Diff([]string{"fresh", "aging", "due", "overdue"}, got); diff != "" {
		t.Errorf("the life of keys (-want +got):\n%s", diff)
	}
	if c.DaysLeft(moment(89)) != 1 || c.DaysLeft(moment(91)) != -1 || c.Age(moment(31)) != 31 {
		t.Errorf("days left %d, %d, age %d", c.DaysLeft(moment(89)), c.DaysLeft(moment(91)), c.Age(moment(31)))
	}
}

func TestTheBasisSeparatesWhatDiffersAndOnlyThat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.MapOfN(rapid.StringN(0, 8, 20), rapid.StringN(0, 8, 20), 0, 4)
		a, b, c, d := m.Draw(t, "values"), m.Draw(t, "settings"), m.Draw(t, "other values"), m.Draw(t, "other settings")
		same := cmp.Equal(a, c) && cmp.Equal(b, d)
		if got := models.Basis(a, b) == models.Basis(c, d); got != same {
			t.Fatalf("equal digests %v for equal things %v", got, same)
		}
	})
	if models.Basis(nil, nil) != models.Basis(map[string]string{}, map[string]string{}) {
		t.Error("nothing and an empty map differ")
	}
}

func TestAnItemIsProvenByTheRulesOfItsEnvironment(t *testing.T) {
	proof := &models.ItemEvidence{Verdict: models.Proved, At: moment(1)}
	refuted := &models.ItemEvidence{Verdict: models.Refuted, At: moment(9)}
	two := []models.Confirmation{{UserID: "ann", At: moment(2)}, {UserID: "bob", At: moment(3)}}
	same := []models.Confirmation{{UserID: "ann", At: moment(2)}, {UserID: "ann", At: moment(3)}}
	for name, c := range map[string]struct {
		st         models.ItemStanding
		env        models.Environment
		documented bool
		want       bool
	}{
		"nothing known":                                {models.ItemStanding{}, models.Sandbox, true, false},
		"a proof in the sandbox":                       {models.ItemStanding{Latest: proof}, models.Sandbox, false, true},
		"a proof of something documented, live":        {models.ItemStanding{Latest: proof}, models.Live, true, true},
		"a proof of something assumed, live":           {models.ItemStanding{Latest: proof}, models.Live, false, false},
		"a proof and two admins, live":                 {models.ItemStanding{Latest: proof, Confirmations: two}, models.Live, false, true},
		"two admins without a proof, live":             {models.ItemStanding{Confirmations: two}, models.Live, false, true},
		"one admin twice, live":                        {models.ItemStanding{Latest: proof, Confirmations: same}, models.Live, false, false},
		"refuted after two admins":                     {models.ItemStanding{Latest: refuted, Confirmations: two}, models.Live, false, false},
		"refuted in the sandbox":                       {models.ItemStanding{Latest: refuted}, models.Sandbox, true, false},
		"two admins who saw the refutation and go on ": {models.ItemStanding{Latest: &models.ItemEvidence{Verdict: models.Refuted, At: moment(1)}, Confirmations: two}, models.Live, false, true},
	} {
		if got := c.st.Proven(c.env, c.documented); got != c.want {
			t.Errorf("%s: proven %v, want %v", name, got, c.want)
		}
	}
}

func TestWorriesAreSaidGravestFirst(t *testing.T) {
	c := models.Credential{State: models.CredentialActive, IssuedAt: moment(0), RotateBy: moment(90), SkewSecs: -75,
		Use: models.CredentialUse{OKAt: moment(1), ErrorAt: moment(2), Error: "no connection"}}
	s := models.Signs{Now: moment(95), Paused: true, Health: models.Health{Calls: 20, Failed: 2}, Caller: "203.0.113.7", Egress: []models.IPRule{{CIDR: "198.51.100.0/24"}}}
	var got []string
	for _, w := range c.Worries(s) {
		mark := "  "
		if w.Grave {
			mark = "! "
		}
		got = append(got, mark+strings.Join(strings.Fields(w.Sentence)[:4], " "))
	}
	want := []string{"! Calls are paused for", "! Nothing has worked since", "! We call from 203.0.113.7,", "  2 of the last", "  The provider's clock and", "  The keys should have"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("worries (-want +got):\n%s", diff)
	}
	well := models.Credential{State: models.CredentialActive, IssuedAt: moment(0), RotateBy: moment(90), Use: models.CredentialUse{OKAt: moment(2), ErrorAt: moment(1)}}
	if w := well.Worries(models.Signs{Now: moment(5), Health: models.Health{Calls: 5, Failed: 5}, Caller: "198.51.100.9", Egress: s.Egress}); len(w) != 0 {
		t.Errorf("a healthy credential worries: %+v", w)
	}
}

func TestRunwayCountsOnlyWhatLeft(t *testing.T) {
	at := func(hours int, minor int64) models.BalancePoint {
		return models.BalancePoint{At: moment(0).Add(time.Duration(hours) * time.Hour), Minor: minor}
	}
	for name, c := range map[string]struct {
		points []models.BalancePoint
		have   int64
		want   time.Duration
		ok     bool
	}{
		"a hundred a day":           {[]models.BalancePoint{at(0, 500), at(24, 400), at(48, 300)}, 300, 72 * time.Hour, true},
		"income does not count":     {[]models.BalancePoint{at(0, 500), at(24, 400), at(25, 9000), at(48, 8900)}, 8900, 89 * 48 * time.Hour / 2, true},
		"nothing left":              {[]models.BalancePoint{at(0, 500), at(48, 600)}, 600, 0, false},
		"too short":                 {[]models.BalancePoint{at(0, 500), at(5, 400)}, 400, 0, false},
		"no history":                {nil, 400, 0, false},
		"huge figures do not break": {[]models.BalancePoint{at(0, 1<<62), at(48, 1)}, 1 << 62, 48 * time.Hour, true},
	} {
		got, ok := models.Runway(c.points, c.have)
		if ok != c.ok || got.Round(time.Hour) != c.want {
			t.Errorf("%s: %s, %v; want %s, %v", name, got, ok, c.want, c.ok)
		}
	}
}
