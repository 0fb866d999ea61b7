package views

import (
	"net/url"
	"strings"

	"countinghouse/models"
	"countinghouse/views/ui"
)

// chips are the filters in use and the ones to add.
func (p TransactionsParams) chips() ui.ChipsParams {
	c := ui.ChipsParams{Note: p.viewName() + "Times in " + ui.ZoneName(p.Now, p.Zone)}
	add := func(name string, fields []string, words []string, form filterForm) {
		value, remove := "any", ""
		if len(words) > 0 {
			value, remove = strings.Join(words, ", "), p.without(fields...)
			c.ClearHref = p.Base
		}
		form.base, form.hidden = p.Base, p.hidden(fields...)
		c.Chips = append(c.Chips, ui.Chip{Name: name, Value: value, RemoveHref: remove, Menu: FilterForm(form)})
	}
	f := p.Filter
	add("when", []string{"when", "from", "to"}, p.whenWords(), filterForm{name: "when", options: p.whenOptions(), from: f.From, to: f.To, dates: true})
	if p.Fixed == "" {
		add("kind", []string{"kind"}, wordsOf(f.Kinds, kindWord), filterForm{name: "kind", many: true, options: kindOptions(f.Kinds)})
	}
	add("provider", []string{"provider"}, labels(p.Providers, f.Providers), filterForm{name: "provider", many: true, options: chosen(p.Providers, f.Providers)})
	add("status", []string{"state"}, wordsOf(f.States, models.State.Word), filterForm{name: "state", many: true, options: stateOptions(f.States)})
	add("currency", []string{"asset", "min", "max"}, p.amountWords(), filterForm{name: "asset", many: true, options: chosen(p.Assets, f.Assets), min: f.Min, max: f.Max, amounts: true})
	if len(f.Credentials) > 0 || len(p.Credentials) > 1 {
		add("credential", []string{"credential"}, labels(p.Credentials, f.Credentials), filterForm{name: "credential", many: true, options: chosen(p.Credentials, f.Credentials)})
	}
	p.subChip(&c)
	var search []string
	if f.Search != "" {
		search = []string{f.Search}
	}
	add("reference", []string{"q"}, search, filterForm{name: "q", text: f.Search, search: true})
	if f.Attention {
		c.Chips = append(c.Chips, ui.Chip{Name: "needs", Value: "attention", RemoveHref: p.without("attention")})
		c.ClearHref = p.Base
	} else {
		c.Chips = append(c.Chips, ui.Chip{Name: "needs", Value: "any", EditHref: p.query(func(q url.Values) { q.Set("attention", "1") })})
	}
	return c
}

// manySubs is from where the filter is not offered beside the switch at the top, which lists the same sub-accounts: a page must stay small.
const manySubs = 20

// subChip filters by sub-account. Taking it away shows all of them, also to somebody who works in one.
func (p TransactionsParams) subChip(c *ui.ChipsParams) {
	f := p.Filter
	if len(p.Subs) == 0 || len(p.Subs) > manySubs && f.SubAccount == "" {
		return
	}
	all := ui.Option{Value: "all", Label: "All sub-accounts", Selected: f.SubAccount == ""}
	chip := ui.Chip{Name: "sub-account", Value: "any", Menu: FilterForm(filterForm{base: p.Base, hidden: p.hidden("sub"), name: "sub",
		options: append([]ui.Option{all}, chosen(p.Subs, []string{f.SubAccount})...), label: "Sub-account"})}
	if f.SubAccount != "" {
		chip.Value = optionLabel(p.Subs, f.SubAccount)
		chip.RemoveHref = p.query(func(q url.Values) { q.Set("sub", "all") })
		c.ClearHref = p.Base
	}
	c.Chips = append(c.Chips, chip)
}

func (p TransactionsParams) whenWords() []string {
	var out []string
	for _, w := range models.Whens {
		if w[0] == p.Filter.When {
			out = append(out, strings.ToLower(w[1]))
		}
	}
	if p.Filter.From != "" {
		out = append(out, "from "+p.Filter.From)
	}
	if p.Filter.To != "" {
		out = append(out, "to "+p.Filter.To)
	}
	return out
}

func (p TransactionsParams) amountWords() []string {
	out := labels(p.Assets, p.Filter.Assets)
	if p.Filter.Min != "" {
		out = append(out, "from "+p.Filter.Min)
	}
	if p.Filter.Max != "" {
		out = append(out, "to "+p.Filter.Max)
	}
	return out
}

func (p TransactionsParams) whenOptions() []ui.Option {
	out := []ui.Option{{Value: "", Label: "Any time", Selected: p.Filter.When == ""}}
	for _, w := range models.Whens {
		out = append(out, ui.Option{Value: w[0], Label: w[1], Selected: w[0] == p.Filter.When})
	}
	return out
}

// hidden are the filters that a form of one chip must carry along.
func (p TransactionsParams) hidden(except ...string) []ui.Hidden {
	q := p.Filter.Query()
	for _, n := range except {
		q.Del(n)
	}
	if p.Fixed != "" {
		q.Del("kind")
	}
	var out []ui.Hidden
	for _, n := range []string{"when", "from", "to", "kind", "provider", "state", "asset", "min", "max", "credential", "q", "attention", "sub"} {
		if v := q.Get(n); v != "" {
			out = append(out, ui.Hidden{Name: n, Value: v})
		}
	}
	return out
}

// filterForm is what opens below a chip.
type filterForm struct {
	base     string
	hidden   []ui.Hidden
	name     string
	many     bool
	options  []ui.Option
	dates    bool
	from, to string
	amounts  bool
	min, max string
	search   bool
	text     string
	label    string // of a choice of one; "Time" when empty
}

func wordsOf[T ~string](in []T, word func(T) string) []string {
	out := make([]string, 0, len(in))
	for _, x := range in {
		out = append(out, strings.ToLower(word(x)))
	}
	return out
}

func labels(list []ui.Option, values []string) []string {
	out := make([]string, 0, len(values))
	for _, v := range values {
		out = append(out, optionLabel(list, v))
	}
	return out
}

func chosen(list []ui.Option, values []string) []ui.Option {
	out := make([]ui.Option, 0, len(list))
	for _, o := range list {
		for _, v := range values {
			o.Selected = o.Selected || o.Value == v
		}
		out = append(out, o)
	}
	return out
}

func kindOptions(have []models.Kind) []ui.Option {
	var out []ui.Option
	for _, k := range models.Kinds() {
		o := ui.Option{Value: string(k), Label: kindWord(k)}
		for _, h := range have {
			o.Selected = o.Selected || h == k
		}
		out = append(out, o)
	}
	return out
}

func stateOptions(have []models.State) []ui.Option {
	var out []ui.Option
	for _, s := range models.States() {
		o := ui.Option{Value: string(s), Label: s.Word()}
		for _, h := range have {
			o.Selected = o.Selected || h == s
		}
		out = append(out, o)
	}
	return out
}
