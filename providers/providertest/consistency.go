package providertest

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
)

func lockProblems(d *providers.Description, l providers.Lock) (out []string) {
	_, method := d.Method(l.Operation)
	if !method && !d.Has(providers.Capability(l.Operation)) {
		out = append(out, fmt.Sprintf("lock %q names no capability and no method", l.Operation))
	}
	if l.Reason == "" {
		out = append(out, fmt.Sprintf("lock %q has no reason", l.Operation))
	}
	for _, id := range l.Items {
		if _, ok := d.Item(id); !ok {
			out = append(out, fmt.Sprintf("lock %q names the item %q, which is not described", l.Operation, id))
		}
	}
	return out
}

// Inconsistencies lists what does not fit together in a description. It is exported for the suite's own tests.
func Inconsistencies(d *providers.Description) []string {
	c := &checker{d: d, items: map[string]providers.Item{}}
	c.names()
	c.contractItems()
	c.settings()
	c.sites()
	c.fields("credential field", d.Fields, nil)
	c.methods()
	c.reads()
	c.topics()
	c.addressLists()
	for _, p := range providers.CheckSettings(d, d.Demo) {
		c.saying("the demonstration's setting %s: %s", p.Field, p.Sentence)
	}
	return c.out
}

type checker struct {
	d     *providers.Description
	items map[string]providers.Item
	out   []string
}

func (c *checker) saying(format string, args ...any) {
	c.out = append(c.out, fmt.Sprintf(format, args...))
}

func (c *checker) names() {
	d := c.d
	if !regexp.MustCompile(`^[a-z][a-z0-9]*$`).MatchString(d.Name) {
		c.saying("the name %q is not a folder name", d.Name)
	}
	for what, v := range map[string]string{"title": d.Title, "short title": d.Short, "about": d.About,
		"passport idempotency": d.Passport.Idempotency, "passport finality": d.Passport.Finality, "passport resend": string(d.Passport.Resend)} {
		if v == "" {
			c.saying("the %s is empty", what)
		}
	}
	if !slices.Contains([]providers.Resend{providers.ResendSame, providers.ResendNew, providers.ResendStaff, providers.ResendNever}, d.Passport.Resend) {
		c.saying("the passport's resend rule %q is none", d.Passport.Resend)
	}
	if d.Passport.NotFoundAfter < 0 || d.RotateDays < 0 {
		c.saying("a number of seconds or days is negative")
	}
}

func known(m providers.Mark) bool {
	return m == providers.Documented || m == providers.Sibling || m == providers.Assumed
}

func (c *checker) contractItems() {
	if len(c.d.Items) == 0 {
		c.saying("there are no contract items")
	}
	for _, it := range c.d.Items {
		if _, twice := c.items[it.ID]; twice {
			c.saying("the item %s stands there twice", it.ID)
		}
		c.items[it.ID] = it
		if !regexp.MustCompile(`^[A-Z]+-[A-Z0-9]+-\d+$`).MatchString(it.ID) {
			c.saying("the item id %q does not look like OKP-SIG-2", it.ID)
		}
		if it.Text == "" || it.Evidence == "" {
			c.saying("the item %s lacks its text or its evidence", it.ID)
		}
		if !known(it.Mark) {
			c.saying("the item %s has the mark %q", it.ID, it.Mark)
		}
		if it.Setting != "" && !c.settable(it.Setting) {
			c.saying("the item %s is switched by %q, which is neither a setting nor a credential field", it.ID, it.Setting)
		}
	}
}

func (c *checker) settable(name string) bool {
	return slices.ContainsFunc(c.d.Settings, func(s providers.Setting) bool { return s.Name == name }) ||
		slices.ContainsFunc(c.d.Fields, func(f providers.Field) bool { return f.Name == name })
}

func (c *checker) item(where, id string) {
	if _, ok := c.items[id]; !ok {
		c.saying("%s refers to the item %q, which is not described", where, id)
	}
}

