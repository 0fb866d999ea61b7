package providertest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/providertest"
)

func sound() *providers.Description {
	return &providers.Description{
		Name: "acme", Title: "Acme Pay", Short: "Acme", About: "Pays.",
		Sites:    []providers.Site{{Environment: models.Sandbox, Field: "base_url", Default: "https://api.acme.example/v1", Hosts: []string{"api.acme.example"}, Prefix: "/v1"}},
		Fields:   []providers.Field{{Name: "base_url", Label: "Address", Kind: providers.URL}},
		Settings: []providers.Setting{{Name: "word", Label: "Word", Item: "ACME-SIG-1", Options: []providers.Option{{Value: "A", Label: "A"}}, Default: "A"}},
		Items:    []providers.Item{{ID: "ACME-SIG-1", Text: "The word", Mark: providers.Assumed, Setting: "word", Evidence: "a GET"}},
		Methods: []providers.Method{{ID: "bank", Kind: models.Payout, Title: "Bank", Country: "BR", Assets: []string{"BRL"}, Mark: providers.Assumed, Items: []string{"ACME-SIG-1"},
			Fields: []providers.Field{{Name: "account", Label: "Account", Pattern: `^\d+$`, PatternHelp: "Digits."}}}},
		Webhooks: []providers.WebhookTopic{{ID: "payout", Title: "Payouts", Mark: providers.Documented}},
		Passport: providers.Passport{Idempotency: "None.", Finality: "Final.", Resend: providers.ResendNever},
	}
}

func TestASoundDescriptionHasNoInconsistency(t *testing.T) {
	if diff := cmp.Diff([]string(nil), providertest.Inconsistencies(sound())); diff != "" {
		t.Error(diff)
	}
}

// Each row breaks one thing; the suite must name it.
func TestEveryInconsistencyIsNamed(t *testing.T) {
	for want, harm := range map[string]func(*providers.Description){
		"stands there twice":             func(d *providers.Description) { d.Items = append(d.Items, d.Items[0]) },
		"which is not described":         func(d *providers.Description) { d.Settings[0].Item = "ACME-SIG-9" },
		`names no item`:                  func(d *providers.Description) { d.Methods[0].Items = nil },
		`refers to the item "ACME-X-1"`:  func(d *providers.Description) { d.Methods[0].Items = []string{"ACME-X-1"} },
		"neither a setting nor":          func(d *providers.Description) { d.Items[0].Setting = "nothing" },
		"not among the options":          func(d *providers.Description) { d.Settings[0].Default = "B" },
		"is not anchored":                func(d *providers.Description) { d.Methods[0].Fields[0].Pattern = `\d+` },
		"does not compile":               func(d *providers.Description) { d.Methods[0].Fields[0].Pattern = `^(\d+$` },
		"no sentence for people":         func(d *providers.Description) { d.Methods[0].Fields[0].PatternHelp = "" },
		"the id is empty or used twice":  func(d *providers.Description) { d.Methods = append(d.Methods, d.Methods[0]) },
		"ZZZ is no asset":                func(d *providers.Description) { d.Methods[0].Assets = []string{"ZZZ"} },
		"is not an https address":        func(d *providers.Description) { d.Sites[0].Default = "http://api.acme.example/v1" },
		"no such open credential field":  func(d *providers.Description) { d.Fields[0].Secret = true },
		"lacks its text or its evidence": func(d *providers.Description) { d.Items[0].Evidence = "" },
		"resend rule":                    func(d *providers.Description) { d.Passport.Resend = "twice" },
		"reads are described: true": func(d *providers.Description) {
			d.Reads = []providers.Read{{ID: "x", Title: "X", Mark: providers.Documented}}
		},
		"there is no read":             func(d *providers.Description) { d.Methods[0].Fields[0].Lookup = "banks" },
		"demonstration's setting word": func(d *providers.Description) { d.Demo = map[string]string{"word": "B"} },
		"a form has none to give": func(d *providers.Description) {
			d.Methods[0].Fields[0].Lookup = "banks"
			d.Reads = []providers.Read{{ID: "banks", Title: "Banks", Mark: providers.Documented, Params: []providers.Field{{Name: "c", Label: "C", Required: true}}}}
		},
		"a choice needs options":          func(d *providers.Description) { d.Methods[0].Fields[0].Kind = providers.Select },
		"the id is no path segment":       func(d *providers.Description) { d.Webhooks[0].ID = "Pay/Out" },
		"needs either options or":         func(d *providers.Description) { d.Settings[0].Pattern = "^A$" },
		"is not a folder name":            func(d *providers.Description) { d.Name = "Acme" },
		`the minimum "1,5" is no decimal`: func(d *providers.Description) { d.Methods[0].Minimum = "1,5" },
	} {
		d := sound()
		harm(d)
		got := strings.Join(providertest.Inconsistencies(d), "\n")
		if !strings.Contains(got, want) {
			t.Errorf("nothing says %q; it says %q", want, got)
		}
	}
}

func TestReferencesAreOfOurShape(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		r := providertest.Reference()
		if len(r) != 22 || strings.Trim(r, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" || seen[r] {
			t.Fatalf("%q", r)
		}
		seen[r] = true
	}
}
