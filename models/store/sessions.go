package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"countinghouse/models"
)

// sessionRow is the sessions table.
type sessionRow struct {
	ID          string        `gorm:"column:id;primaryKey"`
	TokenHash   string        `gorm:"column:token_hash"`
	UserID      string        `gorm:"column:user_id"`
	Stage       string        `gorm:"column:stage"`
	Environment string        `gorm:"column:environment"`
	Created     models.Micros `gorm:"column:created_us"`
	Seen        models.Micros `gorm:"column:seen_us"`
	Expires     models.Micros `gorm:"column:expires_us"`
	StepUp      models.Micros `gorm:"column:step_up_us"`
	Ended       models.Micros `gorm:"column:ended_us"`
	EndedWhy    string        `gorm:"column:ended_why"`
	IP          string        `gorm:"column:ip"`
	Agent       string        `gorm:"column:agent"`
	Data        string        `gorm:"column:data"`
}

// TableName tells GORM where.
func (sessionRow) TableName() string { return "sessions" }

func (r sessionRow) toSession() models.Session {
	return models.Session{ID: r.ID, UserID: r.UserID, Stage: models.Stage(r.Stage), Environment: models.Environment(r.Environment),
		Created: r.Created, Seen: r.Seen, Expires: r.Expires, StepUp: r.StepUp, Ended: r.Ended, EndedWhy: r.EndedWhy, IP: r.IP, Agent: r.Agent, Data: r.Data}
}

// openSession starts a session and gives the token for its cookie. Every step of signing in starts a new one: a token that somebody knew
// before is worth nothing after.
func (tx *Tx) openSession(userID string, stage models.Stage, from models.From) (token string, err error) {
	token, hash := newToken()
	life := models.SessionAbsolute
	if stage != models.StageFull {
		life = models.HalfwayFor
	}
	row := sessionRow{ID: models.NewID(), TokenHash: hash, UserID: userID, Stage: string(stage), Environment: string(tx.lastEnvironment(userID)),
		Created: tx.Now, Seen: tx.Now, Expires: tx.Now.Add(life), IP: clean(from.IP), Agent: cut(clean(from.Agent), 200)}
	if stage == models.StageFull {
		row.StepUp = tx.Now // the second factor was shown just now
	}
	return token, tx.DB.Create(&row).Error
}

// lastEnvironment lets people find themselves where they were; the first time that is the sandbox.
func (tx *Tx) lastEnvironment(userID string) models.Environment {
	var env models.Environment
	err := tx.QueryRow("SELECT environment FROM sessions WHERE user_id = ? ORDER BY created_us DESC, id DESC LIMIT 1", userID).Scan(&env)
	if err != nil || !env.Valid() {
		return models.Sandbox
	}
	return env
}

func cut(s string, n int) string {
	r := []rune(s)
	if len(r) > n {
		return string(r[:n])
	}
	return s
}

// Signed is who stands behind a cookie.
type Signed struct {
	Session models.Session
	User    models.User
	Blocked models.Role // with BlockedIP: the role whose address rules do not hold the address
	// BlockedIP: the person is signed in, but not allowed to use the console from this address.
	BlockedIP bool
	Working   models.Working // the sub-account that the person works in, in the session's environment
}

// Actor is the person as store methods want them.
func (sg Signed) Actor(ip string) models.Actor {
	return models.Actor{UserID: sg.User.ID, Name: sg.User.Name, Roles: sg.User.Roles, IP: ip, StepUp: sg.Session.StepUp, Sess: sg.Session.ID}
}

var errUnsigned = models.Errorf(models.Unsigned, "Please sign in.")

