package store_test

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

var reader = models.Actor{UserID: "u", Name: "Reader", Roles: []models.Role{models.Auditor}}

// fillRandom writes n bare rows over 90 days and gives them newest first.
func fillRandom(t testing.TB, s *store.Store, n int) []models.Transaction {
	t.Helper()
	rnd := rand.New(rand.NewPCG(7, 7))
	kinds := []models.Kind{models.Payout, models.Deposit, models.Refund}
	states := []models.State{models.Succeeded, models.Succeeded, models.Succeeded, models.Failed, models.Pending, models.Unknown}
	var all []models.Transaction
	now := s.Now()
	for i := range n {
		at := now.Add(-time.Duration(rnd.Int64N(int64(90 * 24 * time.Hour)))).Add(-time.Second)
		if i%50 == 0 && i > 0 {
			at = all[i-1].CreatedAt // rows of one moment are told apart by their ids
		}
		x := models.Transaction{ID: models.NewID(), Environment: models.Sandbox, Kind: kinds[rnd.IntN(3)], Provider: []string{"onekey", "wspn"}[rnd.IntN(2)],
			CredentialID: fmt.Sprint("c", rnd.IntN(3)), Reference: models.NewReference(), ProviderRef: fmt.Sprint(100000 + i), State: states[rnd.IntN(len(states))],
			Amount: models.Money{Minor: rnd.Int64N(100000) + 1, Asset: []string{"BRL", "USD"}[rnd.IntN(2)]}, CreatedAt: at, UpdatedAt: at}
		if i%97 == 0 {
			x.Environment = models.Live
		}
		if i%31 == 0 {
			x.Alert = "look"
		}
		if i%3 == 1 {
			x.SubAccount = someSub(rnd.IntN(2))
		}
		all = append(all, x)
	}
	i := 0
	if _, err := s.Fill(t.Context(), func() *store.History {
		if i == len(all) {
			return nil
		}
		i++
		return &store.History{Transaction: all[i-1]}
	}, true); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b models.Transaction) int {
		if a.CreatedAt != b.CreatedAt {
			return int((b.CreatedAt - a.CreatedAt) / max(1, max(a.CreatedAt-b.CreatedAt, b.CreatedAt-a.CreatedAt)))
		}
		return strings.Compare(b.ID, a.ID)
	})
	return all
}

// someSub is the id of one of two sub-accounts.
func someSub(n int) string { return fmt.Sprintf("01990000-0000-7000-8000-00000000000%d", n) }

func matches(f models.Filter, x models.Transaction, now time.Time) bool {
	from, until := f.Range(now)
	in := func(vs []string, v string) bool { return len(vs) == 0 || slices.Contains(vs, v) }
	ok := x.Environment == f.Environment && (len(f.Kinds) == 0 || slices.Contains(f.Kinds, x.Kind)) && (len(f.States) == 0 || slices.Contains(f.States, x.State)) &&
		in(f.Providers, x.Provider) && in(f.Credentials, x.CredentialID) && in(f.Assets, x.Amount.Asset) && x.CreatedAt >= from && (until == 0 || x.CreatedAt < until)
	if f.Attention {
		ok = ok && x.Alert != ""
	}
	if f.SubAccount != "" {
		ok = ok && x.SubAccount == f.SubAccount
	}
	if f.Search != "" {
		ok = ok && (x.ProviderRef == f.Search || x.Reference == strings.ToUpper(f.Search) || (len(f.Search) >= 4 && strings.HasPrefix(x.Reference, strings.ToUpper(f.Search))))
	}
	if f.Min != "" {
		m, _ := models.ParseMoney(f.Min, f.Assets[0])
		ok = ok && x.Amount.Minor >= m.Minor
	}
	if f.Max != "" {
		m, _ := models.ParseMoney(f.Max, f.Assets[0])
		ok = ok && x.Amount.Minor <= m.Minor
	}
	return ok
}

