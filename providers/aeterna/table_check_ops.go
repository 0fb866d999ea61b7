package aeterna

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// sources lists what may fill a request field, by operation.
func sources(operation string) []string {
	common := []string{"const", "value"}
	switch operation {
	case opDepositCreate, opPayoutCreate:
		return append(common, "reference", "amount", "currency", "method", "note", "notify_url", "return_url")
	case opDepositStatus, opPayoutStatus:
		return append(common, "reference", "provider_ref", "method")
	case opDisputeCreate:
		return append(common, "reference", "provider_ref", "reason", "evidence_link", "evidence_base64", "evidence_name", "evidence_type")
	}
	return common
}

func (c *tableCheck) operations(all map[string]Operation) {
	if len(all) == 0 {
		c.add("operations", "is missing: the table says nothing.")
	}
	for _, name := range sortedKeys(all) {
		at := "operations." + name
		if !slices.Contains(operationNames(), name) {
			c.add("operations."+clip(name), "is not known here. Known are: %s.", strings.Join(operationNames(), ", "))
			continue
		}
		op := all[name]
		c.route(at, op)
		c.fields(at, name, op)
		c.shape(at, name, op)
	}
}

// route checks path, method and encoding.
func (c *tableCheck) route(at string, op Operation) {
	if !strings.HasPrefix(op.Path, "/") || len(op.Path) > 200 || !wirePath.MatchString(op.Path) || strings.Contains(op.Path+"/", "/../") || strings.Contains(op.Path+"/", "/./") {
		c.add(at+".path", "must begin with a slash and hold only letters, digits, . _ ~ - and {name}, such as /api/payout/create.")
	}
	c.oneOf(at+".method", op.Method, "", "POST", "GET", "PUT")
	c.oneOf(at+".encoding", op.Encoding, "", "json", "form")
	for _, m := range placeholder.FindAllStringSubmatch(op.Path, -1) {
		if !slices.ContainsFunc(op.Fields, func(f WireField) bool { return f.In == "path" && f.Name == m[1] && f.Required }) {
			c.add(at+".path", "has {%s}, but no required field with that name and in path.", clip(m[1]))
		}
	}
}

func (c *tableCheck) fields(at, name string, op Operation) {
	if len(op.Fields) > 60 {
		c.add(at+".fields", "has more than 60 entries.")
		return
	}
	if op.Method == "GET" && creates(name) {
		c.add(at+".method", "may not be GET: something that creates must not be repeated by a cache or a proxy.")
	}
	seen := map[string]bool{}
	for i, f := range op.Fields {
		c.field(fmt.Sprintf("%s.fields[%d]", at, i+1), name, op, f)
		key := f.In + "|" + f.Name
		if seen[key] {
			c.add(at+".fields", "name “%s” twice.", f.Name)
		}
		seen[key] = true
		for _, other := range op.Fields {
			if f.In == other.In && strings.HasPrefix(other.Name, f.Name+".") {
				c.add(at+".fields", "use “%s” both as a value and as an object.", f.Name)
			}
		}
	}
	if creates(name) && name != opDisputeCreate {
		for _, need := range []string{"reference", "amount"} {
			if !slices.ContainsFunc(op.Fields, func(f WireField) bool { return f.From == need && f.Required }) {
				c.add(at+".fields", "need a required field from %s: without it a lost answer could never be settled.", need)
			}
		}
	}
	if strings.HasSuffix(name, ".status") && name != opDisputeStatus &&
		!slices.ContainsFunc(op.Fields, func(f WireField) bool { return f.From == "reference" || f.From == "provider_ref" }) {
		c.add(at+".fields", "ask about nothing: a field from reference or provider_ref is missing.")
	}
}