// SessionByToken finds the open session of a cookie, the person, and whether the address rules let them in from here. Anything else is an
// Unsigned error. Use keeps a session open; it is written down at most once a minute.
func (s *Store) SessionByToken(ctx context.Context, token string, from models.From) (sg Signed, err error) {
	if token == "" || len(token) > 100 {
		return sg, errUnsigned
	}
	now := s.Now()
	var guarded bool
	var letting []string
	if sg, guarded, err = s.readSession(ctx, token); err != nil {
		return Signed{}, err
	}
	if !sg.Session.Open(now) || sg.User.State == models.Suspended {
		return Signed{}, errUnsigned
	}
	if guarded {
		var rules []models.IPRule
		if err := s.View(ctx, func(q *Tx) (err error) {
			rules, err = q.ipRules(models.ScopeConsole)
			return err
		}); err != nil {
			return Signed{}, err
		}
		ok, role := models.ConsoleAllows(rules, sg.User.Roles, from.IP, now)
		sg.BlockedIP, sg.Blocked = !ok, role
		letting = models.Letting(rules, sg.User.Roles, from.IP, now)
	}
	touch := now >= sg.Session.Seen.Add(time.Minute)
	if err == nil && touch && !sg.BlockedIP {
		err = s.Update(ctx, func(tx *Tx) error {
			if err := tx.Exec("UPDATE sessions SET seen_us = ?, ip = ? WHERE id = ? AND ended_us = 0", tx.Now, clean(from.IP), sg.Session.ID); err != nil {
				return err
			}
			return tx.hit(letting) // rides along with the write that there is anyway
		})
	}
	return sg, err
}

// sessionQuery asks everything that every page needs at once, by hand and without a transaction: it stands before each page's own work.
const sessionQuery = `SELECT s.id, s.user_id, s.stage, s.environment, s.created_us, s.seen_us, s.expires_us, s.step_up_us, s.ip, s.agent, s.data,
	u.email, u.name, u.state, u.password_hash <> '', u.totp_sealed IS NOT NULL, u.unproved, u.created_us, u.last_sign_in_us,
	COALESCE((SELECT string_agg(r.role, ',') FROM user_roles r WHERE r.user_id = u.id), ''),
	EXISTS (SELECT 1 FROM ip_rules i WHERE i.scope = 'console' AND i.removed_us = 0),
	COALESCE(a.id, ''), COALESCE(a.name, ''), COALESCE(a.company, ''), COALESCE(a.provider, '')
	FROM sessions s JOIN users u ON u.id = s.user_id
	LEFT JOIN working_sub_accounts w ON w.user_id = s.user_id AND w.environment = s.environment LEFT JOIN sub_accounts a ON a.id = w.sub_account_id
	WHERE s.token_hash = ? AND s.ended_us = 0`

// readSession finds a session that has not ended and its person; guarded tells that there are address rules to look at.
func (s *Store) readSession(ctx context.Context, token string) (sg Signed, guarded bool, err error) {
	se, u := &sg.Session, &sg.User
	var roles string
	err = s.read.QueryRowContext(ctx, s.rebind(sessionQuery), tokenHash(token)).Scan(&se.ID, &se.UserID, &se.Stage, &se.Environment, &se.Created,
		&se.Seen, &se.Expires, &se.StepUp, &se.IP, &se.Agent, &se.Data, &u.Email, &u.Name, &u.State, &u.HasPassword, &u.HasFactor, &u.Unproved,
		&u.Created, &u.LastSignIn, &roles, &guarded, &sg.Working.ID, &sg.Working.Name, &sg.Working.Company, &sg.Working.Provider)
	if IsNoRow(err) {
		return sg, false, errUnsigned
	}
	if err != nil {
		return sg, false, fmt.Errorf("read the session: %w", err)
	}
	u.ID = se.UserID
	var list []models.Role
	for r := range strings.SplitSeq(roles, ",") {
		list = append(list, models.Role(r))
	}
	u.Roles = models.SortRoles(list)
	return sg, guarded, nil
}

