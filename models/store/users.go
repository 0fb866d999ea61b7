package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"countinghouse/models"
)

// userRow is the users table. Secrets stay in here; toUser gives what others may see.
type userRow struct {
	ID           string        `gorm:"column:id;primaryKey"`
	Email        string        `gorm:"column:email"`
	Name         string        `gorm:"column:name"`
	State        string        `gorm:"column:state"`
	PasswordHash string        `gorm:"column:password_hash"`
	TOTPSealed   []byte        `gorm:"column:totp_sealed"`
	TOTPPending  []byte        `gorm:"column:totp_pending"`
	TOTPLastStep int64         `gorm:"column:totp_last_step"`
	Unproved     string        `gorm:"column:unproved"`
	Created      models.Micros `gorm:"column:created_us"`
	Updated      models.Micros `gorm:"column:updated_us"`
	LastSignIn   models.Micros `gorm:"column:last_sign_in_us"`
}

// TableName tells GORM where.
func (userRow) TableName() string { return "users" }

func (r userRow) toUser(roles []models.Role) models.User {
	return models.User{ID: r.ID, Email: r.Email, Name: r.Name, Roles: roles, State: models.UserState(r.State), HasPassword: r.PasswordHash != "",
		HasFactor: len(r.TOTPSealed) > 0, Unproved: r.Unproved, Created: r.Created, LastSignIn: r.LastSignIn}
}

// user reads one row, or a NotFound error.
func (tx *Tx) user(id string) (userRow, error) { return tx.userWhere("id = ?", id) }

func (tx *Tx) userWhere(cond string, arg any) (userRow, error) {
	var u userRow
	err := tx.DB.Where(cond, arg).Take(&u).Error
	if IsNoRow(err) {
		return u, models.Errorf(models.NotFound, "There is no such person.")
	}
	return u, err
}

func (tx *Tx) roles(userID string) ([]models.Role, error) {
	var list []models.Role
	err := tx.Each(func(r *sql.Rows) error {
		var role models.Role
		err := r.Scan(&role)
		list = append(list, role)
		return err
	}, "SELECT role FROM user_roles WHERE user_id = ?", userID)
	return models.SortRoles(list), err
}

func (tx *Tx) setRoles(userID string, roles []models.Role) error {
	if err := tx.Exec("DELETE FROM user_roles WHERE user_id = ?", userID); err != nil {
		return err
	}
	for _, r := range roles {
		if err := tx.Exec("INSERT INTO user_roles (user_id, role) VALUES (?, ?)", userID, r); err != nil {
			return err
		}
	}
	if err := tx.Exec("UPDATE users SET updated_us = ? WHERE id = ?", tx.Now, userID); err != nil {
		return err
	}
	return tx.noteAccess(userID)
}

// otherAdmins counts the active admins besides one person.
func (tx *Tx) otherAdmins(userID string) (n int, err error) {
	err = tx.QueryRow(`SELECT COUNT(*) FROM users u JOIN user_roles r ON r.user_id = u.id
		WHERE u.state = ? AND r.role = ? AND u.id <> ?`, models.Active, models.Admin, userID).Scan(&n)
	return n, err
}

// newUser inserts an invited person without roles. An address that is taken gives an Invalid error on the field.
func (tx *Tx) newUser(email, name string) (userRow, error) {
	u := userRow{ID: models.NewID(), Email: email, Name: name, State: string(models.Invited), Created: tx.Now, Updated: tx.Now}
	n, err := tx.Change(`INSERT INTO users (id, email, name, state, password_hash, totp_last_step, unproved, created_us, updated_us, last_sign_in_us)
		VALUES (?,?,?,?,'',0,'',?,?,0) ON CONFLICT (email) DO NOTHING`, u.ID, u.Email, u.Name, u.State, u.Created, u.Updated)
	if err == nil && n == 0 {
		return u, models.FieldErrorf("email", "Somebody with this address is here already.")
	}
	if err == nil {
		err = tx.noteAccess(u.ID)
	}
	return u, err
}

