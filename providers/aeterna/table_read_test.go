package aeterna

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
)

func TestEveryPlaceThatAPageOffersCanBeChangedAndNothingElseChanges(t *testing.T) {
	table := operationTable()
	for name, text := range map[string]string{"profile L": table.Default, "the sixth": sixthTable, "the default": ""} {
		sheet, err := table.Read(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		places := 0
		for _, part := range sheet.Parts {
			for _, row := range part.Rows {
				if len(row) != len(part.Columns) {
					t.Errorf("%s, %s: a row has %d cells and %d columns", name, part.ID, len(row), len(part.Columns))
				}
				for _, cell := range row {
					if cell.Key == "" {
						continue
					}
					places++
					before := text
					if before == "" {
						before = strings.TrimSpace(table.Default)
					}
					after, err := table.Write(text, map[string]string{cell.Key: cell.Text}, nil)
					if err != nil || after != strings.TrimSpace(before) {
						t.Fatalf("%s: writing back what stands at %s changed the table: %v", name, cell.Key, err)
					}
					after, err = table.Write(text, map[string]string{cell.Key: `new"value`}, nil)
					if err != nil || strings.Count(after, `new\"value`) != 1 || len(after) != len(strings.TrimSpace(before))-len(cell.Text)+len(`new\"value`) {
						t.Errorf("%s: %s was not changed alone: %v", name, cell.Key, err)
					}
				}
			}
		}
		if places < 15 {
			t.Errorf("%s offers %d places", name, places)
		}
	}
}

func TestStatusesAreAddedChangedAndTakenAway(t *testing.T) {
	table := operationTable()
	after, err := table.Write("", nil, map[string][]providers.Pair{"statuses/payout": {{Theirs: "PAID", Ours: "succeeded"}, {}, {Theirs: "in work", Ours: "pending"}}})
	if err != nil {
		t.Fatal(err)
	}
	got, problems := ParseTable([]byte(after))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if want := map[string]string{"PAID": "succeeded", "in work": "pending"}; !cmp.Equal(got.Statuses["payout"], want) {
		t.Errorf("the statuses are %v", got.Statuses["payout"])
	}
	if !strings.Contains(after, `"payout": {"PAID": "succeeded", "in work": "pending"},`) {
		t.Error("the list is not where it was")
	}
	for what, pairs := range map[string][]providers.Pair{"a word twice": {{Theirs: "a", Ours: "pending"}, {Theirs: "a", Ours: "failed"}}} {
		if _, err := table.Write("", nil, map[string][]providers.Pair{"statuses/payout": pairs}); !models.Is(err, models.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestAPlaceThatIsNotThereIsRefused(t *testing.T) {
	table := operationTable()
	for _, place := range []string{"", "operations", "operations/nothing/path", "operations/payout.create/fields/99/name", "operations/payout.create/path/x", "title/0", "methods/-1/code", "../title"} {
		_, err := table.Write("", map[string]string{place: "x"}, nil)
		// A whole object may be found; then the table that comes out is refused by the check of settings.
		if place == "operations" {
			continue
		}
		if !models.Is(err, models.Invalid) {
			t.Errorf("%q was changed: %v", place, err)
		}
	}
	if _, err := table.Read(`{"format": 1}`); !models.Is(err, models.Invalid) {
		t.Errorf("a table without operations was read: %v", err)
	}
	d := Provider().Description
	bad, err := table.Write("", map[string]string{"operations/payout.create/path": "http://evil.example/x"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ps := d.TableProblems(nil, bad); len(ps) != 1 || !strings.Contains(ps[0].Sentence, "operations.payout.create.path must begin with a slash") {
		t.Errorf("a path to another host: %v", ps)
	}
	if ps := d.TableProblems(map[string]string{models.OperationTable: "{"}, ""); len(ps) != 0 {
		t.Errorf("the way back to profile L: %v", ps)
	}
}
