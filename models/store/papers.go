package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"countinghouse/models"
)

const paperColumns = "id, transaction_id, attempt_id, file_key, name, mime, size, sha256, scan, scan_note, findings, added_us, added_by"

func scanPaper(r scanner) (p models.Paper, err error) {
	var findings string
	err = r.Scan(&p.ID, &p.TransactionID, &p.AttemptID, &p.Key, &p.Name, &p.Type, &p.Size, &p.SHA256, &p.Scan, &p.ScanNote, &findings, &p.AddedAt, &p.AddedBy)
	p.Findings = linesOf(findings)
	return p, err
}

func (tx *Tx) papersOf(id string) (out []models.Paper, err error) {
	err = tx.Each(func(r *sql.Rows) error {
		p, err := scanPaper(r)
		out = append(out, p)
		return err
	}, "SELECT "+paperColumns+" FROM papers WHERE transaction_id = ? ORDER BY added_us, id", id)
	return out, err
}

// AddPaper writes down a file that was put into the file store and belongs to a transaction. The same content is kept once: already is then true,
// and the caller removes what it put. Permission payouts.operate.
func (s *Store) AddPaper(ctx context.Context, a models.Actor, env models.Environment, p models.Paper) (already bool, err error) {
	if err := a.Require(models.PayoutsOperate); err != nil {
		return false, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		already = false
		t, err := tx.inEnvironment(p.TransactionID, env)
		if err != nil {
			return err
		}
		var have int
		if err := tx.QueryRow("SELECT COUNT(*) FROM papers WHERE transaction_id = ?", t.ID).Scan(&have); err != nil {
			return err
		}
		if have >= models.MaxPapers {
			return models.Errorf(models.Conflict, "This transaction holds %d files already, which is the most.", have)
		}
		n, err := tx.Change(`INSERT INTO papers (id, transaction_id, environment, attempt_id, file_key, name, mime, size, sha256, scan, scan_note, findings, added_us, added_by)
			VALUES (?,?,?,'',?,?,?,?,?,?,?,?,?,?) ON CONFLICT (transaction_id, sha256) DO NOTHING`, p.ID, t.ID, env, p.Key, p.Name, p.Type, p.Size, p.SHA256, p.Scan, p.ScanNote,
			strings.Join(p.Findings, "\n"), tx.Now, a.Name)
		if err != nil {
			return fmt.Errorf("write the file down: %w", err)
		}
		if already = n == 0; already {
			return nil
		}
		if _, err := tx.event(t, models.Event{What: "paper", ActorID: a.UserID, ActorName: a.Name, Sentence: a.Name + " put a file on record: " + p.Name}); err != nil {
			return err
		}
		return tx.Audit(a, "transaction.paper", "transaction", t.ID, nil, map[string]any{"paper": p.ID, "name": p.Name, "type": p.Type, "size": p.Size, "sha256": p.SHA256},
			"Put "+p.Name+" on the record of "+t.Reference)
	})
	return already, err
}

// NoteInfectedPaper writes down that a file for a transaction was refused because of a virus. Permission payouts.operate.
func (s *Store) NoteInfectedPaper(ctx context.Context, a models.Actor, env models.Environment, id, name, signature string) error {
	if err := a.Require(models.PayoutsOperate); err != nil {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		t, err := tx.inEnvironment(id, env)
		if err != nil {
			return err
		}
		return tx.Audit(a, "transaction.infected", "transaction", t.ID, nil, map[string]string{"name": name, "signature": signature},
			fmt.Sprintf("Refused %s for %s: the virus scanner found %s", name, t.Reference, models.Safe(signature, 100)))
	})
}

// OpenPaper gives a file that somebody is about to see or to keep, and writes that down first. how is "view" or "download". Permission
// transactions.read.
func (s *Store) OpenPaper(ctx context.Context, a models.Actor, env models.Environment, id, paperID, how string) (p models.Paper, err error) {
	if err := a.Require(models.TransactionsRead); err != nil {
		return p, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		t, err := tx.inEnvironment(id, env)
		if err != nil {
			return err
		}
		p, err = scanPaper(tx.QueryRow("SELECT "+paperColumns+" FROM papers WHERE id = ? AND transaction_id = ?", paperID, t.ID))
		if IsNoRow(err) {
			return models.Errorf(models.NotFound, "There is no such file.")
		}
		if err != nil {
			return err
		}
		verb := map[string]string{"view": "Looked at", "download": "Downloaded"}[how]
		return tx.Audit(a, "transaction.paper-"+how, "transaction", t.ID, nil, map[string]string{"paper": p.ID, "sha256": p.SHA256}, verb+" "+p.Name+" of "+t.Reference)
	})
	return p, err
}

// PaperKeyKnown tells whether a key of the file store belongs to a paper, so that what an upload left behind can be swept. For tasks.
func (s *Store) PaperKeyKnown(ctx context.Context, key string) (known bool, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		return tx.QueryRow("SELECT EXISTS (SELECT 1 FROM papers WHERE file_key = ?)", key).Scan(&known)
	})
	return known, err
}

// Disputes lists the disputes of a transaction, newest first, each with its files and with the request as it went out, for those who may see
// requests. Permission transactions.read.
func (s *Store) Disputes(ctx context.Context, a models.Actor, p *models.TransactionPage) (out []models.DisputeRecord, err error) {
	if err := a.Require(models.TransactionsRead); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		out = nil
		for i := len(p.Attempts) - 1; i >= 0; i-- {
			if p.Attempts[i].Operation != models.OpDispute {
				continue
			}
			d, err := tx.dispute(a, p, p.Attempts[i])
			if err != nil {
				return err
			}
			out = append(out, d)
		}
		return nil
	})
	return out, err
}

func (tx *Tx) dispute(a models.Actor, p *models.TransactionPage, x models.Attempt) (models.DisputeRecord, error) {
	d := models.DisputeRecord{Attempt: x}
	for _, f := range p.Papers {
		if f.AttemptID == x.ID {
			d.Papers = append(d.Papers, f)
		}
	}
	var e models.ExchangeRecord
	err := tx.QueryRow(`SELECT id, method, url, status, body_digest, sent, started_us, request_body FROM exchanges
		WHERE subject_kind = 'transaction' AND subject_id = ? AND attempt_id = ? ORDER BY id DESC LIMIT 1`, x.TransactionID, x.ID).
		Scan(&e.ID, &e.Method, &e.URL, &e.Status, &e.BodyDigest, &e.Sent, &e.StartedAt, &e.RequestBody)
	switch {
	case IsNoRow(err):
		return d, nil
	case err != nil:
		return d, err
	case a.Can(models.ExchangesRead):
		d.Sent = &e
	default:
		d.Withheld = true
	}
	return d, nil
}

// bindPapers puts the files that no dispute holds yet on file for one, and names them.
func (tx *Tx) bindPapers(t *models.Transaction, attemptID string) (bound []models.Paper, err error) {
	all, err := tx.papersOf(t.ID)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if p.AttemptID == "" {
			bound = append(bound, p)
		}
	}
	return bound, tx.Exec("UPDATE papers SET attempt_id = ? WHERE transaction_id = ? AND attempt_id = ''", attemptID, t.ID)
}
