// Package receipt draws a transaction as a PDF on A4, to be handed to somebody outside: what moved, when, where to (masked), both references
// and the status in words.
//
// It imports models and views/ui (the name of a zone) only. It is imported by handlers. The same parameters give the same bytes.
package receipt

import (
	"io"
	"slices"
	"strconv"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"countinghouse/models"
	"countinghouse/views/ui"
)

// Params is what a receipt says.
type Params struct {
	Merchant string // empty: not named
	Provider string // as people call it
	Story    *models.TransactionPage
	Zone     *time.Location
	MadeAt   time.Time
	MadeBy   string
}

// Millimetres of an A4 page.
const (
	margin = 20.0
	width  = 210 - 2*margin
	labels = 46.0 // the column of labels
	line   = 5.2
)

// Type sizes in points.
const (
	small  = 8.0
	normal = 9.5
	title  = 15.0
	figure = 26.0
)

// pageCount is replaced by the number of pages. Foreign text cannot hold it: no font has this character, so text() would not let it through.
const pageCount = "\ue000"

type page struct {
	*fpdf.Fpdf
	*letters
	p              Params
	merchant, made string // as they are drawn, on every page
}

// Write draws the receipt.
func Write(w io.Writer, p Params) error {
	l, err := newLetters()
	if err != nil {
		return err
	}
	if p.Zone == nil {
		p.Zone = time.UTC
	}
	d := &page{Fpdf: fpdf.New(fpdf.OrientationPortrait, fpdf.UnitMillimeter, fpdf.PageSizeA4, ""), letters: l, p: p}
	d.merchant, d.made = d.text(p.Merchant), d.text("Made "+d.moment(models.At(p.MadeAt))+" by "+p.MadeBy+" from the merchant’s own records.")
	d.SetCatalogSort(true) // the same bytes every time
	d.SetCreationDate(p.MadeAt.UTC())
	d.SetModificationDate(p.MadeAt.UTC())
	d.SetProducer("Countinghouse", true)
	d.SetTitle(d.heading()+" "+d.text(p.Story.Transaction.Reference), true)
	d.SetLang("en")
	d.AddUTF8FontFromBytes("inter", "", regular)
	d.AddUTF8FontFromBytes("inter", "B", semibold)
	d.SetMargins(margin, margin, margin)
	d.SetCellMargin(0)
	d.SetAutoPageBreak(true, 26)
	d.SetHeaderFunc(d.head)
	d.SetFooterFunc(d.foot)
	d.AliasNbPages(pageCount)
	d.AddPage()
	d.body()
	return d.Output(w)
}

// heading says whether this is a receipt at all: only what has succeeded is one.
func (d *page) heading() string {
	t := &d.p.Story.Transaction
	switch t.State {
	case models.Succeeded, models.Refunded, models.PartiallyRefunded:
		return "Receipt of a " + string(t.Kind)
	}
	return "Status of a " + string(t.Kind)
}

func (d *page) font(style string, size float64, grey int) {
	d.SetFont("inter", style, size)
	d.SetTextColor(grey, grey, grey)
}

// head is the top of every page: in sandbox a band that cannot be taken for anything else.
func (d *page) head() {
	d.SetY(margin - 8)
	if d.p.Story.Transaction.Environment == models.Sandbox {
		d.band()
	}
	d.SetY(margin + 4)
	if d.merchant != "" {
		d.font("B", normal+1.5, 20)
		d.CellFormat(width, 6, d.fit(d.merchant, width), "", 1, "L", false, 0, "")
		d.SetY(d.GetY() + 2)
	}
}

