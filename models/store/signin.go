package store

import (
	"context"
	"fmt"
	"strings"

	"countinghouse/models"
)

// errNoMatch is the one answer to a wrong password, an unknown address, a suspended person and one who has no password yet.
var errNoMatch = models.FieldErrorf("password", "This e-mail address and password do not belong together.")

// SignIn checks a password and gives the token of a halfway session; its stage says what comes next. Whoever is wrong learns nothing but that:
// known and unknown accounts cost the same time and get the same answers.
func (s *Store) SignIn(ctx context.Context, email, password string, from models.From) (token string, stage models.Stage, err error) {
	row, err := s.checkPassword(ctx, email, password, from)
	if err != nil {
		return "", "", err
	}
	stage = models.StageSecond
	if len(row.TOTPSealed) == 0 {
		if row.State == string(models.Active) {
			// Their second factor was reset: the password alone opens nothing, the link is needed as well.
			return "", "", models.FieldErrorf("password", "Your second factor was reset. Open the link that your admin gave you.")
		}
		stage = models.StageEnrol
	}
	err = s.Update(ctx, func(tx *Tx) error {
		token, err = tx.openSession(row.ID, stage, from)
		return err
	})
	return token, stage, err
}

// SignInToEnrol is the way back in after the second factor was reset: the link and the password together.
func (s *Store) SignInToEnrol(ctx context.Context, link, password string, from models.From) (token string, err error) {
	l, err := s.LookAtLink(ctx, "factor", link, from)
	if err != nil {
		return "", err
	}
	if _, err := s.checkPassword(ctx, l.User.Email, password, from); err != nil {
		return "", err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		l, err := tx.link(link, "factor")
		if err != nil {
			return err
		}
		if err := tx.useLink(l); err != nil {
			return err
		}
		token, err = tx.openSession(l.User.ID, models.StageEnrol, from)
		return err
	})
	return token, err
}

// checkPassword finds the person or gives errNoMatch, and counts.
func (s *Store) checkPassword(ctx context.Context, email, password string, from models.From) (row userRow, err error) {
	email = strings.ToLower(strings.TrimSpace(email))
	account := accountKey(email)
	var found bool
	err = s.View(ctx, func(q *Tx) error {
		if err := q.blocked(throttleAddress, from.IP); err != nil {
			return err
		}
		if err := q.blocked(throttleAccount, account); err != nil {
			return err
		}
		row, err = q.userWhere("email = ?", clean(email))
		found = err == nil
		if models.Is(err, models.NotFound) {
			err = nil
		}
		return err
	})
	if err != nil {
		return row, err
	}
	if len(password) > 4*passwordMax {
		password = "" // hashing megabytes would be a way to keep us busy
	}
	ok, err := s.hasher.match(ctx, row.PasswordHash, password)
	if err != nil {
		return row, err
	}
	if ok && found && row.State != string(models.Suspended) {
		return row, nil
	}
	if err := s.signInFailed(ctx, row.ID, account, "wrong password", from); err != nil {
		return row, err
	}
	return row, errNoMatch
}

func (s *Store) signInFailed(ctx context.Context, userID, account, outcome string, from models.From) error {
	return s.Update(ctx, func(tx *Tx) error {
		if err := tx.failed(throttleAddress, from.IP); err != nil {
			return err
		}
		if err := tx.failed(throttleAccount, account); err != nil {
			return err
		}
		return tx.signInEntry(userID, outcome, from)
	})
}

func (tx *Tx) signInEntry(userID, outcome string, from models.From) error {
	return tx.Exec("INSERT INTO sign_ins (id, at_us, user_id, outcome, ip, agent) VALUES (?,?,?,?,?,?)",
		models.NewID(), tx.Now, userID, outcome, clean(from.IP), cut(clean(from.Agent), 200))
}

// finish ends the halfway session and starts the real one. Password and second factor were both shown, so neither is unproved any more.
func (tx *Tx) finish(row userRow, halfway, outcome string, from models.From) (token string, err error) {
	return tx.enter(row, halfway, outcome, from, "")
}

