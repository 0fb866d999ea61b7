package aeterna

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"countinghouse/models"
	"countinghouse/providers"
)

// tableCheck collects what is wrong with a table.
type tableCheck struct {
	problems []models.Problem
	t        *Table
}

func (c *tableCheck) add(place, format string, args ...any) {
	if len(c.problems) < maxProblems {
		c.problems = append(c.problems, models.Problem{Field: settingTable, Sentence: place + " " + fmt.Sprintf(format, args...)})
	}
}

var (
	wireName    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}(\.[A-Za-z_][A-Za-z0-9_-]{0,63}){0,3}$`)
	flatName    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)
	rowID       = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
	wirePath    = regexp.MustCompile(`^(/([A-Za-z0-9_.~-]+|\{[A-Za-z_][A-Za-z0-9_]*\}))+/?$`)
	placeholder = regexp.MustCompile(`\{([^}]*)\}`)
	wholeMatch  = regexp.MustCompile(`^\^.*\$$`)
	countryCode = regexp.MustCompile(`^[A-Z]{2}$`)
	headerName  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,63}$`)
)

// table checks a decoded table.
func (c *tableCheck) table(t *Table) {
	c.t = t
	if t.Format != 1 {
		c.add("format", "must be 1, the only format there is.")
	}
	c.text("title", t.Title, 60, true)
	c.text("note", t.Note, 400, false)
	c.oneOf("amount.as", t.Amount.As, "text", "number", "minor")
	if t.Amount.Decimals < 0 || t.Amount.Decimals > 18 {
		c.add("amount.decimals", "must be between 0 and 18.")
	}
	c.pattern("reference", t.Reference)
	c.pattern("currency", t.Currency)
	c.auth(t.Auth)
	c.success(t.Success)
	c.errors(t.Errors)
	c.methods(t.Methods)
	c.operations(t.Operations)
	c.statuses(t.Statuses)
	c.callback(t.Callback)
}

// text checks a text that people read.
func (c *tableCheck) text(place, s string, limit int, required bool) {
	switch {
	case required && strings.TrimSpace(s) == "":
		c.add(place, "is missing.")
	case utf8.RuneCountInString(s) > limit:
		c.add(place, "has more than %d characters.", limit)
	case hasControl(s):
		c.add(place, "contains a control or invisible character.")
	}
}

func (c *tableCheck) oneOf(place, s string, allowed ...string) {
	if !slices.Contains(allowed, s) {
		c.add(place, "must be one of: %s.", strings.Join(allowed, ", "))
	}
}

// pattern checks a regular expression. Go's engine takes linear time, so a hostile one can only be long.
func (c *tableCheck) pattern(place, p string) {
	if p == "" {
		return
	}
	if len(p) > 200 || !wholeMatch.MatchString(p) {
		c.add(place, "must be a pattern of at most 200 characters that begins with ^ and ends with $.")
		return
	}
	if _, err := regexp.Compile(p); err != nil {
		c.add(place, "is not a pattern that can be used.")
	}
}

// path checks where something stands in an answer; empty is allowed unless required.
func (c *tableCheck) path(place, p string, required bool) {
	if p == "" && !required {
		return
	}
	if !wireName.MatchString(p) {
		c.add(place, "must be a name, or up to four names with dots between, such as data.id.")
	}
}

func (c *tableCheck) success(s SuccessRule) {
	if len(s.HTTP) == 0 || len(s.HTTP) > 5 {
		c.add("success.http", "must list one to five HTTP statuses, usually 200.")
	}
	for _, code := range s.HTTP {
		if code < 200 || code > 299 {
			c.add("success.http", "may hold only statuses from 200 to 299.")
		}
	}
	c.path("success.data", s.Data, false)
	for _, p := range s.Absent {
		c.path("success.absent", p, true)
	}
	for _, p := range sortedKeys(s.Equals) {
		c.path("success.equals", p, true)
	}
}

func (c *tableCheck) errors(e ErrorRules) {
	c.path("errors.code", e.Code, true)
	c.path("errors.message", e.Message, false)
	c.rules("errors.refusals", e.Refusals)
	c.rules("errors.exists", e.Exists)
	c.rules("errors.not_found", e.NotFound)
	c.rules("errors.diagnosis", e.Diagnosis)
	for _, r := range e.Refusals {
		if r.HTTP >= 500 {
			c.add("errors.refusals", "may not hold %d: after a server error nobody knows whether something was created.", r.HTTP)
		}
		if r.HTTP < 300 && r.Code == "" {
			c.add("errors.refusals", "needs a code for HTTP %d.", r.HTTP)
		}
		if slices.ContainsFunc(e.Exists, func(x ErrorRule) bool { return x.HTTP == r.HTTP && (x.Code == r.Code || x.Code == "") }) {
			c.add("errors.refusals", "and errors.exists both hold HTTP %d %s: it cannot mean both that nothing was created and that something is there.", r.HTTP, r.Code)
		}
	}
	for _, r := range e.NotFound {
		if r.HTTP >= 500 {
			c.add("errors.not_found", "may not hold %d: a server error says nothing about what there is.", r.HTTP)
		}
	}
	for i, r := range e.Diagnosis {
		c.oneOf(fmt.Sprintf("errors.diagnosis[%d].verdict", i+1), r.Verdict, string(providers.KeysRejected), string(providers.IPNotListed),
			string(providers.SignatureRefused), string(providers.ClockOff), string(providers.NotEnabled))
	}
}

