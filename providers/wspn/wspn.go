// Package wspn speaks to WSPN: bank fiat and WUSD in and out, and conversion between them (mint and redeem).
//
// It is built from shared/providers/wspn.md, whose contract item ids (WSPN-SIG-1, …) stand in comments, tests and on the contract-check
// page. WSPN's documentation is known only in part: no error code, no signature vector and no fiat query is documented, so in live
// nothing is sent until two people have confirmed the signature, and an error answer to a money call is "outcome unknown".
//
// It imports providers, providers/httpx and models, and nothing else of ours. Only providers/all imports it.
package wspn

import (
	"countinghouse/models"
	"countinghouse/providers"
)

// Provider describes WSPN. All clients of one Provider value share the one token that WSPN keeps alive per set of keys (WSPN-TOK-3).
func Provider() *providers.Provider {
	pool := newTokenPool()
	return &providers.Provider{
		Description: description(),
		New: func(cfg providers.Config) (any, error) {
			c, err := newClient(cfg, pool)
			if err != nil {
				return nil, err
			}
			return c, nil
		},
		Webhooks: receiver{},
	}
}

func description() providers.Description {
	return providers.Description{
		Name: "wspn", Title: "WSPN", Short: "WSPN",
		About: "Bank transfers and the stablecoin WUSD in and out, and conversion between them.",
		Sites: []providers.Site{
			{Environment: models.Sandbox, Field: "base_url", Default: testBase, Hosts: []string{testHost}},
			{Environment: models.Live, Field: "base_url"},
		},
		Fields:           credentialFields(),
		Settings:         settingList(),
		Capabilities:     capabilities(),
		Items:            items(),
		Methods:          methods(),
		AddressFields:    addressFields(),
		AccountFields:    accountFields(),
		SubAccountFields: subAccountFields(),
		Canonical:        canonical,
		Reads:            reads(),
		Webhooks: []providers.WebhookTopic{{ID: "events", Title: "Events", Mark: providers.Assumed, Item: "WSPN-WH-3",
			Help: "Enter this address in WSPN's wallet platform, in the menu of API keys: it is attached to the key. WSPN wants to hear SUCCESS within 15 seconds."}},
		Passport:       passport(),
		Demo:           map[string]string{"refusal_codes": "TEST_FUNDS,TEST_CURRENCY,TEST_REMIT_INFO,TEST_QUOTE_USED,TEST_ADDRESS_UNKNOWN,TEST_USER_EXISTS"},
		AddressLists:   addressLists(),
		ReadAddress:    readAddress,
		CheckRequest:   checkRequest,
		Locks:          locks,
		StatusSentence: statusSentence,
		KYB:            kybRules,
	}
}

func credentialFields() []providers.Field {
	return []providers.Field{
		{Name: "base_url", Label: "Address of WSPN", Kind: providers.URL, Required: true, Item: "WSPN-ENV-2",
			Help: "Test environment: " + testBase + ". The live address is not documented: take it from WSPN in writing."},
		{Name: "api_key", Label: "API key", Required: true, Secret: true, MaxLen: 512, Help: "api_key from WSPN's e-mail. The key must have been set active."},
		{Name: "api_secret", Label: "API secret", Required: true, Secret: true, MaxLen: 512, Help: "api_secret from WSPN's e-mail. Requests are signed with it."},
		{Name: "client_id", Label: "Client id", Kind: providers.Digits, Pattern: `^[1-9][0-9]{0,18}$`, PatternHelp: "The client id is a number.", MaxLen: 19,
			Help: "The number in webhooks and orders, if WSPN told you. An order of another client is then not taken for ours."},
	}
}

func capabilities() []providers.Capability {
	return []providers.Capability{
		providers.CanCheck, providers.CanReadBalances, providers.CanSendPayouts, providers.CanFindPayouts, providers.CanConvert,
		providers.CanFindConversions, providers.CanCreateDeposits, providers.CanFindDeposits, providers.CanUploadProof, providers.CanKeepAddresses,
		providers.CanKeepAccounts, providers.CanOpenSubAccounts, providers.CanSubmitKYB, providers.CanLookUp, providers.CanReceiveWebhooks,
	}
}

func passport() providers.Passport {
	return providers.Passport{
		Idempotency: "WSPN rejects a requestId that it has taken before; it never repeats the first answer. Our reference is the requestId. " +
			"A crypto order can be asked for by it; for bank transfers and conversions the path of that question is a guess, locked in live.",
		QueryByReference: true,
		NotFoundAfter:    0,
		Resend:           providers.ResendNever,
		WebhookRetries:   "6 times, after 15, 30, 60, 120, 240 and 480 seconds; then the event is lost and only asking finds it.",
		Minimum:          "100 for a fiat withdrawal; the currency of that limit is not stated.",
		Decimals:         "2; JPY none; at most 20 characters.",
		Finality:         "Only COMPLETED of a conversion is documented as final. What other words mean is a setting. On chain WSPN waits for 12 blocks on Ethereum and 50 on Polygon.",
		RateLimit:        "Not stated.",
	}
}

// statusSentence explains the three words that are documented.
func statusSentence(kind models.Kind, status string) string {
	switch string(kind) + "." + status {
	case "deposit.TO_BE_CONFIRMED":
		return "WSPN has the announcement and has not matched the money yet."
	case "payout.TO_BE_PROCESSED":
		return "WSPN has accepted the withdrawal and has not paid it yet."
	case "conversion.COMPLETED":
		return "WSPN has converted the amount."
	}
	return "WSPN's documentation does not explain the word " + quote(status) + "."
}

// locks lists what may not be used in live with these settings, and what unlocks it.
func locks(env models.Environment, _, chosen map[string]string) []providers.Lock {
	if env != models.Live {
		return nil
	}
	s, err := readSettings(env, chosen)
	if err != nil {
		return []providers.Lock{{Operation: string(providers.CanCheck), Reason: err.Error()}}
	}
	var out []providers.Lock
	add := func(operation string, at endpoint, items ...string) {
		if why := lockedBy(env, &s, at); why != "" {
			if !s.confirmed {
				items = []string{"WSPN-SIG-1", "WSPN-SIG-2", "WSPN-SIG-3", "WSPN-TOK-1", "WSPN-TOK-2"}
			}
			out = append(out, providers.Lock{Operation: operation, Reason: why, Items: items})
		}
	}
	for _, c := range capabilities() {
		add(string(c), capabilityEndpoint(c), "WSPN-PATH-1")
	}
	for _, m := range methods() {
		add(m.ID, endpointOf(m.ID), m.Items...)
	}
	return out
}

// capabilityEndpoint is the call without which a capability is nothing.
func capabilityEndpoint(c providers.Capability) endpoint {
	switch c {
	case providers.CanKeepAddresses:
		return whitelistSearch
	case providers.CanKeepAccounts:
		return remitSearch
	}
	return balance
}

// endpointOf is the call that a method makes.
func endpointOf(method string) endpoint {
	return map[string]endpoint{payFiat: fiatWithdraw, payCrypto: cryptoWithdraw, takeFiat: fiatDeposit, takeAddress: depositAddress,
		mint: mintCreate, redeem: mintCreate}[method]
}
