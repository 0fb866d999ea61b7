package models

import (
	"fmt"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// IPScope says what an address rule guards.
type IPScope string

// The scopes of address rules.
const (
	ScopeConsole IPScope = "console" // these pages, per role
	ScopeWebhook IPScope = "webhook" // inbound calls, per credential
	ScopeEgress  IPScope = "egress"  // which of our addresses a provider knows, per credential and list of the provider's
	ScopeAPI     IPScope = "api"     // the product's own keys
)

// IPScopes lists the scopes in the order that pages show them.
func IPScopes() []IPScope { return []IPScope{ScopeConsole, ScopeWebhook, ScopeEgress, ScopeAPI} }

// Valid reports whether s is a scope.
func (s IPScope) Valid() bool { return slices.Contains(IPScopes(), s) }

// Told is how far an address of ours is on its way into a provider's list.
type Told string

// The states of an egress rule.
const (
	ToSend    Told = "to_send"   // nobody has told the provider yet
	Sent      Told = "sent"      // a person says that the provider was told
	Confirmed Told = "confirmed" // a call from this address was let in
	NotLet    Told = "refused"   // the provider refused a call from this address
)

// IPRule lets a network in. A scope without any rule is open to everybody; one with rules lets in whom a rule in force holds. A rule that has
// ended lets nobody in and still counts as a guard: that a rule for visitors ran out must not open the house to everybody.
type IPRule struct {
	ID           string  `json:"id"`
	Scope        IPScope `json:"scope"`
	Role         Role    `json:"role"`          // console: empty means everybody
	CredentialID string  `json:"credential_id"` // webhook and egress
	List         string  `json:"list"`          // egress: which of the provider's lists; ids come from its description
	CIDR         string  `json:"cidr"`
	Label        string  `json:"label"`
	Expires      Micros  `json:"expires_us"` // lets nobody in from then on; zero: it does not end

	Created     Micros      `json:"-"`
	CreatedBy   string      `json:"-"` // user id
	CreatedName string      `json:"-"`
	Hit         Micros      `json:"-"` // when it last let somebody in, to within a minute or so
	Credential  string      `json:"-"` // its name
	Provider    string      `json:"-"`
	Environment Environment `json:"-"`

	Told     Told   `json:"-"` // egress only
	ToldAt   Micros `json:"-"`
	ToldName string `json:"-"` // who said so; empty when a call showed it
	Exchange string `json:"-"` // the call that showed it
}

// InForce reports whether the rule lets anybody in at a moment.
func (r IPRule) InForce(now Micros) bool { return r.Expires == 0 || now < r.Expires }

// Prefix is the rule's network; the zero prefix, which holds nothing, if it cannot be read.
func (r IPRule) Prefix() netip.Prefix {
	p, err := netip.ParsePrefix(r.CIDR)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// Holds reports whether the rule's network has the address. What is no address is in none.
func (r IPRule) Holds(ip string) bool {
	addr, err := netip.ParseAddr(ip)
	return err == nil && r.Prefix().Contains(addr.Unmap())
}

// SameDoor reports whether two rules guard the same thing.
func (r IPRule) SameDoor(o IPRule) bool {
	return r.Scope == o.Scope && r.Role == o.Role && r.CredentialID == o.CredentialID && r.List == o.List
}

// InForce keeps the rules that let anybody in at a moment.
func InForce(rules []IPRule, now Micros) []IPRule {
	var out []IPRule
	for _, r := range rules {
		if r.InForce(now) {
			out = append(out, r)
		}
	}
	return out
}

// Inside reports whether an address is in one of the networks.
func Inside(rules []IPRule, ip string) bool {
	return slices.ContainsFunc(rules, func(r IPRule) bool { return r.Holds(ip) })
}

// The widest networks that need no confirmation: a large company's own.
const (
	wideV4 = 16
	wideV6 = 32
)

const networkHelp = "Write an address such as 203.0.113.7 or a range such as 203.0.113.0/24 or 2001:db8::/32."

// ParseNetwork reads "203.0.113.7", "203.0.113.0/24" or an IPv6 form and gives it in one spelling: host bits cleared, and an IPv4 network
// written as IPv6 ("::ffff:203.0.113.7", "::ffff:10.0.0.0/104") as the IPv4 network that it is. Zones, host names, digits of other scripts
// and networks of all addresses are refused.
func ParseNetwork(text string) (netip.Prefix, error) {
	text = strings.TrimSpace(text)
	shown := text
	if utf8.RuneCountInString(shown) > 60 {
		shown = string([]rune(shown)[:60]) + "…"
	}
	bad := FieldErrorf("cidr", "%q is not a network. %s", shown, networkHelp)
	if text == "" {
		return netip.Prefix{}, FieldErrorf("cidr", "Which network? %s", networkHelp)
	}
	if strings.Contains(text, "%") {
		return netip.Prefix{}, FieldErrorf("cidr", "%q names a zone of one machine, which means nothing elsewhere. %s", shown, networkHelp)
	}
	var p netip.Prefix
	if strings.Contains(text, "/") {
		var err error
		if p, err = netip.ParsePrefix(text); err != nil {
			return netip.Prefix{}, bad
		}
	} else {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return netip.Prefix{}, bad
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, bad // it would mix IPv4 and IPv6
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p.Bits() == 0 {
		return netip.Prefix{}, FieldErrorf("cidr", "%s is every address there is: such a rule guards nothing. To let everybody in, remove the rules.", p.Masked())
	}
	return p.Masked(), nil
}

// WideNetwork reports whether a network is so large that a person should say that they mean it, and how many addresses it has, in words.
func WideNetwork(p netip.Prefix) (wide bool, addresses string) {
	if p.Addr().Is4() {
		return p.Bits() < wideV4, grouped(new(big.Int).Lsh(big.NewInt(1), uint(32-p.Bits())).String()) //nolint:gosec // 0 to 32
	}
	return p.Bits() < wideV6, fmt.Sprintf("2 to the power of %d", 128-p.Bits())
}

func grouped(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// PrivateNetwork reports whether a network cannot be seen from outside the house: a provider on the internet never meets such an address.
func PrivateNetwork(p netip.Prefix) bool {
	a := p.Addr()
	shared := netip.MustParsePrefix("100.64.0.0/10") // RFC 6598, behind a carrier's translation
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() || shared.Contains(a)
}

// ParseLabel checks what a rule is called: at most 80 characters that can be shown.
func ParseLabel(text string) (string, error) {
	text = strings.TrimSpace(text)
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || utf8.RuneCountInString(text) > 80 {
		return "", FieldErrorf("label", "Write a label of at most 80 characters on one line.")
	}
	return text, nil
}

// CheckNew refuses a rule that is there already, or that another one makes needless for as long as it would last.
func (r IPRule) CheckNew(rules []IPRule) error {
	for _, o := range rules {
		same := o
		same.Role = r.Role
		if !r.SameDoor(same) || (o.Role != r.Role && o.Role != "") || !r.outlivedBy(o) {
			continue
		}
		switch a, b := r.Prefix(), o.Prefix(); {
		case a == b && o.Role == r.Role:
			return FieldErrorf("cidr", "There is such a rule already.")
		case b.Bits() <= a.Bits() && b.Contains(a.Addr()):
			return FieldErrorf("cidr", "%s is inside %s, which is let in already.", r.CIDR, o.CIDR)
		}
	}
	return nil
}

func (r IPRule) outlivedBy(o IPRule) bool {
	return o.Expires == 0 || (r.Expires != 0 && r.Expires <= o.Expires)
}

// ConsoleAllows says whether somebody with these roles may use the console from an address at a moment. Each role that has rules (its own, or
// the ones for everybody) must be let in by one of them that is in force: a second role never opens a door that the first one closes. blockedBy
// names the role whose rules do not hold the address.
func ConsoleAllows(rules []IPRule, roles []Role, ip string, now Micros) (ok bool, blockedBy Role) {
	for _, role := range append([]Role{""}, roles...) {
		guarded, inside := false, false
		for _, r := range rules {
			if r.Scope != ScopeConsole || (r.Role != "" && r.Role != role) {
				continue
			}
			guarded = true
			inside = inside || (r.InForce(now) && r.Holds(ip))
		}
		// The rules for everybody alone decide only for those without a role: with a role its own rules may widen them.
		if guarded && !inside && (role != "" || len(roles) == 0) {
			return false, role
		}
	}
	return true, ""
}

// Letting lists the console rules that let somebody in from an address, so that their last use can be noted.
func Letting(rules []IPRule, roles []Role, ip string, now Micros) (ids []string) {
	for _, r := range rules {
		if r.Scope == ScopeConsole && (r.Role == "" || slices.Contains(roles, r.Role)) && r.InForce(now) && r.Holds(ip) {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// LocksOut reports whether new console rules would shut somebody out who is let in by the old ones, now or when a rule ends; when is the first
// such moment.
func LocksOut(before, after []IPRule, roles []Role, ip string, now Micros) (when Micros, locked bool) {
	moments := []Micros{now}
	for _, r := range after {
		if r.Expires > now {
			moments = append(moments, r.Expires)
		}
	}
	slices.Sort(moments)
	for _, at := range moments {
		was, _ := ConsoleAllows(before, roles, ip, at)
		if is, _ := ConsoleAllows(after, roles, ip, at); was && !is {
			return at, true
		}
	}
	return 0, false
}

// The bounds of the log of refused addresses: a flood costs memory and disk no more than this.
const (
	RefusedKept   = 500         // addresses per scope; the ones that were quiet longest go first
	RefusedFresh  = 30          // new addresses per scope and minute that are written down; the rest are only counted in the figures
	RefusedWrites = time.Minute // an address that keeps knocking is written down at most this often
)

// Refused is an address that the rules kept out, with how often it knocked.
type Refused struct {
	ID           string
	Scope        IPScope
	Role         Role   // console: the role whose rules do not hold it
	CredentialID string // webhook
	Credential   string // its name
	IP           string
	UserID       string // console: who was signed in
	UserName     string
	First, Last  Micros
	Count        int64
}

// CallerSeen is what one exchange with a provider showed about the address that we call from.
type CallerSeen struct {
	CredentialID string
	List         string // of the provider's lists
	Refused      bool   // the provider does not know the address; otherwise it let us in
	Address      string // which address the provider says it saw; empty when it does not say
	At           Micros
	ExchangeID   string
}
