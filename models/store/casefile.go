package store

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/json"
	"fmt"

	"countinghouse/models"
)

// caseLines bounds each list of a case file. What lies beyond it is named in LeftOut, never dropped in silence.
const caseLines = 20_000

// sightOfCase is the audit entry of somebody who took a case file out. It is no part of a case file, so that two of the same state are alike.
const sightOfCase = "transaction.evidence"

// CaseFile collects everything about one transaction and notes in the audit trail that it was taken out, before anything is handed over. It
// needs transactions.read and exports.create; the exchanges are left out without exchanges.read, the webhooks without webhooks.read and the
// audit entries without audit.read. A trail whose entries do not fit their hashes gives none: nothing is signed that was tampered with.
func (s *Store) CaseFile(ctx context.Context, a models.Actor, env models.Environment, id string) (*models.CaseFile, error) {
	for _, p := range []models.Permission{models.TransactionsRead, models.ExportsCreate} {
		if err := a.Require(p); err != nil {
			return nil, err
		}
	}
	if s.signer.key == nil {
		return nil, models.Errorf(models.Unavailable, "There is no audit key, so an evidence pack could not be signed.")
	}
	var f *models.CaseFile
	read := func(tx *Tx) (err error) { f, err = tx.caseFile(a, env, id); return err }
	if err := s.View(ctx, read); err != nil { // a pack that cannot be made leaves no entry that says it was
		return nil, err
	}
	return f, s.Update(ctx, func(tx *Tx) error {
		t := &f.Story.Transaction
		return tx.Audit(a, sightOfCase, "transaction", t.ID, nil, map[string]any{"exchanges": len(f.ExchangeIDs), "webhooks": len(f.DeliveryIDs), "audit_entries": len(f.Audit)},
			"Took the evidence pack of "+t.Reference)
	})
}

// TakeReceipt reads what a receipt says and notes that it was taken out. It needs transactions.read and exports.create.
func (s *Store) TakeReceipt(ctx context.Context, a models.Actor, env models.Environment, id string) (*models.TransactionPage, error) {
	if err := a.Require(models.ExportsCreate); err != nil {
		return nil, err
	}
	p, err := s.Transaction(ctx, a, env, id)
	if err != nil {
		return nil, err
	}
	return p, s.Update(ctx, func(tx *Tx) error {
		return tx.Audit(a, "transaction.receipt", "transaction", id, nil, map[string]any{"state": p.Transaction.State}, "Took the receipt of "+p.Transaction.Reference)
	})
}

func (tx *Tx) caseFile(a models.Actor, env models.Environment, id string) (*models.CaseFile, error) {
	p, err := tx.storyOf(env, id, caseLines)
	if err != nil {
		return nil, err
	}
	f := &models.CaseFile{Story: *p, MadeAt: tx.Now, MadeBy: a.Name, Figures: map[string]models.Figures{}}
	if err := tx.figuresOf(f); err != nil {
		return nil, err
	}
	whole := func(part string, n int) {
		if n >= caseLines {
			f.Leave(part, fmt.Sprintf("Only the first %d are in the pack.", caseLines))
		}
	}
	whole("events", len(p.Events))
	whole("evidence", len(p.Evidence))
	whole("notes", len(p.Notes))
	whole("codes", len(p.Codes))
	for _, part := range []struct {
		name string
		need models.Permission
		read func() (int, error)
	}{
		{"exchanges", models.ExchangesRead, func() (n int, err error) { f.ExchangeIDs, err = tx.exchangesOf(id); return len(f.ExchangeIDs), err }},
		{"webhooks", models.WebhooksRead, func() (n int, err error) { f.DeliveryIDs, err = tx.deliveriesOf(id); return len(f.DeliveryIDs), err }},
		{"audit", models.AuditRead, func() (n int, err error) { f.Audit, err = tx.trailOf(id); return len(f.Audit), err }},
	} {
		if !a.Can(part.need) {
			f.Leave(part.name, fmt.Sprintf("Whoever made the pack has not the permission %q.", part.need))
			continue
		}
		n, err := part.read()
		if err != nil {
			return nil, err
		}
		whole(part.name, n)
	}
	return f, nil
}

func (tx *Tx) figuresOf(f *models.CaseFile) error {
	return tx.Each(func(r *sql.Rows) error {
		var id, text string
		if err := r.Scan(&id, &text); err != nil {
			return err
		}
		var x models.Figures
		if err := json.Unmarshal([]byte(text), &x); err != nil {
			return fmt.Errorf("read the figures of an event: %w", err)
		}
		f.Figures[id] = x
		return nil
	}, "SELECT id, figures_json FROM events WHERE transaction_id = ? AND figures_json <> '' ORDER BY id LIMIT ?", f.Story.Transaction.ID, caseLines)
}

// exchangesOf names the exchanges about a transaction and those that its evidence rests on.
func (tx *Tx) exchangesOf(id string) ([]string, error) {
	return tx.texts(`SELECT id FROM exchanges WHERE subject_kind = 'transaction' AND subject_id = ?
		UNION SELECT x.id FROM exchanges x JOIN evidence e ON e.exchange_id = x.id WHERE e.transaction_id = ? ORDER BY id LIMIT ?`, id, id, caseLines)
}

func (tx *Tx) deliveriesOf(id string) ([]string, error) {
	return tx.texts("SELECT id FROM webhook_deliveries WHERE transaction_id = ? AND transaction_id <> '' ORDER BY id LIMIT ?", id, caseLines)
}

// trailOf reads the audit entries about a transaction and the requests about it, each with the hash before it, and signs the place of each.
func (tx *Tx) trailOf(id string) (links []models.AuditLink, err error) {
	if err := tx.Each(func(r *sql.Rows) error {
		e, err := scanAudit(r)
		links = append(links, models.AuditLink{Entry: e})
		return err
	}, "SELECT "+auditColumns+" FROM audit_entries WHERE noun IN ('transaction', 'resend', 'give_up', 'number') AND noun_id = ? AND action <> '"+sightOfCase+"' ORDER BY seq LIMIT ?", id, caseLines); err != nil {
		return nil, err
	}
	for i := range links {
		l := &links[i]
		err := tx.QueryRow("SELECT hash FROM audit_entries WHERE seq = ?", l.Entry.Seq-1).Scan(&l.Prev)
		if IsNoRow(err) && l.Entry.Seq == 1 {
			err = nil // the first of all
		}
		if IsNoRow(err) || (err == nil && chain(l.Prev, l.Entry) != l.Entry.Hash) {
			return nil, models.Errorf(models.Conflict, "The audit trail does not fit its hashes at entry %d, so no evidence is signed. Run countinghouse audit verify.", l.Entry.Seq)
		}
		if err != nil {
			return nil, fmt.Errorf("read the audit entry before %d: %w", l.Entry.Seq, err)
		}
		l.Anchor = tx.Store.signer.sign(l.Entry.Seq, l.Entry.Hash, l.Entry.At)
	}
	return links, nil
}

// SignManifest signs the list of an evidence pack with the audit key. It takes nothing that could be read as an anchor.
func (s *Store) SignManifest(manifest []byte) ([]byte, error) {
	if s.signer.key == nil || len(manifest) == 0 || manifest[0] != '{' {
		return nil, models.Errorf(models.Unavailable, "This cannot be signed.")
	}
	return ed25519.Sign(s.signer.key, manifest), nil
}