// People lists everybody, by name.
func (s *Store) People(ctx context.Context, actor models.Actor) ([]models.User, error) {
	if err := actor.Require(models.PeopleRead); err != nil {
		return nil, err
	}
	var list []models.User
	err := s.View(ctx, func(q *Tx) error {
		var rows []userRow
		if err := q.DB.Order("lower(name), id").Limit(1000).Find(&rows).Error; err != nil {
			return err
		}
		roles := map[string][]models.Role{}
		if err := q.Each(func(r *sql.Rows) error {
			var id string
			var role models.Role
			err := r.Scan(&id, &role)
			roles[id] = append(roles[id], role)
			return err
		}, "SELECT user_id, role FROM user_roles"); err != nil {
			return err
		}
		open := map[string]int{}
		if err := q.Each(func(r *sql.Rows) error {
			var id string
			var n int
			err := r.Scan(&id, &n)
			open[id] = n
			return err
		}, "SELECT user_id, COUNT(*) FROM sessions WHERE ended_us = 0 AND stage = 'full' AND expires_us > ? AND seen_us > ? GROUP BY user_id",
			q.Now, q.Now.Add(-models.SessionIdle)); err != nil {
			return err
		}
		for _, r := range rows {
			u := r.toUser(models.SortRoles(roles[r.ID]))
			u.OpenSessions = open[r.ID]
			list = append(list, u)
		}
		return nil
	})
	return list, err
}

// Person gives one person with open sessions and sign-in history. Everybody may see their own.
func (s *Store) Person(ctx context.Context, actor models.Actor, id string) (u models.User, sessions []models.Session, history []models.SignInEntry, err error) {
	if actor.UserID != id || id == "" {
		if err := actor.Require(models.PeopleRead); err != nil {
			return u, nil, nil, err
		}
	}
	err = s.View(ctx, func(q *Tx) error {
		row, err := q.user(id)
		if err != nil {
			return err
		}
		roles, err := q.roles(id)
		if err != nil {
			return err
		}
		u = row.toUser(roles)
		if err := q.QueryRow("SELECT COUNT(*) FROM recovery_codes WHERE user_id = ? AND used_us = 0", id).Scan(&u.CodesLeft); err != nil {
			return err
		}
		if sessions, err = q.openSessions(id); err != nil {
			return err
		}
		history, err = q.history(id)
		return err
	})
	return u, sessions, history, err
}

func (tx *Tx) history(id string) (list []models.SignInEntry, err error) {
	err = tx.Each(func(r *sql.Rows) error {
		var e models.SignInEntry
		err := r.Scan(&e.At, &e.Outcome, &e.IP, &e.Agent)
		list = append(list, e)
		return err
	}, "SELECT at_us, outcome, ip, agent FROM sign_ins WHERE user_id = ? ORDER BY id DESC LIMIT 50", id)
	return list, err
}

// managePeople checks what every change of another person needs.
func (s *Store) managePeople(actor models.Actor, now models.Micros) error {
	if err := actor.Require(models.PeopleManage); err != nil {
		return err
	}
	return actor.RequireStepUp(now)
}

// Invite makes a person and a link that lets them set a password, valid for three days. The roles take effect at once when nobody else could
// agree to them, and otherwise wait for a second admin (pending is then true); the link works either way.
func (s *Store) Invite(ctx context.Context, actor models.Actor, email, name string, roles []models.Role) (u models.User, token string, pending bool, err error) {
	var problems []models.Problem
	collect := func(err error) {
		var e *models.Error
		if asError(err, &e) {
			problems = append(problems, e.Fields...)
		}
	}
	email, eerr := models.ParseEmail(email)
	name, nerr := models.ParseName(name)
	roles = slices.Clone(roles)
	collect(eerr)
	collect(nerr)
	collect(models.CheckRoles(roles))
	err = s.Update(ctx, func(tx *Tx) error {
		if err := s.managePeople(actor, tx.Now); err != nil {
			return err
		}
		if err := models.Problems(problems); err != nil {
			return err
		}
		row, err := tx.newUser(email, name)
		if err != nil {
			return err
		}
		if err := tx.Audit(actor, "user.invite", "user", row.ID, nil, map[string]any{"email": email, "name": name, "roles": roles},
			fmt.Sprintf("Invited %s as %s.", name, models.RoleText(roles))); err != nil {
			return err
		}
		if token, err = tx.newLink("invite", row.ID, actor, linkInvite); err != nil {
			return err
		}
		u = row.toUser(nil)
		pending, err = tx.askOrApply(actor, roleChange(row, nil, models.SortRoles(roles)))
		return err
	})
	return u, token, pending, err
}

