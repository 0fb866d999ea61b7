package store

import (
	"context"
	"crypto/subtle"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"countinghouse/models"
)

// TOTP as RFC 6238 has it and every authenticator app assumes it.
const (
	totpPeriod = 30
	totpIssuer = "Countinghouse"
)

var errCode = models.FieldErrorf("code", "This code is not right. Codes change every 30 seconds, and each works once.")

// Enrolment is what somebody needs to put into an authenticator app.
type Enrolment struct {
	URL    string // otpauth://…, to be drawn as QR code
	Secret string // the same for typing, in groups of four
}

// BeginEnrolment makes a new TOTP secret for the person of a session in stage enrol, or of one who is signed in and has just shown the old
// factor. It counts only once a code has proved it. Called again, it gives the same secret, so that a reload does not spoil what was scanned.
func (s *Store) BeginEnrolment(ctx context.Context, token string) (e Enrolment, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		_, row, err := tx.enrolling(token)
		if err != nil {
			return err
		}
		secret, err := s.openTOTP(tx.ctx, row.ID, "totp_pending", row.TOTPPending)
		if err != nil {
			return err
		}
		if secret == "" {
			key, err := totp.Generate(totp.GenerateOpts{Issuer: totpIssuer, AccountName: row.Email, SecretSize: 20})
			if err != nil {
				return fmt.Errorf("make a TOTP secret: %w", err)
			}
			secret = key.Secret()
			sealed, err := s.seal(tx.ctx, "users", row.ID, "totp_pending", []byte(secret))
			if err != nil {
				return fmt.Errorf("seal the TOTP secret: %w", err)
			}
			if err := tx.Exec("UPDATE users SET totp_pending = ? WHERE id = ?", sealed, row.ID); err != nil {
				return err
			}
		}
		e = enrolment(row.Email, secret)
		return nil
	})
	return e, err
}

func enrolment(email, secret string) Enrolment {
	var groups []string
	for i := 0; i < len(secret); i += 4 {
		groups = append(groups, secret[i:min(i+4, len(secret))])
	}
	label := strings.NewReplacer("%", "%25", "?", "%3F", "#", "%23", "/", "%2F", " ", "%20", "+", "%2B", "&", "%26").Replace(email)
	return Enrolment{Secret: strings.Join(groups, " "),
		URL: fmt.Sprintf("otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=SHA1&digits=6&period=%d", totpIssuer, label, secret, totpIssuer, totpPeriod)}
}

// enrolling finds who may enrol now: somebody in stage enrol, or signed in with a fresh step-up.
func (tx *Tx) enrolling(token string) (sessionRow, userRow, error) {
	se, row, err := tx.halfway(token, models.StageEnrol)
	if !models.Is(err, models.Unsigned) {
		return se, row, err
	}
	if se, row, err = tx.halfway(token, models.StageFull); err != nil {
		return se, row, err
	}
	return se, row, models.Actor{UserID: row.ID, StepUp: se.StepUp}.RequireStepUp(tx.Now)
}

// FinishEnrolment proves the new secret with a code, makes it the second factor, gives ten recovery codes, to be shown once, and signs in.
func (s *Store) FinishEnrolment(ctx context.Context, token, code string, from models.From) (session string, codes []string, err error) {
	var refused error
	err = s.Update(ctx, func(tx *Tx) error {
		se, row, err := tx.enrolling(token)
		if err != nil {
			return err
		}
		refused = tx.blocked(throttleFactor, row.ID)
		if refused != nil {
			return nil
		}
		secret, err := s.openTOTP(tx.ctx, row.ID, "totp_pending", row.TOTPPending)
		if err != nil {
			return err
		}
		step := matchStep(secret, code, tx.Now.Time())
		if step == 0 {
			refused = errCode
			return tx.failed(throttleFactor, row.ID)
		}
		sealed, err := s.seal(tx.ctx, "users", row.ID, "totp_sealed", []byte(secret))
		if err != nil {
			return fmt.Errorf("seal the TOTP secret: %w", err)
		}
		if err := tx.Exec("UPDATE users SET totp_sealed = ?, totp_pending = NULL, totp_last_step = ?, state = ?, updated_us = ? WHERE id = ?",
			sealed, step, models.Active, tx.Now, row.ID); err != nil {
			return err
		}
		if err := tx.noteAccess(row.ID); err != nil {
			return err
		}
		if codes, err = tx.newRecoveryCodes(row.ID); err != nil {
			return err
		}
		if err := tx.endSessions(row.ID, se.ID, "second factor changed"); err != nil {
			return err
		}
		if err := tx.Audit(models.Actor{UserID: row.ID, Name: row.Name, IP: from.IP}, "user.enrol", "user", row.ID, nil, nil, "Set up a second factor."); err != nil {
			return err
		}
		session, err = tx.finish(row, se.ID, "password and new second factor", from)
		return err
	})
	if err == nil {
		err = refused
	}
	return session, codes, err
}

// SecondFactor ends a sign-in: a code of the app or a recovery code turns the halfway session into a full one with another token.
func (s *Store) SecondFactor(ctx context.Context, token, code string, from models.From) (session string, err error) {
	var refused error
	err = s.Update(ctx, func(tx *Tx) error {
		session, refused = "", nil
		se, row, err := tx.halfway(token, models.StageSecond)
		if err != nil {
			return err
		}
		how, err := tx.showFactor(row, code)
		if models.Is(err, models.Throttled) {
			// Five wrong codes: the password has to be shown again.
			refused = err
			return tx.Exec("UPDATE sessions SET ended_us = ?, ended_why = 'too many wrong codes' WHERE id = ?", tx.Now, se.ID)
		}
		if models.Is(err, models.Invalid) {
			refused = err
			return tx.signInEntry(row.ID, "wrong second factor", from)
		}
		if err != nil {
			return err
		}
		session, err = tx.finish(row, se.ID, "password and "+how, from)
		return err
	})
	if err == nil {
		err = refused
	}
	return session, err
}

