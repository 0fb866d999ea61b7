package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"countinghouse/models"
)

// passkeyOutcome is what a sign-in by passkey is called in the history.
const passkeyOutcome = "passkey"

// BeginPasskeySignIn begins to sign somebody in who has not said who they are: the device offers the passkeys it has for this server.
func (s *Store) BeginPasskeySignIn(ctx context.Context, site models.PasskeySite, from models.From) (options any, ceremony string, err error) {
	w, err := party(site)
	if err != nil {
		return nil, "", err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		if err := tx.blocked(throttleAddress, from.IP); err != nil {
			return err
		}
		assertion, data, err := w.BeginDiscoverableLogin()
		if err != nil {
			return fmt.Errorf("begin to sign in by passkey: %w", err)
		}
		options = assertion.Response
		ceremony, err = tx.begin(keySignIn, "", "", clean(from.IP), data)
		return err
	})
	return options, ceremony, err
}

// SignInWithPasskey ends it: a full session, because the device has checked the person. Whoever is suspended or has not finished their
// invitation is refused like any wrong passkey. That a password was reset and not used since stays so: a passkey says nothing about it.
func (s *Store) SignInWithPasskey(ctx context.Context, site models.PasskeySite, ceremony string, answer []byte, from models.From) (session string, err error) {
	w, err := party(site)
	if err != nil {
		return "", err
	}
	parsed, perr := protocol.ParseCredentialRequestResponseBytes(answer)
	var refused error
	err = s.Update(ctx, func(tx *Tx) error {
		session, refused = "", nil
		if err := tx.blocked(throttleAddress, from.IP); err != nil {
			return err
		}
		data, err := tx.end(keySignIn, ceremony, "", "")
		if err != nil {
			refused = refusal(err)
			return firstUnless(err, refused)
		}
		if perr != nil {
			refused = errPasskey
			return tx.passkeyFailed("", "wrong passkey", from)
		}
		h, record, err := tx.assert(w, data, parsed)
		if err != nil {
			s.Log.Info("a passkey was refused", "err", err)
			refused = errPasskey
			return tx.passkeyFailed(h.row.ID, "wrong passkey", from)
		}
		actor := models.Actor{UserID: h.row.ID, Name: h.row.Name, IP: from.IP}
		if refused, err = tx.usePasskey(actor, h, record); err != nil || refused != nil {
			return firstError(err, tx.passkeyFailed(h.row.ID, "wrong passkey: its counter went back", from))
		}
		session, err = tx.enter(h.row, "", passkeyOutcome, from, h.row.Unproved)
		return err
	})
	return session, firstError(err, refused)
}

// assert finds the person behind an answer and lets the library check it: challenge, origin, signature, that the device checked the person.
func (tx *Tx) assert(w *webauthn.WebAuthn, data webauthn.SessionData, parsed *protocol.ParsedCredentialAssertionData) (h holder, record *webauthn.Credential, err error) {
	_, record, err = w.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
		row, err := tx.user(clean(string(handle)))
		if err != nil {
			return nil, err
		}
		if row.State != string(models.Active) {
			return nil, errors.New("the person may not come in")
		}
		h, err = tx.holder(row)
		return h, err
	}, data, parsed)
	return h, record, err
}

// usePasskey notes that a passkey was used. A counter that did not move on blocks it: a copy of it may be in other hands. refused says so.
func (tx *Tx) usePasskey(actor models.Actor, h holder, record *webauthn.Credential) (refused, err error) {
	var k keyRow
	for _, x := range h.keys {
		if keyID(x.record.ID) == keyID(record.ID) {
			k = x
		}
	}
	clone := record.Authenticator.CloneWarning
	raw, err := json.Marshal(record)
	if err != nil {
		return nil, err
	}
	sealed, err := tx.Store.seal(tx.ctx, "passkeys", k.ID, "sealed", raw)
	if err != nil {
		return nil, fmt.Errorf("seal the passkey: %w", err)
	}
	if clone {
		if err := tx.Exec("UPDATE passkeys SET blocked_us = ? WHERE id = ?", tx.Now, k.ID); err != nil {
			return nil, err
		}
		if err := tx.noteAccess(h.row.ID); err != nil {
			return nil, err
		}
		return models.FieldErrorf("passkey", "The counter of the passkey %s went back, so a copy of it may exist. It was blocked. Use the password and a code, and remove it.", k.Name),
			tx.Audit(actor, "passkey.block", "user", h.row.ID, nil, map[string]any{"passkey": k.ID, "name": k.Name}, fmt.Sprintf("Blocked the passkey %s: its counter went back, a copy may exist.", k.Name))
	}
	// The counter is compared in the statement too, so that two answers at once cannot both pass.
	n, err := tx.Change("UPDATE passkeys SET sealed = ?, sign_count = ?, used_us = ? WHERE id = ? AND blocked_us = 0 AND (sign_count < ? OR (sign_count = 0 AND ? = 0))",
		sealed, int64(record.Authenticator.SignCount), tx.Now, k.ID, int64(record.Authenticator.SignCount), int64(record.Authenticator.SignCount))
	if err == nil && n != 1 {
		return errPasskey, nil
	}
	return nil, err
}

