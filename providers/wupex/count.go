package wupex

import (
	"github.com/shopspring/decimal"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// delivered takes every code out of an order's detail, over all groups (WUPEX-DET-1), each with the SKU that its place names, or the one
// that was ordered where it names none: an order of ours has one line (WUPEX-ORD-3).
func (c *client) delivered(data httpx.Value, ordered string) []providers.Delivered {
	if c.set.detailFlat {
		return c.labelled(serialsOf(data.Get("serials"), ""), ordered)
	}
	var out []providers.Delivered
	for _, group := range data.Get("orderData").List() {
		out = append(out, serialsOf(group.Get("serials"), skuOf(group))...)
	}
	return c.labelled(out, ordered)
}

func (c *client) labelled(list []providers.Delivered, ordered string) []providers.Delivered {
	if c.set.skuOfLine { // WUPEX-DET-2
		for i := range list {
			list[i].SKU = ""
		}
	}
	return withSKU(list, ordered)
}

func withSKU(list []providers.Delivered, ordered string) []providers.Delivered {
	for i := range list {
		if list[i].SKU == "" {
			list[i].SKU = ordered
		}
	}
	return list
}

func skuOf(v httpx.Value) string { // WUPEX-DET-2
	if s := v.Get("productCode").Text(); s != "" {
		return httpx.Say(s, 200)
	}
	return httpx.Say(v.Get("sku").Text(), 200)
}

const maxCode = 2000 // characters of one code; longer is not a code

// serialsOf reads codes byte for byte: a code is what the customer will type, so nothing in it is cleaned.
func serialsOf(list httpx.Value, groupSKU string) []providers.Delivered {
	var out []providers.Delivered
	for _, v := range list.List() {
		d := providers.Delivered{SKU: skuOf(v), Serial: httpx.Say(v.Get("serialNumber").Scalar(), 200), Code: v.Get("serialCode").Scalar(),
			Expiry: httpx.Say(v.Get("expiry").Scalar(), 60)}
		if d.SKU == "" {
			d.SKU = groupSKU
		}
		if len(d.Code) > maxCode {
			d.Code = ""
		}
		out = append(out, d)
	}
	return out
}

// count compares what arrived with what was ordered (WUPEX-ORD-2). Fewer is partial; more, a foreign product, an empty or a repeated code,
// or codes that the order's own answer contradicts, is an anomaly: both stay open for staff, and every code that arrived is handed over.
func (c *client) count(q providers.Query, got, told []providers.Delivered) providers.Status {
	st := providers.Status{ProviderRef: q.ProviderRef, Items: usable(got)}
	switch odd := oddity(q, got, told); {
	case odd != "":
		st.State, st.Word, st.ReasonCode, st.Reason = models.Partial, "anomaly", "anomaly", odd
	case len(got) == 0 && c.set.emptyAlerts: // WUPEX-DET-3
		st.Word, st.Reason = "no_codes", "The order holds no codes."
	case len(got) == 0:
		st.State, st.Word, st.Reason = models.Pending, "pending_codes", "The order is placed; its codes are not out yet."
	case q.Quantity < 1:
		st.Word, st.Reason = "uncounted", "It is not known how many codes were ordered, so what arrived cannot be counted."
	case len(got) < q.Quantity:
		st.State, st.Word, st.ReasonCode = models.Partial, "partial", "partial"
		st.Reason = itoa(len(got)) + " of " + itoa(q.Quantity) + " codes arrived."
	default:
		st.State, st.Word = models.Succeeded, "fulfilled"
	}
	return st
}

// oddity says what is wrong with a delivery beyond its being short; empty if nothing is.
func oddity(q providers.Query, got, told []providers.Delivered) string {
	if len(got) == 0 {
		return ""
	}
	have := map[string]bool{}
	for _, d := range got {
		switch {
		case d.Code == "":
			return "An entry without a usable code arrived."
		case have[d.Code]:
			return "One code arrived twice."
		case q.SKU != "" && d.SKU != q.SKU:
			return "A code for another product (" + d.SKU + ") arrived."
		}
		have[d.Code] = true
	}
	for _, d := range told {
		if d.Code != "" && !have[d.Code] && len(got) >= len(told) {
			return "The order's answer gave other codes than its detail."
		}
	}
	if q.Quantity > 0 && len(got) > q.Quantity {
		return itoa(len(got)) + " codes arrived where " + itoa(q.Quantity) + " were ordered."
	}
	return ""
}

// usable leaves out entries that hold no code.
func usable(list []providers.Delivered) []providers.Delivered {
	var out []providers.Delivered
	for _, d := range list {
		if d.Code != "" {
			out = append(out, d)
		}
	}
	return out
}

// money reads a figure in the account's currency, with the named rounding where it has more digits than the currency (section 8: WUPEX
// does not fix a scale). exact is false when that was needed.
func (c *client) money(text string, round func(decimal.Decimal, int32) decimal.Decimal) (m models.Money, exact bool, err error) {
	d, err := models.ParseDecimal(text)
	if err != nil {
		return models.Money{}, false, err
	}
	asset, _ := models.AssetByCode(c.set.currency)
	cut := round(d, int32(asset.Scale)) //nolint:gosec // a scale is at most 8
	m, err = models.MoneyOf(cut, c.set.currency)
	return m, cut.Equal(d), err
}
