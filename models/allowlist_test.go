package models_test

import (
	"net/netip"
	"strings"
	"testing"

	"countinghouse/models"
)

func TestNetworksAreReadInOneSpelling(t *testing.T) {
	for text, want := range map[string]string{
		"203.0.113.7": "203.0.113.7/32", " 203.0.113.7 ": "203.0.113.7/32", "203.0.113.7/24": "203.0.113.0/24", "2001:DB8::1": "2001:db8::1/128",
		"2001:db8:0:0::/32": "2001:db8::/32", "::ffff:203.0.113.7": "203.0.113.7/32", "::ffff:10.0.0.0/104": "10.0.0.0/8", "::ffff:cb00:7107": "203.0.113.7/32",
		"0.0.0.0/1": "0.0.0.0/1", "::1": "::1/128",
	} {
		p, err := models.ParseNetwork(text)
		if err != nil || p.String() != want {
			t.Errorf("%q is read as %s, %v; want %s", text, p, err, want)
		}
	}
	for text, word := range map[string]string{
		"": "Which network", "10.0.0.1/33": "not a network", "10.0.0.1/-1": "not a network", "10.0.0.1/8/8": "not a network", "2001:db8::/129": "not a network",
		"fe80::1%eth0": "zone", "fe80::%25eth0/64": "zone", "10.0.0.1 /8": "not a network", "10. 0.0.1": "not a network", "10.0.0.01": "not a network",
		"0x0a.0.0.1": "not a network", "167772161": "not a network", "10.0.0": "not a network", "١٠.٠.٠.١": "not a network", "１０.0.0.1": "not a network",
		"10.0.0.1\x00": "not a network", "10.0.0.0/8\n10.0.0.0/16": "not a network", "example.com": "not a network", "10.0.0.1-10.0.0.9": "not a network",
		"10.0.0.0/08": "not a network", "::ffff:10.0.0.0/90": "not a network", "0.0.0.0/0": "every address", "::/0": "every address", "203.0.113.9/0": "every address",
		"::ffff:0.0.0.0/96": "every address", strings.Repeat("9", 5000): "not a network", "*": "not a network", "<script>": "not a network",
	} {
		if p, err := models.ParseNetwork(text); !models.Is(err, models.Invalid) || !strings.Contains(err.Error(), word) || len(err.Error()) > 400 {
			t.Errorf("%.40q is read as %s, %v; want a refusal with %q", text, p, err, word)
		}
	}
}

func TestVeryLargeNetworksAreNamed(t *testing.T) {
	for text, want := range map[string]string{"10.0.0.0/8": "16,777,216", "128.0.0.0/1": "2,147,483,648", "10.1.0.0/16": "", "2001:db8::/32": "", "2000::/3": "2 to the power of 125"} {
		wide, n := models.WideNetwork(netip.MustParsePrefix(text))
		if wide != (want != "") || (wide && n != want) {
			t.Errorf("%s is wide: %v, with %s addresses; want %q", text, wide, n, want)
		}
	}
}

func rule(role models.Role, cidr string, expires models.Micros) models.IPRule {
	return models.IPRule{Scope: models.ScopeConsole, Role: role, CIDR: cidr, Expires: expires}
}

func TestARuleThatHasEndedLetsNobodyInAndGuardsStill(t *testing.T) {
	now := moment(1)
	finance := []models.Role{models.Finance}
	for name, c := range map[string]struct {
		rules []models.IPRule
		roles []models.Role
		ip    string
		want  bool
	}{
		"no rules":                           {nil, finance, "198.51.100.1", true},
		"held":                               {[]models.IPRule{rule(models.Finance, "198.51.100.0/24", 0)}, finance, "198.51.100.1", true},
		"held as IPv4 in IPv6":               {[]models.IPRule{rule(models.Finance, "198.51.100.0/24", 0)}, finance, "::ffff:198.51.100.1", true},
		"not held":                           {[]models.IPRule{rule(models.Finance, "198.51.100.0/24", 0)}, finance, "203.0.113.1", false},
		"held until later":                   {[]models.IPRule{rule(models.Finance, "198.51.100.0/24", now+1)}, finance, "198.51.100.1", true},
		"held until now":                     {[]models.IPRule{rule(models.Finance, "198.51.100.0/24", now)}, finance, "198.51.100.1", false},
		"another role's rule":                {[]models.IPRule{rule(models.Admin, "198.51.100.0/24", 0)}, finance, "203.0.113.1", true},
		"everybody's rule holds":             {[]models.IPRule{rule("", "198.51.100.0/24", 0)}, finance, "198.51.100.1", true},
		"a second role's rule opens nothing": {[]models.IPRule{rule(models.Finance, "10.0.0.0/8", 0), rule(models.Auditor, "198.51.100.0/24", 0)}, []models.Role{models.Finance, models.Auditor}, "198.51.100.1", false},
		"what is no address is nowhere":      {[]models.IPRule{rule("", "0.0.0.0/1", 0), rule("", "128.0.0.0/1", 0)}, finance, "nonsense", false},
		"a rule that cannot be read lets no one in": {[]models.IPRule{rule("", "broken", 0)}, finance, "198.51.100.1", false},
	} {
		if got, _ := models.ConsoleAllows(c.rules, c.roles, c.ip, now); got != c.want {
			t.Errorf("%s: let in %v, want %v", name, got, c.want)
		}
	}
}

