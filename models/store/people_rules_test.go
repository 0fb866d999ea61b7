package store_test

import (
	"slices"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

func TestAnAdminCannotTakeSomebodysIdentity(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		admin := h.ada.Actor(h.Store)
		link, err := h.ResetPassword(t.Context(), admin, h.fina.ID)
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.SessionByToken(t.Context(), h.fina.Token, storetest.Here)
		wantCode(t, "a session after a reset", err, models.Unsigned)
		if err := h.SetPasswordByLink(t.Context(), link, "chosen by the admin 1", storetest.Here); err != nil {
			t.Fatal(err)
		}
		_, err = h.ResetFactor(t.Context(), admin, h.fina.ID)
		wantCode(t, "resetting the second factor while the password is unproved", err, models.Conflict)
		half, _, err := h.SignIn(t.Context(), h.fina.Email, "chosen by the admin 1", storetest.Here)
		if err != nil {
			t.Fatal(err)
		}
		h.clock.Advance(time.Minute)
		if _, err := h.SecondFactor(t.Context(), half, h.fina.Code(t, h.Clock()), storetest.Here); err != nil {
			t.Fatal(err)
		}
		// Proved by Fina's own second factor; now the factor may be reset, and then only the person with the password gets in.
		admin.StepUp = h.Now()
		link, err = h.ResetFactor(t.Context(), admin, h.fina.ID)
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.ResetPassword(t.Context(), admin, h.fina.ID)
		wantCode(t, "resetting the password while the factor is unproved", err, models.Conflict)
		_, _, err = h.SignIn(t.Context(), h.fina.Email, "chosen by the admin 1", storetest.Here)
		wantCode(t, "the password without the link", err, models.Invalid)
		_, err = h.SignInToEnrol(t.Context(), link, "a wrong password 1", storetest.Here)
		wantCode(t, "the link without the password", err, models.Invalid)
		if _, err = h.SignInToEnrol(t.Context(), link, "chosen by the admin 1", storetest.Here); err != nil {
			t.Errorf("link and password together: %v", err)
		}
		_, err = h.ResetPassword(t.Context(), admin, h.ada.ID)
		wantCode(t, "resetting oneself", err, models.Forbidden)
	})
}

func TestRolesOfOnePersonNeverJoinMoneyAndKeys(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		for _, roles := range [][]models.Role{{models.Finance, models.Admin}, {models.Admin, models.Compliance, models.Finance}, {}, {"king"}} {
			_, err := h.ChangeRoles(t.Context(), h.ada.Actor(h.Store), h.compton.ID, roles)
			wantCode(t, models.RoleText(roles), err, models.Invalid)
			_, _, _, err = h.Invite(t.Context(), h.ada.Actor(h.Store), "x@example.com", "X", roles)
			wantCode(t, "inviting "+models.RoleText(roles), err, models.Invalid)
		}
		if _, err := h.ChangeRoles(t.Context(), h.ada.Actor(h.Store), h.compton.ID, []models.Role{models.Auditor, models.Compliance}); err != nil {
			t.Errorf("compliance and auditor: %v", err)
		}
		_, err := h.ChangeRoles(t.Context(), h.ada.Actor(h.Store), h.ada.ID, []models.Role{models.Auditor})
		wantCode(t, "one's own roles", err, models.Forbidden)
		wantCode(t, "suspending oneself", h.Suspend(t.Context(), h.ada.Actor(h.Store), h.ada.ID), models.Forbidden)
		wantCode(t, "the command line suspending the only admin", h.Suspend(t.Context(), models.Operator(), h.ada.ID), models.Conflict)
	})
}

func TestASecondAdminAgreesToRoles(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		boris := storetest.Add(t, h.Store, "boris@example.com", "Boris Admin", models.Admin)
		ada := h.ada.Actor(h.Store)
		pending, err := h.ChangeRoles(t.Context(), ada, h.compton.ID, []models.Role{models.Auditor})
		if err != nil || !pending {
			t.Fatalf("with two admins: pending %v, %v", pending, err)
		}
		list, err := h.PendingChanges(t.Context(), ada)
		if err != nil || len(list) != 1 || list[0].AskedName != "Ada Admin" {
			t.Fatalf("pending: %+v %v", list, err)
		}
		id := list[0].ID
		_, err = h.ApproveChange(t.Context(), ada, id)
		wantCode(t, "the asker agreeing", err, models.Forbidden)
		_, err = h.ApproveChange(t.Context(), h.fina.Actor(h.Store), id)
		wantCode(t, "finance agreeing", err, models.Forbidden)
		stale := boris.Actor(h.Store)
		stale.StepUp = 0
		_, err = h.ApproveChange(t.Context(), stale, id)
		wantCode(t, "agreeing without a step-up", err, models.StepUp)
		_, err = h.RejectChange(t.Context(), boris.Actor(h.Store), id, " ")
		wantCode(t, "rejecting without a reason", err, models.Invalid)
		if u, _, _, _ := h.Person(t.Context(), ada, h.compton.ID); !u.Is(models.Compliance) {
			t.Errorf("the roles changed before anybody agreed: %v", u.Roles)
		}
		if _, err = h.ApproveChange(t.Context(), boris.Actor(h.Store), id); err != nil {
			t.Fatal(err)
		}
		u, _, _, err := h.Person(t.Context(), ada, h.compton.ID)
		if err != nil || !slices.Equal(u.Roles, []models.Role{models.Auditor}) {
			t.Errorf("roles after agreement: %v %v", u.Roles, err)
		}
		_, err = h.SessionByToken(t.Context(), h.compton.Token, storetest.Here)
		wantCode(t, "the old session after a change of roles", err, models.Unsigned)
		_, err = h.ApproveChange(t.Context(), boris.Actor(h.Store), id)
		wantCode(t, "agreeing twice", err, models.Conflict)
	})
}

