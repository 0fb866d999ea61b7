package views

import (
	"fmt"
	"net/url"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

// TransactionPath is where a transaction's page is.
func TransactionPath(id string) string { return "/transactions/" + url.PathEscape(id) }

func (c Clock) second(m models.Micros) ui.TimeParams {
	return ui.TimeParams{At: m.Time(), Zone: c.Zone, Form: ui.TimeSecond}
}

func exchangeStatus(x models.ExchangeRecord) ui.StatusParams {
	switch {
	case x.Status == 0 && !x.Sent:
		return ui.StatusParams{Tone: ui.Bad, Word: "Not sent", Hollow: true}
	case x.Status == 0:
		return ui.StatusParams{Tone: ui.Odd, Word: "No answer", Hollow: true}
	case x.Err != "":
		return ui.StatusParams{Tone: ui.Odd, Word: "Broken answer", Theirs: fmt.Sprint(x.Status)}
	case x.Status >= 500:
		return ui.StatusParams{Tone: ui.Bad, Word: "Their failure", Theirs: fmt.Sprint(x.Status)}
	case x.Status >= 400:
		return ui.StatusParams{Tone: ui.Wait, Word: "Refused", Theirs: fmt.Sprint(x.Status)}
	}
	return ui.StatusParams{Tone: ui.Ok, Word: "Answered", Theirs: fmt.Sprint(x.Status)}
}

func exchangeRows(s ExchangesParams) []ui.Row {
	var rows []ui.Row
	for _, x := range s.List {
		href := ExchangePath(x.ID)
		rows = append(rows, ui.Row{Href: href, Copy: x.ID, Cells: []ui.Cell{ui.Is(ui.Time(s.Clock.second(x.StartedAt))), {Text: x.Operation, Href: href, Head: true},
			ui.Text(x.Method + " " + visible(x.URL)), {Content: ui.StatusChip(exchangeStatus(x)), Sub: visible(x.Err)}, ui.Text(millis(x.DurationUS)), subjectCell(x.SubjectKind, x.SubjectID)}})
	}
	return rows
}

func subjectCell(kind, id string) ui.Cell {
	switch {
	case kind == "transaction" && id != "":
		return ui.LinkCell(TransactionPath(id), "a transaction")
	case kind == "delivery" && id != "":
		return ui.LinkCell(WebhookPath(id), "a webhook")
	case kind == "credential":
		return ui.Text("the credential")
	}
	return ui.Text(kind)
}

func failedChip(s ExchangesParams) []ui.Chip {
	if s.OnlyFailed {
		return []ui.Chip{{Name: "answer", Value: "none, or their failure", RemoveHref: s.Here}}
	}
	return []ui.Chip{{Name: "answer", Value: "any", EditHref: s.Here + "?failed=1"}}
}

func exchangeTerms(s ExchangeParams) []ui.Term {
	x := s.X
	about := subjectCell(x.SubjectKind, x.SubjectID)
	terms := []ui.Term{
		{Label: "Request", Text: x.Method + " " + visible(x.URL)},
		{Label: "Started", Content: ui.Time(s.Clock.second(x.StartedAt)), Sub: fmt.Sprintf("and %d ms; took %s", int64(x.StartedAt)%1_000_000/1000, millis(x.DurationUS))},
		{Label: "Left this machine", Text: map[bool]string{true: "yes, or it may have", false: "no: not one byte"}[x.Sent]},
		{Label: "Digest of the body", Text: x.BodyDigest, Sub: "SHA-256 of the exact bytes, before anything was blanked"},
		{Label: "Credential", Content: ui.Ref(ui.RefParams{Text: orElse(s.Credential.Name, x.CredentialID), Href: CredentialPath(x.CredentialID), NoCopy: true})},
		{Label: "About", Content: ui.Ref(ui.RefParams{Text: orElse(about.Text, "nothing in particular"), Href: about.Href, NoCopy: true})},
	}
	if x.Err != "" {
		terms = append(terms, ui.Term{Label: "What went wrong", Text: visible(x.Err)})
	}
	return terms
}

func deliveryStatus(d models.Delivery) ui.StatusParams {
	return ui.StatusParams{Tone: ui.Tone(d.State.Tone()), Word: d.State.Word(), Hollow: d.State == models.DeliveryRefused || d.State == models.DeliveryUnmatched}
}

func trustStatus(trust string) ui.StatusParams {
	switch providers.Trust(trust) {
	case providers.Verified:
		return ui.StatusParams{Tone: ui.Ok, Word: "Signature right"}
	case providers.Partly:
		return ui.StatusParams{Tone: ui.Wait, Word: "Partly signed"}
	case providers.Hint:
		return ui.StatusParams{Tone: ui.Idle, Word: "Not signed: a hint", Hollow: true}
	}
	return ui.StatusParams{Tone: ui.Bad, Word: "Forged"}
}

// webhookHref is the list with one value of the filter changed; paging starts anew.
func webhookHref(f models.DeliveryFilter, set ...string) string {
	q := url.Values{}
	put := func(name, v string) {
		if v != "" {
			q.Set(name, v)
		}
	}
	put("state", string(f.State))
	put("provider", f.Provider)
	put("credential", f.CredentialID)
	put("topic", f.Topic)
	put("trust", f.Trust)
	put("reference", f.Reference)
	put("transaction", f.TransactionID)
	for i := 0; i+1 < len(set); i += 2 {
		q.Del(set[i])
		put(set[i], set[i+1])
	}
	if len(q) == 0 {
		return WebhooksPath
	}
	return WebhooksPath + "?" + q.Encode()
}

// WebhooksHref is the address of the list with a filter, after a delivery when before is set.
func WebhooksHref(f models.DeliveryFilter, before string) string {
	return webhookHref(f, "before", before)
}

func webhookTabs(s WebhooksParams) []ui.Tab {
	tab := func(label string, state models.DeliveryState, n int) ui.Tab {
		t := ui.Tab{Label: label, Href: webhookHref(s.Filter, "state", string(state)), Active: s.Filter.State == state}
		if n > 0 {
			t.Count = ui.Count(int64(n))
			if n >= 1000 {
				t.Count = "1,000+"
			}
		}
		return t
	}
	return []ui.Tab{tab("All", "", 0), tab("Failed", models.DeliveryFailed, s.Failed), tab("Dead", models.DeliveryDead, s.Dead), tab("No match", models.DeliveryUnmatched, 0),
		tab("Refused", models.DeliveryRefused, 0)}
}

func webhookChips(s WebhooksParams) []ui.Chip {
	var chips []ui.Chip
	add := func(name, param, value, shown string) {
		if value != "" {
			chips = append(chips, ui.Chip{Name: name, Value: shown, RemoveHref: webhookHref(s.Filter, param, "")})
		}
	}
	add("provider", "provider", s.Filter.Provider, shortName(s.Providers, s.Filter.Provider))
	add("credential", "credential", s.Filter.CredentialID, orElse(s.Credentials[s.Filter.CredentialID].Name, "one that is not here"))
	add("topic", "topic", s.Filter.Topic, visible(s.Filter.Topic))
	add("verification", "trust", s.Filter.Trust, strings.ToLower(trustStatus(s.Filter.Trust).Word))
	add("reference", "reference", s.Filter.Reference, visible(s.Filter.Reference))
	add("transaction", "transaction", s.Filter.TransactionID, "one transaction")
	return chips
}

func webhookClear(s WebhooksParams) string {
	if len(webhookChips(s)) == 0 {
		return ""
	}
	return webhookHref(models.DeliveryFilter{State: s.Filter.State})
}

func webhookHidden(s WebhooksParams) []ui.Hidden {
	if s.Filter.State == "" {
		return nil
	}
	return []ui.Hidden{{Name: "state", Value: string(s.Filter.State)}}
}

func providerOptions(list []*providers.Description) []ui.Option {
	out := []ui.Option{{Value: "", Label: "any"}}
	for _, d := range list {
		out = append(out, ui.Option{Value: d.Name, Label: d.Title})
	}
	return out
}

func trustOptions() []ui.Option {
	out := []ui.Option{{Value: "", Label: "any"}}
	for _, t := range []providers.Trust{providers.Verified, providers.Partly, providers.Hint, providers.Forged} {
		out = append(out, ui.Option{Value: string(t), Label: trustStatus(string(t)).Word})
	}
	return out
}

func webhookEmpty(s WebhooksParams) string {
	if len(webhookChips(s)) > 0 || s.Filter.State != "" {
		return "Nothing matches the filter."
	}
	return "Give each provider the callback address that stands on the page of its credential."
}

func webhookRows(s WebhooksParams) []ui.Row {
	var rows []ui.Row
	for _, d := range s.List {
		href := WebhookPath(d.ID)
		about := d.Reference
		if about == "" {
			about = d.ProviderRef
		}
		repeats := ""
		if d.Repeats > 0 {
			repeats = ui.Count(int64(d.Repeats))
		}
		rows = append(rows, ui.Row{Href: href, Copy: about, Cells: []ui.Cell{{Content: ui.Time(s.Clock.second(d.ReceivedAt))},
			{Text: shortName(s.Providers, d.Provider), Sub: s.Credentials[d.CredentialID].Name}, {Text: d.Topic, Href: href, Sub: visible(d.Event), Head: true}, {Text: visible(about), Sub: visible(d.Word)},
			ui.Is(ui.StatusChip(trustStatus(d.Trust))), {Content: ui.StatusChip(deliveryStatus(d)), Sub: visible(d.Error)}, ui.Text(repeats)}})
	}
	return rows
}

// shortName is what tables call a provider.
func shortName(list []*providers.Description, name string) string {
	for _, d := range list {
		if d.Name == name {
			return d.Short
		}
	}
	return visible(name)
}

func replayReason(d models.Delivery) string {
	if d.State == models.DeliveryRefused {
		return "its signature was wrong, so it is never read"
	}
	return ""
}

func verificationTerms(s WebhookParams) []ui.Term {
	d := s.D
	terms := []ui.Term{
		{Label: "Verdict", Content: ui.StatusChip(trustStatus(d.Trust)), Sub: visible(d.Sentence)},
		{Label: "Received", Content: ui.Time(s.Clock.second(d.ReceivedAt)), Sub: "from " + orElse(visible(d.From), "an unknown address")},
		{Label: "Size", Text: ui.Count(int64(d.Size)) + " bytes"},
		{Label: "Digest of the body", Text: d.Digest, Sub: "SHA-256 of the bytes as they came; constant secrets are blanked in what is kept"},
		{Label: "Speaks to", Text: strings.Join(d.Items, ", ")},
	}
	if d.Repeats > 0 {
		terms = append(terms, ui.Term{Label: "Came again", Text: fmt.Sprintf("%d times", d.Repeats), Sub: "last at " + d.RepeatedAt.Time().In(zoneOf(s.Clock)).Format("2006-01-02 15:04:05")})
	}
	return terms
}

func noticeTerms(s WebhookParams) []ui.Term {
	d := s.D
	terms := []ui.Term{
		{Label: "Kind", Text: string(d.Kind)},
		{Label: "Event", Text: visible(d.Event)},
		{Label: "Our reference", Text: visible(d.Reference)},
		{Label: "Their reference", Text: visible(d.ProviderRef)},
		{Label: "Their status", Text: visible(d.Word)},
		{Label: "Processed", Content: ui.Time(s.Clock.second(d.ProcessedAt)), Sub: fmt.Sprintf("read %d times", d.Tries)},
	}
	if d.TransactionID != "" {
		terms = append(terms, ui.Term{Label: "Transaction", Content: ui.Ref(ui.RefParams{Text: d.TransactionID, Href: TransactionPath(d.TransactionID), NoCopy: true})})
	}
	return terms
}

func requestText(d models.Delivery) string {
	line := d.Method + " " + visible(d.Path)
	if d.Query != "" {
		line += "?" + visible(d.Query)
	}
	return line + "\n" + headerText(d.Header)
}
