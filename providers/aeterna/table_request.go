package aeterna

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"countinghouse/models"
	"countinghouse/providers"
)

// input is what a request is filled from.
type input struct {
	reference, providerRef string
	amount                 models.Money
	method                 string // the provider's word
	values                 map[string]string
	note, reason           string
	notifyURL, returnURL   string
	evidence               []providers.Document
	loopback               bool // an http address on this machine may stand where https is asked for
	cabinet                bool // the callback address is kept in their cabinet: none is sent
}

// wire is a request ready to be signed: exactly these bytes are signed, sent and previewed.
type wire struct {
	method, path, query, contentType string
	header                           http.Header
	body                             []byte
}

// build makes the request of one operation. The error is a sentence for people that says which value does not fit; nothing was sent.
func (t *Table) build(name string, in input) (wire, error) {
	op, err := t.operation(name)
	if err != nil {
		return wire{}, err
	}
	w := wire{method: op.Method, path: op.Path, header: http.Header{}}
	if w.method == "" {
		w.method = http.MethodPost
	}
	var body node
	var query, form []string
	sent := map[string]bool{}
	for _, f := range op.Fields {
		value, err := t.value(f, in)
		if err != nil {
			return wire{}, err
		}
		if len(value) == 0 || f.Group != "" && sent[f.Group] {
			continue
		}
		sent[f.Group] = f.Group != ""
		text := flatText(value)
		switch {
		case f.In == "path":
			if strings.Trim(text, ".") == "" {
				return wire{}, models.FieldErrorf(fieldKey(f), "%s cannot stand in a path.", f.Name)
			}
			w.path = strings.ReplaceAll(w.path, "{"+f.Name+"}", url.PathEscape(text))
		case f.In == "query":
			query = append(query, url.QueryEscape(f.Name)+"="+url.QueryEscape(text))
		case f.In == "header":
			if strings.Trim(text, " ") != text || !plainASCII(text) {
				return wire{}, models.FieldErrorf(fieldKey(f), "%s may hold only plain ASCII characters, because it travels as a header.", f.Name)
			}
			w.header.Set(f.Name, text)
		case op.Encoding == "form":
			form = append(form, url.QueryEscape(f.Name)+"="+url.QueryEscape(text))
		default:
			body.put(strings.Split(f.Name, "."), value)
		}
	}
	if err := groupsSent(op, sent); err != nil {
		return wire{}, err
	}
	w.query = strings.Join(query, "&")
	switch {
	case w.method == http.MethodGet:
	case op.Encoding == "form":
		w.contentType, w.body = "application/x-www-form-urlencoded", []byte(strings.Join(form, "&"))
	default:
		// AET-HTTP-2: an operation without parameters sends {}, never an empty body.
		w.contentType, w.body = "application/json", body.json()
	}
	return w, nil
}

// groupsSent checks that exactly one field of each group went in.
func groupsSent(op Operation, sent map[string]bool) error {
	for _, f := range op.Fields {
		if f.Group == "" || sent[f.Group] {
			continue
		}
		var names []string
		for _, o := range op.Fields {
			if o.Group == f.Group {
				names = append(names, o.Name)
			}
		}
		return models.Errorf(models.Invalid, "One of %s is needed, and none is known yet.", strings.Join(names, " and "))
	}
	return nil
}

// value makes one field's JSON value; nil when there is nothing to send.
func (t *Table) value(f WireField, in input) (json.RawMessage, error) {
	if f.From == "const" {
		return f.Const, nil
	}
	if f.From == "amount" {
		return t.amount(f, in.amount)
	}
	text, err := in.text(f)
	if err != nil {
		return nil, err
	}
	if text == "" {
		if f.Required {
			return nil, models.FieldErrorf(fieldKey(f), "%s is missing.", f.Name)
		}
		return nil, nil
	}
	if err := t.fits(f, text, in.loopback); err != nil {
		return nil, err
	}
	return quote(text), nil
}

