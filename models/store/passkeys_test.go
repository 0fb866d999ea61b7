package store_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

// registers makes a passkey of somebody who has just shown their second factor.
func (h *house) registers(t *testing.T, p storetest.Person, name string) *storetest.Device {
	t.Helper()
	d := storetest.NewDevice(t)
	options, ceremony, err := h.BeginPasskey(t.Context(), h.in(t, p), storetest.Site)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.FinishPasskey(t.Context(), h.in(t, p), storetest.Site, ceremony, name, d.Create(t, options)); err != nil {
		t.Fatal(err)
	}
	return d
}

// in is a person in the session that they have open.
func (h *house) in(t *testing.T, p storetest.Person) models.Actor {
	t.Helper()
	sg, err := h.SessionByToken(t.Context(), p.Token, storetest.Here)
	if err != nil {
		t.Fatal(err)
	}
	a := sg.Actor(storetest.Here.IP)
	a.StepUp = h.Now()
	return a
}

func (h *house) signsInBy(t *testing.T, d *storetest.Device) (string, error) {
	t.Helper()
	options, ceremony, err := h.BeginPasskeySignIn(t.Context(), storetest.Site, storetest.Here)
	if err != nil {
		t.Fatal(err)
	}
	return h.SignInWithPasskey(t.Context(), storetest.Site, ceremony, d.Get(t, options), storetest.Here)
}

func TestAPasskeySignsInAndStandsForTheSecondFactor(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		d := h.registers(t, h.fina, "Phone")
		h.registers(t, h.fina, "Laptop")
		keys, err := h.Passkeys(t.Context(), h.fina.Actor(h.Store), h.fina.ID)
		if err != nil || len(keys) != 2 || keys[0].Name != "Phone" || keys[0].Used != 0 {
			t.Fatalf("passkeys: %+v, %v", keys, err)
		}
		token, err := h.signsInBy(t, d)
		if err != nil {
			t.Fatal(err)
		}
		sg, err := h.SessionByToken(t.Context(), token, storetest.Here)
		if err != nil || sg.User.ID != h.fina.ID || sg.Session.Stage != models.StageFull || sg.Session.StepUp != h.Now() {
			t.Fatalf("the session: %+v, %v", sg, err)
		}
		keys, _ = h.Passkeys(t.Context(), h.compton.Actor(h.Store), h.fina.ID)
		if keys[0].Used != h.Now() || keys[1].Used != 0 {
			t.Errorf("last use: %+v", keys)
		}
		_, _, history, err := h.Person(t.Context(), h.fina.Actor(h.Store), h.fina.ID)
		if err != nil || history[0].Outcome != "passkey" {
			t.Errorf("history: %+v, %v", history, err)
		}

		// Step-up with it, five minutes later.
		h.clock.Advance(6 * time.Minute)
		sg, _ = h.SessionByToken(t.Context(), token, storetest.Here)
		me := sg.Actor(storetest.Here.IP)
		_, _, err = h.BeginPasskey(t.Context(), me, storetest.Site)
		wantCode(t, "registering without a fresh second factor", err, models.StepUp)
		options, ceremony, err := h.BeginPasskeyStepUp(t.Context(), me, storetest.Site)
		if err != nil {
			t.Fatal(err)
		}
		answer := d.Get(t, options)
		if err := h.StepUpWithPasskey(t.Context(), me, storetest.Site, ceremony, answer); err != nil {
			t.Fatal(err)
		}
		if sg, _ = h.SessionByToken(t.Context(), token, storetest.Here); sg.Session.StepUp != h.Now() {
			t.Error("showing a passkey is no step-up")
		}
		wantCode(t, "the same answer again", h.StepUpWithPasskey(t.Context(), me, storetest.Site, ceremony, answer), models.Invalid)

		// Removed, it opens nothing; nobody removes a stranger's.
		h.clock.Advance(time.Minute)
		wantCode(t, "removing finance's passkey as compliance", h.RemovePasskey(t.Context(), h.compton.Actor(h.Store), keys[0].ID), models.NotFound)
		if err := h.RemovePasskey(t.Context(), h.fina.Actor(h.Store), keys[0].ID); err != nil {
			t.Fatal(err)
		}
		_, err = h.signsInBy(t, d)
		wantCode(t, "a removed passkey", err, models.Invalid)
		if rep, err := h.VerifyAudit(t.Context()); err != nil || !rep.Whole() {
			t.Errorf("audit %+v %v", rep, err)
		}
	})
}

