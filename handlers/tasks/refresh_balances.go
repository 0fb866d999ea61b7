package tasks

import (
	"context"

	"countinghouse/models"
	"countinghouse/providers"
)

// RefreshBalances asks a provider for the balances of one credential and keeps them. A failure is kept beside the old figures, which grow
// stale, and given back.
func (d *Desk) RefreshBalances(ctx context.Context, credentialID string) error {
	list, err := d.Balances(WithSubject(ctx, "balances", credentialID), credentialID)
	if err != nil {
		if models.Is(err, models.NotFound) {
			return err
		}
		if kept := d.store.BalanceReadFailed(context.WithoutCancel(ctx), credentialID, sentenceFor(err)); kept != nil {
			d.log.Error("how a balance reading failed was not kept", "credential", credentialID, "error", kept)
		}
		return err
	}
	figures := make([]models.BalanceFigure, 0, len(list))
	for _, b := range list {
		figures = append(figures, figureOf(credentialID, b))
	}
	return d.store.PutBalances(ctx, credentialID, figures)
}

func figureOf(credentialID string, b providers.Balance) models.BalanceFigure {
	return models.BalanceFigure{CredentialID: credentialID, Account: b.Account, Asset: b.Available.Asset, Available: b.Available, Total: b.Total, Text: b.Text,
		Mark: string(b.Mark), Note: b.Note}
}

// sentenceFor is what people may read of an error: our own sentences only.
func sentenceFor(err error) string {
	if e, ok := asError(err); ok {
		return e.Sentence
	}
	return "The program failed while it asked. The log says why."
}