// enter is finish where something may stay unproved.
func (tx *Tx) enter(row userRow, halfway, outcome string, from models.From, unproved string) (token string, err error) {
	if err := tx.Exec("UPDATE sessions SET ended_us = ?, ended_why = 'replaced at sign-in' WHERE id = ?", tx.Now, halfway); err != nil {
		return "", err
	}
	for t, subject := range map[throttle]string{throttleAccount: accountKey(row.Email), throttleFactor: row.ID} {
		if err := tx.forgive(t, subject); err != nil {
			return "", err
		}
	}
	if err := tx.Exec("UPDATE users SET last_sign_in_us = ?, unproved = ? WHERE id = ?", tx.Now, unproved, row.ID); err != nil {
		return "", err
	}
	if err := tx.signInEntry(row.ID, outcome, from); err != nil {
		return "", err
	}
	if token, err = tx.openSession(row.ID, models.StageFull, from); err != nil {
		return "", err
	}
	return token, tx.Audit(models.Actor{UserID: row.ID, Name: row.Name, IP: from.IP}, "session.start", "user", row.ID, nil, nil,
		fmt.Sprintf("Signed in (%s).", outcome))
}

// halfway finds the session that a password opened.
func (tx *Tx) halfway(token string, stage models.Stage) (sessionRow, userRow, error) {
	var se sessionRow
	err := tx.DB.Where("token_hash = ? AND ended_us = 0 AND stage = ?", tokenHash(token), stage).Take(&se).Error
	if IsNoRow(err) || (err == nil && !se.toSession().Open(tx.Now)) {
		return se, userRow{}, errUnsigned
	}
	if err != nil {
		return se, userRow{}, err
	}
	row, err := tx.user(se.UserID)
	if err == nil && row.State == string(models.Suspended) {
		err = errUnsigned
	}
	return se, row, err
}

// ChangePassword sets one's own password; all other sessions end.
func (s *Store) ChangePassword(ctx context.Context, actor models.Actor, old, password string) error {
	var row userRow
	if err := s.View(ctx, func(q *Tx) (err error) {
		if err := actor.RequireStepUp(q.Now); err != nil {
			return err
		}
		row, err = q.user(actor.UserID)
		return err
	}); err != nil {
		return err
	}
	if err := checkPassword(password, row.Email, row.Name); err != nil {
		return err
	}
	ok, err := s.hasher.match(ctx, row.PasswordHash, cut(old, passwordMax))
	if err != nil {
		return err
	}
	if !ok {
		return models.FieldErrorf("old", "This is not your present password.")
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		if err := tx.setPassword(row.ID, hash); err != nil {
			return err
		}
		if err := tx.endSessions(row.ID, actor.Sess, "password changed"); err != nil {
			return err
		}
		return tx.Audit(actor, "user.password", "user", row.ID, nil, nil, "Changed their password.")
	})
}

// DemoLink makes a sign-in link for the demonstration. It works many times, because visitors go back and forth between the people. Outside
// the demonstration it is refused here and again when it is used, and the route does not exist.
func (s *Store) DemoLink(ctx context.Context, userID string) (token string, err error) {
	if !s.demo {
		return "", models.Errorf(models.Forbidden, "Sign-in links exist in the demonstration only.")
	}
	err = s.Update(ctx, func(tx *Tx) error {
		token, err = tx.newLink("demo", userID, models.System("demo"), linkDemo)
		return err
	})
	return token, err
}

// SignInByDemoLink signs in without a password, in the demonstration only.
func (s *Store) SignInByDemoLink(ctx context.Context, link string, from models.From) (token string, err error) {
	if !s.demo {
		return "", errLink
	}
	err = s.Update(ctx, func(tx *Tx) error {
		l, err := tx.link(link, "demo")
		if err != nil {
			return err
		}
		row, err := tx.user(l.User.ID)
		if err != nil {
			return err
		}
		token, err = tx.finish(row, "", "demo link", from)
		return err
	})
	return token, err
}
