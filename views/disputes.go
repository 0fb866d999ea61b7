package views

import (
	"strings"

	"github.com/a-h/templ"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

// disputes reports whether a dispute can be asked for here.
func (p TransactionParams) disputes() bool {
	return p.CanOperate && p.Provider.Has(providers.CanDispute) && p.t().WhyNoDispute() == "" && !p.openAttempt()
}

// disputeSays tells what a dispute does to the transaction as it stands.
func (p TransactionParams) disputeSays() string {
	s := p.Provider.Short + " is asked to look for the money again."
	if p.t().State == models.Expired || p.t().State == models.Cancelled {
		s = "The payer says that it was paid although it " + map[models.State]string{models.Expired: "expired", models.Cancelled: "was cancelled"}[p.t().State] + "? " + s + " If " + p.Provider.Short + " agrees, it awaits its payment again."
	}
	return s
}

// decidable reports whether people may ask for something about an unknown outcome here.
func (p TransactionParams) decidable() bool {
	return p.t().State == models.Unknown && p.CanOperate && p.Open == nil && (p.Court.MayResend || p.Court.MayName || p.Court.MayGiveUp)
}

// takesPapers reports whether a file can be put on record here: where a dispute or an unknown outcome may need it.
func (p TransactionParams) takesPapers() bool {
	return p.CanOperate && p.KeepsPapers && (p.disputable() || p.t().State == models.Unknown)
}

// disputable reports whether this is a kind of transaction that its provider hears disputes about.
func (p TransactionParams) disputable() bool {
	return p.t().Kind == models.Deposit && p.Provider.Has(providers.CanDispute)
}

// paperSays tells what becomes of a file that is put on record.
func (p TransactionParams) paperSays() string {
	s := "Files put on record here are sealed in our own file store and named in the audit trail. They are never sent to " + p.Provider.Short + "."
	if !p.disputable() {
		return s
	}
	if e := p.Provider.Passport.DisputeEvidence; e != "" {
		s += " " + e
	}
	return s + " For " + p.Provider.Short + " to see a file, put it at an address that it can open and give that address with the dispute."
}

// unbound are the names of the files that the next dispute is put on file with.
func (p TransactionParams) unbound() string {
	var names []string
	for _, f := range p.Story.Papers {
		if f.AttemptID == "" {
			names = append(names, f.Name)
		}
	}
	return strings.Join(names, ", ")
}

func (p TransactionParams) paperPath(f models.Paper) string { return p.path("/papers/" + f.ID) }

func (p TransactionParams) papers() ui.TableParams {
	t := ui.TableParams{Caption: "Files on record", Stacks: true, Columns: []ui.Column{{Label: "File", Narrow: ui.LeadWhenNarrow}, {Label: "Put on record"}, {Label: "Scan"}, {Label: "Keep a copy"}}}
	numbers := map[string]string{}
	for _, a := range p.Story.Attempts {
		numbers[a.ID] = "for the dispute of " + a.StartedAt.Time().In(p.zone()).Format("2006-01-02 15:04")
	}
	for _, f := range p.Story.Papers {
		row := ui.Row{Cells: []ui.Cell{{Text: f.Name, Href: p.paperPath(f), Head: true, Sub: models.Megabytes(f.Size) + ", SHA-256 " + short(f.SHA256)},
			{Content: p.time(f.AddedAt, ui.TimeMinute), Sub: strings.TrimSuffix("by "+f.AddedBy+", "+numbers[f.AttemptID], ", ")},
			{Text: f.Scan, Sub: strings.Join(f.Findings, " ")}, ui.LinkCell(p.paperPath(f)+"/download", "Download")}}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// disputeTerms are what was said in one dispute, beside the request itself.
func (p TransactionParams) disputeTerms(d models.DisputeRecord) []ui.Term {
	a := d.Attempt
	terms := []ui.Term{{Label: "Asked", Content: p.time(a.StartedAt, ui.TimeSecond), Sub: "by " + orElse(a.ByName, "the program")},
		{Label: "Answer", Text: disputeWord(a), Sub: attemptSays(a)}}
	var files []templ.Component
	for _, f := range d.Papers {
		files = append(files, ui.Ref(ui.RefParams{Text: f.Name, Href: p.paperPath(f), NoCopy: true}))
	}
	if len(files) > 0 {
		terms = append(terms, ui.Term{Label: "On our record", Content: templ.Join(files...), Sub: "not sent to " + p.Provider.Short})
	}
	return terms
}

func disputeWord(a models.Attempt) string {
	return map[models.AttemptState]string{models.AttemptOpen: "being sent", models.AttemptAccepted: "accepted", models.AttemptRefused: "refused", models.AttemptUnknown: "lost",
		models.AttemptNotSent: "not sent"}[a.State]
}

// disputeBody is the body of the request, byte for byte as it was recorded.
func disputeBody(d models.DisputeRecord) string { return visible(string(d.Sent.RequestBody)) }
