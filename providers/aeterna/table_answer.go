package aeterna

import (
	"mime"
	"slices"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// verdict is what one answer amounts to before its payload is read.
type verdict struct {
	class   answerClass
	payload httpx.Value // with success
	rule    ErrorRule   // with refused
	code    string      // the provider's error code, cleaned
	says    string      // one sentence: what came
}

type answerClass int

const (
	unreadable answerClass = iota // everything that the table does not explain
	success
	refused
	exists
	notFound
)

// judge sorts an answer by the table. Only the status, the content type and the envelope decide; 2xx alone proves nothing (AET-ERR-1).
func (t *Table) judge(res httpx.Response) verdict {
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	v := verdict{says: "HTTP " + statusText(res.Status)}
	// What people read comes from the redacted record: an answer may repeat a key of ours.
	record := res.Exchange.ResponseBody
	if kind != "application/json" {
		if said := httpx.Say(string(record[:min(len(record), 600)]), 160); said != "" {
			v.says += " with text that is not JSON: “" + said + "”"
		} else {
			v.says += " without a JSON body"
		}
		return v
	}
	tree, err := httpx.ReadJSON(res.Body)
	if err != nil {
		v.says += ", and " + err.Error()
		return v
	}
	code := httpx.Say(at(tree, t.Errors.Code).Scalar(), 80)
	if code != "" {
		clean, _ := httpx.ReadJSON(record)
		v.code = httpx.Say(at(clean, t.Errors.Code).Scalar(), 80)
		v.says += " “" + v.code + "”"
		if said := httpx.Say(at(clean, t.Errors.Message).Text(), 160); said != "" {
			v.says += ": " + said
		}
	}
	good := t.succeeded(res.Status, tree)
	if code != "" && !good {
		t.judgeError(res.Status, tree, code, &v)
		return v
	}
	if good && code == "" {
		v.class, v.payload = success, at(tree, t.Success.Data)
	}
	return v
}

// succeeded applies the whole success rule.
func (t *Table) succeeded(status int, tree httpx.Value) bool {
	if !slices.Contains(t.Success.HTTP, status) || !at(tree, t.Success.Data).IsObject() {
		return false
	}
	for _, p := range t.Success.Absent {
		if at(tree, p).There() {
			return false
		}
	}
	for p, want := range t.Success.Equals {
		if scalarText(at(tree, p)) != want {
			return false
		}
	}
	return true
}

// judgeError finds the rule of an error. An answer that also carries a payload contradicts itself and proves nothing.
func (t *Table) judgeError(status int, tree httpx.Value, code string, v *verdict) {
	if t.Success.Data != "" && at(tree, t.Success.Data).There() {
		v.says += ", beside a payload: it contradicts itself"
		return
	}
	switch {
	case anyRule(t.Errors.Exists, status, code):
		v.class = exists
	case anyRule(t.Errors.NotFound, status, code):
		v.class = notFound
	default:
		if r, ok := findRule(t.Errors.Refusals, status, code); ok {
			v.class, v.rule = refused, r
		}
	}
}

func anyRule(rules []ErrorRule, status int, code string) bool {
	_, ok := findRule(rules, status, code)
	return ok
}

// findRule prefers the rule that names the code to the one that takes any.
func findRule(rules []ErrorRule, status int, code string) (ErrorRule, bool) {
	for _, r := range rules {
		if r.HTTP == status && r.Code == code {
			return r, true
		}
	}
	for _, r := range rules {
		if r.HTTP == status && r.Code == "" && code != "" {
			return r, true
		}
	}
	return ErrorRule{}, false
}

// at walks a dotted path; empty is the value itself.
func at(v httpx.Value, path string) httpx.Value {
	if path == "" {
		return v
	}
	for part := range strings.SplitSeq(path, ".") {
		v = v.Get(part)
	}
	return v
}

// scalarText is a scalar as text, booleans included.
func scalarText(v httpx.Value) string {
	if b, ok := v.Bool(); ok {
		if b {
			return "true"
		}
		return "false"
	}
	return v.Scalar()
}

// order is the payload of a create or status answer.
type order struct {
	id, of, reference, word string
	amount, currency        string
	paid, fee               string
	reason, bankRef         string
}

// read takes the payload apart. Numbers keep their text; nothing is compared here.
func (a AnswerPaths) read(v httpx.Value) order {
	get := func(path string) string {
		if path == "" {
			return ""
		}
		return at(v, path).Scalar()
	}
	return order{id: get(a.ID), of: get(a.Of), reference: get(a.Reference), word: get(a.Status), amount: get(a.Amount), currency: get(a.Currency),
		paid: get(a.Paid), fee: get(a.Fee), reason: httpx.Say(get(a.Reason), 200), bankRef: httpx.Say(get(a.BankRef), 100)}
}

// money reads an amount of the answer in the asset that is expected, by the table's way of writing.
func (t *Table) money(text, asset string) (models.Money, error) {
	d, err := models.ParseDecimal(text)
	if err != nil {
		return models.Money{}, err
	}
	if t.Amount.As == "minor" {
		d = d.Shift(-int32(models.Money{Asset: asset}.Scale())) //nolint:gosec // scales are at most 18
	}
	return models.MoneyOf(d, asset)
}

// sameMoney reports whether an answer's amount is the money that was asked for; an amount with more digits or other trailing zeros is
// the same when its value is.
func (t *Table) sameMoney(text string, want models.Money) bool {
	got, err := t.money(text, want.Asset)
	return err == nil && got == want
}

// status turns their word into ours (AET-STAT-1: a word that is not in the table changes nothing). Where the table says where the paid
// amount stands, only that is taken for what was paid.
func (t *Table) status(kind models.Kind, a AnswerPaths, o order, asset string) providers.Status {
	s := providers.Status{State: models.State(t.Statuses[string(kind)][o.word]), Word: httpx.Say(o.word, 60), ProviderRef: o.id, Reason: o.reason, BankRef: o.bankRef}
	if o.currency != "" {
		asset = o.currency
	}
	moved := o.amount
	if a.Paid != "" {
		moved = o.paid
	}
	if m, err := t.money(moved, asset); err == nil {
		s.Amount = m
	}
	if m, err := t.money(o.fee, asset); err == nil {
		s.Fee = m
	}
	return s
}

// instructions are what a payer is shown.
func (a AnswerPaths) instructions(v httpx.Value) providers.Instructions {
	var in providers.Instructions
	for _, l := range a.Lines {
		if text := httpx.Say(at(v, l.Path).Scalar(), 200); text != "" {
			in.Lines = append(in.Lines, providers.Line{Label: l.Label, Value: text, Copy: l.Copy})
		}
	}
	if a.Expires != "" {
		if when, err := time.Parse(time.RFC3339, at(v, a.Expires).Text()); err == nil {
			in.ExpiresAt = models.At(when)
		}
	}
	if link := at(v, a.Redirect).Text(); a.Redirect != "" && strings.HasPrefix(link, "https://") && len(link) <= 2000 && !hasControl(link) {
		in.RedirectURL = link
	}
	if a.QR != "" {
		in.QR = httpx.Say(at(v, a.QR).Text(), 2000)
	}
	return in
}
