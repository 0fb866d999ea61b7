package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"countinghouse/models"
	"countinghouse/models/vault"
)

// CodePlace is where a code is sealed for.
func CodePlace(id string) vault.AAD { return vault.AAD{Table: "codes", Row: id, Field: "sealed"} }

// codesShown is how many codes the page of an order shows; the list has them all.
const codesShown = 10

// keepCodes stores the codes that came with an answer, in the transaction of its outcome. A code that is there already is not stored again.
func (tx *Tx) keepCodes(t *models.Transaction, codes []models.SealedCode) error {
	if len(codes) == 0 {
		return nil
	}
	have, err := tx.countCodes(t.ID)
	if err != nil {
		return err
	}
	before := have
	for _, c := range codes {
		n, err := tx.Change(`INSERT INTO codes (id, transaction_id, position, sku, serial, last4, expiry, fingerprint, sealed, arrived_us)
			VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING`, c.ID, t.ID, have+1, models.Safe(c.SKU, 200), models.Safe(c.Serial, 60), c.Last4,
			models.Safe(c.Expiry, 60), c.Fingerprint, c.Sealed, tx.Now)
		if err != nil {
			return fmt.Errorf("keep a sealed code: %w", err)
		}
		have += int(n)
	}
	if have == before {
		return nil
	}
	d, err := tx.detail(t.ID)
	if err != nil {
		return err
	}
	_, err = tx.event(t, models.Event{What: "codes", Sentence: models.Arrived(have, d.Quantity) + "; each is sealed"})
	return err
}

func (tx *Tx) countCodes(id string) (n int, err error) {
	err = tx.QueryRow("SELECT COUNT(*) FROM codes WHERE transaction_id = ?", id).Scan(&n)
	return n, err
}

// codesOf lists codes of an order after a position, masked.
func (tx *Tx) codesOf(id string, after, limit int) ([]models.CodeKept, error) {
	var out []models.CodeKept
	err := tx.Each(func(r *sql.Rows) error {
		c, err := scanCode(r)
		out = append(out, c)
		return err
	}, "SELECT "+codeColumns+" FROM codes WHERE transaction_id = ? AND position > ? ORDER BY position LIMIT ?", id, after, limit)
	return out, err
}

const codeColumns = "id, position, sku, serial, last4, expiry, arrived_us, reveals, revealed_us, revealed_by"

func scanCode(r scanner) (c models.CodeKept, err error) {
	err = r.Scan(&c.ID, &c.Position, &c.SKU, &c.Serial, &c.Last4, &c.Expiry, &c.ArrivedAt, &c.Reveals, &c.RevealedAt, &c.RevealedBy)
	return c, err
}

// Codes lists the codes of an order after a position, masked. It needs transactions.read.
func (s *Store) Codes(ctx context.Context, a models.Actor, env models.Environment, id string, after, limit int) (t *models.Transaction, list []models.CodeKept, err error) {
	if err := a.Require(models.TransactionsRead); err != nil {
		return nil, nil, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		if t, err = tx.peekTransaction("t.id = ? AND t.environment = ?", id, env); err != nil {
			return err
		}
		list, err = tx.codesOf(id, after, limit)
		return err
	})
	return t, list, err
}

// Code gives one code of an order, masked. It needs codes.reveal, because it is asked for by who is about to reveal it.
func (s *Store) Code(ctx context.Context, a models.Actor, env models.Environment, id, codeID string) (t *models.Transaction, c models.CodeKept, err error) {
	if err := a.Require(models.CodesReveal); err != nil {
		return nil, c, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		if t, err = tx.peekTransaction("t.id = ? AND t.environment = ?", id, env); err != nil {
			return err
		}
		c, err = tx.code(id, codeID)
		return err
	})
	return t, c, err
}

func (tx *Tx) code(id, codeID string) (models.CodeKept, error) {
	c, err := scanCode(tx.QueryRow("SELECT "+codeColumns+" FROM codes WHERE id = ? AND transaction_id = ?", codeID, id))
	if IsNoRow(err) {
		return c, models.Errorf(models.NotFound, "There is no such code in this order.")
	}
	return c, err
}

// RevealCode opens one code for a person. It needs codes.reveal, a fresh second factor and a reason. The entry in the audit trail and the
// line on the timeline are committed before the code is given out: nobody sees one without a trace.
func (s *Store) RevealCode(ctx context.Context, a models.Actor, env models.Environment, id, codeID, reason string) (models.CodeKept, models.CodeValue, error) {
	var c models.CodeKept
	var value models.CodeValue
	if err := a.Require(models.CodesReveal); err != nil {
		return c, value, err
	}
	if s.vault == nil {
		return c, value, errNoVault
	}
	reason, err := models.CleanText("reason", reason, 300, true)
	if err != nil {
		return c, value, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		if err := a.RequireStepUp(tx.Now); err != nil {
			return err
		}
		t, err := tx.inEnvironment(id, env)
		if err != nil {
			return err
		}
		if c, err = tx.code(id, codeID); err != nil {
			return err
		}
		var sealed []byte
		if err := tx.QueryRow("SELECT sealed FROM codes WHERE id = ?", codeID).Scan(&sealed); err != nil {
			return err
		}
		plain, err := s.vault.Open(ctx, sealed, CodePlace(codeID))
		if err != nil {
			return fmt.Errorf("open a code: %w", err)
		}
		if err := json.Unmarshal(plain, &value); err != nil {
			return fmt.Errorf("read an opened code: it is not what we seal") // the decoder's words could quote it
		}
		c.Reveals, c.RevealedAt, c.RevealedBy = c.Reveals+1, tx.Now, a.Name
		if err := tx.Exec("UPDATE codes SET reveals = ?, revealed_us = ?, revealed_by = ? WHERE id = ?", c.Reveals, tx.Now, a.Name, codeID); err != nil {
			return err
		}
		if _, err := tx.event(t, models.Event{What: "reveal", ActorID: a.UserID, ActorName: a.Name, Sentence: fmt.Sprintf("%s looked at code %d: %s", a.Name, c.Position, reason)}); err != nil {
			return err
		}
		return tx.Audit(a, "codes.reveal", "transaction", t.ID, nil, map[string]any{"code": codeID, "position": c.Position, "sku": c.SKU, "serial": c.Serial, "reason": reason},
			fmt.Sprintf("Looked at code %d of the order %s: %s", c.Position, t.Reference, reason))
	})
	if err != nil {
		return c, models.CodeValue{}, err
	}
	return c, value, nil
}
