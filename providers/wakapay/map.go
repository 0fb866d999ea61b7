package wakapay

import (
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// statusOf turns WakaPay's word into ours (WAKA-STAT-1). The older words completed, failed and processing must be ignored, and every other
// word too: they give no state, so nothing changes and staff are told.
func (c *client) statusOf(word string) providers.Status {
	st := providers.Status{Word: httpx.Say(word, 60)}
	switch word {
	case "termination_pending":
		st.State = models.Pending
	case "termination_success":
		st.State = models.Succeeded
	case "termination_failure":
		st.State, st.Reason = models.Failed, "WakaPay could not pay the recipient. Wait for the balance to show the money back before calling it returned."
	default:
		st.Reason = "This status is not in WakaPay's documentation."
	}
	if !c.set.final && (st.State == models.Succeeded || st.State == models.Failed) { // WAKA-STAT-2
		st.State, st.Reason = models.Pending, "WakaPay reports "+word+"; this credential does not take that as final."
	}
	return st
}

func statusSentence(kind models.Kind, status string) string {
	if kind != models.Payout {
		return ""
	}
	switch status {
	case "termination_pending":
		return "WakaPay has the payout and has not finished."
	case "termination_success":
		return "WakaPay says that the recipient was paid."
	case "termination_failure":
		return "WakaPay could not pay the recipient. The balance shows when the money is back."
	case "completed", "failed", "processing":
		return "An old status name of WakaPay's, which must be ignored."
	}
	return ""
}

// money reads a figure in the unit that staff have confirmed (WAKA-AMT-1); while they have not, the number is taken as it stands, without
// shifting decimals. More digits than the currency has are rounded down; exact is then false.
func (c *client) money(text, currency string) (m models.Money, exact bool, err error) {
	d, err := models.ParseDecimal(text)
	if err != nil {
		return models.Money{}, false, models.Errorf(models.Unavailable, "WakaPay gives the figure %q for %s, which cannot be read.", httpx.Say(text, 30), httpx.Say(currency, 8))
	}
	asset, known := models.AssetByCode(currency)
	if !known {
		currency = models.Unstated
		asset, _ = models.AssetByCode(currency)
	}
	scale := int32(asset.Scale) //nolint:gosec // a scale is at most 8
	if c.set.unit == "minor" {
		d = d.Shift(-scale)
	}
	cut := d.RoundFloor(scale)
	m, err = models.MoneyOf(cut, currency)
	return m, cut.Equal(d), err
}

// wire writes an amount in the confirmed unit: "100.50" or "10050".
func (c *client) wire(m models.Money) string {
	if c.set.unit == "minor" {
		return strconv.FormatInt(m.Minor, 10)
	}
	return m.Plain()
}

// sameAmount compares what an answer says with what was asked, as decimals: "100.5" is "100.50".
func (c *client) sameAmount(v httpx.Value, m models.Money) bool {
	d, err := models.ParseDecimal(v.Scalar())
	want, wantErr := decimal.NewFromString(c.wire(m))
	return err == nil && wantErr == nil && d.Equal(want)
}

// sameName compares two names as people write them: letter case, order and spaces of the words do not count.
func sameName(a, b string) bool {
	words := func(s string) map[string]int {
		out := map[string]int{}
		for _, w := range strings.Fields(strings.ToLower(s)) {
			out[w]++
		}
		return out
	}
	x, y := words(a), words(b)
	if len(x) != len(y) {
		return false
	}
	for w, n := range x {
		if y[w] != n {
			return false
		}
	}
	return len(x) > 0
}
