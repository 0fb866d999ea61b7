// Package onekey speaks to OneKey Payments, which moves money in and out in Latin America: cashouts, deposits, refunds, a wallet,
// subscriptions, validations and reconciliation reads. The wire contract is a white label of the D24 platform; what is only known from a
// sister brand, or assumed, carries its contract item id (OKP-…) in a comment and, where it can be switched, a setting.
//
// Imported by providers/all only. It imports providers, providers/httpx and models, and keeps no state but circuit breakers.
package onekey

import (
	"countinghouse/models"
	"countinghouse/providers"
)

// Provider describes OneKey and builds its client.
func Provider() *providers.Provider {
	return &providers.Provider{
		Description: providers.Description{
			Name: "onekey", Title: "OneKey Payments", Short: "OneKey",
			About: "Deposits, refunds and cashouts in Latin America: PIX and bank transfers in Brazil, bank transfers in Chile, Mexico, Colombia, Argentina and Peru.",
			Sites: sites(), Fields: credentialFields(), Settings: contractSettings(), Capabilities: capabilities(), Items: items(),
			Methods: withExamples(methods()), Reads: reads(), Webhooks: topics(), Passport: passport(), RotateDays: 90,
			AddressLists: addressLists(), ReadAddress: readAddress,
			CheckRequest: checkRequest, Locks: locks, StatusSentence: statusSentence,
			Demo: map[string]string{"pix_metadata_keys": "reference", "br_account_types": "C,S"},
		},
		New:      New,
		Webhooks: receiver{},
	}
}

func capabilities() []providers.Capability {
	return []providers.Capability{
		providers.CanCheck, providers.CanReadBalances, providers.CanSendPayouts, providers.CanFindPayouts, providers.CanCancelPayouts,
		providers.CanHoldPayouts, providers.CanCreateDeposits, providers.CanFindDeposits, providers.CanRefund, providers.CanFindRefunds,
		providers.CanTransfer, providers.CanVerifyRecipients, providers.CanReadStatements, providers.CanLookUp, providers.CanReceiveWebhooks,
	}
}

func passport() providers.Passport {
	return providers.Passport{
		Idempotency:      "A cashout's reference is unique: a second use is refused with 511, without the number of the first. Deposits, refunds and wallet transfers carry our reference as X-Idempotency-Key; what OneKey does with a used key is not settled (OKP-IDEM-3).",
		QueryByReference: true,
		// The first request may still be in flight when 509 comes; after five minutes no timeout of either side can be open.
		NotFoundAfter:  300,
		Resend:         providers.ResendSame,
		ByNumberOnly:   []models.Kind{models.Deposit, models.Refund}, // contract 3.5 and 3.9
		CancelUntil:    "A cashout can be cancelled until it is sent to the bank (DELIVERED), held ones too (OKP-CO-4).",
		WebhookRetries: "Up to 5 more times until it is answered with 200, after 5, 25, 125 and 625 minutes (the last gap is not documented).",
		Minimum:        "Per country and method, not published: 533 says that an amount is below it.",
		Decimals:       "At most 2. Chilean pesos are sent whole (OKP-CTY-2).",
		Finality:       "COMPLETED cashouts can turn REJECTED days later when the beneficiary's bank returns them. EXPIRED and CANCELLED deposits can still complete after a late payment.",
		RateLimit:      "None stated (OKP-RATE-1).",
	}
}

func topics() []providers.WebhookTopic {
	return []providers.WebhookTopic{
		{ID: "cashout", Title: "Cashouts", Mark: providers.Sibling, Item: "OKP-WH-1",
			Help: "Sent with every cashout. As a default: OneKey's panel, Settings, API Access, \"Withdrawal URL\". Only ports 80 and 443 are contacted."},
		{ID: "deposit", Title: "Deposits", Mark: providers.Sibling, Item: "OKP-WH-3",
			Help: "Sent with every deposit. As a default: OneKey's panel, Settings, API Access, \"Confirm URL\"."},
		{ID: "refund", Title: "Refunds", Mark: providers.Assumed, Item: "OKP-WH-4", Help: "Sent with every refund."},
		{ID: "pix", Verifies: true, Title: "PIX-key validations", Mark: providers.Assumed, Item: "OKP-WH-5",
			Help: "Sent with every PIX-key validation, with a token of its own. Not to be entered anywhere."},
	}
}

