package providers

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
)

// AddressList is a list at the provider of the addresses that may call it. All five take addresses from a person only: none has a call for it.
type AddressList struct {
	ID     string // stable, "cashouts"; our rules and what calls showed hang on it
	Title  string // as the provider names it
	Guards string // what may be called from the addresses on it, for people
	ByMail bool   // the provider is written to; otherwise a person enters addresses in its panel
	Where  string // a sentence: where a person enters an address, or whom they write to
	Mark   Mark   // how well it is known that the list exists and is enforced
	Item   string // the contract item it rests on, if there is one
}

// AddressList finds a list by id.
func (d *Description) AddressList(id string) (AddressList, bool) {
	i := slices.IndexFunc(d.AddressLists, func(l AddressList) bool { return l.ID == id })
	if i < 0 {
		return AddressList{}, false
	}
	return d.AddressLists[i], true
}

// AddressTitles gives the titles of the lists by id.
func (d *Description) AddressTitles() map[string]string {
	out := map[string]string{}
	for _, l := range d.AddressLists {
		out[l.ID] = l.Title
	}
	return out
}

// Answered is a whole answer of a provider, as far as it can speak about the address that we called from. Secrets are blanked in it.
type Answered struct {
	Operation string
	Path      string // of the request, without query
	Status    int
	Body      []byte
}

// AddressWord is what an answer says about the address that we called from.
type AddressWord string

// The words.
const (
	AddressLetIn   AddressWord = "let_in"
	AddressRefused AddressWord = "refused"
)

// Code reads the member "code" of a JSON object as text, whether it is written as text or as a number; "" if there is none.
func (a Answered) Code() string {
	var body struct {
		Code json.RawMessage `json:"code"`
	}
	if json.Unmarshal(a.Body, &body) != nil {
		return ""
	}
	return strings.Trim(string(body.Code), `"`)
}

// JSON reports whether the body is whole JSON.
func (a Answered) JSON() bool { return json.Valid(a.Body) }

// OK reports whether the status is one of success.
func (a Answered) OK() bool { return a.Status >= 200 && a.Status < 300 }

// AddressIn finds the first IP address that stands in a text by itself: some providers say in a refusal whom they saw. What it gives was
// written by somebody else and may only be shown.
func AddressIn(text []byte) string {
	if len(text) > 4096 {
		text = text[:4096]
	}
	for _, word := range strings.FieldsFunc(string(text), func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'f') && (r < 'A' || r > 'F') && r != '.' && r != ':'
	}) {
		word = strings.TrimRight(word, ".")
		if a, err := netip.ParseAddr(word); err == nil && a.Unmap().IsGlobalUnicast() {
			return a.Unmap().String()
		}
		if _, after, ok := strings.Cut(word, ":"); ok { // "ip:203.0.113.7"
			if a, err := netip.ParseAddr(strings.TrimRight(after, ".")); err == nil && a.Unmap().IsGlobalUnicast() {
				return a.Unmap().String()
			}
		}
	}
	return ""
}
