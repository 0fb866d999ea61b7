package views

import (
	"strconv"
	"time"

	"countinghouse/models"
	"countinghouse/views/ui"
)

// CodesParams is one page of the codes of an order, masked.
type CodesParams struct {
	Page        Page
	Transaction *models.Transaction
	List        []models.CodeKept
	More        int // the position after which the next page begins; 0: this is the last
	CanReveal   bool
	Zone        *time.Location
	Now         time.Time
}

func (p CodesParams) path() string { return "/transactions/" + p.Transaction.ID + "/codes" }

func (p CodesParams) next() string {
	if p.More == 0 {
		return ""
	}
	return p.path() + "?after=" + strconv.Itoa(p.More)
}

// RevealParams is one code: masked with the question why, or, once, in full.
type RevealParams struct {
	Page        Page
	Transaction *models.Transaction
	Code        models.CodeKept
	Value       *models.CodeValue // nil: not revealed
	Errors      []ui.FieldError
	Zone        *time.Location
	Now         time.Time
}

func (p RevealParams) path(tail string) string {
	return "/transactions/" + p.Transaction.ID + "/codes" + tail
}

func (p RevealParams) facts() []ui.Term {
	c := p.Code
	terms := []ui.Term{{Label: "Code", Text: c.Masked(), Sub: "number " + strconv.Itoa(c.Position)}, {Label: "Product", Text: c.SKU}, {Label: "Serial", Text: c.Serial}}
	if c.Expiry != "" {
		terms = append(terms, ui.Term{Label: "Valid until", Text: c.Expiry})
	}
	seen := "by nobody"
	if c.Reveals > 0 {
		seen = times(c.Reveals) + ", last by " + c.RevealedBy
	}
	return append(terms, ui.Term{Label: "Looked at", Text: seen})
}

// times says how often: "once", "3 times".
func times(n int) string {
	if n == 1 {
		return "once"
	}
	return strconv.Itoa(n) + " times"
}

// codesTable lists masked codes; where the person may, each leads to the question why it is to be revealed.
func codesTable(t *models.Transaction, base string, list []models.CodeKept, reveal bool, zone *time.Location) ui.TableParams {
	p := ui.TableParams{ID: "codes", Caption: "Codes", Stacks: true, Columns: []ui.Column{{Label: "No.", Kind: ui.NumberColumn}, {Label: "Code", Narrow: ui.LeadWhenNarrow}, {Label: "Serial"}, {Label: "Product"},
		{Label: "Arrived", Kind: ui.TimeColumn}, {Label: "Looked at"}, {Label: "Reveal", Hidden: true, Narrow: ui.LeadWhenNarrow}},
		Empty: ui.EmptyParams{Icon: ui.IconInbox, Title: "No code has arrived yet", Text: "Codes come here as the provider hands them over; each is sealed at once."}}
	if t.State.Final() {
		p.Empty.Title, p.Empty.Text = "No code is on record", "The order has ended, and no code of it is kept here."
	}
	for _, c := range list {
		seen := "no"
		if c.Reveals > 0 {
			seen = "by " + c.RevealedBy
		}
		last := ui.Text("")
		if reveal {
			last = ui.LinkCell(base+"/"+c.ID, "Reveal …")
		}
		p.Rows = append(p.Rows, ui.Row{Label: "code " + strconv.Itoa(c.Position), Cells: []ui.Cell{ui.Text(strconv.Itoa(c.Position)), {Text: c.Masked(), Head: true}, ui.Text(c.Serial), ui.Text(c.SKU),
			ui.Is(ui.Time(ui.TimeParams{At: c.ArrivedAt.Time(), Zone: zone, Form: ui.TimeMinute})), ui.Text(seen), last}})
	}
	return p
}

// codesNote counts what arrived against what was ordered.
func (p TransactionParams) codesNote() string {
	return models.Arrived(p.Story.CodesCount, p.Story.Detail.Quantity)
}