// ChangeRoles gives a person other roles: at once when there is no other admin, otherwise after one of them has agreed.
func (s *Store) ChangeRoles(ctx context.Context, actor models.Actor, userID string, roles []models.Role) (pending bool, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		if err := s.managePeople(actor, tx.Now); err != nil {
			return err
		}
		if err := models.CheckRoles(roles); err != nil {
			return err
		}
		if userID == actor.UserID {
			return models.Errorf(models.Forbidden, "Nobody changes their own roles. Ask another admin.")
		}
		row, err := tx.user(userID)
		if err != nil {
			return err
		}
		old, err := tx.roles(userID)
		if err != nil {
			return err
		}
		want := models.SortRoles(roles)
		if slices.Equal(old, want) {
			return models.FieldErrorf("roles", "%s is %s already.", row.Name, models.RoleText(want))
		}
		pending, err = tx.askOrApply(actor, roleChange(row, old, want))
		return err
	})
	return pending, err
}

// GrantByOperator gives roles from the command line, without a second admin: whoever has a shell on the machine holds the database anyway.
func (s *Store) GrantByOperator(ctx context.Context, userID string, roles []models.Role) error {
	return s.Update(ctx, func(tx *Tx) error {
		if err := models.CheckRoles(roles); err != nil {
			return err
		}
		row, err := tx.user(userID)
		if err != nil {
			return err
		}
		old, err := tx.roles(userID)
		if err != nil {
			return err
		}
		c := roleChange(row, old, models.SortRoles(roles))
		if err := tx.Exec("UPDATE changes SET state = 'withdrawn', decided_us = ?, reason = 'granted at the command line' WHERE kind = ? AND subject = ? AND state = 'pending'",
			tx.Now, c.kind, c.subject); err != nil {
			return err
		}
		if err := tx.setRoles(userID, models.SortRoles(roles)); err != nil {
			return err
		}
		return tx.Audit(models.Operator(), c.kind, "user", userID, c.before, c.after, "At the command line: "+c.sentence)
	})
}

// Suspend keeps a person out from this moment: sessions end, links die. It needs no second admin, so that it can be done in a hurry.
func (s *Store) Suspend(ctx context.Context, actor models.Actor, userID string) error {
	return s.changeState(ctx, actor, userID, models.Suspended)
}

// Resume lets a suspended person in again.
func (s *Store) Resume(ctx context.Context, actor models.Actor, userID string) error {
	return s.changeState(ctx, actor, userID, models.Active)
}

func (s *Store) changeState(ctx context.Context, actor models.Actor, userID string, to models.UserState) error {
	return s.Update(ctx, func(tx *Tx) error {
		if err := s.managePeople(actor, tx.Now); err != nil {
			return err
		}
		row, err := tx.user(userID)
		if err != nil {
			return err
		}
		if userID == actor.UserID {
			return models.Errorf(models.Forbidden, "Nobody suspends themselves. Ask another admin.")
		}
		action, word := "user.resume", "Let %s in again."
		switch {
		case to == models.Suspended && row.State == string(models.Suspended):
			return models.Errorf(models.Conflict, "%s is suspended already.", row.Name)
		case to == models.Active && row.State != string(models.Suspended):
			return models.Errorf(models.Conflict, "%s is not suspended.", row.Name)
		case to == models.Active && (row.PasswordHash == "" || len(row.TOTPSealed) == 0) && row.Unproved == "":
			to = models.Invited // suspended before the invitation was finished
		case to == models.Suspended:
			action, word = "user.suspend", "Suspended %s."
			if err := tx.lastAdmin(userID, "suspended"); err != nil {
				return err
			}
			if err := tx.endSessions(userID, "", "suspended"); err != nil {
				return err
			}
			if err := tx.Exec("UPDATE links SET expires_us = ? WHERE user_id = ? AND used_us = 0 AND expires_us > ?", tx.Now, userID, tx.Now); err != nil {
				return err
			}
		}
		if err := tx.Exec("UPDATE users SET state = ?, updated_us = ? WHERE id = ?", to, tx.Now, userID); err != nil {
			return err
		}
		if err := tx.noteAccess(userID); err != nil {
			return err
		}
		return tx.Audit(actor, action, "user", userID, map[string]any{"state": row.State}, map[string]any{"state": to}, fmt.Sprintf(word, row.Name))
	})
}

// lastAdmin refuses to lose the only person who can let others in.
func (tx *Tx) lastAdmin(userID, verb string) error {
	roles, err := tx.roles(userID)
	if err != nil || !slices.Contains(roles, models.Admin) {
		return err
	}
	others, err := tx.otherAdmins(userID)
	if err == nil && others == 0 {
		err = models.Errorf(models.Conflict, "This is the only active admin and cannot be %s.", verb)
	}
	return err
}
