package models_test

import (
	"strings"
	"testing"

	"countinghouse/models"
)

func TestADriftIsACredentialThatDoesWorseThanItDid(t *testing.T) {
	well := models.Health{Calls: 400, Failed: 2, P50: 200_000}
	for name, x := range map[string]struct {
		f    models.DriftFigures
		skew int
		want string // kinds, a grave one with an exclamation mark
	}{
		"as always":                         {f: models.DriftFigures{Recent: models.Health{Calls: 50, P50: 250_000}, Before: well, TakesWebhooks: true}},
		"nothing was called":                {},
		"half of the calls fail":            {f: models.DriftFigures{Recent: models.Health{Calls: 20, Failed: 10}, Before: well}, want: "answers!"},
		"one in ten fails":                  {f: models.DriftFigures{Recent: models.Health{Calls: 40, Failed: 4}, Before: well}, want: "answers"},
		"one in eleven fails":               {f: models.DriftFigures{Recent: models.Health{Calls: 44, Failed: 4, P50: 1}, Before: well}},
		"two of few fail":                   {f: models.DriftFigures{Recent: models.Health{Calls: 10, Failed: 2}, Before: well}},
		"nine calls, all of them fail":      {f: models.DriftFigures{Recent: models.Health{Calls: 9, Failed: 9}, Before: well}},
		"it was never better":               {f: models.DriftFigures{Recent: models.Health{Calls: 40, Failed: 8}, Before: models.Health{Calls: 100, Failed: 20}}},
		"failures without anything before":  {f: models.DriftFigures{Recent: models.Health{Calls: 12, Failed: 6}}, want: "answers!"},
		"answers are slow":                  {f: models.DriftFigures{Recent: models.Health{Calls: 30, P50: 1_500_000}, Before: well}, want: "latency"},
		"slow, and it always was":           {f: models.DriftFigures{Recent: models.Health{Calls: 30, P50: 1_500_000}, Before: models.Health{Calls: 100, P50: 900_000}}},
		"thrice as slow and still quick":    {f: models.DriftFigures{Recent: models.Health{Calls: 30, P50: 900}, Before: models.Health{Calls: 100, P50: 100}}},
		"slow, with too little to compare":  {f: models.DriftFigures{Recent: models.Health{Calls: 30, P50: 3_000_000}, Before: models.Health{Calls: 10, P50: 100}}},
		"no webhook comes":                  {f: models.DriftFigures{TakesWebhooks: true, Unannounced: 3}, want: "webhooks"},
		"two ended without a webhook":       {f: models.DriftFigures{TakesWebhooks: true, Unannounced: 2}},
		"a provider that sends none at all": {f: models.DriftFigures{Unannounced: 20}},
		"clocks a minute apart":             {skew: -60, want: "clock"},
		"clocks four minutes apart":         {skew: 240, want: "clock!"},
		"clocks 59 seconds apart":           {skew: 59},
	} {
		c := models.Credential{ID: "c", Name: "Main", State: models.CredentialActive, SkewSecs: x.skew}
		var got []string
		for _, d := range c.Drift(x.f) {
			word := string(d.Kind)
			if d.Grave {
				word += "!"
			}
			if got = append(got, word); len(d.Sentence) < 30 || d.Credential != "Main" {
				t.Errorf("%s: the alert is %+v", name, d)
			}
		}
		if strings.Join(got, " ") != x.want {
			t.Errorf("%s: %v, want %q", name, got, x.want)
		}
		c.State = models.CredentialRevoked
		if c.Drift(x.f) != nil {
			t.Errorf("%s: a revoked credential drifts", name)
		}
	}
}
