package wspn

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"countinghouse/providers"
)

// bookPages bounds the listing of a book: 50 rows a page.
const bookPages = 40

// Addresses lists WSPN's whitelist. Its path is a guess (WSPN-PATH-1).
func (c *client) Addresses(ctx context.Context) ([]providers.Entry, error) {
	list, e := c.listAll(ctx, whitelistSearch)
	if e != nil {
		return nil, readError("WSPN's whitelist", e)
	}
	var out []providers.Entry
	for _, o := range list {
		names := c.set.whitelistFields
		network := o.text(names[1])
		for ours, code := range c.set.networks {
			if code == network {
				network = ours
			}
		}
		word := clean(o.text("status"), 64)
		out = append(out, providers.Entry{ID: idText(o), State: word, Usable: c.usable("address", word), Raw: o.raw(),
			Values: map[string]string{"address": clean(o.text(names[0]), 255), "network": clean(network, 64), "label": clean(o.text(names[2]), 255)}})
	}
	return out, nil
}

// AddAddress registers a withdrawal target. WSPN scans its risk; the same address may not stand twice on one network. The member names
// are a guess (WSPN-ADDR-1). A lost answer is settled by listing, never by adding again.
func (c *client) AddAddress(ctx context.Context, ref string, values map[string]string) providers.Outcome {
	if why := c.locked(whitelistAdd); why != "" {
		return notSent("%s", why)
	}
	if !validReference(ref) {
		return notSent("The reference must be 1 to 64 letters, digits and hyphens.")
	}
	if out := refuseProblems(providers.CheckFields(addressFields(), trimmedValues(values))); out != nil {
		return out
	}
	network, ok := c.set.networks[strings.TrimSpace(values["network"])]
	if !ok {
		return notSent("WSPN's code of the network %s is not among this credential's settings.", quote(values["network"]))
	}
	names := c.set.whitelistFields
	body := map[string]any{"requestId": ref, names[0]: strings.TrimSpace(values["address"]), names[1]: network}
	put(body, names[2], values["label"])
	a, e := c.do(ctx, call{at: whitelistAdd, body: body})
	if e != nil {
		return c.outcomeOf(e)
	}
	res := a.child("result")
	if to := res.text(names[0]); to != "" && !strings.EqualFold(to, strings.TrimSpace(values["address"])) {
		return unknown(a, "WSPN said success, but for another address than the one asked")
	}
	word := clean(res.text("status"), 64)
	return providers.Accepted{ProviderRef: idText(res), Status: providers.Status{Word: word, ProviderRef: idText(res)}, Raw: a.raw}
}

// DeleteAddress takes an address off the whitelist. Its path is a guess (WSPN-PATH-1).
func (c *client) DeleteAddress(ctx context.Context, ref string, e providers.Entry) providers.Outcome {
	return c.deleteEntry(ctx, whitelistDelete, ref, e)
}

// deleteEntry deletes by id and requestId (P-RDEL).
func (c *client) deleteEntry(ctx context.Context, at endpoint, ref string, e providers.Entry) providers.Outcome {
	if why := c.locked(at); why != "" {
		return notSent("%s", why)
	}
	id := parseID(e.ID)
	if id == 0 || !validReference(ref) {
		return notSent("To delete an entry, WSPN needs its number and a reference.")
	}
	a, bad := c.do(ctx, call{at: at, body: map[string]any{"id": id, "requestId": ref}})
	if bad != nil {
		return c.outcomeOf(bad)
	}
	return providers.Accepted{ProviderRef: e.ID, Status: providers.Status{ProviderRef: e.ID}, Raw: a.raw}
}

// listAll reads every page of a book. Whether the unknown pages page at all is not documented, so a page that repeats the last one, or
// is short, ends it.
func (c *client) listAll(ctx context.Context, at endpoint) ([]object, *callError) {
	var all []object
	seen := map[string]bool{}
	for page := 1; page <= bookPages; page++ {
		a, e := c.do(ctx, call{at: at, body: map[string]any{}, page: [2]int{page, historyRows}})
		if e != nil {
			return nil, e
		}
		list, said := a.listed("resultList", "result")
		if !said { // an empty book would look the same, and what is not in the book may be added once more
			return nil, &callError{stage: stageCall, kind: kindUnreadable, status: a.res.Status, raw: a.raw, sentence: "WSPN's answer holds no list that can be read"}
		}
		fresh := 0
		for _, o := range list {
			id := idText(o)
			if id != "" && seen[id] {
				continue
			}
			seen[id] = true
			fresh++
			all = append(all, o)
		}
		if fresh == 0 || len(list) < historyRows {
			return all, nil
		}
	}
	// Never a part for the whole: what is not in the list may be added once more.
	return nil, &callError{stage: stageCall, kind: kindUnreadable, sentence: fmt.Sprintf("the list is longer than %d pages", bookPages)}
}

func trimmedValues(values map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range values {
		out[k] = strings.TrimSpace(v)
	}
	return out
}

func idText(o object) string {
	if id := o.id("id"); id != 0 {
		return strconv.FormatInt(id, 10)
	}
	return ""
}

// addressFields is what a whitelist entry needs.
func addressFields() []providers.Field {
	return []providers.Field{networkField(), addressField(), {Name: "label", Label: "Label", MaxLen: 64}}
}
