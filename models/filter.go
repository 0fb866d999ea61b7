package models

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Filter chooses transactions. It is what a list's URL carries, and it chooses the same rows for the screen, the totals and the export.
type Filter struct {
	Environment Environment
	Kinds       []Kind
	States      []State
	Providers   []string
	Credentials []string
	Assets      []string
	From, To    string // YYYY-MM-DD in Zone, both inclusive; empty: open
	When        string // today, yesterday, 7d, 30d, month: a relative date that stays relative in a saved view
	Min, Max    string // amounts, need exactly one asset
	Search      string // one of the references, exact or by its beginning
	Attention   bool   // only those with an alert
	SubAccount  string // its id; empty: all of them
	AllSubs     bool   // all of them although the viewer works in one: what a link with sub=all says
	Zone        *time.Location
}

// Whens are the relative dates that a filter can carry, with their words.
var Whens = [][2]string{{"today", "Today"}, {"yesterday", "Yesterday"}, {"7d", "Last 7 days"}, {"30d", "Last 30 days"}, {"month", "This month"}}

// ParseFilter reads a list's query. What it cannot read it leaves out and names in problems, so that the page can say so.
func ParseFilter(env Environment, q url.Values, zone *time.Location) (f Filter, problems []Problem) {
	if zone == nil {
		zone = time.UTC
	}
	f = Filter{Environment: env, Zone: zone}
	bad := func(field, s string) { problems = append(problems, Problem{field, s}) }
	for _, v := range words(q["kind"]) {
		if k := Kind(v); k.Valid() {
			f.Kinds = append(f.Kinds, k)
		} else {
			bad("kind", "There is no kind "+printable(v)+".")
		}
	}
	for _, v := range words(q["state"]) {
		if slices.Contains(States(), State(v)) {
			f.States = append(f.States, State(v))
		} else {
			bad("state", "There is no status "+printable(v)+".")
		}
	}
	for _, v := range words(q["asset"]) {
		if ValidAssetCode(v) {
			f.Assets = append(f.Assets, v)
		} else {
			bad("asset", "There is no currency "+printable(v)+".")
		}
	}
	f.Providers, f.Credentials = words(q["provider"]), words(q["credential"])
	switch sub := strings.TrimSpace(q.Get("sub")); {
	case sub == "all":
		f.AllSubs = true
	case len(sub) > 40 || strings.Trim(sub, "0123456789abcdef-") != "":
		bad("sub", "There is no such sub-account.")
	default:
		f.SubAccount = sub
	}
	f.Attention = q.Get("attention") == "1"
	if s, err := CleanText("q", q.Get("q"), 100, false); err == nil {
		f.Search = s
	} else {
		bad("q", "This cannot be searched for.")
	}
	if w := q.Get("when"); w != "" {
		if slices.ContainsFunc(Whens, func(x [2]string) bool { return x[0] == w }) {
			f.When = w
		} else {
			bad("when", "There is no such time.")
		}
	}
	for _, d := range []struct {
		name string
		to   *string
	}{{"from", &f.From}, {"to", &f.To}} {
		if v := q.Get(d.name); v != "" {
			if _, err := time.ParseInLocation("2006-01-02", v, zone); err != nil {
				bad(d.name, "Write a date as 2026-09-21.")
			} else {
				*d.to = v
			}
		}
	}
	f.parseAmounts(q, bad)
	return f, problems
}

func (f *Filter) parseAmounts(q url.Values, bad func(string, string)) {
	for _, d := range []struct {
		name string
		to   *string
	}{{"min", &f.Min}, {"max", &f.Max}} {
		v := strings.TrimSpace(q.Get(d.name))
		if v == "" {
			continue
		}
		if len(f.Assets) != 1 {
			bad(d.name, "Choose one currency to filter by amount.")
			continue
		}
		if _, err := ParseMoney(v, f.Assets[0]); err != nil {
			bad(d.name, err.Error())
			continue
		}
		*d.to = v
	}
}

// words splits repeated and comma-separated values, dropping empty and repeated ones; at most 50.
func words(in []string) []string {
	var out []string
	for _, v := range in {
		for w := range strings.SplitSeq(v, ",") {
			if w = strings.TrimSpace(w); w != "" && len(w) <= 64 && !slices.Contains(out, w) && len(out) < 50 {
				out = append(out, w)
			}
		}
	}
	return out
}

// Query writes the filter as a list's query, in one stable order.
func (f Filter) Query() url.Values {
	q := url.Values{}
	join := func(name string, vs []string) {
		if len(vs) > 0 {
			q.Set(name, strings.Join(vs, ","))
		}
	}
	join("kind", stringsOf(f.Kinds))
	join("state", stringsOf(f.States))
	join("provider", f.Providers)
	join("credential", f.Credentials)
	join("asset", f.Assets)
	for _, x := range [][2]string{{"when", f.When}, {"from", f.From}, {"to", f.To}, {"min", f.Min}, {"max", f.Max}, {"q", f.Search}, {"sub", f.SubAccount}} {
		if x[1] != "" {
			q.Set(x[0], x[1])
		}
	}
	if f.Attention {
		q.Set("attention", "1")
	}
	if f.AllSubs {
		q.Set("sub", "all")
	}
	return q
}

func stringsOf[T ~string](in []T) []string {
	out := make([]string, len(in))
	for i, x := range in {
		out[i] = string(x)
	}
	return out
}

// Range gives the moments from which (inclusive) and until which (exclusive) the filter reaches; zero is open.
func (f Filter) Range(now time.Time) (from, until Micros) {
	zone := f.Zone
	if zone == nil {
		zone = time.UTC
	}
	today := func(add int) time.Time {
		y, m, d := now.In(zone).Date()
		return time.Date(y, m, d+add, 0, 0, 0, 0, zone)
	}
	switch f.When {
	case "today":
		from = At(today(0))
	case "yesterday":
		from, until = At(today(-1)), At(today(0))
	case "7d":
		from = At(today(-6))
	case "30d":
		from = At(today(-29))
	case "month":
		y, m, _ := now.In(zone).Date()
		from = At(time.Date(y, m, 1, 0, 0, 0, 0, zone))
	}
	if t, err := time.ParseInLocation("2006-01-02", f.From, zone); err == nil && f.From != "" {
		from = max(from, At(t))
	}
	if t, err := time.ParseInLocation("2006-01-02", f.To, zone); err == nil && f.To != "" {
		u := At(t.AddDate(0, 0, 1))
		if until == 0 || u < until {
			until = u
		}
	}
	return from, until
}

// Cursor is a place in a keyset-paged list, newest first.
type Cursor struct {
	At   Micros
	ID   string
	Back bool // the page before (newer) instead of after
}

// ParseCursor reads a cursor from "micros.id"; anything else is the start.
func ParseCursor(s string, back bool) Cursor {
	at, id, ok := strings.Cut(s, ".")
	n, err := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil || n <= 0 || len(id) > 40 {
		return Cursor{}
	}
	return Cursor{Micros(n), id, back}
}

// String writes a cursor; the start is empty.
func (c Cursor) String() string {
	if c.At == 0 {
		return ""
	}
	return strconv.FormatInt(int64(c.At), 10) + "." + c.ID
}
