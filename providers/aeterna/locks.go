package aeterna

import (
	"net/url"
	"slices"

	"countinghouse/models"
	"countinghouse/providers"
)

// operationOf names the table's operation behind a capability, for those that rest on one.
func operationOf() map[providers.Capability][]string {
	return map[providers.Capability][]string{
		providers.CanReadBalances: {opBalance}, providers.CanLookUp: {opStatistics},
		providers.CanCreateDeposits: {opDepositCreate}, providers.CanFindDeposits: {opDepositStatus},
		providers.CanSendPayouts: {opPayoutCreate}, providers.CanFindPayouts: {opPayoutStatus},
		providers.CanDispute: {opDisputeCreate},
	}
}

// itemsOf lists the contract items that an operation rests on.
func itemsOf(operation string) []string {
	own := map[string][]string{
		opDepositCreate: {"AET-L-2", "AET-L-7"}, opDepositStatus: {"AET-L-2", "AET-L-7"}, opPayoutCreate: {"AET-L-3", "AET-L-7"},
		opPayoutStatus: {"AET-L-3", "AET-L-7"}, opDisputeCreate: {"AET-L-4", "AET-L-7"}, opDisputeStatus: {"AET-L-4"},
		opBalance: {"AET-L-5"}, opStatistics: {"AET-L-6"},
	}[operation]
	return slices.Concat([]string{"AET-OPS-2", "AET-L-1"}, own, []string{"AET-L-9", "AET-AMT-1"})
}

// profileAllowed decides whether typed operations may be used at all (AET-OPS-2); the sentence says why not. “auto” means: only against
// a stand-in on this machine, and only in sandbox.
func profileAllowed(env models.Environment, baseURL string, settings map[string]string) (bool, string) {
	switch chosen(settings, settingProfile) {
	case "on":
		return true, ""
	case "off":
		return false, "Typed operations are switched off for this credential (setting “Typed operations”): not one path of Aeterna's is documented."
	}
	if env == models.Sandbox && loopback(baseURL) {
		return true, ""
	}
	return false, "Not one path of Aeterna's is documented. An admin switches “Typed operations” on once the operation table has been checked against the list that Aeterna gives."
}

func loopback(baseURL string) bool {
	u, err := url.Parse(baseURL)
	if err != nil {
		return false
	}
	switch u.Hostname() {
	case "localhost", "127.0.0.1", "::1":
		return true
	}
	return false
}

// locks lists what may not be used. Reading is free once the profile is on; what moves money, and a dispute, waits in live until two
// admins have confirmed the items that it rests on.
func locks(env models.Environment, values, settings map[string]string) []providers.Lock {
	allowed, why := profileAllowed(env, values[fieldBaseURL], settings)
	t, err := tableOf(settings)
	var out []providers.Lock
	for _, capability := range capabilities() {
		for _, op := range operationOf()[capability] {
			lock := providers.Lock{Operation: string(capability)}
			switch {
			case err != nil:
				lock.Reason = err.Error()
			case !allowed:
				lock.Reason = why
			case !hasOperation(t, op):
				lock.Reason = "The operation table of this credential has no operation " + op + "."
			case unconfirmed(env, op, settings):
				lock.Reason, lock.Items = assumedSentence(t), itemsOf(op)
			default:
				continue
			}
			out = append(out, lock)
		}
	}
	return out
}

// unconfirmed reports whether an operation that creates something rests, in live, on an item that two admins have not confirmed. Their
// confirmations reach a provider among its settings, as confirmed:ITEM.
func unconfirmed(env models.Environment, operation string, settings map[string]string) bool {
	return env == models.Live && creates(operation) &&
		slices.ContainsFunc(itemsOf(operation), func(item string) bool { return settings["confirmed:"+item] != "1" })
}

func hasOperation(t *Table, name string) bool { _, ok := t.Operations[name]; return ok }

func assumedSentence(t *Table) string {
	return "Paths, fields and statuses come from the operation table “" + t.Title + "”, which is assumed. Two admins must confirm it with the evidence in front of them."
}
