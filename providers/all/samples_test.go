package all

import (
	"maps"
	"slices"
	"testing"

	"countinghouse/models"
	"countinghouse/providers"
)

// A person who tries a way in sandbox is offered made-up values: they must pass the provider's own rules, check digits included.
func TestTheSampleOfEveryWayPassesTheProvidersOwnRules(t *testing.T) {
	ways := 0
	for _, p := range Registry().All() {
		d := &p.Description
		settings := maps.Clone(d.Demo)
		if settings == nil {
			settings = map[string]string{}
		}
		for _, m := range d.MethodsWith(settings) {
			if m.Locked != "" || m.Kind == models.Order { // an order begins in the catalogue
				continue
			}
			ways++
			amount, asset, values := m.Sample()
			money, err := models.PositiveMoney(amount, asset)
			if err != nil {
				t.Errorf("%s %s: %v", d.Name, m.ID, err)
				continue
			}
			_, problems := d.Check(settings, m, money, values)
			for _, x := range problems {
				i := slices.IndexFunc(m.Fields, func(f providers.Field) bool { return f.Name == x.Field })
				if i >= 0 && (m.Fields[i].Lookup != "" || m.Fields[i].Kind == providers.Files) {
					continue // the provider, or the person, must choose it
				}
				t.Errorf("%s %s: %s: %s (%v)", d.Name, m.ID, x.Field, x.Sentence, values)
			}
		}
	}
	if ways < 30 {
		t.Errorf("only %d ways were looked at", ways)
	}
}
