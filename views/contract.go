package views

import (
	"fmt"
	"slices"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

func itemRows(s ContractParams) []ui.Row {
	var rows []ui.Row
	for _, it := range s.D.Items {
		st := s.Standings[it.ID]
		documented := it.Mark == providers.Documented
		if s.Only == "open" && st.Proven(s.C.Environment, documented) || s.Only == "assumed" && documented {
			continue
		}
		word, tone := standingWord(st, s.C.Environment, documented)
		href := CredentialPath(s.C.ID, "contract", it.ID)
		row := ui.Row{Href: href, Copy: it.ID, Cells: []ui.Cell{{Text: it.ID, Href: href, Head: true}, ui.Text(it.Text), ui.Is(ui.MarkBadge(markOf(it.Mark))),
			settingCell(s, it), {Content: ui.StatusChip(ui.StatusParams{Tone: tone, Word: word, Hollow: tone == ui.Idle})}, {}}}
		if st.Latest != nil && st.Latest.ExchangeID != "" {
			row.Cells[5] = ui.LinkCell(ExchangePath(st.Latest.ExchangeID), "exchange")
		} else if st.Latest != nil && st.Latest.DeliveryID != "" {
			row.Cells[5] = ui.LinkCell(WebhookPath(st.Latest.DeliveryID), "webhook")
		}
		rows = append(rows, row)
	}
	return rows
}

func settingCell(s ContractParams, it providers.Item) ui.Cell {
	for _, st := range s.D.Settings {
		if st.Name != it.Setting {
			continue
		}
		if st.Name == models.OperationTable {
			return ui.Cell{Text: st.Label, Href: TablePath(s.C.ID)}
		}
		v := s.C.Settings[st.Name]
		sub := "chosen"
		if v == "" {
			v, sub = st.Default, "the default"
		}
		if len(v) > 60 {
			v = fmt.Sprintf("%d characters", len(v))
		}
		return ui.Cell{Text: st.Label, Sub: orElse(v, "not chosen yet") + ", " + sub}
	}
	return ui.Cell{}
}

func standingStatus(s ItemParams) ui.StatusParams {
	word, tone := standingWord(s.Standing, s.C.Environment, s.Item.Mark == providers.Documented)
	return ui.StatusParams{Tone: tone, Word: word, Hollow: tone == ui.Idle}
}

func itemTerms(s ItemParams) []ui.Term {
	terms := []ui.Term{{Label: "What it says", Text: s.Item.Text}, {Label: "What would prove it", Text: s.Item.Evidence}}
	for _, st := range s.D.Settings {
		if st.Name == s.Item.Setting {
			terms = append(terms, ui.Term{Label: "Setting", Text: st.Label, Sub: st.Help})
		}
	}
	var unlocks []string
	for _, l := range s.Locks {
		unlocks = append(unlocks, operationName(s.D, l.Operation))
	}
	return append(terms, ui.Term{Label: "Would unlock", Text: strings.Join(slices.Compact(unlocks), "; ")})
}

func evidenceRows(s ItemParams) []ui.Row {
	basis := s.C.Basis()
	var rows []ui.Row
	for _, e := range s.Evidence {
		word, tone := "Proved", ui.Ok
		if e.Verdict == models.Refuted {
			word, tone = "Refuted", ui.Bad
		}
		counts := "yes"
		if e.Basis != basis {
			counts = "no: other address or settings"
		}
		row := ui.Row{Cells: []ui.Cell{ui.Is(ui.Time(s.Clock.at(e.At))), ui.Is(ui.StatusChip(ui.StatusParams{Tone: tone, Word: word})), ui.Text(e.Sentence), ui.Text(e.ByName), ui.Text(counts), {}}}
		switch {
		case e.ExchangeID != "":
			row.Cells[5] = ui.LinkCell(ExchangePath(e.ExchangeID), "exchange")
		case e.DeliveryID != "":
			row.Cells[5] = ui.LinkCell(WebhookPath(e.DeliveryID), "webhook")
		}
		rows = append(rows, row)
	}
	return rows
}

func confirmationRows(s ItemParams) []ui.Row {
	var rows []ui.Row
	for _, k := range s.Standing.Confirmations {
		rows = append(rows, ui.Row{Cells: []ui.Cell{{Text: k.UserName, Head: true}, ui.Is(ui.Time(s.Clock.at(k.At))), ui.Text(k.Reason)}})
	}
	return rows
}

func confirmedBy(st models.ItemStanding, user string) bool {
	return slices.ContainsFunc(st.Confirmations, func(k models.Confirmation) bool { return k.UserID == user })
}

func passportTerms(d *providers.Description) []ui.Term {
	p := d.Passport
	found := "no: what was sent can only be found by their id"
	if p.QueryByReference {
		found = "yes"
	}
	if len(p.ByNumberOnly) > 0 {
		var kinds []string
		for _, k := range p.ByNumberOnly {
			kinds = append(kinds, string(k)+"s")
		}
		found += ", but " + strings.Join(kinds, " and ") + ": those by their number only, and never sent again"
	}
	resend := map[providers.Resend]string{
		providers.ResendSame:  "with the same reference, once it is known that nothing was created",
		providers.ResendNew:   "with a new reference, agreed by two people",
		providers.ResendStaff: "with the same reference, decided by two people",
		providers.ResendNever: "never: the provider is asked instead",
	}[p.Resend]
	notFound := "never by itself"
	if p.NotFoundAfter > 0 {
		notFound = fmt.Sprintf("from %d s after sending", p.NotFoundAfter)
	}
	rotate := d.RotateDays
	if rotate <= 0 {
		rotate = models.DefaultRotateDays
	}
	terms := []ui.Term{
		{Label: "Idempotency", Text: p.Idempotency},
		{Label: "Found by our reference", Text: found},
		{Label: "\"Not found\" is believed", Text: notFound},
		{Label: "Send again", Text: resend},
		{Label: "Cancel until", Text: orElse(p.CancelUntil, "cannot be cancelled")},
		{Label: "Webhook retries", Text: p.WebhookRetries},
		{Label: "Smallest amount", Text: p.Minimum},
		{Label: "Decimals", Text: p.Decimals},
		{Label: "After \"final\"", Text: p.Finality},
		{Label: "Rate limit", Text: p.RateLimit},
		{Label: "Replace keys every", Text: days(rotate)},
	}
	if p.DisputeEvidence != "" {
		terms = append(terms, ui.Term{Label: "Evidence in a dispute", Text: p.DisputeEvidence})
	}
	return terms
}

// allCapabilities are the capabilities in the order in which a passport lists them, with what each is for.
func allCapabilities() []struct {
	Can  providers.Capability
	Text string
} {
	return []struct {
		Can  providers.Capability
		Text string
	}{
		{providers.CanCheck, "Test the keys without moving money"}, {providers.CanReadBalances, "Read balances"}, {providers.CanSendPayouts, "Send payouts"},
		{providers.CanFindPayouts, "Ask about a payout"}, {providers.CanCancelPayouts, "Cancel a payout"}, {providers.CanHoldPayouts, "Hold and release a payout"},
		{providers.CanVerifyRecipients, "Verify a recipient first"}, {providers.CanDecodeQR, "Read a QR code"}, {providers.CanCreateDeposits, "Ask for a deposit"},
		{providers.CanFindDeposits, "Ask about a deposit"}, {providers.CanUploadProof, "Upload a proof of transfer"}, {providers.CanRefund, "Refund a deposit"},
		{providers.CanFindRefunds, "Ask about a refund"}, {providers.CanConvert, "Quote and convert"}, {providers.CanFindConversions, "Ask about a conversion"},
		{providers.CanOrder, "Buy codes"}, {providers.CanFindOrders, "Ask about an order"}, {providers.CanTransfer, "Move between own wallets"},
		{providers.CanKeepAddresses, "Keep an address book"}, {providers.CanKeepAccounts, "Keep a bank account book"}, {providers.CanOpenSubAccounts, "Open sub-accounts"},
		{providers.CanSubmitKYB, "Submit KYB documents"}, {providers.CanReadStatements, "Read its own books"}, {providers.CanDispute, "Open a dispute"},
		{providers.CanLookUp, "Look-ups"}, {providers.CanReceiveWebhooks, "Webhooks"},
	}
}

func capabilityRows(d *providers.Description) []ui.Row {
	var rows []ui.Row
	for _, c := range allCapabilities() {
		status := ui.StatusParams{Tone: ui.Idle, Word: "not offered", Hollow: true}
		if d.Has(c.Can) {
			status = ui.StatusParams{Tone: ui.Ok, Word: "yes"}
		}
		rows = append(rows, ui.Row{Cells: []ui.Cell{{Text: c.Text, Head: true}, ui.Is(ui.StatusChip(status))}})
	}
	return rows
}

func methodRows(d *providers.Description) []ui.Row {
	var rows []ui.Row
	for _, m := range d.Methods {
		locked := m.Locked
		if locked == "" && m.LockedLive != "" {
			locked = "In live: " + m.LockedLive
		}
		rows = append(rows, ui.Row{Cells: []ui.Cell{{Text: m.Title, Sub: m.Note, Head: true}, ui.Text(string(m.Kind)), ui.Text(strings.TrimSpace(m.Country + " " + m.Network)),
			ui.Text(strings.Join(m.Assets, ", ")), ui.Text(m.Minimum), ui.Is(ui.MarkBadge(markOf(m.Mark))), ui.Text(locked)}})
	}
	return rows
}

func itemCounts(d *providers.Description) string {
	n := map[providers.Mark]int{}
	for _, it := range d.Items {
		n[it.Mark]++
	}
	return fmt.Sprintf("%d documented, %d sibling, %d assumed", n[providers.Documented], n[providers.Sibling], n[providers.Assumed])
}

func passportItems(d *providers.Description) []ui.Row {
	var rows []ui.Row
	for _, it := range d.Items {
		rows = append(rows, ui.Row{Cells: []ui.Cell{{Text: it.ID, Head: true}, ui.Text(it.Text), ui.Is(ui.MarkBadge(markOf(it.Mark))), ui.Text(it.Evidence)}})
	}
	return rows
}

func readRows(s LookupsParams) []ui.Row {
	var rows []ui.Row
	for _, r := range s.D.Reads {
		href := CredentialPath(s.C.ID, "lookups", r.ID)
		rows = append(rows, ui.Row{Href: href, Here: s.Read != nil && s.Read.ID == r.ID, Cells: []ui.Cell{{Text: r.Title, Href: href, Head: true}, ui.Is(ui.MarkBadge(markOf(r.Mark)))}})
	}
	return rows
}

// maxSheetRows bounds how many lines of an answer a page shows.
const maxSheetRows = 500

func sheetColumns(sheet providers.Sheet) []ui.Column {
	var cols []ui.Column
	for _, c := range sheet.Columns {
		cols = append(cols, ui.Column{Label: visible(c)})
	}
	return cols
}

func sheetRows(sheet providers.Sheet) []ui.Row {
	var rows []ui.Row
	for i, line := range sheet.Rows {
		if i == maxSheetRows {
			rows = append(rows, ui.Row{Cells: []ui.Cell{ui.Text(fmt.Sprintf("… and %d lines more", len(sheet.Rows)-maxSheetRows))}})
			break
		}
		var cells []ui.Cell
		for j := range sheet.Columns {
			text := ""
			if j < len(line) {
				text = visible(line[j])
			}
			cells = append(cells, ui.Cell{Text: text, Head: j == 0})
		}
		rows = append(rows, ui.Row{Cells: cells})
	}
	return rows
}

// provedBy says what would count as evidence of an item of which nothing has been seen.
func provedBy(evidence string) string {
	if evidence == "" {
		return "Run the check, or use the operation in the sandbox."
	}
	return "This would prove it: " + evidence
}
