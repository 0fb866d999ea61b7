package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"countinghouse/models"
)

// KeepSubAccountBatch keeps a file that was read and checked, so that its page survives a reload; nothing is made yet. Usernames that are taken
// become problems of their rows. It needs subaccounts.manage.
func (s *Store) KeepSubAccountBatch(ctx context.Context, actor models.Actor, b models.SubAccountBatch) (*models.SubAccountBatch, error) {
	if err := actor.Require(models.SubAccountsManage); err != nil {
		return nil, err
	}
	name, err := models.CleanText("file", b.FileName, 120, true)
	if err != nil {
		name = "file.csv"
	}
	b.FileName, b.State, b.Rows, b.CreatedBy, b.CreatedName = name, "checked", len(b.Lines), actor.UserID, actor.Name
	err = s.Update(ctx, func(tx *Tx) error {
		if b.Provider, _, err = tx.usableCredential(b.CredentialID, b.Environment); err != nil {
			return err
		}
		lines := slices.Clone(b.Lines)
		if err := tx.markTaken(b.CredentialID, lines); err != nil {
			return err
		}
		b.ID, b.CreatedAt, b.Bad = models.NewID(), tx.Now, 0
		for _, l := range lines {
			if l.Problem != "" {
				b.Bad++
			}
		}
		if err := tx.Exec(`INSERT INTO sub_account_batches (id, environment, provider, credential_id, file_name, file_digest, state, row_count, bad, created_us, created_by, created_by_name)
			VALUES (?,?,?,?,?,?,?,?,?,?,?,?)`, b.ID, b.Environment, b.Provider, b.CredentialID, b.FileName, b.FileDigest, b.State, b.Rows, b.Bad, b.CreatedAt, b.CreatedBy, b.CreatedName); err != nil {
			return err
		}
		for _, l := range lines {
			if err := tx.Exec(`INSERT INTO sub_account_batch_rows (batch_id, row_number, name, company, country, type, email, username, problem) VALUES (?,?,?,?,?,?,?,?,?)`,
				b.ID, l.Row, clean(l.Spec.Name), clean(l.Spec.Company), clean(l.Spec.Country), clean(l.Spec.Type), clean(l.Spec.Email), clean(l.Spec.Username), clean(l.Problem)); err != nil {
				return err
			}
		}
		return tx.Audit(actor, "sub_account_batch.check", "sub_account_batch", b.ID, nil, map[string]any{"file": b.FileName, "digest": b.FileDigest, "rows": b.Rows, "bad": b.Bad},
			fmt.Sprintf("Had the file %s checked: %d rows, %d cannot be taken.", b.FileName, b.Rows, b.Bad))
	})
	if err != nil {
		return nil, err
	}
	return &b, nil
}

// markTaken says of every row whose username is asked for or listed already where it stands.
func (tx *Tx) markTaken(credentialID string, lines []models.SubAccountLine) error {
	keys := map[string][]int{}
	for i, l := range lines {
		if k := models.SubAccountKey(l.Spec.Username); k != "" && l.Problem == "" {
			keys[k] = append(keys[k], i)
		}
	}
	all := make([]string, 0, len(keys))
	for k := range keys {
		all = append(all, k)
	}
	slices.Sort(all)
	for chunk := range slices.Chunk(all, 200) {
		args := []any{credentialID}
		for _, k := range chunk {
			args = append(args, k)
		}
		if err := tx.Each(func(r *sql.Rows) error {
			var key, company string
			var state models.SubAccountState
			if err := r.Scan(&key, &company, &state); err != nil {
				return err
			}
			for _, i := range keys[key] {
				lines[i].Problem = fmt.Sprintf("The username stands on %s already, which is %q.", company, state.Word())
			}
			return nil
		}, "SELECT username_key, company, state FROM sub_accounts WHERE environment = (SELECT environment FROM credentials WHERE id = ?) AND username_key IN (?"+
			strings.Repeat(",?", len(chunk)-1)+") AND credential_id = ? AND state NOT IN ('refused', 'withdrawn')", append(args, credentialID)...); err != nil {
			return err
		}
	}
	return nil
}

