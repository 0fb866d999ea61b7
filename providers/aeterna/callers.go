package aeterna

import (
	"net/http"

	"countinghouse/providers"
)

const callerList = "api"

func addressLists() []providers.AddressList {
	return []providers.AddressList{{ID: callerList, Title: "Calling addresses", Guards: "every call", ByMail: true, Mark: providers.Assumed,
		Where: "The documentation does not mention it: write to Aeterna's manager of your account."}}
}

// readAddress takes 403 for an address that is not listed, as the diagnosis of a test does.
func readAddress(a providers.Answered) (list string, word providers.AddressWord, seen string) {
	switch {
	case a.Status == http.StatusForbidden:
		return callerList, providers.AddressRefused, providers.AddressIn(a.Body)
	case a.OK() && a.JSON():
		return callerList, providers.AddressLetIn, ""
	}
	return "", "", ""
}
