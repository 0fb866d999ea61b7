package store

import (
	"context"
	"time"

	"countinghouse/models"
)

// KeptQuote is a quote that was shown to a person.
type KeptQuote struct {
	ID           string
	CredentialID string
	Sell         models.Money
	Buy          string
	JSON         string // of providers.Quote
	ExpiresAt    models.Micros
}

// KeepQuote keeps a quote for the person it is shown to and forgets those that expired a day ago. It needs conversions.create.
func (s *Store) KeepQuote(ctx context.Context, a models.Actor, q KeptQuote) (id string, err error) {
	if err := a.Require(models.ConversionsCreate); err != nil {
		return "", err
	}
	id = models.NewID()
	return id, s.Update(ctx, func(tx *Tx) error {
		if err := tx.Exec("DELETE FROM quotes WHERE expires_us < ?", tx.Now.Add(-24*time.Hour)); err != nil {
			return err
		}
		return tx.Exec("INSERT INTO quotes (id, credential_id, user_id, asset, minor, buy, quote_json, expires_us, created_us) VALUES (?,?,?,?,?,?,?,?,?)",
			id, q.CredentialID, a.UserID, q.Sell.Asset, q.Sell.Minor, q.Buy, q.JSON, q.ExpiresAt, tx.Now)
	})
}

// Quote gives a kept quote back to the person it was shown to, as long as it has not expired.
func (s *Store) Quote(ctx context.Context, a models.Actor, id string) (q KeptQuote, err error) {
	if err := a.Require(models.ConversionsCreate); err != nil {
		return q, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		q.ID = id
		err := tx.QueryRow("SELECT credential_id, asset, minor, buy, quote_json, expires_us FROM quotes WHERE id = ? AND user_id = ?", id, a.UserID).
			Scan(&q.CredentialID, &q.Sell.Asset, &q.Sell.Minor, &q.Buy, &q.JSON, &q.ExpiresAt)
		if IsNoRow(err) {
			return models.Errorf(models.Conflict, "This quote is not known. Ask for a new one.")
		}
		if err == nil && q.ExpiresAt <= tx.Now {
			return models.Errorf(models.Conflict, "The quote has expired: its rate held until %s UTC. Nothing was converted. Ask for a new one.", q.ExpiresAt.Time().Format("15:04:05"))
		}
		return err
	})
	return q, err
}
