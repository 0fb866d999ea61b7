package wspn

import (
	"net/http"

	"countinghouse/providers"
)

// callerList is the one list that WSPN may keep. Its documentation is silent about addresses; that 403 means one is how such platforms behave.
const callerList = "openapi"

func addressLists() []providers.AddressList {
	return []providers.AddressList{{ID: callerList, Title: "Callers of the Open API", Guards: "every call of the Open API", ByMail: true, Mark: providers.Assumed,
		Where: "WSPN documents no page for it: write to your contact at WSPN, who also issues the keys."}}
}

// readAddress takes 403 for an address that is not listed, and any success for one that is.
func readAddress(a providers.Answered) (list string, word providers.AddressWord, seen string) {
	switch {
	case a.Status == http.StatusForbidden:
		return callerList, providers.AddressRefused, providers.AddressIn(a.Body)
	case a.OK() && a.JSON():
		return callerList, providers.AddressLetIn, ""
	}
	return "", "", ""
}