// subAccountBatch reads a file without its rows; lock is tx.ForUpdate() where it will be changed.
func (tx *Tx) subAccountBatch(env models.Environment, id, lock string) (*models.SubAccountBatch, error) {
	b := &models.SubAccountBatch{}
	err := tx.QueryRow(`SELECT id, environment, provider, credential_id, file_name, file_digest, state, row_count, bad, created_us, created_by, created_by_name, started_us
		FROM sub_account_batches WHERE id = ? AND environment = ?`+lock, id, env).Scan(&b.ID, &b.Environment, &b.Provider, &b.CredentialID, &b.FileName, &b.FileDigest,
		&b.State, &b.Rows, &b.Bad, &b.CreatedAt, &b.CreatedBy, &b.CreatedName, &b.StartedAt)
	if IsNoRow(err) {
		return nil, models.Errorf(models.NotFound, "There is no such file.")
	}
	return b, err
}

func (tx *Tx) batchLines(id string) (list []models.SubAccountLine, err error) {
	err = tx.Each(func(r *sql.Rows) error {
		var l models.SubAccountLine
		err := r.Scan(&l.Row, &l.Spec.Name, &l.Spec.Company, &l.Spec.Country, &l.Spec.Type, &l.Spec.Email, &l.Spec.Username, &l.Problem, &l.SubAccountID, &l.State, &l.TheirID, &l.Reason)
		list = append(list, l)
		return err
	}, `SELECT b.row_number, b.name, b.company, b.country, b.type, b.email, b.username, b.problem, b.sub_account_id, COALESCE(a.state, ''), COALESCE(a.their_id, ''), COALESCE(a.reason, '')
		FROM sub_account_batch_rows b LEFT JOIN sub_accounts a ON a.id = b.sub_account_id WHERE b.batch_id = ? ORDER BY b.row_number`, id)
	return list, err
}

// SubAccountBatch reads a file with its rows and how far they have come.
func (s *Store) SubAccountBatch(ctx context.Context, actor models.Actor, env models.Environment, id string) (b *models.SubAccountBatch, err error) {
	if err := mayReadSubAccounts(actor); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		if b, err = tx.subAccountBatch(env, id, ""); err != nil {
			return err
		}
		if b.Lines, err = tx.batchLines(id); err != nil {
			return err
		}
		b.Progress = map[models.SubAccountState]int{}
		for _, l := range b.Lines {
			if l.State != "" {
				b.Progress[l.State]++
			}
		}
		return nil
	})
	return b, err
}

// SubAccountBatches lists the newest files.
func (s *Store) SubAccountBatches(ctx context.Context, actor models.Actor, env models.Environment) (list []models.SubAccountBatch, err error) {
	if err := mayReadSubAccounts(actor); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		list = nil
		return tx.Each(func(r *sql.Rows) error {
			var b models.SubAccountBatch
			err := r.Scan(&b.ID, &b.Provider, &b.CredentialID, &b.FileName, &b.State, &b.Rows, &b.Bad, &b.CreatedAt, &b.CreatedName)
			list = append(list, b)
			return err
		}, `SELECT id, provider, credential_id, file_name, state, row_count, bad, created_us, created_by_name FROM sub_account_batches WHERE environment = ?
			ORDER BY created_us DESC, id DESC LIMIT 50`, env)
	})
	return list, err
}

