package onekey

import (
	"net/http"
	"strings"

	"countinghouse/providers"
)

// OneKey keeps two lists and they differ: the one for cashouts is documented, the one for deposits is known from a sister brand.
const (
	cashoutList = "cashouts"
	depositList = "deposits"
)

func addressLists() []providers.AddressList {
	return []providers.AddressList{
		{ID: cashoutList, Title: "Cashouts IP Address", Guards: "cashouts: making, cancelling, holding and asking about them", Mark: providers.Documented,
			Where: "OneKey's panel: Settings, API Access, section “Cashouts IP Address”."},
		{ID: depositList, Title: "Deposits IP Address", Guards: "deposits, refunds, subscriptions and the wallet", Mark: providers.Sibling, Item: "OKP-CHK-1",
			Where: "OneKey's panel: Settings, API Access, section “Deposits IP Address”. The two lists are not the same: enter the address in both."},
	}
}

// readAddress tells by path which list an answer speaks of. Only an answer that can come after the address was looked at counts as let in: a
// success, or "no such cashout" and "no such deposit". Validations are left out: which list guards them is not documented.
func readAddress(a providers.Answered) (list string, word providers.AddressWord, seen string) {
	path, code := a.Path, a.Code()
	switch {
	case strings.Contains(path, "/v3/cashout"):
		switch {
		case code == "402":
			return cashoutList, providers.AddressRefused, providers.AddressIn(a.Body)
		case code == "509", a.OK() && code == "" && a.JSON():
			return cashoutList, providers.AddressLetIn, ""
		}
	case strings.Contains(path, "/v3/deposits"), strings.Contains(path, "/v3/refunds"), strings.Contains(path, "/v3/subscriptions"), strings.Contains(path, "/v1/wallet/"):
		switch {
		case code == "402", code == "201" && a.Status == http.StatusUnauthorized:
			return depositList, providers.AddressRefused, providers.AddressIn(a.Body)
		case code == "208", a.OK() && code == "" && a.JSON():
			return depositList, providers.AddressLetIn, ""
		}
	}
	return "", "", ""
}