func (c *tableCheck) field(at, name string, op Operation, f WireField) {
	c.oneOf(at+".in", f.In, "", "body", "query", "path", "header")
	switch f.In {
	case "path":
		if !strings.Contains(op.Path, "{"+f.Name+"}") {
			c.add(at+".name", "is in path, but the path has no {%s}.", clip(f.Name))
		}
	case "query":
		c.flat(at, f)
	case "header":
		c.header(at+".name", f.Name)
	default:
		if op.Method == "GET" {
			c.add(at+".in", "must be query, path or header: a GET has no body.")
		}
		if op.Encoding == "form" {
			c.flat(at, f)
		} else if !wireName.MatchString(f.Name) {
			c.add(at+".name", "must be a name, or up to four names with dots between, such as recipient.number.")
		}
	}
	c.oneOf(at+".from", f.From, sources(name)...)
	c.oneOf(at+".format", f.Format, "", "uuid", "https_url", "decimal", "moment")
	c.pattern(at+".pattern", f.Pattern)
	if f.Max < 0 || f.Max > 8<<20 {
		c.add(at+".max", "must be between 0 and 8388608 characters.")
	}
	if (f.From == "value") != (f.Key != "") || f.Key != "" && !rowID.MatchString(f.Key) {
		c.add(at+".key", "belongs to from value and names a form field: small letters, digits and underscores.")
	}
	if (f.From == "const") != (len(f.Const) > 0) || len(f.Const) > 0 && (!scalar(f.Const) || len(f.Const) > 300) {
		c.add(at+".const", "belongs to from const and is a text, a number, true or false.")
	}
	if f.Group != "" && (f.Required || !rowID.MatchString(f.Group)) {
		c.add(at+".group", "must be a short name, and its fields are not marked required: exactly one of them is always sent.")
	}
}

func (c *tableCheck) flat(at string, f WireField) {
	if !flatName.MatchString(f.Name) {
		c.add(at+".name", "must be a plain name of letters, digits, _ and -.")
	}
}

// shape checks that an operation says how its answer is read, and that a lie in a create's answer could be noticed.
func (c *tableCheck) shape(at, name string, op Operation) {
	wants := map[string]string{opBalance: "balances", opStatistics: "sheet", opDisputeStatus: "sheet"}[name]
	if wants == "" {
		wants = "answer"
	}
	has := map[string]bool{"answer": op.Answer != nil, "sheet": op.Sheet != nil, "balances": op.Balances != nil}
	for _, part := range []string{"answer", "sheet", "balances"} {
		if has[part] != (part == wants) {
			c.add(at+"."+part, "does not fit: %s is read by “%s”.", name, wants)
		}
	}
	if a := op.Answer; a != nil {
		c.answer(at+".answer", name, *a)
	}
	if s := op.Sheet; s != nil {
		c.sheet(at+".sheet", *s)
	}
	if b := op.Balances; b != nil {
		c.path(at+".balances.list", b.List, false)
		c.path(at+".balances.account_path", b.Named, false)
		c.path(at+".balances.currency", b.Currency, false)
		c.path(at+".balances.available", b.Available, true)
		c.path(at+".balances.held", b.Held, false)
		c.path(at+".balances.total", b.Total, false)
		c.text(at+".balances.account", b.Account, 60, false)
	}
}

func (c *tableCheck) answer(at, name string, a AnswerPaths) {
	c.path(at+".id", a.ID, creates(name))
	c.path(at+".status", a.Status, true)
	for _, p := range [][2]string{{"of", a.Of}, {"reference", a.Reference}, {"amount", a.Amount}, {"currency", a.Currency}, {"paid", a.Paid},
		{"fee", a.Fee}, {"reason", a.Reason}, {"bank_ref", a.BankRef}, {"expires", a.Expires}, {"redirect", a.Redirect}, {"qr", a.QR}} {
		c.path(at+"."+p[0], p[1], false)
	}
	switch {
	case name == opDisputeCreate && a.Of == "":
		c.add(at+".of", "is missing: without it nobody could notice that the answer is about another payment.")
	case (name == opDepositCreate || name == opPayoutCreate) && a.Reference == "" && a.Amount == "":
		c.add(at, "must give reference or amount: without both nobody could notice an answer about something else.")
	}
	if len(a.Lines) > 20 {
		c.add(at+".lines", "has more than 20 entries.")
	}
	for _, l := range a.Lines {
		c.text(at+".lines", l.Label, 60, true)
		c.path(at+".lines", l.Path, true)
	}
}

func (c *tableCheck) sheet(at string, s SheetRule) {
	c.path(at+".list", s.List, false)
	if len(s.Columns) == 0 || len(s.Columns) > 30 || (s.List == "") == (len(s.Rows) == 0) || len(s.Rows) > 30 {
		c.add(at, "needs columns, and either a list or rows; at most 30 of each.")
	}
	for _, l := range s.Rows {
		c.text(at+".rows", l.Label, 60, true)
		c.path(at+".rows", l.Path, false)
	}
	for _, l := range s.Columns {
		c.text(at+".columns", l.Label, 60, true)
		c.path(at+".columns", l.Path, true)
	}
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || r == utf8.RuneError || unicode.Is(unicode.Cf, r)
	})
}

// clip makes a word of a table short and printable enough to be quoted.
func clip(s string) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, s)
	if runes := []rune(clean); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return clean
}
