package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"countinghouse/models"
)

// How long one-time links live.
const (
	linkSetup  = 24 * time.Hour
	linkInvite = 72 * time.Hour
	linkReset  = 24 * time.Hour
	linkDemo   = 7 * 24 * time.Hour
)

func asError(err error, target **models.Error) bool { return errors.As(err, target) }

// newLink makes a one-time link of a kind; an older one of the same kind for the same person stops working.
func (tx *Tx) newLink(kind, userID string, by models.Actor, life time.Duration) (string, error) {
	token, hash := newToken()
	if err := tx.Exec("UPDATE links SET expires_us = ? WHERE kind = ? AND user_id = ? AND used_us = 0 AND expires_us > ?", tx.Now, kind, userID, tx.Now); err != nil {
		return "", err
	}
	return token, tx.Exec("INSERT INTO links (id, kind, token_hash, user_id, created_us, created_by, expires_us, used_us) VALUES (?,?,?,?,?,?,?,0)",
		models.NewID(), kind, hash, userID, tx.Now, by.UserID, tx.Now.Add(life))
}

// Link is a one-time link that still works.
type Link struct {
	Kind string      // setup, invite, password, factor, demo
	User models.User // empty for setup
	id   string
}

var errLink = models.Errorf(models.NotFound, "This link does not work: it was used, it is too old, or it was replaced. Ask for a new one.")

// link finds a link that works.
func (tx *Tx) link(token, kind string) (Link, error) {
	l := Link{Kind: kind}
	var userID string
	err := tx.QueryRow("SELECT id, user_id FROM links WHERE token_hash = ? AND kind = ? AND used_us = 0 AND expires_us > ?"+tx.ForUpdate(),
		tokenHash(token), kind, tx.Now).Scan(&l.id, &userID)
	if IsNoRow(err) {
		return l, errLink
	}
	if err != nil || userID == "" {
		return l, err
	}
	row, err := tx.user(userID)
	if err != nil {
		return l, err
	}
	if row.State == string(models.Suspended) {
		return l, errLink
	}
	l.User = row.toUser(nil)
	return l, nil
}

func (tx *Tx) useLink(l Link) error {
	n, err := tx.Change("UPDATE links SET used_us = ? WHERE id = ? AND used_us = 0", tx.Now, l.id)
	if err == nil && n == 0 {
		err = errLink
	}
	return err
}

// LookAtLink says whom a link is for, without using it: programs that preview links must not burn them.
func (s *Store) LookAtLink(ctx context.Context, kind, token string, from models.From) (l Link, err error) {
	err = s.guessing(ctx, from, func() error {
		return s.View(ctx, func(q *Tx) error {
			l, err = q.lookAt(token, kind)
			return err
		})
	})
	return l, err
}

// lookAt is link on a snapshot, where no row may be locked.
func (tx *Tx) lookAt(token, kind string) (Link, error) {
	var userID string
	l := Link{Kind: kind}
	err := tx.QueryRow("SELECT id, user_id FROM links WHERE token_hash = ? AND kind = ? AND used_us = 0 AND expires_us > ?",
		tokenHash(token), kind, tx.Now).Scan(&l.id, &userID)
	if IsNoRow(err) {
		return l, errLink
	}
	if err != nil || userID == "" {
		return l, err
	}
	row, err := tx.user(userID)
	if err == nil && row.State == string(models.Suspended) {
		err = errLink
	}
	l.User = row.toUser(nil)
	return l, err
}

// guessing throttles those who try links.
func (s *Store) guessing(ctx context.Context, from models.From, try func() error) error {
	if err := s.View(ctx, func(q *Tx) error { return q.blocked(throttleLink, from.IP) }); err != nil {
		return err
	}
	err := try()
	if errors.Is(err, errLink) {
		if ferr := s.Update(ctx, func(tx *Tx) error { return tx.failed(throttleLink, from.IP) }); ferr != nil {
			return ferr
		}
	}
	return err
}

