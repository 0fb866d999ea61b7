package providers

import (
	"slices"
	"strings"

	"countinghouse/models"
	"countinghouse/models/address"
)

// OnChain is the form of crypto addresses. It belongs to no provider: an address on a network is the same whoever pays it.
const OnChain = "crypto"

// DestinationForm is what one kind of destination is asked for. Forms are drawn from the payout methods of the providers: a method's fields
// without those that every payment has anew, the fields of a provider's book where its payouts go to entries of that book, and one form for
// crypto addresses of every network that can be checked.
type DestinationForm struct {
	ID         string // "crypto", "acme/accounts", "acme/pix_phone"
	Kind       models.DestinationKind
	Title      string
	Note       string
	Country    string
	Provider   string
	Short      string // of the provider
	Method     string
	Book       models.Book
	EntryField string
	Payment    []string // fields that a payout may add
	Assets     []string
	Fields     []Field
	Locked     string

	describe *Description
	method   Method
}

// PaysTo tells what a payout method pays: what it says itself, or what its fields let see.
func (m Method) PaysTo() models.DestinationKind {
	if m.To != "" {
		return m.To
	}
	kind := models.ToBank
	for _, f := range m.Fields {
		switch {
		case f.Role == RoleNetwork:
			return models.ToAddress
		case f.Role == RoleAccount && f.Kind == Phone:
			kind = models.ToMobile
		case f.Role == RoleAccount && strings.Contains(strings.ToLower(f.Label), "card"):
			kind = models.ToCard
		}
	}
	return kind
}

// onChain reports whether a method pays exactly a network and an address, by those names: then the form of addresses serves it.
func (m Method) onChain() bool {
	var named []string
	for _, f := range m.Fields {
		if !f.PerPayment {
			named = append(named, f.Name)
		}
	}
	slices.Sort(named)
	return slices.Equal(named, []string{"address", "network"})
}

// pays lists the networks of a method that pays on chain.
func (m Method) pays(network string) bool {
	for _, f := range m.Fields {
		if f.Role == RoleNetwork {
			return slices.ContainsFunc(f.Options, func(o Option) bool { return o.Value == network })
		}
	}
	return m.Network == network
}

// OnChainForm is the form of crypto addresses in an environment. Test networks are offered in the sandbox only.
func OnChainForm(env models.Environment) DestinationForm {
	f := DestinationForm{ID: OnChain, Kind: models.ToAddress, Title: "Crypto address", Note: "Network and address must belong together: money sent on the wrong network is lost."}
	network := Field{Name: "network", Label: "Network", Kind: Select, Required: true, Role: RoleNetwork}
	for _, n := range address.Networks() {
		if !n.Test || env == models.Sandbox {
			network.Options = append(network.Options, Option{Value: n.Title, Label: n.Title})
		}
	}
	f.Fields = []Field{network, {Name: "address", Label: "Address", Required: true, MaxLen: 120, Role: RoleAccount, Help: "Copy it from where it came; its checksum is checked."},
		{Name: "owner", Label: "Whose it is", Required: true, MaxLen: 100, Role: RoleOwner}}
	return f
}

// FormsOf gives the forms of one provider with these settings.
func (d *Description) FormsOf(settings map[string]string) []DestinationForm {
	var out []DestinationForm
	books := map[models.Book]bool{}
	for _, m := range d.MethodsWith(settings) {
		if m.Kind != models.Payout || m.onChain() {
			continue
		}
		f := DestinationForm{ID: d.Name + "/" + m.ID, Kind: m.PaysTo(), Title: m.Title, Note: m.Note, Country: m.Country, Provider: d.Name, Short: d.Short, Method: m.ID,
			Assets: m.Assets, Locked: m.Locked, describe: d, method: m}
		for _, x := range m.Fields {
			if x.PerPayment {
				f.Payment = append(f.Payment, x.Name)
			} else {
				f.Fields = append(f.Fields, x)
			}
		}
		if m.Book == models.AccountsBook && len(d.AccountFields) > 0 {
			if books[m.Book] {
				continue
			}
			books[m.Book] = true
			f.ID, f.Title, f.Fields = d.Name+"/"+string(m.Book), "Bank account at "+d.Short, slices.Clone(d.AccountFields)
			f.Book, f.EntryField = m.Book, m.EntryField
			f.Note = "It is registered at " + d.Short + " once it is approved."
		}
		out = append(out, f)
	}
	return out
}