func (d *page) band() {
	const height = 8.0
	y := 8.0
	d.SetFillColor(255, 240, 214)
	d.Rect(0, y, 210, height, "F")
	d.SetDrawColor(214, 158, 64)
	d.SetLineWidth(0.5)
	d.ClipRect(0, y, 210, height, false)
	for x := -height; x < 210; x += 4 {
		d.Line(x, y+height, x+height, y)
	}
	d.ClipEnd()
	const words = "SANDBOX: no real money moved"
	d.SetFont("inter", "B", normal)
	w := d.GetStringWidth(words) + 8
	d.Rect((210-w)/2, y, w, height, "F")
	d.SetTextColor(92, 58, 0)
	d.SetXY((210-w)/2, y)
	d.CellFormat(w, height, words, "", 0, "C", false, 0, "")
}

// fit cuts what does not fit on one line.
func (d *page) fit(s string, w float64) string {
	r := []rune(s)
	for len(r) > 1 && d.GetStringWidth(string(r)) > w {
		r = append(r[:len(r)-2], '…')
	}
	return string(r)
}

func (d *page) foot() {
	d.SetY(-20)
	d.font("", small, 90)
	d.hairline()
	d.SetY(d.GetY() + 1.5)
	d.CellFormat(width-30, 4, d.fit(d.made, width-30), "", 0, "L", false, 0, "")
	d.CellFormat(30, 4, "Page "+strconv.Itoa(d.PageNo())+" of "+pageCount, "", 1, "R", false, 0, "")
	d.CellFormat(width, 4, "The destination is masked. The whole record is in the transaction’s evidence pack.", "", 1, "L", false, 0, "")
}

func (d *page) hairline() {
	d.SetDrawColor(190, 184, 172)
	d.SetLineWidth(0.2)
	d.Line(margin, d.GetY(), 210-margin, d.GetY())
}

func (d *page) moment(m models.Micros) string {
	if m == 0 {
		return ""
	}
	at := m.Time().In(d.p.Zone)
	return at.Format("2006-01-02 15:04:05") + " " + ui.ZoneName(at, d.p.Zone)
}

func (d *page) body() {
	t := &d.p.Story.Transaction
	d.font("B", title, 20)
	d.CellFormat(width, 9, d.heading(), "", 1, "L", false, 0, "")
	d.SetY(d.GetY() + 3)
	d.amount(t)
	d.SetY(d.GetY() + 2)
	d.font("B", normal+1.5, 20)
	d.MultiCell(width, 6, d.text(t.State.Word()), "", "L", false)
	d.font("", normal, 60)
	d.MultiCell(width, line, d.text(t.State.Sentence()), "", "L", false)
	if d.heading() == "Status of a "+string(t.Kind) {
		d.MultiCell(width, line, "This is no proof of a payment.", "", "L", false)
	}
	d.SetY(d.GetY() + 5)
	for _, x := range d.terms() {
		d.term(x[0], x[1])
	}
	d.hairline()
	if s := d.spelt(); s != "" {
		d.SetY(d.GetY() + 4)
		d.font("", small, 90)
		d.MultiCell(width, 4, s, "", "L", false)
	}
}

// amount is what moved, in a size that is read across a desk; a very long figure gets a smaller one.
func (d *page) amount(t *models.Transaction) {
	words := map[bool]string{true: "out", false: "in"}[t.Kind.Outgoing()]
	if t.Kind == models.Conversion || t.Kind == models.Transfer {
		words = "own balances"
	}
	text := d.text(t.Amount.String())
	for size := figure; ; size-- {
		d.font("B", size, 10)
		if size <= title || d.GetStringWidth(text) < width-30 {
			break
		}
	}
	d.CellFormat(d.GetStringWidth(text)+3, 12, text, "", 0, "L", false, 0, "")
	d.font("", normal, 90)
	d.CellFormat(0, 14, words, "", 1, "L", false, 0, "")
}

