package wakapay

import (
	"net/http"

	"countinghouse/providers"
)

const callerList = "api"

func addressLists() []providers.AddressList {
	return []providers.AddressList{{ID: callerList, Title: "Calling addresses", Guards: "the sign-in and every call", ByMail: true, Mark: providers.Assumed,
		Where: "WakaPay publishes no page for it: give the addresses to your account manager."}}
}

// readAddress takes 403 for an address that WakaPay, or a firewall before it, does not know.
func readAddress(a providers.Answered) (list string, word providers.AddressWord, seen string) {
	switch {
	case a.Status == http.StatusForbidden:
		return callerList, providers.AddressRefused, providers.AddressIn(a.Body)
	case a.OK() && a.JSON():
		return callerList, providers.AddressLetIn, ""
	}
	return "", "", ""
}