func (c *checker) settings() {
	seen := map[string]bool{}
	for _, s := range c.d.Settings {
		where := "setting " + s.Name
		if seen[s.Name] || s.Name == "" {
			c.saying("%s: the name is empty or used twice", where)
		}
		seen[s.Name] = true
		c.item(where, s.Item)
		if s.Label == "" {
			c.saying("%s has no label", where)
		}
		free := len(s.Options) == 0 && s.Pattern == "" && c.d.CheckSettings != nil // data that the provider's own rule checks
		if (len(s.Options) == 0) == (s.Pattern == "") && !free {
			c.saying("%s needs either options or a pattern", where)
		}
		c.pattern(where, s.Pattern)
		c.choice(where, s.Options, s.Default)
		if s.Default == "" && !s.Required && len(s.Options) > 0 {
			c.saying("%s is a closed choice without a default and not required", where)
		}
		if re, err := regexp.Compile(s.Pattern); s.Default != "" && s.Pattern != "" && err == nil && !re.MatchString(s.Default) {
			c.saying("%s: the default %q does not match its own pattern", where, s.Default)
		}
	}
}

// choice checks options: distinct values, each with a label, the default among them.
func (c *checker) choice(where string, options []providers.Option, def string) {
	seen := map[string]bool{}
	for _, o := range options {
		if seen[o.Value] || o.Label == "" {
			c.saying("%s: the option %q is there twice or has no label", where, o.Value)
		}
		seen[o.Value] = true
	}
	if def != "" && len(options) > 0 && !seen[def] {
		c.saying("%s: the default %q is not among the options", where, def)
	}
}

func (c *checker) pattern(where, p string) {
	if p == "" {
		return
	}
	if _, err := regexp.Compile(p); err != nil {
		c.saying("%s: the pattern does not compile: %v", where, err)
	}
	if !strings.HasPrefix(p, "^") || !strings.HasSuffix(p, "$") {
		c.saying("%s: the pattern %q is not anchored", where, p)
	}
}

func (c *checker) sites() {
	seen := map[string]bool{}
	for _, s := range c.d.Sites {
		where := fmt.Sprintf("site %s %s", s.Environment, s.Field)
		if seen[where] || !s.Environment.Valid() {
			c.saying("%s: twice, or the environment is none", where)
		}
		seen[where] = true
		if !slices.ContainsFunc(c.d.Fields, func(f providers.Field) bool { return f.Name == s.Field && !f.Secret }) {
			c.saying("%s: no such open credential field", where)
		}
		if s.Default == "" {
			continue
		}
		u, err := url.Parse(s.Default)
		if err != nil || u.Scheme != "https" || !slices.Contains(s.Hosts, u.Host) || u.Path != s.Prefix {
			c.saying("%s: the default %q is not an https address on a pinned host with the prefix", where, s.Default)
		}
	}
}

func (c *checker) fields(what string, fields []providers.Field, lookups []providers.Read) {
	seen := map[string]bool{}
	for _, f := range fields {
		where := what + " " + f.Name
		if f.Name == "" || seen[f.Name] || f.Label == "" {
			c.saying("%s: the name is empty or used twice, or there is no label", where)
		}
		seen[f.Name] = true
		c.pattern(where, f.Pattern)
		c.choice(where, f.Options, f.Default)
		if (f.Kind == providers.Select) != (len(f.Options) > 0) && f.Lookup == "" {
			c.saying("%s: a choice needs options, and options need a choice", where)
		}
		if f.Pattern != "" && f.PatternHelp == "" {
			c.saying("%s: the pattern has no sentence for people", where)
		}
		if f.Item != "" {
			c.item(where, f.Item)
		}
		for _, e := range f.Examples {
			if p := fieldProblem(f, e); p != "" {
				c.saying("%s: the example breaks the rules: %s", where, p)
			}
		}
		if f.Lookup != "" && !slices.ContainsFunc(lookups, func(r providers.Read) bool { return r.ID == f.Lookup }) {
			c.saying("%s: there is no read %q to choose from", where, f.Lookup)
		}
		for _, r := range lookups {
			if r.ID == f.Lookup && slices.ContainsFunc(r.Params, func(p providers.Field) bool { return p.Required }) {
				c.saying("%s: the read %q has a required parameter, and a form has none to give", where, f.Lookup)
			}
		}
	}
}

