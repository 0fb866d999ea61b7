package providers

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"countinghouse/models"
	"countinghouse/models/address"
)

// Check applies a method's own form rules and then the provider's CheckRequest. It gives the cleaned values (trimmed, only the method's
// fields) and what is wrong, field by field. It is pure and changes nothing.
func (d *Description) Check(settings map[string]string, m Method, amount models.Money, values map[string]string) (map[string]string, []models.Problem) {
	var ps []models.Problem
	if m.Locked != "" {
		return nil, []models.Problem{{Field: "method", Sentence: m.Locked}}
	}
	if len(m.Assets) > 0 && !slices.Contains(m.Assets, amount.Asset) {
		ps = append(ps, models.Problem{Field: "asset", Sentence: fmt.Sprintf("%s takes %s only.", m.Title, strings.Join(m.Assets, ", "))})
	}
	if m.Minimum != "" {
		if low, err := models.ParseMoney(m.Minimum, amount.Asset); err == nil && amount.Minor < low.Minor {
			ps = append(ps, models.Problem{Field: "amount", Sentence: fmt.Sprintf("The smallest amount that %s takes is %s.", d.Title, low)})
		}
	}
	clean := map[string]string{}
	for _, f := range m.Fields {
		v, err := f.Clean(values[f.Name])
		if err != nil {
			ps = append(ps, models.Problem{Field: f.Name, Sentence: err.Error()})
			continue
		}
		if v != "" {
			clean[f.Name] = v
		}
	}
	if len(ps) == 0 && m.Kind == models.Payout && m.onChain() {
		a, err := address.Validate(clean["network"], clean["address"])
		if err != nil {
			ps = append(ps, models.Problem{Field: "address", Sentence: err.Error()})
		} else {
			clean["address"] = a.Normalized
		}
	}
	if len(ps) == 0 && d.CheckRequest != nil {
		ps = d.CheckRequest(settings, m, amount, clean)
	}
	return clean, ps
}

// Clean checks one typed value against its field and gives it without the space around it. The error is a sentence for people.
func (f Field) Clean(v string) (string, error) {
	v = strings.TrimSpace(v)
	say := f.check(v)
	switch {
	case v == "" || say != "":
	case f.Kind == Email:
		at := strings.IndexByte(v, '@')
		if at < 1 || strings.ContainsAny(v, " <>,;\"") || !strings.Contains(v[at:], ".") || strings.Count(v, "@") != 1 {
			say = "Write an e-mail address, for example name@example.com."
		}
	case f.Kind == Date:
		if _, err := time.Parse("2006-01-02", v); err != nil {
			say = "Write a date as 2026-09-21."
		}
	case f.Kind == Checkbox:
		if v != "1" && v != "on" && v != "true" {
			say = "Tick it or leave it."
		}
		v = "1"
	}
	if say != "" {
		return "", models.FieldErrorf(f.Name, "%s", say)
	}
	return v, nil
}

// Destination is what a form's values say about where money goes or comes from.
type Destination struct {
	Owner  string
	Masked string // one short line for lists: "João S… · PIX by CPF ···· 725"
	Lines  []Line // everything, for the page and the review
	Digest string // equal for equal accounts at any provider and method; empty when no field decides where money goes
	// Account is looser: equal for the same letters and digits whatever the country, the network and the way. It only makes people look twice.
	Account string
}

// DestinationOf reads the destination out of a method's values.
func DestinationOf(m Method, values map[string]string) Destination {
	var d Destination
	var account []string
	network := m.Network
	for _, f := range m.Fields {
		v := values[f.Name]
		if v == "" {
			continue
		}
		d.Lines = append(d.Lines, Line{Label: f.Label, Value: optionLabel(f, v), Copy: f.Role == RoleAccount})
		switch f.Role {
		case RoleOwner:
			d.Owner = v
		case RoleLastName:
			d.Owner += " " + v
		case RoleNetwork: // the same address on two networks is two destinations
			network = strings.ToLower(v)
		case RoleAccount:
			account = append(account, strings.ToLower(strings.NewReplacer(" ", "", "-", "", ".", "").Replace(v)))
		}
	}
	d.Owner = strings.TrimSpace(d.Owner)
	if len(account) == 0 { // PIX by document: the document is the account
		for _, f := range m.Fields {
			if v := values[f.Name]; f.Role == RoleDocument && v != "" {
				account = append(account, strings.ToLower(v))
				for i := range d.Lines {
					d.Lines[i].Copy = d.Lines[i].Copy || d.Lines[i].Label == f.Label
				}
			}
		}
	}
	parts := []string{}
	if d.Owner != "" {
		parts = append(parts, shorten(d.Owner, 18))
	}
	parts = append(parts, m.Title)
	if len(account) > 0 {
		last := account[len(account)-1]
		parts[len(parts)-1] += " ···· " + last[max(0, len(last)-4):]
		sum := sha256.Sum256([]byte(m.Country + "\x00" + network + "\x00" + strings.Join(account, "\x00")))
		d.Digest = hex.EncodeToString(sum[:])
		sum = sha256.Sum256([]byte("account\x00" + strings.Join(bareParts(account), "\x00")))
		d.Account = hex.EncodeToString(sum[:])
	}
	d.Masked = strings.Join(parts, " · ")
	return d
}

// bareParts keeps the letters and digits of each part, so that +254 700 and 254700 are one account.
func bareParts(parts []string) []string {
	out := make([]string, 0, len(parts))
	for _, p := range parts {
		bare := strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return unicode.ToLower(r)
			}
			return -1
		}, p)
		if bare != "" {
			out = append(out, bare)
		}
	}
	return out
}

func optionLabel(f Field, v string) string {
	for _, o := range f.Options {
		if o.Value == v && o.Label != "" {
			return o.Label
		}
	}
	return v
}

// shorten cuts a name for lists after n characters.
func shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return strings.TrimSpace(string(r[:n])) + "…"
}