// StepUp shows the second factor again in a session that is signed in already.
func (s *Store) StepUp(ctx context.Context, actor models.Actor, code string) error {
	var refused error
	err := s.Update(ctx, func(tx *Tx) error {
		refused = nil
		row, err := tx.user(actor.UserID)
		if err != nil {
			return err
		}
		how, err := tx.showFactor(row, code)
		if models.Is(err, models.Throttled) || models.Is(err, models.Invalid) {
			refused = err
			return nil
		}
		if err != nil {
			return err
		}
		if err := tx.forgive(throttleFactor, row.ID); err != nil {
			return err
		}
		n, err := tx.Change("UPDATE sessions SET step_up_us = ? WHERE id = ? AND user_id = ? AND ended_us = 0", tx.Now, actor.Sess, actor.UserID)
		if err == nil && n == 0 {
			err = errUnsigned
		}
		if err != nil {
			return err
		}
		return tx.Audit(actor, "session.step_up", "user", actor.UserID, nil, nil, "Showed the second factor again ("+how+").")
	})
	if err == nil {
		err = refused
	}
	return err
}

// showFactor accepts a code of the app or a recovery code, each once. An Invalid error has been counted; Throttled means that no code is
// looked at any more.
func (tx *Tx) showFactor(row userRow, code string) (how string, err error) {
	if err := tx.blocked(throttleFactor, row.ID); err != nil {
		return "", err
	}
	secret, err := tx.Store.openTOTP(tx.ctx, row.ID, "totp_sealed", row.TOTPSealed)
	if err != nil {
		return "", err
	}
	if step := matchStep(secret, code, tx.Now.Time()); step != 0 {
		// The comparison is in the statement, so that two requests with one code cannot both pass.
		n, err := tx.Change("UPDATE users SET totp_last_step = ? WHERE id = ? AND totp_last_step < ?", step, row.ID, step)
		if err != nil {
			return "", err
		}
		if n == 1 {
			return "authenticator code", nil
		}
	} else {
		n, err := tx.Change("UPDATE recovery_codes SET used_us = ? WHERE user_id = ? AND hash = ? AND used_us = 0", tx.Now, row.ID, recoveryHash(code))
		if err != nil {
			return "", err
		}
		if n == 1 {
			return "recovery code", nil
		}
	}
	if err := tx.failed(throttleFactor, row.ID); err != nil {
		return "", err
	}
	return "", errCode
}

// matchStep makes the codes of the step before, this one and the next and gives the one that matches, or zero. The library's own check
// does not say which step matched, and without that a code could be used twice.
func matchStep(secret, code string, now time.Time) int64 {
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	if secret == "" || len(code) != 6 {
		return 0
	}
	for _, d := range []int64{0, -1, 1} {
		step := now.Unix()/totpPeriod + d
		want, err := totp.GenerateCodeCustom(secret, time.Unix(step*totpPeriod, 0), totp.ValidateOpts{Period: totpPeriod, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			return step
		}
	}
	return 0
}

func (s *Store) openTOTP(ctx context.Context, userID, field string, sealed []byte) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	plain, err := s.unseal(ctx, "users", userID, field, sealed)
	if err != nil {
		return "", fmt.Errorf("open the second factor of %s: %w", userID, err)
	}
	return string(plain), nil
}

// newRecoveryCodes replaces all recovery codes of a person.
func (tx *Tx) newRecoveryCodes(userID string) ([]string, error) {
	if err := tx.Exec("DELETE FROM recovery_codes WHERE user_id = ?", userID); err != nil {
		return nil, err
	}
	var codes []string
	for range 10 {
		code, hash := newRecoveryCode()
		if err := tx.Exec("INSERT INTO recovery_codes (user_id, hash, used_us) VALUES (?,?,0)", userID, hash); err != nil {
			return nil, err
		}
		codes = append(codes, code)
	}
	return codes, nil
}

// RenewRecoveryCodes makes ten new ones; the old ones stop working.
func (s *Store) RenewRecoveryCodes(ctx context.Context, actor models.Actor) (codes []string, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		if actor.UserID == "" {
			return errUnsigned
		}
		if err := actor.RequireStepUp(tx.Now); err != nil {
			return err
		}
		if codes, err = tx.newRecoveryCodes(actor.UserID); err != nil {
			return err
		}
		return tx.Audit(actor, "user.recovery_codes", "user", actor.UserID, nil, nil, "Made new recovery codes.")
	})
	return codes, err
}

// dropFactor takes a person's second factor away, passkeys too: they stand for it, and may be on the device that was lost.
func (tx *Tx) dropFactor(userID string) error {
	if err := tx.dropPasskeys(userID); err != nil {
		return err
	}
	if err := tx.Exec("UPDATE users SET totp_sealed = NULL, totp_pending = NULL WHERE id = ?", userID); err != nil {
		return err
	}
	if err := tx.Exec("DELETE FROM recovery_codes WHERE user_id = ?", userID); err != nil {
		return err
	}
	return tx.noteAccess(userID)
}
