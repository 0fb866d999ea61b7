package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strconv"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

type amount = decimal.Decimal

// rule is what the contract says of one member of a request.
type rule struct {
	name string
	kind string // string, integer, boolean, integers, amount
	must bool
	max  int // characters, or items
}

// decode reads strict JSON: one value, no key twice in an object, numbers as they are written.
func decode(raw []byte) (any, error) {
	if !utf8.Valid(raw) {
		return nil, errors.New("not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	v, err := decodeValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows")
	}
	return v, nil
}

func decodeValue(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil || depth > 16 {
		return nil, errors.New("unreadable JSON")
	}
	switch t {
	case json.Delim('{'):
		o := map[string]any{}
		for d.More() {
			k, err := d.Token()
			name, ok := k.(string)
			if _, twice := o[name]; err != nil || !ok || twice {
				return nil, errors.New("unreadable JSON or a key that stands twice")
			}
			if o[name], err = decodeValue(d, depth+1); err != nil {
				return nil, err
			}
		}
		_, err := d.Token()
		return o, err
	case json.Delim('['):
		l := []any{}
		for d.More() {
			v, err := decodeValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			l = append(l, v)
		}
		_, err := d.Token()
		return l, err
	}
	return t, nil
}

// envelope opens {"query": …, "pagination": …}.
func (s *Sandbox) envelope(in *incoming, paged bool) (any, *page, *reply) {
	no := func(code, message string) (any, *page, *reply) {
		r := refuse(code, message)
		return nil, nil, &r
	}
	v, err := decode(in.body)
	if err != nil {
		return no("TEST_JSON", "the body is not JSON: "+err.Error())
	}
	o, ok := v.(map[string]any)
	if !ok {
		return no("TEST_ENVELOPE", "the body must be an object with query")
	}
	q, ok := o["query"]
	if !ok {
		return no("TEST_ENVELOPE", "the body must be wrapped in query")
	}
	for k := range o {
		if k != "query" && (!paged || k != s.setting("history_page_object", "pagination")) {
			return no("TEST_FIELD_UNKNOWN", "beside query there is an unknown member")
		}
	}
	if !paged {
		return q, nil, nil
	}
	p, bad := readPage(o[s.setting("history_page_object", "pagination")])
	return q, p, bad
}

// page is what a list was asked for.
type page struct{ current, size int }

func readPage(v any) (*page, *reply) {
	o, ok := v.(map[string]any)
	if !ok {
		r := refuse("TEST_FIELD_MISSING", "pagination is missing")
		return nil, &r
	}
	if bad := checkMembers(o, []rule{{"current", "integer", true, 0}, {"size", "integer", true, 0}}); bad != nil {
		return nil, bad
	}
	current, size := whole(o["current"]), whole(o["size"])
	if current < 1 || size < 1 {
		r := refuse("TEST_FIELD_TYPE", "current and size begin at 1")
		return nil, &r
	}
	return &page{int(min(current, 1<<30)), int(min(size, 50))}, nil // at most 50 whatever is asked (WSPN-MINT-1)
}

// cut gives one page of a list.
func cut[T any](list []T, p *page) []T {
	from := min((p.current-1)*p.size, len(list))
	return list[from:min(from+p.size, len(list))]
}

// query opens an envelope whose query is an object and holds it against the rules.
func (s *Sandbox) query(in *incoming, rules []rule) (map[string]any, *reply) {
	v, _, bad := s.envelope(in, false)
	if bad != nil {
		return nil, bad
	}
	o, ok := v.(map[string]any)
	if !ok {
		r := refuse("TEST_ENVELOPE", "query must be an object")
		return nil, &r
	}
	if bad := s.checkQuery(o, rules); bad != nil {
		return nil, bad
	}
	return o, nil
}

func (s *Sandbox) checkQuery(o map[string]any, rules []rule) *reply {
	if s.setting("boolean_strings", "no") == "yes" {
		for _, r := range rules {
			if text, ok := o[r.name].(string); ok && r.kind == "boolean" && (text == "true" || text == "false") {
				o[r.name] = text == "true"
			}
		}
	}
	return checkMembers(o, rules)
}

func checkMembers(o map[string]any, rules []rule) *reply {
	known := map[string]bool{}
	for _, r := range rules {
		known[r.name] = true
		if bad := checkMember(o[r.name], r); bad != nil {
			return bad
		}
	}
	for k := range o {
		if !known[k] {
			r := refuse("TEST_FIELD_UNKNOWN", "the member "+strconv.QuoteToASCII(k)+" is not documented")
			return &r
		}
	}
	return nil
}

func checkMember(v any, r rule) *reply {
	no := func(code, text string) *reply {
		out := refuse(code, r.name+" "+text)
		return &out
	}
	if v == nil || v == "" && r.kind != "amount" {
		if r.must {
			return no("TEST_FIELD_MISSING", "is missing")
		}
		return nil
	}
	switch r.kind {
	case "string":
		text, ok := v.(string)
		if !ok {
			return no("TEST_FIELD_TYPE", "must be a string")
		}
		if r.max > 0 && utf8.RuneCountInString(text) > r.max {
			return no("TEST_FIELD_LENGTH", "is too long")
		}
	case "amount":
		if _, ok := v.(string); !ok {
			return no("TEST_FIELD_TYPE", "must be a string")
		}
	case "integer":
		n, ok := v.(json.Number)
		if !ok {
			return no("TEST_FIELD_TYPE", "must be an integer")
		}
		if i, err := strconv.ParseInt(n.String(), 10, 64); err != nil || i <= 0 {
			return no("TEST_FIELD_TYPE", "must be an integer from 1 to 2^63-1")
		}
	case "boolean":
		if _, ok := v.(bool); !ok {
			return no("TEST_FIELD_TYPE", "must be a boolean")
		}
	case "integers":
		list, ok := v.([]any)
		if !ok {
			return no("TEST_FIELD_TYPE", "must be an array of integers")
		}
		if len(list) > r.max {
			return no("TEST_FILES", "has more than "+strconv.Itoa(r.max)+" items")
		}
		if r.must && len(list) == 0 {
			return no("TEST_FIELD_MISSING", "is empty")
		}
		for _, x := range list {
			if bad := checkMember(x, rule{r.name, "integer", true, 0}); bad != nil {
				return bad
			}
		}
	}
	return nil
}

var (
	centsShape = regexp.MustCompile(`^[0-9]+(\.[0-9]{1,2})?$`)
	wholeShape = regexp.MustCompile(`^[0-9]+$`)
)

// readAmount applies the rules of 6.8 (WSPN-AMT-1).
func readAmount(text, currency string) (amount, *reply) {
	shape := centsShape
	if currency == "JPY" {
		shape = wholeShape
	}
	if len(text) > 20 || !shape.MatchString(text) {
		r := refuse("TEST_AMOUNT", "the amount is not a plain decimal of at most 20 characters with the decimals of its currency")
		return amount{}, &r
	}
	d, err := decimal.NewFromString(text)
	if err != nil || !d.IsPositive() {
		r := refuse("TEST_AMOUNT", "the amount must be above zero")
		return amount{}, &r
	}
	return d, nil
}

func places(currency string) int32 {
	if currency == "JPY" {
		return 0
	}
	return 2
}

// figure writes an amount padded to its scale.
func figure(d amount, currency string) string { return d.StringFixed(places(currency)) }

func text(o map[string]any, name string) string {
	s, _ := o[name].(string)
	return s
}

func whole(v any) int64 {
	n, _ := v.(json.Number)
	i, _ := strconv.ParseInt(n.String(), 10, 64)
	return i
}