// TestEveryFilterShowsExactlyItsRows walks each filter page by page, forth and back, and compares with a search through all rows; the counts
// and sums must be those of the rows.
func TestEveryFilterShowsExactlyItsRows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		all := fillRandom(t, s, 3000)
		zone := time.FixedZone("UTC-3", -3*3600)
		for _, query := range []string{"", "kind=payout", "state=unknown", "kind=payout,refund&state=failed", "provider=wspn", "credential=c1", "asset=USD",
			"provider=wspn&kind=deposit&state=succeeded&asset=BRL", "when=7d", "when=30d&kind=payout", "when=today", "from=2026-08-01&to=2026-08-20&state=succeeded",
			"provider=nobody", "attention=1", "attention=1&kind=deposit", "asset=BRL&min=500", "q=" + all[17].Reference, "q=" + all[40].Reference[:6], "q=100042", "q=zzzz",
			"asset=BRL&max=20", "asset=BRL&min=500&max=510", "asset=BRL&min=510&max=500", "asset=BRL&min=900&kind=payout&when=30d", "asset=USD&min=99999999", "asset=BRL&min=800&state=failed&provider=wspn",
			"asset=BRL&min=700&from=2026-06-01&to=2026-08-15", "asset=BRL&min=0", "asset=JPY&max=1",
			"kind=order", "from=2026-09-21&to=2026-09-20", "sub=" + someSub(1), "sub=" + someSub(0) + "&state=unknown", "sub=" + someSub(1) + "&kind=payout",
			"sub=" + someSub(1) + "&provider=wspn&when=30d", "sub=" + someSub(0) + "&attention=1", "sub=" + someSub(0) + "&asset=BRL&min=500", "sub=" + someSub(0) + "&q=" + all[40].Reference[:6],
			"sub=" + someSub(7), "sub=all", "from=1900-01-01&to=9999-12-31", "from=2025-03-03&to=2026-08-19", "to=2026-07-14&kind=payout", "from=2026-01-31", "from=2026-06-04&to=2026-09-12&state=failed",
			"sub=" + someSub(1) + "&from=2026-02-11&to=2026-09-03"} {
			q, _ := url.ParseQuery(query)
			f, problems := models.ParseFilter(models.Sandbox, q, zone)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			var want []string
			sums := map[string]int64{}
			for _, x := range all {
				if matches(f, x, s.Clock()) {
					want = append(want, x.ID)
					sums[map[bool]string{true: "out ", false: "in "}[x.Kind.Outgoing()]+x.Amount.Asset] += x.Amount.Minor
				}
			}
			var got, back []string
			c, pages := models.Cursor{}, 0
			var last *store.TransactionList
			for {
				page, err := s.List(t.Context(), reader, f, c, 37)
				if err != nil {
					t.Fatalf("%s: %v", query, err)
				}
				for _, x := range page.Rows {
					got = append(got, x.ID)
				}
				last = page
				if pages++; page.Older.At == 0 || pages > 200 {
					break
				}
				c = page.Older
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("%s: %d rows, want %d\n%s", query, len(got), len(want), d)
			}
			for last.Newer.At != 0 {
				page, err := s.List(t.Context(), reader, f, last.Newer, 37)
				if err != nil {
					t.Fatal(err)
				}
				for _, x := range slices.Backward(page.Rows) {
					back = append([]string{x.ID}, back...)
				}
				last = page
			}
			if n := len(back); n > 0 && !slices.Equal(back, want[:n]) {
				t.Fatalf("%s: walking back shows other rows", query)
			}
			checkTotals(t, s, query, f, int64(len(want)), sums)
		}
	})
}

func checkTotals(t *testing.T, s *store.Store, query string, f models.Filter, n int64, sums map[string]int64) {
	t.Helper()
	got, err := s.Totals(t.Context(), reader, f)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	have := map[string]int64{}
	for _, m := range got.In {
		have["in "+m.Asset] = m.Minor
	}
	for _, m := range got.Out {
		have["out "+m.Asset] = m.Minor
	}
	if got.Count != n || got.Bounded {
		t.Errorf("%s: counted %d (bounded %v), there are %d", query, got.Count, got.Bounded, n)
	}
	if d := cmp.Diff(sums, have); d != "" {
		t.Errorf("%s: sums\n%s", query, d)
	}
}

func TestAListNeedsItsPermission(t *testing.T) {
	s := storetest.SQLite(t)
	if _, err := s.List(t.Context(), models.Actor{}, models.Filter{Environment: models.Live}, models.Cursor{}, 10); !models.Is(err, models.Forbidden) {
		t.Errorf("a stranger reads the list: %v", err)
	}
}