func TestAPasskeyThatLiesOpensNothing(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		good := h.registers(t, h.fina, "Phone")
		stranger := storetest.NewDevice(t)
		stranger.Handle = good.Handle
		for name, change := range map[string]func(d *storetest.Device){
			"asked at another address":       func(d *storetest.Device) { d.Origin = "https://pay.example.com.evil.example" },
			"asked without https":            func(d *storetest.Device) { d.Origin = "http://pay.example.com" },
			"for another name":               func(d *storetest.Device) { d.Name = "evil.example" },
			"that did not check the person":  func(d *storetest.Device) { d.Unverified = true },
			"with another person's handle":   func(d *storetest.Device) { d.Handle = []byte(h.ada.ID) },
			"with nobody's handle":           func(d *storetest.Device) { d.Handle = []byte("nobody\x00") },
			"without a handle":               func(d *storetest.Device) { d.Handle = nil },
			"of a device that is not listed": func(d *storetest.Device) { *d = *stranger },
		} {
			d := good.Copy()
			change(d)
			if token, err := h.signsInBy(t, d); !models.Is(err, models.Invalid) || token != "" {
				t.Errorf("a passkey %s: %q, %v", name, token, err)
			}
		}
		for name, answer := range map[string][]byte{"nothing": nil, "no JSON": []byte("<html>"), "JSON of something else": []byte(`{"id":1}`), "deep": bytes.Repeat([]byte("["), 100_000),
			"an empty answer": []byte(`{"id":"","rawId":"","type":"public-key","response":{}}`)} {
			_, ceremony, err := h.BeginPasskeySignIn(t.Context(), storetest.Site, storetest.Here)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := h.SignInWithPasskey(t.Context(), storetest.Site, ceremony, answer, storetest.Here); !models.Is(err, models.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		// An answer is for one question, within its time, of its kind.
		first, ceremony, _ := h.BeginPasskeySignIn(t.Context(), storetest.Site, storetest.Here)
		_, other, _ := h.BeginPasskeySignIn(t.Context(), storetest.Site, storetest.Here)
		answer := good.Get(t, first)
		_, err := h.SignInWithPasskey(t.Context(), storetest.Site, other, answer, storetest.Here)
		wantCode(t, "an answer to another question", err, models.Invalid)
		_, err = h.SignInWithPasskey(t.Context(), storetest.Site, "guessed", answer, storetest.Here)
		wantCode(t, "an answer to no question", err, models.Invalid)
		wantCode(t, "a sign-in used as step-up", h.StepUpWithPasskey(t.Context(), h.in(t, h.fina), storetest.Site, ceremony, answer), models.Invalid)
		h.clock.Advance(models.PasskeyCeremony + time.Second)
		_, err = h.SignInWithPasskey(t.Context(), storetest.Site, ceremony, answer, storetest.Here)
		wantCode(t, "an answer that comes late", err, models.Invalid)

		if _, err = h.signsInBy(t, good); err != nil {
			t.Errorf("the right passkey after all of that: %v", err)
		}
		if err := h.Suspend(t.Context(), h.ada.Actor(h.Store), h.fina.ID); err != nil {
			t.Fatal(err)
		}
		_, err = h.signsInBy(t, good)
		wantCode(t, "the passkey of somebody suspended", err, models.Invalid)
	})
}

func TestAPasskeyWhoseCounterGoesBackIsBlocked(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		d := h.registers(t, h.fina, "Key")
		copied := d.Copy()
		if _, err := h.signsInBy(t, d); err != nil {
			t.Fatal(err)
		}
		_, err := h.signsInBy(t, copied) // the same counter as the real one's last answer
		refusedWith(t, err, models.Invalid, "a copy of it may exist")
		_, err = h.signsInBy(t, d)
		wantCode(t, "the real one after its copy was seen", err, models.Invalid)
		keys, _ := h.Passkeys(t.Context(), h.fina.Actor(h.Store), h.fina.ID)
		if len(keys) != 1 || keys[0].Blocked == 0 {
			t.Errorf("passkeys: %+v", keys)
		}
		if n := count(t, h.Store, "SELECT COUNT(*) FROM audit_entries WHERE action = 'passkey.block'"); n != 1 {
			t.Errorf("%d audit entries about it", n)
		}
		// Devices without a counter stay at zero, which is no reason to worry.
		still := storetest.NewDevice(t)
		still.Still = true
		options, ceremony, err := h.BeginPasskey(t.Context(), h.in(t, h.fina), storetest.Site)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.FinishPasskey(t.Context(), h.in(t, h.fina), storetest.Site, ceremony, "Synced", still.Create(t, options)); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := h.signsInBy(t, still); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestAnAdminWhoResetsAPasswordDoesNotGetPastThePasskey(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		d := h.registers(t, h.fina, "Phone")
		if _, err := h.ResetPassword(t.Context(), h.ada.Actor(h.Store), h.fina.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := h.signsInBy(t, d); err != nil {
			t.Fatal(err)
		}
		// The passkey proved nothing about the new password, which the admin may hold: the other half cannot be reset yet.
		_, err := h.ResetFactor(t.Context(), h.ada.Actor(h.Store), h.fina.ID)
		wantCode(t, "resetting the factor after the password", err, models.Conflict)

		c := h.registers(t, h.compton, "Phone")
		if _, err := h.ResetFactor(t.Context(), h.ada.Actor(h.Store), h.compton.ID); err != nil {
			t.Fatal(err)
		}
		_, err = h.signsInBy(t, c)
		wantCode(t, "a passkey after the second factor was reset", err, models.Invalid)
	})
}

