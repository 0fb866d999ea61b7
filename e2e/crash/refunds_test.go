package crash

import (
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
)

// refundWishes give back a deposit that was paid, whole or in part.
var refundWishes = []wish{
	{provider: "onekey", method: "refund_bank", kind: models.Refund, asset: "BRL", low: 100, high: 20000, operation: "refund", prepare: ofPaidDeposit,
		values: map[string]string{"beneficiary": "João Silva", "bank_code": "001", "branch": "1234", "account_number": "34234227", "account_type": "CHECKING"}},
}

// ofPaidDeposit picks the deposit. Without one that was paid, one is asked for and paid first, as far as the servers live to see it.
func ofPaidDeposit(h *house, b *box, n *store.NewTransaction) bool {
	paid := func() bool {
		for _, t := range h.made {
			if t.Kind != models.Deposit || t.Provider != b.name {
				continue
			}
			switch now := h.page(t.ID).Transaction; now.State {
			case models.Succeeded, models.PartiallyRefunded:
				n.OfID, n.Detail.Full = t.ID, h.rnd.IntN(3) == 0
				return true
			case models.AwaitingPayment:
				h.settle(t, "paid")
			}
		}
		return false
	}
	if paid() {
		return true
	}
	for _, w := range paymentWishes {
		if w.provider == b.name && w.kind == models.Deposit {
			h.wants(w)
			break
		}
	}
	for range 40 {
		time.Sleep(10 * time.Millisecond)
		if paid() {
			return true
		}
	}
	return false
}

// lostForGood tells whether nobody can find out by asking: OneKey is asked for a refund by its own number only, and the answer that told it was lost.
// Such a refund stays unknown, which is the truth, until people have looked at OneKey's panel.
func lostForGood(t *models.Transaction) bool {
	return t.Kind == models.Refund && t.State == models.Unknown && t.ProviderRef == ""
}
