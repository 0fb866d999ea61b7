package models

import (
	"fmt"
	"net/netip"
	"slices"
)

// Worry is something about a credential that a person should look at.
type Worry struct {
	Sentence string
	Grave    bool // it stands in the way of money already
}

// Signs are what a credential is judged by, beside its own row.
type Signs struct {
	Now    Micros
	Health Health // zero where it was not looked at
	Paused bool   // calls are being refused because the provider did not answer
	Caller string // the address that providers see us call from, as configured or learned; empty: not known
	Egress []IPRule
	Lists  map[string]string // titles of the provider's address lists, by id
	Seen   []CallerSeen      // what calls showed about our address, per list
	Hooks  []IPRule          // where its webhooks may come from
}

const (
	skewWorries = 60 // seconds; the narrowest window a provider states is wider
	enoughCalls = 10
	skewIsGrave = 240
	oneInTen    = 10
)

// Worries lists what is wrong with a credential, the gravest first.
func (c Credential) Worries(s Signs) []Worry {
	var out []Worry
	add := func(grave bool, format string, args ...any) {
		out = append(out, Worry{Sentence: fmt.Sprintf(format, args...), Grave: grave})
	}
	if c.State == CredentialRevoked {
		return nil
	}
	if s.Paused {
		add(true, "Calls are paused for a moment: the provider did not answer several times in a row.")
	}
	if c.Use.ErrorAt > c.Use.OKAt && c.Use.ErrorAt != 0 {
		add(true, "Nothing has worked since the last failure: %s", c.Use.Error)
	}
	if h := s.Health; h.Calls >= enoughCalls && h.Failed*oneInTen >= h.Calls {
		add(false, "%d of the last %d calls were not answered, or with a failure of the provider's own.", h.Failed, h.Calls)
	}
	if skew := max(c.SkewSecs, -c.SkewSecs); skew >= skewWorries {
		add(skew >= skewIsGrave, "The provider's clock and ours are %d s apart. Signatures carry the time and may be refused; look at this machine's clock.", skew)
	}
	for _, w := range c.AddressWorries(s) {
		add(w.Grave, "%s", w.Sentence)
	}
	if c.Rotation(s.Now) == RotationOverdue {
		add(false, "The keys should have been replaced %d days ago.", -c.DaysLeft(s.Now))
	}
	slices.SortStableFunc(out, func(a, b Worry) int {
		switch {
		case a.Grave == b.Grave:
			return 0
		case a.Grave:
			return -1
		}
		return 1
	})
	return out
}

// AddressWorries lists what is wrong with the addresses around a credential: the provider has an old one of ours, refuses the one that we call
// from, or sees us at another than we are told; or every rule for its webhooks has ended.
func (c Credential) AddressWorries(s Signs) (out []Worry) {
	if c.State == CredentialRevoked {
		return nil
	}
	add := func(grave bool, format string, args ...any) {
		out = append(out, Worry{Sentence: fmt.Sprintf(format, args...), Grave: grave})
	}
	of := func(list string) string {
		if title := s.Lists[list]; title != "" {
			return " for the list “" + title + "”"
		}
		return ""
	}
	lists := map[string][]IPRule{}
	var order []string
	for _, r := range s.Egress {
		if r.CredentialID != c.ID {
			continue
		}
		if _, ok := lists[r.List]; !ok {
			order = append(order, r.List)
		}
		if lists[r.List] = append(lists[r.List], InForce([]IPRule{r}, s.Now)...); lists[r.List] == nil {
			lists[r.List] = []IPRule{}
		}
	}
	for _, list := range order {
		if s.Caller != "" && !Inside(lists[list], s.Caller) {
			add(true, "We call from %s, which is not among the addresses that the provider was told%s.", s.Caller, of(list))
		}
	}
	for _, x := range s.Seen {
		if x.CredentialID != c.ID {
			continue
		}
		switch {
		case x.Refused && x.Address != "":
			add(true, "The provider refuses calls from %s: that address is not on its list%s.", x.Address, of(x.List))
		case x.Refused:
			add(true, "The provider refuses the address that we call from%s.", of(x.List))
		case x.Address != "" && s.Caller != "" && !sameAddress(x.Address, s.Caller):
			add(false, "The provider saw us call from %s, and we are believed to call from %s.", x.Address, s.Caller)
		}
	}
	hooks := slices.DeleteFunc(slices.Clone(s.Hooks), func(r IPRule) bool { return r.CredentialID != c.ID })
	if len(hooks) > 0 && len(InForce(hooks, s.Now)) == 0 {
		add(true, "Every address rule for its webhooks has ended: all of its webhooks are refused.")
	}
	return out
}

func sameAddress(a, b string) bool {
	x, err := netip.ParseAddr(a)
	y, yerr := netip.ParseAddr(b)
	return err == nil && yerr == nil && x.Unmap() == y.Unmap()
}
