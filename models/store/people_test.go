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
