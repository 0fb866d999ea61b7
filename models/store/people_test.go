package store_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

// house is a store with a clock and three people in it.
type house struct {
	*store.Store
	clock              *storetest.Clock
	ada, fina, compton storetest.Person
}

func eachHouse(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	clock := storetest.NewClock()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := &house{Store: s, clock: clock, ada: storetest.SetUp(t, s)}
		h.fina = storetest.Add(t, s, "fina@example.com", "Fina Finance", models.Finance)
		h.compton = storetest.Add(t, s, "compton@example.com", "Compton Compliance", models.Compliance)
		test(t, h)
	}, storetest.WithClock(clock))
}

func (h *house) signIn(t *testing.T, p storetest.Person) (halfway string) {
	t.Helper()
	token, stage, err := h.SignIn(t.Context(), p.Email, storetest.Password, storetest.Here)
	if err != nil || stage != models.StageSecond {
		t.Fatalf("password of %s: stage %q, %v", p.Email, stage, err)
	}
	return token
}

func wantCode(t *testing.T, what string, err error, code models.Code) {
	t.Helper()
	if !models.Is(err, code) {
		t.Errorf("%s gave %v, want code %q", what, err, code)
	}
}

func TestTheSetUpLinkMakesTheFirstAdminOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		old, err := s.SetupLink(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		link, err := s.SetupLink(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.SetUp(t.Context(), old, "eve@example.com", "Eve", storetest.Password, storetest.Here)
		wantCode(t, "a link that was replaced", err, models.NotFound)
		if _, err = s.SetUp(t.Context(), link, "ada@example.com", "Ada", storetest.Password, storetest.Here); err != nil {
			t.Fatal(err)
		}
		_, err = s.SetUp(t.Context(), link, "eve@example.com", "Eve", storetest.Password, storetest.Here)
		wantCode(t, "the link a second time", err, models.NotFound)
		ada := storetest.SetUp(t, s) // begun and not finished: the same address may try again
		if !ada.Is(models.Admin) || ada.State != models.Active {
			t.Errorf("the first admin is %+v", ada.User)
		}
		if again, err := s.SetupLink(t.Context()); err != nil || again != "" {
			t.Errorf("with an admin in place the set-up link is %q, %v; want none", again, err)
		}
	})
}

func TestSigningInTakesPasswordAndSecondFactorAndRotatesTheToken(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		half := h.signIn(t, h.fina)
		if sg, err := h.SessionByToken(t.Context(), half, storetest.Here); err != nil || sg.Session.Stage != models.StageSecond {
			t.Fatalf("halfway session: %+v %v", sg.Session, err)
		}
		h.clock.Advance(30 * time.Second)
		full, err := h.SecondFactor(t.Context(), half, h.fina.Code(t, h.Clock()), storetest.Here)
		if err != nil {
			t.Fatal(err)
		}
		if full == half {
			t.Error("the token was not rotated")
		}
		_, err = h.SessionByToken(t.Context(), half, storetest.Here)
		wantCode(t, "the halfway token after signing in", err, models.Unsigned)
		sg, err := h.SessionByToken(t.Context(), full, storetest.Here)
		if err != nil || sg.Session.Stage != models.StageFull || sg.User.ID != h.fina.ID {
			t.Errorf("full session: %+v %v", sg, err)
		}
		_, _, history, err := h.Person(t.Context(), h.fina.Actor(h.Store), h.fina.ID)
		if err != nil || len(history) == 0 || history[0].Outcome != "password and authenticator code" {
			t.Errorf("history %+v, %v", history, err)
		}
	})
}

func TestACodeWorksOnce(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.clock.Advance(time.Minute)
		code := h.fina.Code(t, h.Clock())
		first, second := h.signIn(t, h.fina), h.signIn(t, h.fina)
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i, half := range []string{first, second} {
			wg.Go(func() { _, errs[i] = h.SecondFactor(t.Context(), half, code, storetest.Here) })
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Errorf("one code, two tries at once: %v and %v; want exactly one to pass", errs[0], errs[1])
		}
		// Not even the code of the step before, once a later one was used.
		_, err := h.SecondFactor(t.Context(), h.signIn(t, h.fina), h.fina.Code(t, h.Clock().Add(-30*time.Second)), storetest.Here)
		wantCode(t, "an older code", err, models.Invalid)
	})
}