// term is one fact: its label, and its value on as many lines as it needs.
func (d *page) term(label, value string) {
	if value == "" {
		return
	}
	d.font("", normal, 20)
	lines := d.wrapped(d.text(value), width-labels)
	height := float64(len(lines))*line + 3
	if _, h := d.GetPageSize(); d.GetY()+height > h-26 && height < h/2 {
		d.AddPage()
	}
	d.hairline()
	y := d.GetY() + 1.5
	d.SetXY(margin, y)
	d.font("", normal, 90)
	d.CellFormat(labels, line, label, "", 0, "L", false, 0, "")
	d.font("", normal, 20)
	for _, s := range lines {
		d.SetX(margin + labels)
		d.CellFormat(width-labels, line, s, "", 1, "L", false, 0, "")
	}
	d.SetY(d.GetY() + 1.5)
}

// wrapped breaks text into lines, inside a word where a word is longer than a line.
func (d *page) wrapped(s string, w float64) (lines []string) {
	rest := []rune(s)
	for len(rest) > 0 {
		end, gap := 0, 0
		for end < len(rest) && d.GetStringWidth(string(rest[:end+1])) <= w {
			if end++; end < len(rest) && rest[end] == ' ' {
				gap = end
			}
		}
		if end < len(rest) && gap > 0 {
			end = gap
		}
		end = max(end, 1)
		lines = append(lines, string(rest[:end]))
		for rest = rest[end:]; len(rest) > 0 && rest[0] == ' '; {
			rest = rest[1:]
		}
	}
	return lines
}

// terms are the facts, in the order of the page of the transaction. What nobody stated is left away, except the fee.
func (d *page) terms() [][2]string {
	t, detail := &d.p.Story.Transaction, &d.p.Story.Detail
	to := "To"
	switch t.Kind {
	case models.Deposit:
		to = "From"
	case models.Conversion:
		to = "Pair"
	}
	fee := "not stated by " + d.p.Provider
	if t.Fee.Asset != "" {
		fee = t.Fee.String()
	}
	out := [][2]string{{"Our reference", t.Reference}, {"Reference at " + d.short(d.p.Provider), orNone(t.ProviderRef)}, {"Bank’s reference", t.BankRef}, {to, t.Party}}
	if detail.Verified != "" {
		out = append(out, [2]string{"Recipient, as verified", detail.Verified + " (by " + d.p.Provider + ")"})
	}
	out = append(out, [2]string{"Amount", t.Amount.String()})
	if t.Settled.Asset != "" && t.Settled != t.Amount {
		out = append(out, [2]string{"Really paid", t.Settled.String()})
	}
	out = append(out, [2]string{"Fee", fee}, [2]string{"Rate", t.Rate})
	if t.Counter.Minor != 0 {
		out = append(out, [2]string{"Bought", t.Counter.String()})
	}
	if detail.Quantity > 0 {
		out = append(out, [2]string{"Ordered", strconv.Itoa(detail.Quantity) + " × " + detail.SKU})
	}
	status := t.State.Word()
	if t.Word != "" {
		status += " (" + d.p.Provider + " says: " + t.Word + ")"
	}
	out = append(out, [2]string{"Status", status})
	if slices.Contains([]models.State{models.Failed, models.Rejected, models.Returned, models.Cancelled, models.ChargedBack}, t.State) {
		out = append(out, [2]string{"Reason", t.Reason})
	}
	out = append(out, [2]string{"Created", d.moment(t.CreatedAt)}, [2]string{"Sent", d.moment(t.SentAt)}, [2]string{"Settled", d.moment(t.SettledAt)}, [2]string{"Through", d.p.Provider})
	for i, x := range d.p.Story.Related {
		if i == 10 {
			break
		}
		out = append(out, [2]string{map[bool]string{true: "Refund of", false: "Refunded by"}[t.Kind == models.Refund], x.Reference + ", " + x.Amount.String() + ", " + x.State.Word()})
	}
	return out
}

// short keeps a label inside its column.
func (d *page) short(s string) string {
	d.font("", normal, 90)
	return d.fit(d.text(s), labels-26)
}

func orNone(s string) string {
	if s == "" {
		return "none yet"
	}
	return s
}