// siteOf finds where an address field lives in an environment.
func siteOf(env models.Environment, field string) providers.Site {
	for _, s := range sites() {
		if s.Environment == env && s.Field == field {
			return s
		}
	}
	return providers.Site{}
}

func stagingHosts() []string {
	return []string{"api-stg.onekeypayments.com", "cc-api-stg.onekeypayments.com"}
}

// sites are OneKey's hosts (OKP-ENV-1). The production hosts have no default and no published name: what an admin types is pinned when
// the credential is approved. The reconciliation host is the same for both.
func sites() []providers.Site {
	books := providers.Site{Environment: models.Sandbox, Field: "reconciliation_base_url", Default: "https://merchants-api.onekeypayments.com/v1",
		Hosts: []string{"merchants-api.onekeypayments.com"}, Prefix: "/v1"}
	liveBooks := books
	liveBooks.Environment = models.Live
	return []providers.Site{
		{Environment: models.Sandbox, Field: "base_url", Default: "https://api-stg.onekeypayments.com", Hosts: stagingHosts()[:1]},
		{Environment: models.Sandbox, Field: "card_base_url", Default: "https://cc-api-stg.onekeypayments.com", Hosts: stagingHosts()[1:]},
		books,
		{Environment: models.Live, Field: "base_url"},
		{Environment: models.Live, Field: "card_base_url"},
		liveBooks,
	}
}

// The names of the credential's secrets.
const (
	fCashoutKey       = "cashout_api_key"
	fCashoutPass      = "cashout_api_passphrase"
	fCashoutSignature = "cashout_api_signature"
	fDepositKey       = "deposit_api_key"
	fDepositSignature = "deposit_api_signature"
	fReadOnlyKey      = "read_only_key"
	fBooksToken       = "reconciliation_token"
)

// credentialFields is what a credential holds: three addresses and three sets of keys (contract section 1), each set whole or empty.
func credentialFields() []providers.Field {
	const panel = "OneKey's panel, Settings, API Access, "
	key := func(name, label, help string, limit int) providers.Field {
		return providers.Field{Name: name, Label: label, Help: help, Secret: true, MaxLen: limit, Pattern: `^[!-~]+$`, PatternHelp: "Keys have no spaces. Copy it again."}
	}
	return []providers.Field{
		{Name: "base_url", Label: "API address", Kind: providers.URL, Required: true,
			Help: "Staging: https://api-stg.onekeypayments.com. The production address is not published; OneKey hands it over after its tests."},
		{Name: "card_base_url", Label: "Card API address", Kind: providers.URL, Help: "Only for card operations of PCI-certified merchants. May stay empty."},
		{Name: "reconciliation_base_url", Label: "Reconciliation address", Kind: providers.URL, Help: "Must end in /v1. OneKey’s is https://merchants-api.onekeypayments.com/v1. May stay empty."},
		key(fCashoutKey, "Cashouts: API key", panel+"Cashouts credentials. Called login on the wire; also signs validations.", 32),
		key(fCashoutPass, "Cashouts: API passphrase", panel+"Cashouts credentials. Called pass on the wire.", 32),
		key(fCashoutSignature, "Cashouts: API signature", panel+"Cashouts credentials. Signs requests and callbacks.", 255),
		key(fDepositKey, "Deposits: API key", panel+"Deposit credentials. Used by deposits, refunds, wallet and subscriptions.", 255),
		key(fDepositSignature, "Deposits: API signature", panel+"Deposit credentials.", 255),
		key(fReadOnlyKey, "Read-only API key", panel+"for payment methods, exchange rates, states and bank codes.", 255),
		key(fBooksToken, "Reconciliation token", "For statements and balances. How it is obtained is not documented: ask OneKey. May stay empty.", 4096),
	}
}