func TestARecoveryCodeWorksOnceAndForgivesItsSpelling(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		spelled := strings.ToUpper(strings.ReplaceAll(h.fina.Codes[3], "-", " "))
		if _, err := h.SecondFactor(t.Context(), h.signIn(t, h.fina), spelled, storetest.Here); err != nil {
			t.Fatalf("recovery code: %v", err)
		}
		_, err := h.SecondFactor(t.Context(), h.signIn(t, h.fina), h.fina.Codes[3], storetest.Here)
		wantCode(t, "the same recovery code again", err, models.Invalid)
		u, _, _, err := h.Person(t.Context(), h.fina.Actor(h.Store), h.fina.ID)
		if err != nil || u.CodesLeft != 9 {
			t.Errorf("%d codes left, %v; want 9", u.CodesLeft, err)
		}
		fresh, err := h.RenewRecoveryCodes(t.Context(), h.fina.Actor(h.Store))
		if err != nil || len(fresh) != 10 {
			t.Fatalf("renew: %v %v", fresh, err)
		}
		_, err = h.SecondFactor(t.Context(), h.signIn(t, h.fina), h.fina.Codes[4], storetest.Here)
		wantCode(t, "an old code after renewal", err, models.Invalid)
	})
}

func TestSessionsEndWhenIdleAndWhenOld(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		open := func(token string) error {
			_, err := h.SessionByToken(t.Context(), token, storetest.Here)
			return err
		}
		half := h.signIn(t, h.fina)
		for range 35 { // 11 h 40 min of work with a click every 19 minutes and 59 seconds
			h.clock.Advance(models.SessionIdle - time.Second)
			if err := open(h.fina.Token); err != nil {
				t.Fatalf("in use: %v", err)
			}
		}
		wantCode(t, "a halfway session after hours", open(half), models.Unsigned)
		h.clock.Advance(models.SessionIdle - time.Second)
		_ = open(h.fina.Token)
		h.clock.Advance(models.SessionIdle - time.Second)
		wantCode(t, "a session after twelve hours of use", open(h.fina.Token), models.Unsigned)
		wantCode(t, "a session nobody used", open(h.compton.Token), models.Unsigned)
		wantCode(t, "no token", open(""), models.Unsigned)
		wantCode(t, "a made-up token", open("AAAA"), models.Unsigned)
	})
}

func TestOnlyDigestsOfTokensAreStored(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		link, err := h.ResetPassword(t.Context(), h.ada.Actor(h.Store), h.fina.ID)
		if err != nil {
			t.Fatal(err)
		}
		secrets := append([]string{h.ada.Token, h.ada.Secret, link, storetest.Password}, h.ada.Codes...)
		for _, table := range []string{"users", "sessions", "links", "recovery_codes", "audit_entries", "sign_ins", "throttles", "changes"} {
			rows, err := h.ReadDB().QueryContext(t.Context(), "SELECT * FROM "+table)
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close() //nolint:errcheck // read to its end
			cols, _ := rows.Columns()
			for rows.Next() {
				cells := make([]any, len(cols))
				for i := range cells {
					cells[i] = new(any)
				}
				if err := rows.Scan(cells...); err != nil {
					t.Fatal(err)
				}
				for i := range cells {
					text := ""
					switch v := (*(cells[i].(*any))).(type) {
					case string:
						text = v
					case []byte:
						text = string(v)
					}
					for _, secret := range secrets {
						if strings.Contains(text, secret) {
							t.Errorf("%s.%s holds a secret in the clear", table, cols[i])
						}
					}
				}
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestKnownAndUnknownPeopleGetTheSameAnswers(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		if err := h.Suspend(t.Context(), h.ada.Actor(h.Store), h.compton.ID); err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := h.Invite(t.Context(), models.Operator(), "new@example.com", "New", []models.Role{models.Auditor}); err != nil {
			t.Fatal(err)
		}
		answers := map[string][]string{}
		for who, email := range map[string]string{"known": h.fina.Email, "unknown": "nobody@example.com", "suspended": h.compton.Email, "invited": "new@example.com", "not an address": "x\x00' OR 1=1"} {
			password := "wrong horse battery"
			if who == "suspended" {
				password = storetest.Password // the right one: still nothing is said
			}
			for range 12 {
				_, _, err := h.SignIn(t.Context(), email, password, models.From{IP: "192.0.2." + who[:1]})
				if err == nil {
					t.Fatalf("%s signed in", who)
				}
				answers[who] = append(answers[who], err.Error())
			}
		}
		for who, got := range answers {
			if !slices.Equal(got, answers["known"]) {
				t.Errorf("%s gets %q\nknown gets %q", who, got, answers["known"])
			}
		}
		if last := answers["known"][11]; !strings.Contains(last, "Too many tries") {
			t.Errorf("after twelve wrong passwords: %q", last)
		}
	})
}

func TestThrottlesBlockAndForget(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		try := func(email, password, ip string) error {
			_, _, err := h.SignIn(t.Context(), email, password, models.From{IP: ip})
			return err
		}
		for range 10 {
			wantCode(t, "a wrong password", try(h.fina.Email, "wrong horse battery", "192.0.2.1"), models.Invalid)
		}
		wantCode(t, "the right password while blocked", try(h.fina.Email, storetest.Password, "192.0.2.2"), models.Throttled)
		if err := try(h.compton.Email, storetest.Password, "192.0.2.1"); err != nil {
			t.Errorf("somebody else at the same address: %v", err)
		}
		h.clock.Advance(15*time.Minute + time.Second)
		if err := try(h.fina.Email, storetest.Password, "192.0.2.2"); err != nil {
			t.Errorf("after the block: %v", err)
		}
		for i := range 40 { // an address that tries many accounts
			wantCode(t, "spraying", try(strings.Repeat("x", i+1)+"@example.com", "wrong horse battery", "198.51.100.9"), models.Invalid)
		}
		wantCode(t, "the spraying address", try(h.compton.Email, storetest.Password, "198.51.100.9"), models.Throttled)
	})
}