// text finds the plain text of a field.
func (in input) text(f WireField) (string, error) {
	switch f.From {
	case "value":
		return strings.TrimSpace(in.values[f.Key]), nil
	case "reference":
		return in.reference, nil
	case "provider_ref":
		return in.providerRef, nil
	case "currency":
		return in.amount.Asset, nil
	case "method":
		return in.method, nil
	case "note":
		return in.note, nil
	case "reason":
		return in.reason, nil
	case "notify_url":
		if in.cabinet {
			return "", nil
		}
		return in.notifyURL, nil
	case "return_url":
		return in.returnURL, nil
	}
	return in.evidenceText(f.From)
}

// amount writes money exactly: from the count of minor units, never through a float (AET-AMT-1).
func (t *Table) amount(f WireField, m models.Money) (json.RawMessage, error) {
	if m.Asset == "" || m.Minor <= 0 {
		return nil, models.FieldErrorf("amount", "The amount must be above zero.")
	}
	plain := m.Plain()
	if whole, frac, ok := strings.Cut(plain, "."); ok && len(frac) > t.Amount.Decimals {
		if strings.Trim(frac[t.Amount.Decimals:], "0") != "" {
			return nil, models.FieldErrorf("amount", "This provider takes at most %d decimals; %s has more.", t.Amount.Decimals, plain)
		}
		plain = strings.TrimSuffix(whole+"."+frac[:t.Amount.Decimals], ".")
	}
	switch t.Amount.As {
	case "number":
		return json.RawMessage(plain), nil
	case "minor":
		return json.RawMessage(fmt.Sprint(m.Minor)), nil
	}
	return quote(plain), nil
}

var (
	uuidForm   = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
	momentForm = "2006-01-02T15:04:05Z"
)

// fits applies a field's own rules and those of the whole table.
func (t *Table) fits(f WireField, text string, loopback bool) error {
	limit := f.Max
	if limit == 0 {
		limit = 255
		if f.Format == "https_url" {
			limit = 2000
		}
	}
	switch {
	case !utf8.ValidString(text) || hasControl(text):
		return models.FieldErrorf(fieldKey(f), "%s contains a control or invisible character.", f.Name)
	case utf8.RuneCountInString(text) > limit:
		return models.FieldErrorf(fieldKey(f), "%s may have at most %d characters.", f.Name, limit)
	case f.Pattern != "" && !matches(f.Pattern, text):
		return models.FieldErrorf(fieldKey(f), "%s is not in the form that the operation table asks for.", f.Name)
	case f.From == "reference" && !matches(t.Reference, text):
		return models.FieldErrorf("reference", "Our reference is not in the form that the operation table asks for.")
	case f.From == "currency" && !matches(t.Currency, text):
		return models.FieldErrorf("amount", "%s is not a currency that this provider's operation table allows.", clip(text))
	}
	return fitsFormat(f, text, loopback)
}

func fitsFormat(f WireField, text string, loopback bool) error {
	switch f.Format {
	case "uuid":
		if !uuidForm.MatchString(text) {
			return models.FieldErrorf(fieldKey(f), "%s must be the provider's id, in the form 8-4-4-4-12 hexadecimal digits.", f.Name)
		}
	case "decimal":
		if d, err := models.ParseDecimal(text); err != nil || !d.IsPositive() {
			return models.FieldErrorf(fieldKey(f), "%s must be an amount above zero, such as 100.50.", f.Name)
		}
	case "moment":
		if _, err := time.Parse(momentForm, text); err != nil {
			return models.FieldErrorf(fieldKey(f), "%s must be a moment in UTC, such as 2025-01-31T00:00:00Z.", f.Name)
		}
	case "https_url":
		u, err := url.Parse(text)
		local := err == nil && loopback && u.Scheme == "http" && (u.Hostname() == "127.0.0.1" || u.Hostname() == "::1" || u.Hostname() == "localhost")
		if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && !local {
			return models.FieldErrorf(fieldKey(f), "%s must be an address that begins with https.", f.Name)
		}
	}
	return nil
}

func fieldKey(f WireField) string {
	if f.Key != "" {
		return f.Key
	}
	return f.From
}

// matches reports whether the whole text fits a checked pattern; an empty pattern takes everything.
func matches(pattern, text string) bool {
	if pattern == "" {
		return true
	}
	re, err := regexp.Compile(pattern)
	return err == nil && re.MatchString(text)
}