func TestRegisteringIsBoundToOnePersonAndOneSession(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		fina := h.in(t, h.fina)
		begin := func() (any, string) {
			t.Helper()
			options, ceremony, err := h.BeginPasskey(t.Context(), fina, storetest.Site)
			if err != nil {
				t.Fatal(err)
			}
			return options, ceremony
		}
		d := storetest.NewDevice(t)
		options, ceremony := begin()
		wantCode(t, "another person's answer", h.FinishPasskey(t.Context(), h.in(t, h.ada), storetest.Site, ceremony, "Mine", d.Create(t, options)), models.Invalid)
		options, ceremony = begin()
		elsewhere := fina
		elsewhere.Sess = "another session"
		wantCode(t, "another session's answer", h.FinishPasskey(t.Context(), elsewhere, storetest.Site, ceremony, "Mine", d.Create(t, options)), models.Invalid)
		options, ceremony = begin()
		lax := storetest.NewDevice(t)
		lax.Unverified = true
		refusedWith(t, h.FinishPasskey(t.Context(), fina, storetest.Site, ceremony, "Lax", lax.Create(t, options)), models.Invalid, "Nothing was registered")
		options, ceremony = begin()
		for _, name := range []string{"", "   ", strings.Repeat("x", 61), "a\nb"} {
			wantCode(t, "the name "+name, h.FinishPasskey(t.Context(), fina, storetest.Site, ceremony, name, d.Create(t, options)), models.Invalid)
		}
		if err := h.FinishPasskey(t.Context(), fina, storetest.Site, ceremony, "Phone", d.Create(t, options)); err != nil {
			t.Fatal(err)
		}
		options, ceremony = begin()
		wantCode(t, "the same passkey twice", h.FinishPasskey(t.Context(), fina, storetest.Site, ceremony, "Phone", d.Create(t, options)), models.Invalid)
		_, _, err := h.BeginPasskey(t.Context(), fina, models.PasskeySite{Why: "There is no name."})
		refusedWith(t, err, models.Conflict, "There is no name.")
		for i := range models.PasskeysEach - 1 {
			h.registers(t, h.fina, "Key "+strings.Repeat("i", i+1))
		}
		_, _, err = h.BeginPasskey(t.Context(), fina, storetest.Site)
		wantCode(t, "one passkey too many", err, models.Conflict)
		if raw := rawPasskeys(t, h.Store); bytes.Contains(raw, []byte("publicKey")) {
			t.Error("passkeys are kept in the clear")
		}
	})
}

func rawPasskeys(t *testing.T, s *store.Store) (all []byte) {
	t.Helper()
	rows, err := s.ReadDB().QueryContext(t.Context(), "SELECT sealed FROM passkeys")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // read to its end
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	if err := rows.Err(); err != nil || len(all) == 0 {
		t.Fatalf("%d bytes, %v", len(all), err)
	}
	return all
}

func TestBegunSignInsAreBounded(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		var err error
		for range 31 {
			_, _, err = h.BeginPasskeySignIn(t.Context(), storetest.Site, models.From{IP: "203.0.113.5"})
		}
		wantCode(t, "the 31st sign-in that is begun and not finished", err, models.Throttled)
		if _, _, err := h.BeginPasskeySignIn(t.Context(), storetest.Site, models.From{IP: "203.0.113.6"}); err != nil {
			t.Errorf("somebody else: %v", err)
		}
		h.clock.Advance(models.PasskeyCeremony + time.Second)
		if _, _, err := h.BeginPasskeySignIn(t.Context(), storetest.Site, models.From{IP: "203.0.113.5"}); err != nil {
			t.Errorf("five minutes later: %v", err)
		}
		if n := count(t, h.Store, "SELECT COUNT(*) FROM passkey_ceremonies"); n != 1 {
			t.Errorf("%d are kept", n)
		}
	})
}