// SetupLink makes the link with which the first admin comes in, or an empty one when there is an active admin already. Each call replaces
// the link before.
func (s *Store) SetupLink(ctx context.Context) (token string, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		admins, err := tx.otherAdmins("")
		if err != nil || admins > 0 {
			return err
		}
		token, err = tx.newLink("setup", "", models.System("setup"), linkSetup)
		return err
	})
	return token, err
}

// SetUp makes the first admin and signs them in as far as the enrolment of a second factor.
func (s *Store) SetUp(ctx context.Context, token, email, name, password string, from models.From) (session string, err error) {
	email, eerr := models.ParseEmail(email)
	name, nerr := models.ParseName(name)
	if err := joinFields(eerr, nerr, checkPassword(password, email, name)); err != nil {
		return "", err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return "", err
	}
	err = s.guessing(ctx, from, func() error {
		return s.Update(ctx, func(tx *Tx) error {
			l, err := tx.link(token, "setup")
			if err != nil {
				return err
			}
			if admins, err := tx.otherAdmins(""); err != nil || admins > 0 {
				return errors.Join(err, errLink)
			}
			if err := tx.useLink(l); err != nil {
				return err
			}
			row, err := tx.firstAdmin(email, name)
			if err != nil {
				return err
			}
			if err := tx.setPassword(row.ID, hash); err != nil {
				return err
			}
			actor := models.Actor{UserID: row.ID, Name: name, IP: from.IP}
			if session, err = tx.openSession(row.ID, models.StageEnrol, from); err != nil {
				return err
			}
			return tx.Audit(actor, "user.set_up", "user", row.ID, nil, map[string]any{"email": email, "name": name, "roles": []models.Role{models.Admin}},
				"Set Countinghouse up as its first admin.")
		})
	})
	return session, err
}

// firstAdmin makes the person, or takes up a set-up that was begun with the same address and not finished.
func (tx *Tx) firstAdmin(email, name string) (userRow, error) {
	row, err := tx.userWhere("email = ?", email)
	if models.Is(err, models.NotFound) {
		row, err = tx.newUser(email, name)
	} else if err == nil && row.State != string(models.Invited) {
		err = models.FieldErrorf("email", "Somebody with this address is here already.")
	}
	if err != nil {
		return row, err
	}
	if err := tx.Exec("UPDATE users SET name = ? WHERE id = ?", name, row.ID); err != nil {
		return row, err
	}
	return row, tx.setRoles(row.ID, []models.Role{models.Admin})
}

// AcceptInvitation sets the invited person's password and signs them in as far as the enrolment of a second factor.
func (s *Store) AcceptInvitation(ctx context.Context, token, password string, from models.From) (session string, err error) {
	l, err := s.LookAtLink(ctx, "invite", token, from)
	if err != nil {
		return "", err
	}
	if err := checkPassword(password, l.User.Email, l.User.Name); err != nil {
		return "", err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return "", err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		l, err := tx.link(token, "invite")
		if err != nil {
			return err
		}
		if err := tx.useLink(l); err != nil {
			return err
		}
		if err := tx.setPassword(l.User.ID, hash); err != nil {
			return err
		}
		if session, err = tx.openSession(l.User.ID, models.StageEnrol, from); err != nil {
			return err
		}
		return tx.Audit(models.Actor{UserID: l.User.ID, Name: l.User.Name, IP: from.IP}, "user.accept", "user", l.User.ID, nil, nil, "Accepted the invitation.")
	})
	return session, err
}

// NewInvitation makes another link for somebody who has not come in yet.
func (s *Store) NewInvitation(ctx context.Context, actor models.Actor, userID string) (token string, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		if err := s.managePeople(actor, tx.Now); err != nil {
			return err
		}
		row, err := tx.user(userID)
		if err != nil {
			return err
		}
		if row.State != string(models.Invited) {
			return models.Errorf(models.Conflict, "%s has come in already; an invitation is for people who have not.", row.Name)
		}
		// What was begun under the old link ends: otherwise two browsers could finish the same invitation.
		if err := tx.endSessions(userID, "", "invited anew"); err != nil {
			return err
		}
		if err := tx.setPassword(userID, ""); err != nil {
			return err
		}
		if token, err = tx.newLink("invite", userID, actor, linkInvite); err != nil {
			return err
		}
		return tx.Audit(actor, "user.invite_again", "user", userID, nil, nil, fmt.Sprintf("Made another invitation for %s.", row.Name))
	})
	return token, err
}

