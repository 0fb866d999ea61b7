package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"text/tabwriter"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/vault"
)

// with opens everything, runs a command and closes.
func with(ctx context.Context, cfg Config, log *slog.Logger, f func(rt *Runtime) error) error {
	rt, err := Start(ctx, cfg, log)
	if err != nil {
		return err
	}
	return errors.Join(f(rt), rt.Close())
}

// Migrate brings the database up to date; with status it only says whether it is.
func Migrate(ctx context.Context, cfg Config, log *slog.Logger, out io.Writer, status bool) error {
	if !status {
		return with(ctx, cfg, log, func(*Runtime) error {
			_, err := fmt.Fprintln(out, "The database is up to date.")
			return err
		})
	}
	s, err := store.Open(ctx, store.Config{DSN: cfg.dsn(), Logger: log})
	if err != nil {
		return databaseError(cfg, err)
	}
	pending, err := s.Pending(ctx)
	if err == nil && pending {
		err = errors.New("the database is older than this program: run migrate")
	}
	if err == nil {
		_, err = fmt.Fprintln(out, "The database is up to date.")
	}
	return errors.Join(err, s.Close())
}

// ListUsers prints everybody.
func ListUsers(ctx context.Context, cfg Config, log *slog.Logger, out io.Writer) error {
	return with(ctx, cfg, log, func(rt *Runtime) error {
		people, err := rt.Store.People(ctx, models.Operator())
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
		for _, u := range people {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", u.Email, u.Name, u.State, models.RoleText(u.Roles))
		}
		return w.Flush()
	})
}

// InviteUser makes a person with roles and prints the invitation.
func InviteUser(ctx context.Context, cfg Config, log *slog.Logger, out io.Writer, email, name string, roles []models.Role) error {
	return with(ctx, cfg, log, func(rt *Runtime) error {
		u, token, pending, err := rt.Store.Invite(ctx, models.Operator(), email, name, roles)
		if err == nil && pending {
			err = rt.Store.GrantByOperator(ctx, u.ID, roles)
		}
		if err != nil {
			return err
		}
		return rt.printLink(out, "invitation", token, "Hand this link to "+u.Name+"; it works once, for three days:")
	})
}

// SetRoles gives a person other roles.
func SetRoles(ctx context.Context, cfg Config, log *slog.Logger, out io.Writer, email string, roles []models.Role) error {
	return with(ctx, cfg, log, func(rt *Runtime) error {
		u, err := rt.Store.UserByEmail(ctx, models.Operator(), email)
		if err == nil {
			err = rt.Store.GrantByOperator(ctx, u.ID, roles)
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%s is now %s.\n", u.Name, models.RoleText(models.SortRoles(roles)))
		return err
	})
}

// ResetUser makes a link for somebody who lost something: kind is invitation, password or factor.
func ResetUser(ctx context.Context, cfg Config, log *slog.Logger, out io.Writer, email, kind string) error {
	return with(ctx, cfg, log, func(rt *Runtime) error {
		u, err := rt.Store.UserByEmail(ctx, models.Operator(), email)
		if err != nil {
			return err
		}
		makes := map[string]struct {
			path string
			do   func(context.Context, models.Actor, string) (string, error)
		}{
			"invitation": {"invitation", rt.Store.NewInvitation},
			"password":   {"new-password", rt.Store.ResetPassword},
			"factor":     {"new-second-factor", rt.Store.ResetFactor},
		}
		m, ok := makes[kind]
		if !ok {
			return configErrorf("There is no link of kind %q; choose invitation, password or factor.", kind)
		}
		token, err := m.do(ctx, models.Operator(), u.ID)
		if err != nil {
			return err
		}
		return rt.printLink(out, m.path, token, "Hand this link to "+u.Name+"; it works once:")
	})
}

func (rt *Runtime) printLink(out io.Writer, path, token, words string) error {
	set, err := rt.Config.check()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n\n    %s/%s/%s\n\n", words, set.base, path, token)
	return err
}

// VaultInit makes the key file of an empty house.
func VaultInit(cfg Config, out io.Writer) error {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return configErrorf("The data folder %s cannot be made: %v.", cfg.Data, err)
	}
	if err := vault.CreateFile(cfg.VaultKeyPath()); err != nil {
		return configErrorf("%v.", err)
	}
	_, err := fmt.Fprintf(out, "Made %s. Keep a copy away from the backups of the database: without it no stored secret opens, and with both everything does.\n", cfg.VaultKeyPath())
	return err
}