// Check applies the form's rules to typed values as people typed them: addresses by their checksum, everything else by the fields and the
// provider's own rules. It gives the values in the one spelling that is stored, and what is wrong, field by field.
func (f DestinationForm) Check(settings, typed map[string]string) (map[string]string, []models.Problem) {
	var ps []models.Problem
	clean := map[string]string{}
	for _, x := range f.Fields {
		v, err := x.Clean(typed[x.Name])
		if err != nil {
			ps = append(ps, models.Problem{Field: x.Name, Sentence: err.Error()})
			continue
		}
		if v != "" {
			clean[x.Name] = v
		}
	}
	for name, v := range typed {
		if strings.TrimSpace(v) != "" && !slices.ContainsFunc(f.Fields, func(x Field) bool { return x.Name == name }) {
			ps = append(ps, models.Problem{Field: name, Sentence: "This form has no field " + models.Safe(name, 40) + "."})
		}
	}
	if f.Locked != "" {
		return nil, []models.Problem{{Sentence: f.Locked}}
	}
	if len(ps) > 0 {
		return clean, ps
	}
	if f.Kind == models.ToAddress && clean["network"] != "" && clean["address"] != "" {
		a, err := address.Validate(clean["network"], clean["address"])
		if err != nil {
			return clean, []models.Problem{{Field: "address", Sentence: err.Error()}}
		}
		clean["address"] = a.Normalized
	}
	if f.describe == nil {
		return clean, nil
	}
	if f.Book != "" {
		if f.describe.Canonical != nil {
			clean = f.describe.Canonical(f.Book, clean)
		}
		return clean, nil
	}
	return clean, f.ownRules(settings, clean)
}

// ownRules asks the provider's rules about a payment of a usual size and keeps what they say about the destination: what they say of an
// amount has nothing to do with it.
func (f DestinationForm) ownRules(settings, clean map[string]string) (ps []models.Problem) {
	if f.describe.CheckRequest == nil {
		return nil
	}
	asset := "USD"
	if len(f.Assets) > 0 {
		asset = f.Assets[0]
	}
	amount, err := models.ParseMoney("1000", asset)
	if low, lerr := models.ParseMoney(f.method.Minimum, asset); err != nil || (f.method.Minimum != "" && lerr == nil && low.Minor > amount.Minor) {
		amount = low
	}
	for _, p := range f.describe.CheckRequest(settings, f.method, amount, clean) {
		if slices.ContainsFunc(f.Fields, func(x Field) bool { return x.Name == p.Field }) {
			ps = append(ps, p)
		}
	}
	return ps
}

// Spec writes down what checked values say.
func (f DestinationForm) Spec(values map[string]string) models.DestinationSpec {
	s := models.DestinationSpec{Kind: f.Kind, Form: f.ID, Provider: f.Provider, Method: f.Method, Book: f.Book, EntryField: f.EntryField, Payment: f.Payment, Country: f.Country,
		Title: f.Title, Values: values}
	to := DestinationOf(Method{Title: f.Title, Country: f.Country, Fields: f.Fields}, values)
	s.Owner, s.Masked = to.Owner, to.Masked
	if f.EntryField == "" {
		s.PayDigest = to.Digest
	}
	if f.ID == OnChain {
		s.Title = values["network"] + " address"
		s.PayDigest = DestinationOf(Method{Fields: f.Fields[:2]}, values).Digest
		s.Masked = strings.Replace(s.Masked, f.Title, s.Title, 1)
		if s.Owner != "" { // whose it is is said about the address and is not sent anywhere
			s.Values = map[string]string{"network": values["network"], "address": values["address"]}
		}
	}
	var place, document []string
	for _, x := range f.Fields {
		v := values[x.Name]
		if v == "" {
			continue
		}
		s.Lines = append(s.Lines, models.DestinationLine{Label: x.Label, Value: optionLabel(x, v), Copy: x.Role == RoleAccount})
		switch x.Role {
		case RoleAccount:
			s.Accounts = append(s.Accounts, models.BareAccount(v))
			place = append(place, models.BareAccount(v))
		case RoleBank, RoleCurrency:
			place = append(place, models.BareAccount(v))
		case RoleNetwork:
			s.Network = v
			place = append(place, models.BareAccount(v))
		case RoleDocument:
			document = append(document, models.BareAccount(v))
		}
		if x.Role == RoleCurrency {
			s.Currency = v
		}
	}
	if len(s.Accounts) == 0 { // the document is the account
		s.Accounts, place = document, append(place, document...)
		for i := range s.Lines {
			for _, x := range f.Fields {
				s.Lines[i].Copy = s.Lines[i].Copy || (x.Role == RoleDocument && x.Label == s.Lines[i].Label)
			}
		}
	}
	s.Place = string(f.Kind) + "\x00" + f.Country + "\x00" + strings.Join(place, "\x00")
	return s
}

// PaidBy reports whether a payout method of a provider can pay a destination, and through which of the provider's books.
func PaidBy(provider string, m Method, d *models.Destination) (book models.Book, ok bool) {
	switch {
	case m.Kind != models.Payout || m.Locked != "":
		return "", false
	case d.Form == OnChain:
		return m.Book, m.onChain() && (d.Network == "" || m.pays(d.Network)) // before a network is chosen, any will do
	case d.EntryField != "":
		return m.Book, d.Provider == provider && m.Book == d.Book && m.EntryField == d.EntryField
	}
	return m.Book, d.Fits(provider, m.ID)
}