func TestALockOutIsSeenAlsoWhenItComesLater(t *testing.T) {
	now, later := moment(1), moment(9)
	admin := []models.Role{models.Admin}
	me, other := "192.0.2.10", "203.0.113.0/24"
	for name, c := range map[string]struct {
		before, after []models.IPRule
		when          models.Micros
		locked        bool
	}{
		"a first rule elsewhere":          {nil, []models.IPRule{rule(models.Admin, other, 0)}, now, true},
		"a first rule that ends":          {nil, []models.IPRule{rule(models.Admin, me+"/32", later)}, later, true},
		"a first rule that holds":         {nil, []models.IPRule{rule(models.Admin, me+"/32", 0)}, 0, false},
		"a rule for others":               {nil, []models.IPRule{rule(models.Finance, other, 0)}, 0, false},
		"what ends anyway is not blamed":  {[]models.IPRule{rule(models.Admin, me+"/32", later)}, []models.IPRule{rule(models.Admin, me+"/32", later), rule(models.Admin, other, 0)}, 0, false},
		"taking away what remains":        {[]models.IPRule{rule(models.Admin, me+"/32", 0), rule(models.Admin, me+"/31", later)}, []models.IPRule{rule(models.Admin, me+"/31", later)}, later, true},
		"taking the last rule away opens": {[]models.IPRule{rule(models.Admin, me+"/32", 0)}, nil, 0, false},
	} {
		if when, locked := models.LocksOut(c.before, c.after, admin, me, now); locked != c.locked || when != c.when {
			t.Errorf("%s: locked %v at %d, want %v at %d", name, locked, when, c.locked, c.when)
		}
	}
}

func TestARuleInsideAnotherIsRefusedUnlessItLastsLonger(t *testing.T) {
	soon, later := moment(3), moment(9)
	have := []models.IPRule{rule(models.Finance, "10.0.0.0/8", 0), rule("", "192.0.2.0/24", 0), rule(models.Admin, "198.51.100.0/24", soon)}
	for name, c := range map[string]struct {
		r    models.IPRule
		word string
	}{
		"the same":                   {rule(models.Finance, "10.0.0.0/8", 0), "already"},
		"the same, that would end":   {rule(models.Finance, "10.0.0.0/8", later), "already"},
		"inside":                     {rule(models.Finance, "10.1.0.0/16", 0), "inside 10.0.0.0/8"},
		"inside everybody's":         {rule(models.Finance, "192.0.2.7/32", 0), "inside 192.0.2.0/24"},
		"wider":                      {rule(models.Finance, "10.0.0.0/7", 0), ""},
		"another role":               {rule(models.Admin, "10.1.0.0/16", 0), ""},
		"inside, but lasting longer": {rule(models.Admin, "198.51.100.7/32", 0), ""},
		"inside and ending before":   {rule(models.Admin, "198.51.100.7/32", soon-1), "inside"},
		"the same, for longer":       {rule(models.Admin, "198.51.100.0/24", later), ""},
		"the other family":           {rule(models.Finance, "::a00:0/104", 0), ""},
	} {
		err := c.r.CheckNew(have)
		if (c.word == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), c.word)) {
			t.Errorf("%s: %v, want %q", name, err, c.word)
		}
	}
}

func TestAddressWorriesNameTheListAndTheAddress(t *testing.T) {
	c := models.Credential{ID: "c1", State: models.CredentialActive}
	egress := func(list, cidr string, expires models.Micros) models.IPRule {
		return models.IPRule{Scope: models.ScopeEgress, CredentialID: "c1", List: list, CIDR: cidr, Expires: expires}
	}
	titles := map[string]string{"out": "Payout addresses", "in": "Deposit addresses"}
	for name, s := range map[string]struct {
		signs models.Signs
		want  []string
	}{
		"all is well":                {models.Signs{Caller: "203.0.113.7", Egress: []models.IPRule{egress("out", "203.0.113.0/24", 0)}, Seen: []models.CallerSeen{{CredentialID: "c1", List: "out"}}}, nil},
		"one list of two is old":     {models.Signs{Caller: "203.0.113.7", Egress: []models.IPRule{egress("out", "203.0.113.0/24", 0), egress("in", "198.51.100.9/32", 0)}}, []string{"“Deposit addresses”"}},
		"the only address has ended": {models.Signs{Now: moment(2), Caller: "203.0.113.7", Egress: []models.IPRule{egress("out", "203.0.113.0/24", moment(1))}}, []string{"not among the addresses"}},
		"not known where we call":    {models.Signs{Egress: []models.IPRule{egress("out", "198.51.100.9/32", 0)}}, nil},
		"refused, with the address":  {models.Signs{Seen: []models.CallerSeen{{CredentialID: "c1", List: "out", Refused: true, Address: "198.51.100.9"}}}, []string{"refuses calls from 198.51.100.9"}},
		"refused, without":           {models.Signs{Seen: []models.CallerSeen{{CredentialID: "c1", List: "in", Refused: true}}}, []string{"“Deposit addresses”"}},
		"seen elsewhere":             {models.Signs{Caller: "203.0.113.7", Seen: []models.CallerSeen{{CredentialID: "c1", Address: "198.51.100.9"}}}, []string{"saw us call from 198.51.100.9"}},
		"another credential's":       {models.Signs{Caller: "203.0.113.7", Seen: []models.CallerSeen{{CredentialID: "c2", Refused: true}}, Egress: []models.IPRule{{CredentialID: "c2", CIDR: "10.0.0.0/8"}}}, nil},
		"webhooks shut out":          {models.Signs{Now: moment(2), Hooks: []models.IPRule{{CredentialID: "c1", CIDR: "10.0.0.0/8", Expires: moment(1)}}}, []string{"all of its webhooks are refused"}},
	} {
		s.signs.Lists = titles
		got := c.AddressWorries(s.signs)
		ok := len(got) == len(s.want)
		for i := range s.want {
			ok = ok && strings.Contains(got[i].Sentence, s.want[i])
		}
		if !ok {
			t.Errorf("%s: %+v, want %q", name, got, s.want)
		}
	}
}
