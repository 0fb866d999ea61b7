package tasks

import (
	"context"
	"encoding/json"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/vault"
	"countinghouse/providers"
)

// sealCodes seals what an order delivered, before anything of it is written down. The codes leave this function sealed or not at all:
// its error says nothing about them.
func (m *Money) sealCodes(ctx context.Context, transactionID string, items []providers.Delivered) ([]models.SealedCode, error) {
	if len(items) == 0 {
		return nil, nil
	}
	if m.Vault == nil {
		return nil, models.Errorf(models.Unavailable, "This program was started without the keys that seal codes.")
	}
	out := make([]models.SealedCode, 0, len(items))
	for _, x := range items {
		c := models.SealedCode{ID: models.NewID(), SKU: x.SKU, Serial: maskSerial(x.Serial), Last4: vault.Last4(x.Code), Expiry: x.Expiry}
		plain, err := json.Marshal(models.CodeValue{Code: x.Code, Pin: x.Pin, Serial: x.Serial, Expiry: x.Expiry})
		if err != nil {
			return nil, models.Errorf(models.Unavailable, "A code could not be written for sealing.")
		}
		if c.Sealed, err = m.Vault.Seal(ctx, plain, store.CodePlace(c.ID)); err != nil {
			return nil, err
		}
		if c.Fingerprint, err = m.Vault.Fingerprint([]byte("code\x00" + transactionID + "\x00" + x.Code + "\x00" + x.Pin)); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// maskSerial keeps the end of a serial number.
func maskSerial(s string) string {
	if end := vault.Last4(s); end != "" {
		return "····" + end
	}
	if s != "" {
		return "····"
	}
	return ""
}

// notSealed is the sentence when codes arrived and could not be sealed: they are not kept, and the provider is asked for them again.
const notSealed = "Codes arrived and could not be sealed here. They were not kept; the provider is asked for them again"

// withCodes puts the codes of an accepted order into its answer. When they cannot be sealed the order stays pending, so that they are asked
// for again.
func (m *Money) withCodes(ctx context.Context, t *models.Transaction, out providers.Outcome, ans models.Answer) models.Answer {
	o, ok := out.(providers.Accepted)
	if !ok {
		return ans
	}
	codes, err := m.sealCodes(ctx, t.ID, o.Status.Items)
	if err != nil {
		m.Log.Error("codes could not be sealed", "transaction", t.ID, "error", err)
		ans.Report.State, ans.Report.Reason = models.Pending, notSealed
		return ans
	}
	ans.Report.Codes = codes
	return ans
}