// ResetPassword makes a link with which a person sets another password. The second factor stays, and must be shown with the new password
// before it can be reset in turn: otherwise an admin could reset both and sign in as somebody who moves money.
func (s *Store) ResetPassword(ctx context.Context, actor models.Actor, userID string) (string, error) {
	return s.reset(ctx, actor, userID, "password")
}

// ResetFactor takes a person's second factor and recovery codes away and makes a link with which they enrol another, after showing their
// password. See ResetPassword for why only one of the two can be open.
func (s *Store) ResetFactor(ctx context.Context, actor models.Actor, userID string) (string, error) {
	return s.reset(ctx, actor, userID, "factor")
}

func (s *Store) reset(ctx context.Context, actor models.Actor, userID, what string) (token string, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		if err := s.managePeople(actor, tx.Now); err != nil {
			return err
		}
		row, err := tx.user(userID)
		if err != nil {
			return err
		}
		switch {
		case userID == actor.UserID:
			return models.Errorf(models.Forbidden, "Nobody resets their own sign-in here. Use Settings, or ask another admin.")
		case row.State != string(models.Active):
			return models.Errorf(models.Conflict, "%s is %s; a reset is for people who have come in before.", row.Name, row.State)
		case row.Unproved != "" && row.Unproved != what:
			return models.Errorf(models.Conflict, "%s's %s was reset and has not been used since. Whoever lost both is suspended and invited anew.", row.Name, factorWord(row.Unproved))
		}
		if err := tx.Exec("UPDATE users SET unproved = ?, updated_us = ? WHERE id = ?", what, tx.Now, userID); err != nil {
			return err
		}
		if what == "factor" {
			if err := tx.dropFactor(userID); err != nil {
				return err
			}
		}
		if err := tx.endSessions(userID, "", factorWord(what)+" reset by an admin"); err != nil {
			return err
		}
		if token, err = tx.newLink(what, userID, actor, linkReset); err != nil {
			return err
		}
		return tx.Audit(actor, "user.reset_"+what, "user", userID, nil, nil, fmt.Sprintf("Reset the %s of %s.", factorWord(what), row.Name))
	})
	return token, err
}

func factorWord(what string) string {
	if what == "factor" {
		return "second factor"
	}
	return what
}

// SetPasswordByLink sets the password of the person the link is for. They then sign in with it and their second factor.
func (s *Store) SetPasswordByLink(ctx context.Context, token, password string, from models.From) error {
	l, err := s.LookAtLink(ctx, "password", token, from)
	if err != nil {
		return err
	}
	if err := checkPassword(password, l.User.Email, l.User.Name); err != nil {
		return err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		l, err := tx.link(token, "password")
		if err != nil {
			return err
		}
		if err := tx.useLink(l); err != nil {
			return err
		}
		if err := tx.setPassword(l.User.ID, hash); err != nil {
			return err
		}
		if err := tx.endSessions(l.User.ID, "", "password changed"); err != nil {
			return err
		}
		return tx.Audit(models.Actor{UserID: l.User.ID, Name: l.User.Name, IP: from.IP}, "user.password", "user", l.User.ID, nil, nil, "Set a new password by link.")
	})
}

func (tx *Tx) setPassword(userID, hash string) error {
	return tx.Exec("UPDATE users SET password_hash = ?, updated_us = ? WHERE id = ?", hash, tx.Now, userID)
}

// joinFields gathers field errors so that a form shows all of them at once.
func joinFields(errs ...error) error {
	var all []models.Problem
	for _, err := range errs {
		var e *models.Error
		switch {
		case err == nil:
		case asError(err, &e):
			all = append(all, e.Fields...)
		default:
			return err
		}
	}
	return models.Problems(all)
}