func TestAChangeThatWasTamperedWithOrIsOldIsNotApplied(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		boris := storetest.Add(t, h.Store, "boris@example.com", "Boris Admin", models.Admin)
		ask := func() string {
			t.Helper()
			if _, err := h.ChangeRoles(t.Context(), h.ada.Actor(h.Store), h.compton.ID, []models.Role{models.Auditor}); err != nil {
				t.Fatal(err)
			}
			list, err := h.PendingChanges(t.Context(), h.ada.Actor(h.Store))
			if err != nil || len(list) != 1 {
				t.Fatalf("pending %+v %v", list, err)
			}
			return list[0].ID
		}
		id := ask()
		if _, err := h.WriteDB().ExecContext(t.Context(), `UPDATE changes SET payload = '{"roles":["finance"]}' WHERE state = 'pending'`); err != nil {
			t.Fatal(err)
		}
		_, err := h.ApproveChange(t.Context(), boris.Actor(h.Store), id)
		wantCode(t, "a payload that is not the one asked for", err, models.Conflict)
		id = ask()
		h.clock.Advance(73 * time.Hour)
		_, err = h.ApproveChange(t.Context(), boris.Actor(h.Store), id)
		wantCode(t, "a change of last week", err, models.Conflict)
	})
}

func TestAnAddressRuleNeverLocksItsAuthorOut(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		admin := h.ada.Actor(h.Store)
		rule := func(role models.Role, cidr, label string) (bool, error) {
			return h.AddRule(t.Context(), admin, store.NewIPRule{Scope: models.ScopeConsole, Role: role, CIDR: cidr, Label: label})
		}
		_, err := rule(models.Admin, "203.0.113.0/24", "office")
		wantCode(t, "a rule that does not hold its author", err, models.Invalid)
		_, err = rule("", "2001:db8::/32", "office")
		wantCode(t, "an IPv6 rule for everybody", err, models.Invalid)
		if _, err := rule(models.Finance, "203.0.113.7/24", "office"); err != nil {
			t.Fatalf("a rule for others: %v", err)
		}
		if _, err := rule(models.Admin, "192.0.2.10", "my desk"); err != nil {
			t.Fatalf("a rule that holds its author: %v", err)
		}
		if _, err := rule(models.Admin, "198.51.100.0/24", "second office"); err != nil {
			t.Fatal(err)
		}
		rules, err := h.IPRules(t.Context(), admin, models.ScopeConsole, models.Sandbox)
		if err != nil || len(rules) != 3 {
			t.Fatalf("rules %+v %v", rules, err)
		}
		for _, r := range rules {
			if r.CIDR == "192.0.2.10/32" {
				_, err := h.RemoveRule(t.Context(), admin, r.ID)
				wantCode(t, "removing the rule that holds its author", err, models.Invalid)
			}
			if r.CIDR == "203.0.113.7/32" {
				t.Error("the network was not brought into one spelling")
			}
		}
		blocked := func(p storetest.Person, ip string) bool {
			t.Helper()
			sg, err := h.SessionByToken(t.Context(), p.Token, models.From{IP: ip})
			if err != nil {
				t.Fatal(err)
			}
			return sg.BlockedIP
		}
		for _, c := range []struct {
			p    storetest.Person
			ip   string
			want bool
		}{
			{h.fina, "192.0.2.10", true}, {h.fina, "203.0.113.200", false}, {h.fina, "::ffff:203.0.113.9", false}, {h.fina, "nonsense", true},
			{h.ada, "192.0.2.10", false}, {h.ada, "192.0.2.11", true}, {h.compton, "8.8.8.8", false},
		} {
			if got := blocked(c.p, c.ip); got != c.want {
				t.Errorf("%s at %s blocked: %v, want %v", c.p.Name, c.ip, got, c.want)
			}
		}
	})
}