func (tx *Tx) passkeyFailed(userID, outcome string, from models.From) error {
	if err := tx.failed(throttleAddress, from.IP); err != nil {
		return err
	}
	return tx.signInEntry(userID, outcome, from)
}

// refusal gives err if it is one that people can mend; what a transaction did on the way to it is kept.
func refusal(err error) error {
	if models.Is(err, models.Invalid) {
		return err
	}
	return nil
}

func firstUnless(err, refused error) error {
	if refused != nil {
		return nil
	}
	return err
}

// BeginPasskeyStepUp begins to show a passkey instead of a code in a session that is signed in.
func (s *Store) BeginPasskeyStepUp(ctx context.Context, actor models.Actor, site models.PasskeySite) (options any, ceremony string, err error) {
	w, err := party(site)
	if err != nil {
		return nil, "", err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		row, err := tx.user(actor.UserID)
		if err != nil {
			return err
		}
		if err := tx.blocked(throttleFactor, row.ID); err != nil {
			return err
		}
		h, err := tx.holder(row)
		if err != nil {
			return err
		}
		if len(h.WebAuthnCredentials()) == 0 {
			return models.Errorf(models.Conflict, "You have no passkey that opens anything.")
		}
		assertion, data, err := w.BeginLogin(h)
		if err != nil {
			return fmt.Errorf("begin to show a passkey: %w", err)
		}
		options = assertion.Response
		ceremony, err = tx.begin(keyStepUp, actor.UserID, actor.Sess, clean(actor.IP), data)
		return err
	})
	return options, ceremony, err
}

// StepUpWithPasskey ends it: the second factor counts as shown for five minutes.
func (s *Store) StepUpWithPasskey(ctx context.Context, actor models.Actor, site models.PasskeySite, ceremony string, answer []byte) error {
	w, err := party(site)
	if err != nil {
		return err
	}
	parsed, perr := protocol.ParseCredentialRequestResponseBytes(answer)
	var refused error
	err = s.Update(ctx, func(tx *Tx) error {
		refused = nil
		row, err := tx.user(actor.UserID)
		if err != nil {
			return err
		}
		if err := tx.blocked(throttleFactor, row.ID); err != nil {
			return err
		}
		data, err := tx.end(keyStepUp, ceremony, actor.UserID, actor.Sess)
		if err != nil {
			refused = refusal(err)
			return firstUnless(err, refused)
		}
		h, err := tx.holder(row)
		if err != nil {
			return err
		}
		var record *webauthn.Credential
		if perr == nil {
			record, perr = w.ValidateLogin(h, data, parsed)
		}
		if perr != nil {
			s.Log.Info("a passkey was refused", "user", actor.UserID, "err", perr)
			refused = errPasskey
			return tx.failed(throttleFactor, row.ID)
		}
		if refused, err = tx.usePasskey(actor, h, record); err != nil || refused != nil {
			return err
		}
		n, err := tx.Change("UPDATE sessions SET step_up_us = ? WHERE id = ? AND user_id = ? AND ended_us = 0", tx.Now, actor.Sess, actor.UserID)
		if err == nil && n == 0 {
			err = errUnsigned
		}
		if err != nil {
			return err
		}
		return tx.Audit(actor, "session.step_up", "user", actor.UserID, nil, nil, "Showed the second factor again (passkey).")
	})
	return firstError(err, refused)
}
