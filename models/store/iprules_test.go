package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

// waitingChange is the one change that waits.
func waitingChange(t *testing.T, h *house, who models.Actor) models.Change {
	t.Helper()
	list, err := h.PendingChanges(t.Context(), who)
	if err != nil || len(list) != 1 {
		t.Fatalf("waiting: %+v, %v; want one", list, err)
	}
	return list[0]
}

func at(p storetest.Person, s *store.Store, ip string) models.Actor {
	a := p.Actor(s)
	a.IP = ip
	return a
}

func TestAnAddressRuleWaitsForASecondAdminAndKeepsItsAuthorIn(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		boris := storetest.Add(t, h.Store, "boris@example.com", "Boris", models.Admin)
		office, hotel := "203.0.113.9", "198.51.100.77"
		add := func(who models.Actor, n store.NewIPRule) error {
			t.Helper()
			n.Scope = models.ScopeConsole
			pending, err := h.AddRule(t.Context(), who, n)
			if err == nil && !pending {
				t.Fatal("a rule took effect with another admin in the house")
			}
			return err
		}
		// Asked for from the office: the rule holds the author there, and not the second admin, who sits in a hotel.
		if err := add(at(h.ada, h.Store, office), store.NewIPRule{Role: models.Admin, CIDR: "203.0.113.0/24", Label: "Office"}); err != nil {
			t.Fatal(err)
		}
		c := waitingChange(t, h, boris.Actor(h.Store))
		if !strings.Contains(c.Sentence, "203.0.113.0/24") || !strings.Contains(c.Sentence, "Office") || !strings.Contains(c.Sentence, "admin") {
			t.Errorf("the change says %q", c.Sentence)
		}
		_, err := h.ApproveChange(t.Context(), at(h.ada, h.Store, office), c.ID)
		wantCode(t, "agreeing to one's own rule", err, models.Forbidden)
		_, err = h.ApproveChange(t.Context(), at(boris, h.Store, hotel), c.ID)
		refusedWith(t, err, models.Invalid, "would lock you out: you are at "+hotel)
		if rules, _ := h.IPRules(t.Context(), boris.Actor(h.Store), models.ScopeConsole, models.Sandbox); len(rules) != 0 {
			t.Errorf("a refused agreement left rules: %+v", rules)
		}

		// Meanwhile the author moves: their session is seen elsewhere, and agreeing would lock them out.
		h.clock.Advance(2 * time.Minute)
		if _, err := h.SessionByToken(t.Context(), h.ada.Token, models.From{IP: "192.0.2.200"}); err != nil {
			t.Fatal(err)
		}
		_, err = h.ApproveChange(t.Context(), at(boris, h.Store, "203.0.113.44"), c.ID)
		refusedWith(t, err, models.Invalid, "lock Ada Admin out: they are at 192.0.2.200")

		// Back in the office it takes effect, in the author's name.
		h.clock.Advance(2 * time.Minute)
		if _, err := h.SessionByToken(t.Context(), h.ada.Token, models.From{IP: office}); err != nil {
			t.Fatal(err)
		}
		if _, err = h.ApproveChange(t.Context(), at(boris, h.Store, "203.0.113.44"), c.ID); err != nil {
			t.Fatal(err)
		}
		rules, err := h.IPRules(t.Context(), h.compton.Actor(h.Store), models.ScopeConsole, models.Sandbox)
		if err != nil || len(rules) != 1 || rules[0].CreatedName != "Ada Admin" || rules[0].Label != "Office" || rules[0].Hit != 0 {
			t.Fatalf("rules: %+v, %v", rules, err)
		}

		// The last use of a rule is noted with the session's own write, at most once a minute.
		h.clock.Advance(2 * time.Minute)
		if _, err := h.SessionByToken(t.Context(), h.ada.Token, models.From{IP: office}); err != nil {
			t.Fatal(err)
		}
		rules, _ = h.IPRules(t.Context(), h.compton.Actor(h.Store), models.ScopeConsole, models.Sandbox)
		if rules[0].Hit != h.Now() {
			t.Errorf("last hit at %d, want %d", rules[0].Hit, h.Now())
		}

		// Taking it away is a change as well.
		if pending, err := h.RemoveRule(t.Context(), at(h.ada, h.Store, office), rules[0].ID); err != nil || !pending {
			t.Fatalf("removal: pending %v, %v", pending, err)
		}
		c = waitingChange(t, h, boris.Actor(h.Store))
		if _, err = h.ApproveChange(t.Context(), at(boris, h.Store, "203.0.113.44"), c.ID); err != nil {
			t.Fatal(err)
		}
		if rules, _ = h.IPRules(t.Context(), h.compton.Actor(h.Store), models.ScopeConsole, models.Sandbox); len(rules) != 0 {
			t.Errorf("rules after the removal: %+v", rules)
		}
		if rep, err := h.VerifyAudit(t.Context()); err != nil || !rep.Whole() {
			t.Errorf("audit %+v %v", rep, err)
		}
	})
}