func (c *tableCheck) rules(place string, rules []ErrorRule) {
	if len(rules) > 60 {
		c.add(place, "has more than 60 entries.")
	}
	for i, r := range rules {
		at := fmt.Sprintf("%s[%d]", place, i+1)
		if r.HTTP < 200 || r.HTTP > 599 || r.HTTP >= 300 && r.HTTP < 400 {
			c.add(at+".http", "must be an HTTP status of an answer, and not a redirect.")
		}
		c.text(at+".code", r.Code, 80, false)
		c.text(at+".sentence", r.Sentence, 300, false)
	}
}

func (c *tableCheck) methods(rows []MethodRow) {
	if len(rows) > 60 {
		c.add("methods", "has more than 60 entries.")
		return
	}
	seen := map[string]bool{}
	for i, m := range rows {
		at := fmt.Sprintf("methods[%d]", i+1)
		if !rowID.MatchString(m.ID) {
			c.add(at+".id", "must be 1 to 40 small letters, digits and underscores, beginning with a letter.")
		}
		if seen[m.ID] {
			c.add(at+".id", "“%s” is used twice.", m.ID)
		}
		seen[m.ID] = true
		c.oneOf(at+".kind", string(m.Kind), string(models.Deposit), string(models.Payout))
		c.text(at+".title", m.Title, 60, true)
		c.text(at+".code", m.Code, 60, true)
		c.text(at+".network", m.Network, 40, false)
		c.text(at+".note", m.Note, 300, false)
		if m.Country != "" && !countryCode.MatchString(m.Country) {
			c.add(at+".country", "must be two capitals, such as KE.")
		}
		for _, a := range m.Assets {
			if _, ok := models.AssetByCode(a); !ok {
				c.add(at+".assets", "holds “%s”, which is not a currency this product knows.", clip(a))
			}
		}
		if _, err := models.ParseDecimal(m.Minimum); m.Minimum != "" && err != nil {
			c.add(at+".minimum", "must be an amount such as 10.00.")
		}
		c.formFields(at, m.Fields)
	}
}

func (c *tableCheck) formFields(place string, fields []FormField) {
	if len(fields) > 30 {
		c.add(place+".fields", "has more than 30 entries.")
		return
	}
	seen := map[string]bool{}
	for i, f := range fields {
		at := fmt.Sprintf("%s.fields[%d]", place, i+1)
		if !rowID.MatchString(f.Name) || seen[f.Name] {
			c.add(at+".name", "must be small letters, digits and underscores, and used once.")
		}
		seen[f.Name] = true
		c.text(at+".label", f.Label, 60, true)
		c.text(at+".help", f.Help, 300, false)
		c.text(at+".pattern_help", f.PatternHelp, 200, f.Pattern != "")
		c.pattern(at+".pattern", f.Pattern)
		c.oneOf(at+".kind", string(f.Kind), "", "text", "select", "email", "phone", "url", "digits", "date", "checkbox", "textarea")
		c.oneOf(at+".role", string(f.Role), "", "owner", "lastname", "account", "bank", "document", "network")
		if f.Max < 0 || f.Max > 4000 {
			c.add(at+".max", "must be between 1 and 4000; leave it out for 255.")
		}
		if (f.Kind == providers.Select) != (len(f.Options) > 0) {
			c.add(at+".options", "belong to a field of kind select, and such a field needs them.")
		}
		for _, o := range f.Options {
			c.text(at+".options", o.Value, 80, true)
			c.text(at+".options", o.Label, 80, true)
		}
	}
}

// statusWords lists what a status of a kind may mean here.
func statusWords() map[string][]string {
	return map[string][]string{
		"deposit": {"awaiting_payment", "partially_paid", "succeeded", "failed", "expired", "cancelled", "disputed", "charged_back"},
		"payout":  {"pending", "held", "succeeded", "failed", "cancelled", "returned"},
		"dispute": {"open", "accepted", "rejected"},
	}
}

func (c *tableCheck) statuses(all map[string]map[string]string) {
	allowed := statusWords()
	for _, kind := range sortedKeys(all) {
		words, ok := allowed[kind]
		if !ok {
			c.add("statuses."+kind, "is not known here. Known are: deposit, payout, dispute.")
			continue
		}
		if len(all[kind]) > 60 {
			c.add("statuses."+kind, "has more than 60 entries.")
		}
		for _, theirs := range sortedKeys(all[kind]) {
			c.text("statuses."+kind, theirs, 60, true)
			c.oneOf("statuses."+kind+"."+clip(theirs), all[kind][theirs], words...)
		}
	}
	for _, kind := range []string{"deposit", "payout", "dispute"} {
		if _, ok := c.t.Operations[kind+".create"]; ok && len(all[kind]) == 0 {
			c.add("statuses."+kind, "is missing: without it no %s can ever end.", kind)
		}
	}
}

// scalar reports whether a constant is a text, a number, true or false.
func scalar(raw json.RawMessage) bool {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return false
	}
	switch v.(type) {
	case string, bool, float64:
		return true
	}
	return false
}