// StartSubAccountBatch makes the good rows of a checked file into sub-accounts, all in one transaction; the bad ones stay behind with their
// problems. Starting it again changes nothing. It needs subaccounts.manage.
func (s *Store) StartSubAccountBatch(ctx context.Context, actor models.Actor, env models.Environment, id string, asked bool) (made int, err error) {
	if err := actor.Require(models.SubAccountsManage); err != nil {
		return 0, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		made = 0
		b, err := tx.subAccountBatch(env, id, tx.ForUpdate())
		if err != nil || b.State == "started" {
			return err
		}
		if b.State != "checked" {
			return models.Errorf(models.Conflict, "This file was called off. Upload it again.")
		}
		if _, _, err := tx.usableCredential(b.CredentialID, env); err != nil {
			return err
		}
		lines, err := tx.batchLines(id)
		if err != nil {
			return err
		}
		was := slices.Clone(lines)
		if err := tx.markTaken(b.CredentialID, lines); err != nil {
			return err
		}
		bad := 0
		for i, l := range lines {
			if l.Problem == "" {
				made++
				err = tx.makeLine(actor, b, l, asked)
			} else {
				bad++
				if l.Problem != was[i].Problem {
					err = tx.Exec("UPDATE sub_account_batch_rows SET problem = ? WHERE batch_id = ? AND row_number = ?", l.Problem, b.ID, l.Row)
				}
			}
			if err != nil {
				return err
			}
		}
		if made == 0 {
			return models.Errorf(models.Conflict, "No row of this file can be taken. Nothing was made.")
		}
		if err := tx.Exec("UPDATE sub_account_batches SET state = 'started', started_us = ?, bad = ? WHERE id = ?", tx.Now, bad, b.ID); err != nil {
			return err
		}
		if asked {
			if err := tx.enqueue(JobSubAccounts, b.CredentialID, tx.Now); err != nil {
				return err
			}
		}
		return tx.Audit(actor, "sub_account_batch.start", "sub_account_batch", b.ID, nil, map[string]any{"made": made, "left_out": bad, "digest": b.FileDigest},
			fmt.Sprintf("Asked for %d sub-accounts from the file %s; %d rows were left out.", made, b.FileName, bad))
	})
	return made, err
}

func (tx *Tx) makeLine(actor models.Actor, b *models.SubAccountBatch, l models.SubAccountLine, asked bool) error {
	spec, problems := l.Spec.Clean(asked)
	if len(problems) > 0 {
		return models.Problems(problems) // it was clean when it was kept
	}
	a := newSubAccount(actor, models.NewID(), b.Environment, b.Provider, b.CredentialID, asked, spec)
	a.BatchID, a.BatchRow = b.ID, l.Row
	if err := tx.insertSubAccount(a, models.SubAccountEvent{What: "created", ActorName: actor.Name,
		Sentence: fmt.Sprintf("Written down by %s, from row %d of %s", actor.Name, l.Row, b.FileName)}); err != nil {
		return err
	}
	return tx.Exec("UPDATE sub_account_batch_rows SET sub_account_id = ? WHERE batch_id = ? AND row_number = ?", a.ID, b.ID, l.Row)
}

// WithdrawSubAccountBatch calls off what of a file was not sent yet: the whole of a checked one, the waiting rows of a started one.
func (s *Store) WithdrawSubAccountBatch(ctx context.Context, actor models.Actor, env models.Environment, id string) (n int, err error) {
	if err := actor.Require(models.SubAccountsManage); err != nil {
		return 0, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		n = 0
		b, err := tx.subAccountBatch(env, id, tx.ForUpdate())
		if err != nil {
			return err
		}
		if b.State == "checked" {
			n = b.Rows
			if err := tx.Exec("UPDATE sub_account_batches SET state = 'withdrawn' WHERE id = ?", b.ID); err != nil {
				return err
			}
			return tx.Audit(actor, "sub_account_batch.withdraw", "sub_account_batch", b.ID, nil, nil, "Called off the file "+b.FileName+" before anything was made.")
		}
		rows, err := tx.subAccountsWhere("a.batch_id = ? AND a.batch_id <> '' AND a.state = 'waiting' ORDER BY a.batch_row"+tx.ForUpdate(), b.ID)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return models.Errorf(models.Conflict, "Nothing of this file waits any more.")
		}
		n = len(rows)
		for i := range rows {
			if err := tx.withdrawSubAccount(actor, &rows[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}