func TestARuleThatEndsIsCheckedForWhatComesAfter(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		me := h.ada.Actor(h.Store)
		add := func(role models.Role, cidr string, days int) error {
			n := store.NewIPRule{Scope: models.ScopeConsole, Role: role, CIDR: cidr}
			if days != 0 {
				n.Expires = h.Now().Add(models.Days(days))
			}
			_, err := h.AddRule(t.Context(), me, n)
			return err
		}
		refusedWith(t, add(models.Admin, "192.0.2.10", 3), models.Invalid, "what lets them in ends then")
		refusedWith(t, add(models.Finance, "192.0.2.10", -1), models.Invalid, "cannot end before it begins")
		if err := add(models.Finance, "198.51.100.0/24", 3); err != nil {
			t.Fatal(err)
		}
		blocked := func(ip string) bool {
			t.Helper()
			sg, err := h.SessionByToken(t.Context(), storetestSession(t, h, h.fina, ip), models.From{IP: ip})
			if err != nil {
				t.Fatal(err)
			}
			return sg.BlockedIP
		}
		if blocked("198.51.100.7") || !blocked("203.0.113.7") {
			t.Error("a rule that is in force is not held to")
		}
		h.clock.Advance(73 * time.Hour)
		if !blocked("198.51.100.7") || !blocked("203.0.113.7") {
			t.Error("a rule that has ended lets somebody in, or opened the house to everybody")
		}
	})
}

// storetestSession signs somebody in anew.
func storetestSession(t *testing.T, h *house, p storetest.Person, ip string) string {
	t.Helper()
	from := models.From{IP: ip}
	token, _, err := h.SignIn(t.Context(), p.Email, storetest.Password, from)
	if err != nil {
		t.Fatal(err)
	}
	h.clock.Advance(31 * time.Second)
	full, err := h.SecondFactor(t.Context(), token, p.Code(t, h.Clock()), from)
	if err != nil {
		t.Fatal(err)
	}
	return full
}

func TestRulesAreCheckedWholeBeforeAnythingIsAsked(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		me := h.ada.Actor(h.Store)
		_, err := h.AddRule(t.Context(), me, store.NewIPRule{Scope: models.ScopeConsole, Role: "boss", CIDR: "10.0.0.0/33", Label: "a\x07b", Expires: 1})
		var got []string
		for _, p := range problems(err) {
			got = append(got, p.Field)
		}
		if strings.Join(got, " ") != "role cidr label expires" {
			t.Errorf("fields with mistakes: %v (%v)", got, err)
		}
		refused := func(n store.NewIPRule, part string) {
			t.Helper()
			_, err := h.AddRule(t.Context(), me, n)
			refusedWith(t, err, models.Invalid, part)
		}
		refused(store.NewIPRule{Scope: "everything", CIDR: "10.0.0.1"}, "no address rules of this kind")
		refused(store.NewIPRule{Scope: models.ScopeConsole, Role: models.Finance, CIDR: "0.0.0.0/0", Wide: true}, "every address")
		refused(store.NewIPRule{Scope: models.ScopeConsole, Role: models.Finance, CIDR: "10.0.0.0/8"}, "16,777,216 addresses")
		refused(store.NewIPRule{Scope: models.ScopeWebhook, CredentialID: "nobody's", CIDR: "10.0.0.1"}, "Choose one of the credentials")
		if _, err := h.AddRule(t.Context(), me, store.NewIPRule{Scope: models.ScopeConsole, Role: models.Finance, CIDR: "10.0.0.0/8", Wide: true}); err != nil {
			t.Error("a large network that was meant:", err)
		}
		if _, err := h.AddRule(t.Context(), me, store.NewIPRule{Scope: models.ScopeAPI, CIDR: "::ffff:203.0.113.7"}); err != nil {
			t.Error("a rule for API keys:", err)
		}
		rules, _ := h.IPRules(t.Context(), me, models.ScopeAPI, models.Live)
		if len(rules) != 1 || rules[0].CIDR != "203.0.113.7/32" {
			t.Errorf("rules for API keys: %+v", rules)
		}
		late := me
		late.StepUp = 0
		_, err = h.AddRule(t.Context(), late, store.NewIPRule{Scope: models.ScopeAPI, CIDR: "203.0.113.8"})
		wantCode(t, "a rule without a fresh second factor", err, models.StepUp)
		_, err = h.AddRule(t.Context(), h.fina.Actor(h.Store), store.NewIPRule{Scope: models.ScopeAPI, CIDR: "203.0.113.8"})
		wantCode(t, "a rule by finance", err, models.Forbidden)
		_, err = h.IPRules(t.Context(), h.fina.Actor(h.Store), models.ScopeConsole, models.Sandbox)
		wantCode(t, "reading rules as finance", err, models.Forbidden)
		_, err = h.RefusedAddresses(t.Context(), h.fina.Actor(h.Store), models.ScopeConsole, models.Sandbox)
		wantCode(t, "reading refusals as finance", err, models.Forbidden)
	})
}