// SaveSessionData keeps what gorilla/sessions wants kept.
func (s *Store) SaveSessionData(ctx context.Context, id, data string) error {
	return s.Update(ctx, func(tx *Tx) error {
		return tx.Exec("UPDATE sessions SET data = ? WHERE id = ? AND ended_us = 0", clean(data), id)
	})
}

// SwitchEnvironment moves a session to the other environment.
func (s *Store) SwitchEnvironment(ctx context.Context, actor models.Actor, env models.Environment) error {
	if !env.Valid() {
		return models.FieldErrorf("environment", "There is no environment %q.", env)
	}
	return s.Update(ctx, func(tx *Tx) error {
		return tx.Exec("UPDATE sessions SET environment = ? WHERE id = ? AND user_id = ? AND ended_us = 0", env, actor.Sess, actor.UserID)
	})
}

// openSessions lists a person's sessions that still count, newest first.
func (tx *Tx) openSessions(userID string) (list []models.Session, err error) {
	var rows []sessionRow
	if err := tx.DB.Where("user_id = ? AND ended_us = 0 AND stage = 'full'", userID).Order("created_us DESC, id DESC").Limit(200).Find(&rows).Error; err != nil {
		return nil, err
	}
	for _, r := range rows {
		list = append(list, r.toSession())
	}
	return slices.DeleteFunc(list, func(x models.Session) bool { return !x.Open(tx.Now) }), nil
}

// endSessions ends all open sessions of a person but one.
func (tx *Tx) endSessions(userID, except, why string) error {
	return tx.Exec("UPDATE sessions SET ended_us = ?, ended_why = ? WHERE user_id = ? AND id <> ? AND ended_us = 0", tx.Now, why, userID, except)
}

// SignOut ends one's own session.
func (s *Store) SignOut(ctx context.Context, actor models.Actor) error {
	return s.Update(ctx, func(tx *Tx) error {
		n, err := tx.Change("UPDATE sessions SET ended_us = ?, ended_why = 'signed out' WHERE id = ? AND user_id = ? AND ended_us = 0", tx.Now, actor.Sess, actor.UserID)
		if err != nil || n == 0 {
			return err
		}
		return tx.Audit(actor, "session.end", "user", actor.UserID, nil, nil, "Signed out.")
	})
}

// EndSession ends one session: one's own, or with people.manage somebody else's.
func (s *Store) EndSession(ctx context.Context, actor models.Actor, sessionID string) error {
	return s.Update(ctx, func(tx *Tx) error {
		var row sessionRow
		err := tx.DB.Where("id = ?", sessionID).Take(&row).Error
		if IsNoRow(err) || (err == nil && row.UserID != actor.UserID && !actor.Can(models.PeopleManage)) {
			return models.Errorf(models.NotFound, "There is no such session.")
		}
		if err != nil {
			return err
		}
		if row.UserID != actor.UserID {
			if err := actor.RequireStepUp(tx.Now); err != nil {
				return err
			}
		}
		n, err := tx.Change("UPDATE sessions SET ended_us = ?, ended_why = ? WHERE id = ? AND ended_us = 0", tx.Now, "ended by "+actor.Name, sessionID)
		if err != nil || n == 0 {
			return err
		}
		return tx.Audit(actor, "session.revoke", "user", row.UserID, nil, map[string]any{"session": sessionID}, "Ended a session.")
	})
}

// EndSessions ends all sessions of a person; of one's own the present one stays.
func (s *Store) EndSessions(ctx context.Context, actor models.Actor, userID string) error {
	return s.Update(ctx, func(tx *Tx) error {
		if userID != actor.UserID {
			if err := s.managePeople(actor, tx.Now); err != nil {
				return err
			}
		}
		row, err := tx.user(userID)
		if err != nil {
			return err
		}
		if err := tx.endSessions(userID, actor.Sess, "ended by "+actor.Name); err != nil {
			return err
		}
		return tx.Audit(actor, "session.revoke_all", "user", userID, nil, nil, fmt.Sprintf("Ended all other sessions of %s.", row.Name))
	})
}
