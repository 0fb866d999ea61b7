package providertest

import (
	"fmt"
	"strings"
	"testing"

	"countinghouse/models"
	"countinghouse/providers"
)

func describes(t *testing.T, s Subject) {
	for _, p := range Inconsistencies(&s.Provider.Description) {
		t.Error(p)
	}
	if s.Provider.New == nil {
		t.Error("the provider has no New")
	}
	if (s.Provider.Webhooks != nil) != (len(s.Provider.Description.Webhooks) > 0) {
		t.Errorf("a receiver is there: %v, but %d topics are described", s.Provider.Webhooks != nil, len(s.Provider.Description.Webhooks))
	}
	samples(t, s)
}

// samples checks that the description's own rules accept what the sandbox accepts, and that asking leaves no trace.
func samples(t *testing.T, s Subject) {
	d := &s.Provider.Description
	for _, sample := range s.Samples {
		r := sample.Request(Reference())
		m, ok := d.Method(r.Method)
		if !ok {
			t.Errorf("%s: no method %q is described", sample.Name, r.Method)
			continue
		}
		if m.Kind != sample.Kind {
			t.Errorf("%s: method %q is a %s, the sample a %s", sample.Name, m.ID, m.Kind, sample.Kind)
		}
		for _, f := range m.Fields {
			if p := fieldProblem(f, r.Values[f.Name]); p != "" {
				t.Errorf("%s: %s", sample.Name, p)
			}
		}
		if d.CheckRequest == nil {
			continue
		}
		before := fmt.Sprint(r.Values, s.Settings)
		for _, p := range d.CheckRequest(s.Settings, m, r.Amount, r.Values) {
			t.Errorf("%s: its own rules refuse it: %s: %s", sample.Name, p.Field, p.Sentence)
		}
		if after := fmt.Sprint(r.Values, s.Settings); after != before {
			t.Errorf("%s: CheckRequest changed its input: %s, then %s", sample.Name, before, after)
		}
		hostile(t, s, m)
	}
	if d.Locks == nil {
		return
	}
	for _, env := range []models.Environment{models.Sandbox, models.Live} {
		for _, l := range d.Locks(env, s.Values, s.Settings) {
			for _, p := range lockProblems(d, l) {
				t.Error(p)
			}
		}
	}
}

// hostile feeds a method's rules values that no form should let through; they must answer, not panic.
func hostile(t *testing.T, s Subject, m providers.Method) {
	t.Helper()
	for _, v := range []string{"", "\x00", "٣٤٥٦٧٨٩٠", strings.Repeat("9", 10_000), "<script>", "\xff\xfe", "-1", "E400", "ﬁ", " 1 "} {
		values := map[string]string{"": v}
		for _, f := range m.Fields {
			values[f.Name] = v
		}
		s.Provider.Description.CheckRequest(nil, m, models.Money{Minor: -1, Asset: "ZZZ"}, values)
		s.Provider.Description.CheckRequest(s.Settings, m, models.Money{}, nil)
	}
}
