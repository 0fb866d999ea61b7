package wupex

import (
	"net/http"

	"countinghouse/providers"
)

const callerList = "api"

func addressLists() []providers.AddressList {
	return []providers.AddressList{{ID: callerList, Title: "Addresses of the API key", Guards: "every call with the key", Mark: providers.Assumed, Item: "WUPEX-AUTH-3",
		Where: "WUPEX's portal: portal.wupex.com/settings, beside the key. Where the portal does not offer it, ask WUPEX's support."}}
}

// readAddress takes a page instead of data for WUPEX's firewall, which does not know the address (WUPEX-AUTH-3); the firewall sometimes names
// the address on its page. A 403 in words is about the key, not about the address.
func readAddress(a providers.Answered) (list string, word providers.AddressWord, seen string) {
	switch {
	case a.OK() && a.JSON():
		return callerList, providers.AddressLetIn, ""
	case !a.JSON() && len(a.Body) > 0 && a.Status < 500 && a.Status != http.StatusUnauthorized && a.Status != http.StatusNotFound:
		return callerList, providers.AddressRefused, providers.AddressIn(a.Body)
	}
	return "", "", ""
}
