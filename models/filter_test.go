package models_test

import (
	"net/url"
	"testing"
	"time"
	_ "time/tzdata" // so that the zones are known on any machine

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
)

func TestAFilterSurvivesItsURL(t *testing.T) {
	q, _ := url.ParseQuery("kind=payout,deposit&state=unknown&provider=onekey&asset=BRL&min=10&max=20.50&when=7d&from=2026-01-02&to=2026-02-03&q=CH12&attention=1")
	f, problems := models.ParseFilter(models.Sandbox, q, time.UTC)
	if len(problems) != 0 {
		t.Fatal(problems)
	}
	again, _ := models.ParseFilter(models.Sandbox, f.Query(), time.UTC)
	again.Zone, f.Zone = nil, nil
	if d := cmp.Diff(f, again); d != "" {
		t.Error(d)
	}
}

func TestAFilterNamesWhatItCannotRead(t *testing.T) {
	q, _ := url.ParseQuery("kind=bribe&state=gone&asset=<b>&when=someday&from=31.12.2026&min=5&q=%00")
	_, problems := models.ParseFilter(models.Live, q, time.UTC)
	var fields []string
	for _, p := range problems {
		fields = append(fields, p.Field)
	}
	if d := cmp.Diff([]string{"kind", "state", "asset", "q", "when", "from", "min"}, fields); d != "" {
		t.Error(d)
	}
}

func TestTodayIsTheViewersToday(t *testing.T) {
	zone, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 9, 22, 1, 30, 0, 0, time.UTC) // still the 21st in São Paulo
	from, until := models.Filter{When: "today", Zone: zone}.Range(now)
	if got := from.Time(); !got.Equal(time.Date(2026, 9, 21, 3, 0, 0, 0, time.UTC)) || until != 0 {
		t.Errorf("today begins at %v, ends at %v", got, until)
	}
}
