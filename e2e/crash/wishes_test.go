package crash

import (
	"slices"

	"countinghouse/models"
	"countinghouse/models/store"
)

// wish is a kind of transaction that people make here.
type wish struct {
	provider, method string
	kind             models.Kind
	asset            string
	low, high        int64 // in minor units
	values           map[string]string
	sku              string
	operation        string // what the stand-in's faults call it
	// prepare fills in what has to be asked for first: a quote, the deposit that is given back. False: not now. It may be nil.
	prepare func(h *house, b *box, n *store.NewTransaction) bool
}

// wishes are all of them: payouts, deposits and orders are here, every other kind in its own file.
var wishes = slices.Concat(paymentWishes, conversionWishes, refundWishes)

var paymentWishes = []wish{
	{provider: "onekey", method: "br_pix_cpf", kind: models.Payout, asset: "BRL", low: 1000, high: 90000, operation: "payout",
		values: map[string]string{"beneficiary_name": "João Silva", "document_id": "52998224725"}},
	{provider: "onekey", method: "br_bank", kind: models.Payout, asset: "BRL", low: 1000, high: 90000, operation: "payout",
		values: map[string]string{"beneficiary_name": "João Silva", "document_id": "52998224725", "bank_code": "001", "bank_branch": "1234", "bank_account": "3423422-7", "account_type": "C"}},
	{provider: "onekey", method: "dep_br_pix_quickpay", kind: models.Deposit, asset: "BRL", low: 1000, high: 90000, operation: "deposit"},
	{provider: "wspn", method: "fiat_withdraw", kind: models.Payout, asset: "USD", low: 10000, high: 90000, operation: "payout",
		values: map[string]string{"remit_info_id": "9007199254740993"}},
	{provider: "wspn", method: "crypto_withdraw", kind: models.Payout, asset: "WUSD", low: 10000, high: 90000, operation: "payout",
		values: map[string]string{"network": "Polygon", "address": "0x52908400098527886E0F7030069857D2E4169EE7"}},
	{provider: "wspn", method: "fiat_deposit", kind: models.Deposit, asset: "USD", low: 10000, high: 90000, operation: "deposit",
		values: map[string]string{"remit_info_id": "9007199254741993", "green_link": "1"}},
	{provider: "wakapay", method: "ke_mobile", kind: models.Payout, asset: "KES", low: 10000, high: 900000, operation: "payout",
		values: map[string]string{"phone": "+254700000001", "name": "Amina Mjema"}},
	{provider: "wupex", method: "codes", kind: models.Order, asset: "USD", low: 3675, high: 3675, sku: "APL-US-10USD", operation: "order"},
	{provider: "aeterna", method: "payout_card", kind: models.Payout, asset: "USD", low: 1000, high: 90000, operation: "payout",
		values: map[string]string{"number": "2200111122223333"}},
	{provider: "aeterna", method: "payin_card", kind: models.Deposit, asset: "USD", low: 1000, high: 90000, operation: "deposit",
		values: map[string]string{"client_id": "payer-1"}},
}

// errand is anything that people do here that is no transaction: an address written into a provider's book, a sub-account opened. Each lives in a file of
// its own and is listed here; it is done in every phase, between the transactions, while the servers are killed.
type errand struct {
	name  string
	act   func(h *house)          // one thing that somebody does
	end   func(h *house)          // brings everything to its end, once nothing goes wrong any more; may be nil
	proof func(h *house) []string // what must hold in the end, and does not; may be nil
}

var errands = []errand{
	{"destinations", (*house).movesDestinations, (*house).settlesDestinations, destinationsAreWhole},
	{"sub-accounts", (*house).opensCompanies, (*house).settlesCompanies, companiesAreWhole},
}