// VaultList prints the keys of the key file, never their value.
func VaultList(cfg Config, out io.Writer) error {
	keys, err := vault.Keys(cfg.VaultKeyPath())
	if err != nil {
		return configErrorf("%v.", err)
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	for _, k := range keys {
		_, _ = fmt.Fprintf(w, "%+v\n", k)
	}
	return w.Flush()
}

// Backup writes a copy of a SQLite database while the program runs, and opens it to see that it is whole.
func Backup(ctx context.Context, cfg Config, log *slog.Logger, out io.Writer, target string) error {
	if cfg.Database != "" {
		return configErrorf("The database is PostgreSQL: back it up with pg_dump or your provider's snapshots, and keep vault.key and audit.key elsewhere.")
	}
	return with(ctx, cfg, log, func(rt *Runtime) error {
		if err := rt.Store.BackupTo(ctx, target); err != nil {
			return err
		}
		rep, err := verifyBackup(ctx, rt, target)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "Wrote %s and opened it: the database is whole, its audit trail of %d entries too.\n"+
			"It does not hold the keys. Keep copies of %s and %s apart from it: without them no stored secret opens and no anchor can be checked.\n"+
			"Uploaded files are in %s/files and are to be copied as well.\n", target, rep.Entries, cfg.VaultKeyPath(), cfg.auditKeyPath(), cfg.Data)
		return err
	})
}

func verifyBackup(ctx context.Context, rt *Runtime, target string) (rep models.AuditReport, err error) {
	key, err := rt.Config.auditKey(false)
	if err != nil {
		return rep, err
	}
	s, err := store.Open(ctx, store.Config{DSN: target, Clock: rt.Clock, Logger: rt.Log, AuditKey: key})
	if err != nil {
		return rep, fmt.Errorf("open the backup: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Check(ctx); err != nil {
		return rep, err
	}
	if rep, err = s.VerifyAudit(ctx); err == nil && !rep.Whole() {
		err = fmt.Errorf("the audit trail in the backup is broken: %s", rep.Why)
	}
	return rep, err
}

// ErrBroken is a verification that found something; the command ends with code 1.
var ErrBroken = errors.New("the audit trail is broken")

// AuditVerify reads the whole chain. anchors is a file of anchors that were kept elsewhere, one JSON object a line, or empty.
func AuditVerify(ctx context.Context, cfg Config, log *slog.Logger, out io.Writer, anchors io.Reader) error {
	var outside []models.AuditAnchor
	if anchors != nil {
		d := json.NewDecoder(anchors)
		for {
			var a models.AuditAnchor
			err := d.Decode(&a)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return configErrorf("The file of anchors cannot be read: %v.", err)
			}
			outside = append(outside, a)
		}
	}
	return with(ctx, cfg, log, func(rt *Runtime) error {
		rep, err := rt.Store.VerifyAudit(ctx, outside...)
		if err != nil {
			return err
		}
		if !rep.Whole() {
			_, _ = fmt.Fprintf(out, "BROKEN at entry %d. %s\n", rep.Broken, rep.Why)
			return ErrBroken
		}
		_, err = fmt.Fprintf(out, "The chain is whole: %d entries, %d anchors agree (%d of them from outside).\nLast hash: %s\n", rep.Entries, rep.Anchors, len(outside), rep.Head)
		return err
	})
}

// AuditAnchor signs the end of the chain and prints the anchor as one line of JSON.
func AuditAnchor(ctx context.Context, cfg Config, log *slog.Logger, out io.Writer) error {
	return with(ctx, cfg, log, func(rt *Runtime) error {
		a, err := rt.Store.Anchor(ctx)
		if err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(a)
	})
}