func TestFiveWrongCodesEndTheHalfwaySession(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		half := h.signIn(t, h.fina)
		for range 5 {
			_, err := h.SecondFactor(t.Context(), half, "000000", storetest.Here)
			wantCode(t, "a wrong code", err, models.Invalid)
		}
		h.clock.Advance(time.Minute)
		_, err := h.SecondFactor(t.Context(), half, h.fina.Code(t, h.Clock()), storetest.Here)
		wantCode(t, "the right code after five wrong ones", err, models.Throttled)
		_, err = h.SecondFactor(t.Context(), half, h.fina.Code(t, h.Clock()), storetest.Here)
		wantCode(t, "the halfway session after that", err, models.Unsigned)
		wantCode(t, "step-up of an open session meanwhile", h.StepUp(t.Context(), h.fina.Actor(h.Store), h.fina.Code(t, h.Clock())), models.Throttled)
	})
}

func TestGuessingLinksIsThrottled(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for range 20 {
			_, err := s.LookAtLink(t.Context(), "invite", "guess", storetest.Here)
			wantCode(t, "a guessed link", err, models.NotFound)
		}
		_, err := s.LookAtLink(t.Context(), "invite", "guess", storetest.Here)
		wantCode(t, "the twenty-first guess", err, models.Throttled)
	})
}

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

func TestPasswordsThatAreGuessedFirst(t *testing.T) {
	s := storetest.SQLite(t)
	for _, p := range []string{"short", "aaaaaaaaaaaaaaa", "123456789012", "qwertyuiop12", "Password1234!", "P@ssw0rd2026!!", "ada.lovelace1", "countinghouse1",
		"abcdefghijklm", "WelcomeWelcome", "aaaabbbbcccc", strings.Repeat("long ", 50), "passwordpassword", "1qaz2wsx3edc"} {
		link, err := s.SetupLink(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err = s.SetUp(t.Context(), link, "ada.lovelace@example.com", "Ada Lovelace", p, storetest.Here); !models.Is(err, models.Invalid) {
			t.Errorf("%q was taken: %v", p, err)
		}
	}
	for _, p := range []string{"plum anchor velvet", "zwölf Boxkämpfer jagen", strings.Repeat("a fine long phrase ", 4), "Tr0ub4dor&3xyzzy"} {
		link, err := s.SetupLink(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err = s.SetUp(t.Context(), link, "ada.lovelace@example.com", "Ada Lovelace", p, storetest.Here); err != nil {
			t.Errorf("%q was refused: %v", p, err)
		}
	}
}

func TestDemoLinksDoNotExistOutsideTheDemonstration(t *testing.T) {
	s := storetest.SQLite(t)
	ada := storetest.SetUp(t, s)
	_, err := s.DemoLink(t.Context(), ada.ID)
	wantCode(t, "a demo link in serve", err, models.Forbidden)
	_, err = s.SignInByDemoLink(t.Context(), "anything", storetest.Here)
	wantCode(t, "using one in serve", err, models.NotFound)

	d := storetest.SQLite(t, func(c *store.Config) { c.Demo = true })
	ada = storetest.SetUp(t, d)
	link, err := d.DemoLink(t.Context(), ada.ID)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		token, err := d.SignInByDemoLink(t.Context(), link, storetest.Here)
		if err != nil {
			t.Fatal(err)
		}
		if sg, err := d.SessionByToken(t.Context(), token, storetest.Here); err != nil || sg.User.ID != ada.ID {
			t.Errorf("demo session: %+v %v", sg, err)
		}
	}
}