func (c *checker) methods() {
	seen := map[string]bool{}
	for _, m := range c.d.Methods {
		where := "method " + m.ID
		if m.ID == "" || seen[m.ID] || m.Title == "" || !m.Kind.Valid() {
			c.saying("%s: the id is empty or used twice, or title or kind is missing", where)
		}
		seen[m.ID] = true
		if !known(m.Mark) {
			c.saying("%s has the mark %q", where, m.Mark)
		}
		if m.Mark != providers.Documented && len(m.Items) == 0 {
			c.saying("%s is %s and names no item", where, m.Mark)
		}
		for _, id := range m.Items {
			c.item(where, id)
		}
		if m.LockedLive != "" && len(m.Items) == 0 {
			c.saying("%s is locked in live and nothing could unlock it", where)
		}
		for _, a := range m.Assets {
			if _, ok := models.AssetByCode(a); !ok {
				c.saying("%s: %s is no asset", where, a)
			}
		}
		if _, err := models.ParseDecimal(m.Minimum); m.Minimum != "" && err != nil {
			c.saying("%s: the minimum %q is no decimal", where, m.Minimum)
		}
		if m.Country != "" && !regexp.MustCompile(`^[A-Z]{2}$`).MatchString(m.Country) {
			c.saying("%s: %q is no country code", where, m.Country)
		}
		c.fields(where+", field", m.Fields, c.d.Reads)
	}
}

func (c *checker) reads() {
	seen := map[string]bool{}
	for _, r := range c.d.Reads {
		where := "read " + r.ID
		if r.ID == "" || seen[r.ID] || r.Title == "" || !known(r.Mark) {
			c.saying("%s: the id is empty or used twice, or title or mark is missing", where)
		}
		seen[r.ID] = true
		if r.Item != "" || r.Mark != providers.Documented {
			c.item(where, r.Item)
		}
		c.fields(where+", parameter", r.Params, nil)
	}
	if len(c.d.Reads) > 0 != c.d.Has(providers.CanLookUp) {
		c.saying("reads are described: %v, look-ups are a capability: %v", len(c.d.Reads) > 0, c.d.Has(providers.CanLookUp))
	}
}

func (c *checker) topics() {
	seen := map[string]bool{}
	for _, w := range c.d.Webhooks {
		where := "webhook topic " + w.ID
		if !regexp.MustCompile(`^[a-z][a-z0-9-]*$`).MatchString(w.ID) || seen[w.ID] || w.Title == "" || !known(w.Mark) {
			c.saying("%s: the id is no path segment or used twice, or title or mark is missing", where)
		}
		seen[w.ID] = true
		if w.Item != "" || w.Mark != providers.Documented {
			c.item(where, w.Item)
		}
	}
}

// fieldProblem says how a value breaks its field's own rules, as a form would.
func fieldProblem(f providers.Field, v string) string {
	limit := f.MaxLen
	if limit == 0 {
		limit = 255
	}
	switch {
	case v == "" && f.Required:
		return fmt.Sprintf("the field %s is required", f.Name)
	case v == "":
		return ""
	case len([]rune(v)) > limit:
		return fmt.Sprintf("the field %s holds more than %d characters", f.Name, limit)
	case f.Pattern != "" && !regexp.MustCompile(f.Pattern).MatchString(v):
		return fmt.Sprintf("the field %s: %q does not match %s", f.Name, v, f.Pattern)
	case f.Kind == providers.Select && f.Lookup == "" && !slices.ContainsFunc(f.Options, func(o providers.Option) bool { return o.Value == v }):
		return fmt.Sprintf("the field %s: %q is not among its options", f.Name, v)
	}
	if _, err := time.Parse(time.DateOnly, v); f.Kind == providers.Date && err != nil {
		return fmt.Sprintf("the field %s: %q is no date", f.Name, v)
	}
	return ""
}

// addressLists: what calls show about our address must lead to a list that is described.
func (c *checker) addressLists() {
	seen := map[string]bool{}
	for _, l := range c.d.AddressLists {
		if l.ID == "" || l.Title == "" || l.Guards == "" || l.Where == "" || l.Mark == "" {
			c.saying("the address list %q lacks a name, what it guards, where it is kept or its mark", l.ID)
		}
		if seen[l.ID] {
			c.saying("there are two address lists %q", l.ID)
		}
		seen[l.ID] = true
		if _, ok := c.items[l.Item]; l.Item != "" && !ok {
			c.saying("the address list %q rests on %s, which is no item", l.ID, l.Item)
		}
	}
	if (c.d.ReadAddress == nil) != (len(c.d.AddressLists) == 0) {
		c.saying("address lists and ReadAddress go together")
	}
	if c.d.ReadAddress == nil {
		return
	}
	for _, a := range []providers.Answered{{}, {Status: 403, Body: []byte("<html>")}, {Status: 200, Body: []byte("{}")}, {Path: "/%zz", Status: -1, Body: []byte{0xff}}} {
		if list, word, _ := c.d.ReadAddress(a); word != "" && !seen[list] {
			c.saying("an answer with status %d speaks of the address list %q, which is not described", a.Status, list)
		}
	}
}