// BookOf tells in which of a provider's books a destination can be registered; empty: in none.
func (d *Description) BookOf(settings map[string]string, to *models.Destination) models.Book {
	for _, m := range d.MethodsWith(settings) {
		if book, ok := PaidBy(d.Name, m, to); ok && book != "" && d.keeps(book) {
			return book
		}
	}
	return ""
}

func (d *Description) keeps(b models.Book) bool {
	return b == models.AddressesBook && d.Has(CanKeepAddresses) || b == models.AccountsBook && d.Has(CanKeepAccounts)
}

// Books lists the books that a provider keeps.
func (d *Description) Books() []models.Book {
	var out []models.Book
	for _, b := range []models.Book{models.AddressesBook, models.AccountsBook} {
		if d.keeps(b) {
			out = append(out, b)
		}
	}
	return out
}

// bookFields are the fields of a book's entries.
func (d *Description) bookFields(b models.Book) []Field {
	if b == models.AddressesBook {
		return d.AddressFields
	}
	return d.AccountFields
}

// BookValues writes a destination's values as an entry of a book: only what the book has a field for, and the name where it takes a label.
func (d *Description) BookValues(b models.Book, to *models.Destination) map[string]string {
	out := map[string]string{}
	for _, f := range d.bookFields(b) {
		v := to.Values[f.Name]
		if f.Name == "label" && v == "" {
			if r := []rune(to.Name); f.MaxLen > 0 && len(r) > f.MaxLen {
				v = string(r[:f.MaxLen])
			} else {
				v = to.Name
			}
		}
		if v != "" {
			out[f.Name] = v
		}
	}
	return d.canonical(b, out)
}

func (d *Description) canonical(b models.Book, values map[string]string) map[string]string {
	if d.Canonical != nil {
		values = d.Canonical(b, values)
	}
	if b == models.AddressesBook {
		if a, err := address.Validate(values["network"], values["address"]); err == nil {
			values["address"] = a.Normalized
		}
	}
	return values
}

// EntryForm is the form that an entry of a book belongs to when it is taken over.
func (d *Description) EntryForm(env models.Environment, settings map[string]string, b models.Book) (DestinationForm, bool) {
	if b == models.AddressesBook {
		return OnChainForm(env), true
	}
	for _, f := range d.FormsOf(settings) {
		if f.Book == b {
			return f, true
		}
	}
	return DestinationForm{}, false
}

// ReadEntry turns an entry of a provider's book into the values of a destination, in our spelling, and the place that it names.
func (d *Description) ReadEntry(env models.Environment, settings map[string]string, b models.Book, e Entry) (models.DestinationSpec, bool) {
	form, ok := d.EntryForm(env, settings, b)
	if !ok {
		return models.DestinationSpec{}, false
	}
	values := map[string]string{}
	for k, v := range e.Values {
		if v != "" {
			values[k] = v
		}
	}
	values = d.canonical(b, values)
	label := values["label"]
	delete(values, "label")
	s := form.Spec(values)
	if b == models.AddressesBook {
		s.Values = values
		s.Lines = append(s.Lines, models.DestinationLine{Label: "Label", Value: label})
	}
	return s, true
}

// Drift compares both sides of an entry, field by field, in the labels of the book. A label of ours at theirs decides nothing and is not compared.
func (d *Description) Drift(b models.Book, ours, theirs map[string]string) []models.BookDifference {
	var out []models.BookDifference
	ours, theirs = d.canonical(b, clone(ours)), d.canonical(b, clone(theirs))
	for _, f := range d.bookFields(b) {
		if f.Name != "label" && models.BareAccount(ours[f.Name]) != models.BareAccount(theirs[f.Name]) {
			out = append(out, models.BookDifference{Label: f.Label, Ours: ours[f.Name], Theirs: theirs[f.Name]})
		}
	}
	return out
}

func clone(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// FormsFor names the forms whose destinations a payout method can pay, and the networks among which it can.
func (d *Description) FormsFor(m Method) (forms, networks []string) {
	switch {
	case m.Kind != models.Payout:
		return nil, nil
	case m.onChain():
		for _, f := range m.Fields {
			if f.Role == RoleNetwork {
				for _, o := range f.Options {
					networks = append(networks, o.Value)
				}
			}
		}
		return []string{OnChain}, networks
	case m.Book == models.AccountsBook && len(d.AccountFields) > 0:
		return []string{d.Name + "/" + string(m.Book)}, nil
	}
	return []string{d.Name + "/" + m.ID}, nil
}