func problems(err error) []models.Problem {
	var e *models.Error
	if errors.As(err, &e) {
		return e.Fields
	}
	return nil
}

func TestRefusedAddressesAreCountedAndBounded(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		me := h.ada.Actor(h.Store)
		knock := func(ip string) {
			t.Helper()
			if err := h.NoteRefused(t.Context(), models.Refused{Scope: models.ScopeConsole, Role: models.Finance, IP: ip, UserID: h.fina.ID}); err != nil {
				t.Fatal(err)
			}
		}
		list := func() []models.Refused {
			t.Helper()
			got, err := h.RefusedAddresses(t.Context(), me, models.ScopeConsole, models.Sandbox)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		for range 1000 {
			knock("198.51.100.7")
		}
		got := list()
		if len(got) != 1 || got[0].Count != 1000 || got[0].UserName != "Fina Finance" || got[0].First != h.Now() || got[0].Last != h.Now() {
			t.Fatalf("after a thousand knocks in a moment: %+v", got)
		}
		if n := count(t, h.Store, "SELECT knocks FROM refused_addresses"); n != 1 {
			t.Errorf("written down %d knocks in the first minute, want one write of one", n)
		}
		h.clock.Advance(time.Minute)
		knock("198.51.100.7")
		if got = list(); got[0].Count != 1001 || got[0].Last != h.Now() {
			t.Errorf("after a minute: %+v", got)
		}
		if n := count(t, h.Store, "SELECT knocks FROM refused_addresses"); n != 1001 {
			t.Errorf("written down %d knocks, want 1001", n)
		}
		// A flood of addresses: a bounded number a minute, and a bounded number in all.
		for minute := range 30 {
			h.clock.Advance(time.Minute)
			for i := range 200 {
				knock(fmt.Sprintf("2001:db8::%x:%x", minute, i))
			}
		}
		if n := count(t, h.Store, "SELECT COUNT(*) FROM refused_addresses"); n != models.RefusedKept {
			t.Errorf("%d addresses are kept, want %d", n, models.RefusedKept)
		}
		if got = list(); len(got) != 100 || got[0].Last != h.Now() {
			t.Errorf("the page shows %d, the latest at %d", len(got), got[0].Last)
		}
		// "Add this" begins with one of them.
		x, err := h.RefusedAddress(t.Context(), me, got[0].ID)
		if err != nil || x.IP != got[0].IP || x.Role != models.Finance {
			t.Errorf("one of them: %+v, %v", x, err)
		}
		_, err = h.RefusedAddress(t.Context(), h.compton.Actor(h.Store), got[0].ID)
		wantCode(t, "making a rule from it as compliance", err, models.Forbidden)
		h.clock.Advance(91 * 24 * time.Hour)
		if err := h.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := count(t, h.Store, "SELECT COUNT(*) FROM refused_addresses"); n != 0 {
			t.Errorf("%d addresses are left after 91 days", n)
		}
	})
}

