package wspn

import (
	"net/http"

	"countinghouse/models"
)

const (
	testHost  = "wallet.test.wspn.io" // WSPN-ENV-1
	testBase  = "https://" + testHost
	apiPrefix = "/openapi/v1"
	tokenPath = apiPrefix + "/auth/oauth2/token"
)

// endpoint is one operation of WSPN.
type endpoint struct {
	op     string // our name of the operation, in exchanges and errors
	method string
	path   string // below apiPrefix
	plain  bool   // its page prints text/plain (WSPN-CT-1)
	guess  string // name in the setting `paths`; empty: the path is documented (WSPN-PATH-1)
}

// The operations. A guess is in the documentation by title only; its path is an analogy.
var (
	balance         = endpoint{op: "balance.read", method: http.MethodPost, path: "/wallet-account/balance"}
	depositAddress  = endpoint{op: "deposit-address.get", method: http.MethodGet, path: "/wallet-address/deposit", guess: "deposit_address"}
	whitelistAdd    = endpoint{op: "whitelist.add", method: http.MethodPost, path: "/wallet-address/whitelist/add"}
	whitelistSearch = endpoint{op: "whitelist.list", method: http.MethodPost, path: "/wallet-address/whitelist/search", guess: "whitelist_search"}
	whitelistDelete = endpoint{op: "whitelist.delete", method: http.MethodPost, path: "/wallet-address/whitelist/delete", guess: "whitelist_delete"}
	remitDeposit    = endpoint{op: "remit.deposit-accounts", method: http.MethodGet, path: "/remit-info/deposit", guess: "deposit_accounts"}
	remitAdd        = endpoint{op: "remit.add", method: http.MethodPost, path: "/remit-info/add"}
	remitEdit       = endpoint{op: "remit.edit", method: http.MethodPost, path: "/remit-info/edit", plain: true}
	remitSearch     = endpoint{op: "remit.list", method: http.MethodPost, path: "/remit-info/search", guess: "remit_search"}
	remitDelete     = endpoint{op: "remit.delete", method: http.MethodPost, path: "/remit-info/delete", plain: true}
	fiatDeposit     = endpoint{op: "fiat.deposit", method: http.MethodPost, path: "/fiat-transaction/deposit", plain: true}
	fiatWithdraw    = endpoint{op: "fiat.withdraw", method: http.MethodPost, path: "/fiat-transaction/withdraw", plain: true}
	fiatOrder       = endpoint{op: "fiat.order", method: http.MethodPost, path: "/fiat-transaction/order", guess: "fiat_order"}
	fiatReceipt     = endpoint{op: "fiat.receipt", method: http.MethodPost, path: "/fiat-transaction/receipt", guess: "fiat_receipt"}
	cryptoWithdraw  = endpoint{op: "crypto.withdraw", method: http.MethodPost, path: "/crypto-transaction/withdraw"}
	cryptoOrder     = endpoint{op: "crypto.order", method: http.MethodPost, path: "/crypto-transaction/order"}
	cryptoReceipt   = endpoint{op: "crypto.receipt", method: http.MethodPost, path: "/crypto-transaction/receipt", guess: "crypto_receipt"}
	exchangeRate    = endpoint{op: "rate.quote", method: http.MethodPost, path: "/mint-redeem/exchange-rate", plain: true}
	mintCreate      = endpoint{op: "conversion.create", method: http.MethodPost, path: "/mint-redeem/create", plain: true}
	mintSearch      = endpoint{op: "conversion.history", method: http.MethodPost, path: "/mint-redeem/search", plain: true}
	mintOrder       = endpoint{op: "conversion.order", method: http.MethodPost, path: "/mint-redeem/order", guess: "conversion_order"}
	mintReceipt     = endpoint{op: "conversion.receipt", method: http.MethodPost, path: "/mint-redeem/receipt", guess: "conversion_receipt"}
	fileUpload      = endpoint{op: "file.upload", method: http.MethodPost, path: "/file/upload"}
	countryList     = endpoint{op: "country.list", method: http.MethodGet, path: "/country/list", guess: "countries"}
	userCreate      = endpoint{op: "sub-account.create", method: http.MethodPost, path: "/user-account/create"}
	userBatch       = endpoint{op: "sub-account.batch-create", method: http.MethodPost, path: "/user-account/batch-create"}
	subAccountList  = endpoint{op: "sub-account.list", method: http.MethodPost, path: "/user-account/sub-account"}
	subAccountKeys  = endpoint{op: "sub-account.keys", method: http.MethodPost, path: "/user-account/sub-account/api-key"}
	kybSubmit       = endpoint{op: "kyb.submit", method: http.MethodPost, path: "/kyb/submit"}
	kybBatch        = endpoint{op: "kyb.batch-submit", method: http.MethodPost, path: "/kyb/batch-submit"}
)

// pathOf gives the path to call: the one typed in the setting `paths`, else the guess.
func (c *client) pathOf(e endpoint) string {
	if typed := c.set.paths[e.guess]; e.guess != "" && typed != "" {
		return typed
	}
	return apiPrefix + e.path
}

// locked says why an operation may not be called with this configuration; empty when it may. Nothing is locked in sandbox.
func (c *client) locked(e endpoint) string { return lockedBy(c.env, &c.set, e) }

func lockedBy(env models.Environment, s *settings, e endpoint) string {
	switch {
	case env != models.Live:
		return ""
	case !s.confirmed:
		return "Nothing is sent to WSPN in live until the signature is confirmed: the way it signs requests is not in the documentation we have. " +
			"Read page 5743931m0, try it in WSPN's test environment, then set “Signature confirmed”."
	case e.guess != "" && s.paths[e.guess] == "" && !s.pathsConfirmed:
		return "The path of this operation is a guess, so it is not called in live. Type the path from WSPN's page under “Paths that are not documented” as " +
			e.guess + "=…"
	case e == cryptoWithdraw && !s.cryptoConfirmed:
		return "All fields of a crypto withdrawal are a guess, so none is sent in live. Read page 248515600e0, then set “Fields of a crypto withdrawal”."
	}
	return ""
}
