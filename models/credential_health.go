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
	Caller string // the address that providers see us call from; empty: not known
	Egress []IPRule
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
	if len(s.Egress) > 0 && s.Caller != "" && !Inside(s.Egress, s.Caller) {
		add(true, "We call from %s, which is not among the addresses that the provider was told.", s.Caller)
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

// Inside reports whether an address is in one of the networks. What is no address is in none.
func Inside(rules []IPRule, ip string) bool {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(rules, func(r IPRule) bool {
		p, err := netip.ParsePrefix(r.CIDR)
		return err == nil && p.Contains(addr.Unmap())
	})
}
