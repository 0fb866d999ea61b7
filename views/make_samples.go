package views

import (
	"net/url"
	"strings"
)

// sample leads to the same form with made-up values in it, for people who try a way in sandbox; empty where there is nothing to fill in, or where
// something stands in the form already.
func (p MakeParams) sample() string {
	if p.Method.ByAddressBook && p.Method.EntryField == "" && p.To == nil { // only what stands in the provider's book is paid: a destination is chosen
		return ""
	}
	if !p.Page.sandbox() || p.Locked != "" || len(p.Errors) > 0 || p.Form.Amount != "" && p.Of == nil {
		return ""
	}
	for _, v := range p.Form.Values {
		if v != "" {
			return ""
		}
	}
	amount, asset, values := p.Method.Sample()
	q := url.Values{"credential": {p.Credential.ID}, "method": {p.Method.ID}, "amount": {amount}, "asset": {asset}}
	if p.Of != nil { // what is left of the deposit stands in the form already
		q.Set("of", p.Of.ID)
		q.Set("amount", p.Form.Amount)
		q.Set("asset", p.Form.Asset)
	}
	if p.To != nil {
		q.Set("destination", p.To.ID)
		if p.To.Currency != "" {
			q.Set("asset", p.To.Currency)
		}
	}
	for _, f := range p.ownFields() {
		if v := values[f.Name]; v != "" {
			q.Set("v."+f.Name, v)
		}
	}
	return p.Base() + "/new?" + q.Encode()
}

// sampleSays tells what the link fills in.
func (p MakeParams) sampleSays() string {
	var choose []string
	for _, f := range p.ownFields() {
		if f.Lookup != "" && f.Required {
			choose = append(choose, strings.ToLower(f.Label[:1])+f.Label[1:])
		}
	}
	if len(choose) > 0 {
		return "Nothing in sandbox is real money. The rest is filled in; choose " + strings.Join(choose, " and ") + " yourself."
	}
	return "Nothing in sandbox is real money."
}

// sharedNote is the remark that every way of a card carries, so that it is said once; empty if they differ.
func (c MakeChoice) sharedNote() string {
	if len(c.Methods) < 2 {
		return ""
	}
	first := c.Methods[0].says()
	for _, m := range c.Methods[1:] {
		if m.says() != first {
			return ""
		}
	}
	return first
}

// says is the remark on a way: why it is locked, or else its note.
func (m MakeMethod) says() string { return orElse(m.Why, m.Method.Note) }