func count(t *testing.T, s *store.Store, query string) (n int64) {
	t.Helper()
	if err := s.ReadDB().QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWhatAProviderKnowsOfUsIsShownByCalls(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		me := h.ada.Actor(h.Store)
		c := create(t, h.Store, newVault(t), me, models.Live)
		add := func(list, cidr string) error {
			_, err := h.AddRule(t.Context(), me, store.NewIPRule{Scope: models.ScopeEgress, CredentialID: c.ID, List: list, CIDR: cidr})
			return err
		}
		refusedWith(t, add("cashouts", "10.0.0.7"), models.Invalid, "inside a house")
		for _, list := range []string{"cashouts", "deposits"} { // the same address on two lists is two entries
			if err := add(list, "203.0.113.7"); err != nil {
				t.Fatal(err)
			}
		}
		refusedWith(t, add("deposits", "203.0.113.7"), models.Invalid, "already")
		of := func(list string) models.IPRule {
			t.Helper()
			rules, err := h.IPRules(t.Context(), me, models.ScopeEgress, models.Live)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rules {
				if r.List == list {
					return r
				}
			}
			t.Fatalf("no rule for %s in %+v", list, rules)
			return models.IPRule{}
		}
		if got := of("cashouts"); got.Told != models.ToSend || got.Credential != "Main keys" {
			t.Errorf("a new address: %+v", got)
		}
		if other, _ := h.IPRules(t.Context(), me, models.ScopeEgress, models.Sandbox); len(other) != 0 {
			t.Errorf("rules of live are shown in sandbox: %+v", other)
		}
		wantCode(t, "a mark that only calls can set", h.MarkTold(t.Context(), me, of("cashouts").ID, models.Confirmed), models.Invalid)
		wantCode(t, "a mark by finance", h.MarkTold(t.Context(), h.fina.Actor(h.Store), of("cashouts").ID, models.Sent), models.Forbidden)
		if err := h.MarkTold(t.Context(), me, of("cashouts").ID, models.Sent); err != nil {
			t.Fatal(err)
		}
		if got := of("cashouts"); got.Told != models.Sent || got.ToldName != "Ada Admin" {
			t.Errorf("after it was sent: %+v", got)
		}
		see := func(list, caller string, x models.CallerSeen) {
			t.Helper()
			h.clock.Advance(time.Minute)
			x.CredentialID, x.List, x.At, x.ExchangeID = c.ID, list, h.Now(), "x-"+list
			if err := h.NoteCallers(t.Context(), []models.CallerSeen{x}, caller); err != nil {
				t.Fatal(err)
			}
		}
		see("cashouts", "", models.CallerSeen{})
		if got := of("cashouts"); got.Told != models.Sent {
			t.Errorf("a call from an address that nobody knows confirmed %+v", got)
		}
		see("cashouts", "198.51.100.9", models.CallerSeen{})
		if got := of("cashouts"); got.Told != models.Sent {
			t.Errorf("a call from another address confirmed %+v", got)
		}
		see("cashouts", "203.0.113.7", models.CallerSeen{})
		if got := of("cashouts"); got.Told != models.Confirmed || got.Exchange != "x-cashouts" || got.ToldName != "" {
			t.Errorf("after a call was let in: %+v", got)
		}
		if got := of("deposits"); got.Told != models.ToSend {
			t.Errorf("the other list moved along: %+v", got)
		}
		see("deposits", "198.51.100.9", models.CallerSeen{Refused: true, Address: "203.0.113.7"})
		if got := of("deposits"); got.Told != models.NotLet {
			t.Errorf("after a refusal that names the address: %+v", got)
		}
		rules, seen, err := h.EgressOf(t.Context(), h.fina.Actor(h.Store), models.Live)
		if err != nil || len(rules) != 2 || len(seen) != 2 || store.Learned(seen) != "203.0.113.7" {
			t.Errorf("what is known: %+v %+v %v", rules, seen, err)
		}
		// Old news changes nothing.
		old := models.CallerSeen{CredentialID: c.ID, List: "deposits", At: 1, ExchangeID: "x-old"}
		if err := h.NoteCallers(t.Context(), []models.CallerSeen{old}, "203.0.113.7"); err != nil {
			t.Fatal(err)
		}
		if got := of("deposits"); got.Told != models.NotLet {
			t.Errorf("old news moved it: %+v", got)
		}
	})
}

func TestARuleForWebhooksIsSeenByTheGateAtOnce(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		me := h.ada.Actor(h.Store)
		c := create(t, h.Store, newVault(t), me, models.Sandbox)
		before := h.CredentialChanges()
		if _, err := h.AddRule(t.Context(), me, store.NewIPRule{Scope: models.ScopeWebhook, CredentialID: c.ID, CIDR: "198.51.100.0/24"}); err != nil {
			t.Fatal(err)
		}
		if h.CredentialChanges() == before {
			t.Error("nobody is told that the credential's rules changed")
		}
		hooks, egress, err := h.NetworksForTask(t.Context(), c.ID)
		if err != nil || len(hooks) != 1 || len(egress) != 0 {
			t.Fatalf("networks %+v %+v %v", hooks, egress, err)
		}
		if err := h.NoteHit(t.Context(), hooks[0].ID); err != nil {
			t.Fatal(err)
		}
		h.clock.Advance(time.Minute)
		if err := h.NoteHit(t.Context(), hooks[0].ID); err != nil {
			t.Fatal(err)
		}
		after, _, _ := h.NetworksForTask(t.Context(), c.ID)
		if after[0].Hit != h.Now().Add(-time.Minute) {
			t.Errorf("a second hit within ten minutes was written down: %d", after[0].Hit)
		}
	})
}
