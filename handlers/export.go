package handlers

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"countinghouse/models"
	"countinghouse/models/store"
)

// exportTimeout bounds one export: a million rows take seconds, ten million minutes.
const exportTimeout = 15 * time.Minute

// sheetRows is what one sheet of a workbook holds.
const sheetRows = 1_048_575

// exportColumns are the columns of a file, in order. Times come twice: in the zone that the first line of the column names, and in UTC.
var exportColumns = []string{"created", "created_utc", "kind", "provider", "credential", "reference", "provider_reference", "bank_reference", "destination_or_payer",
	"direction", "amount", "currency", "fee", "fee_currency", "settled", "settled_currency", "rate", "bought", "bought_currency", "status", "provider_status", "reason", "made_by",
	"sent_utc", "settled_utc", "sub_account"}

// export writes the rows of a filter, all of them, in the order of the screen. It is streamed: the file may be larger than memory.
func (h *Transactions) export(c *Ctx) error {
	q, err := url.ParseQuery(string(c.Fiber.Request().URI().QueryString()))
	if err != nil {
		return models.Errorf(models.Invalid, "This address cannot be read.")
	}
	f, problems := listFilter(c, q)
	if len(problems) > 0 {
		return models.Problems(problems)
	}
	format := q.Get("format")
	name := fmt.Sprintf("transactions-%s-%s", c.Env, c.Now.In(c.Zone).Format("2006-01-02-1504"))
	subs, err := h.Store.SubAccountNames(c.Context(), c.Env, []string{f.SubAccount})
	if err != nil {
		return err
	}
	if f.SubAccount != "" {
		name += "-" + fileWord(subs[f.SubAccount])
	}
	credentials, err := h.Store.CredentialNames(c.Context(), c.Actor, c.Env)
	if err != nil {
		return err
	}
	if err := h.Store.AuditExport(c.Context(), c.Actor, "transactions", f.Query().Encode(), format); err != nil {
		return err
	}
	x := exporter{store: h.Store, actor: c.Actor, filter: f, zone: c.Zone, credentials: map[string]string{}, subs: subs, env: c.Env}
	for _, cr := range credentials {
		x.credentials[cr.ID] = cr.Name
	}
	switch format {
	case "csv", "csv-semicolon":
		c.Fiber.Set("Content-Type", "text/csv; charset=utf-8")
		c.Fiber.Set("Content-Disposition", `attachment; filename="`+name+`.csv"`)
		comma := ','
		if format == "csv-semicolon" {
			comma = ';'
		}
		return c.Stream(func(ctx context.Context, w io.Writer) error { return x.csv(ctx, w, comma) })
	case "xlsx":
		c.Fiber.Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
		c.Fiber.Set("Content-Disposition", `attachment; filename="`+name+`.xlsx"`)
		return c.Stream(x.xlsx)
	}
	return models.Errorf(models.Invalid, "An export is csv, csv-semicolon or xlsx.")
}

type exporter struct {
	store       *store.Store
	actor       models.Actor
	filter      models.Filter
	zone        *time.Location
	credentials map[string]string
	env         models.Environment
	subs        map[string]string // names of sub-accounts, read as they are met
}

// sub is the name of a sub-account in the file. One that cannot be read is written as its id.
func (x *exporter) sub(ctx context.Context, id string) string {
	if id == "" {
		return ""
	}
	name, known := x.subs[id]
	if !known {
		found, err := x.store.SubAccountNames(ctx, x.env, []string{id})
		if name = found[id]; err != nil || name == "" {
			name = id
		}
		x.subs[id] = name
	}
	return name
}

// fileWord makes a name fit for a file's name: letters, digits and hyphens.
func fileWord(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	if out := strings.Trim(b.String(), "-"); out != "" {
		return out
	}
	return "sub-account"
}

// header names the zone of the first time column.
func (x *exporter) header() []string {
	out := append([]string{}, exportColumns...)
	out[0] = "created (" + x.zone.String() + ")"
	return out
}

// row writes one transaction into cells; buf is reused.
func (x *exporter) row(ctx context.Context, t *models.Transaction, buf []string) []string {
	money := func(m models.Money) (string, string) {
		if m.Asset == "" {
			return "", ""
		}
		return m.Plain(), m.Asset
	}
	utc := func(m models.Micros) string {
		if m == 0 {
			return ""
		}
		return m.Time().Format("2006-01-02T15:04:05.000000Z")
	}
	fee, feeIn := money(t.Fee)
	settled, settledIn := money(t.Settled)
	bought, boughtIn := "", ""
	if t.Counter.Minor != 0 {
		bought, boughtIn = money(t.Counter)
	}
	amount, direction := t.Amount, "in"
	if t.Kind.Outgoing() {
		amount, direction = amount.Neg(), "out"
	} else if t.Kind != models.Deposit {
		direction = "own"
	}
	return append(buf[:0], t.CreatedAt.Time().In(x.zone).Format("2006-01-02 15:04:05"), utc(t.CreatedAt), string(t.Kind), t.Provider, x.credentials[t.CredentialID],
		t.Reference, guard(t.ProviderRef), guard(t.BankRef), guard(t.Party), direction, amount.Plain(), amount.Asset, fee, feeIn, settled, settledIn, t.Rate, bought, boughtIn,
		t.State.Word(), guard(t.Word), guard(t.Reason), guard(t.CreatedByName), utc(t.SentAt), utc(t.SettledAt), guard(x.sub(ctx, t.SubAccount)))
}

// guard keeps a spreadsheet from taking foreign text for a formula. Amounts are written by us and never guarded, so that a negative one
// stays a number.
func guard(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}

func (x *exporter) csv(ctx context.Context, w io.Writer, comma rune) error {
	if _, err := w.Write([]byte("\xef\xbb\xbf")); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = comma, true
	if err := out.Write(x.header()); err != nil {
		return err
	}
	buf := make([]string, 0, len(exportColumns))
	err := x.store.EachForExport(ctx, x.actor, x.filter, func(t *models.Transaction) error {
		buf = x.row(ctx, t, buf)
		return out.Write(buf)
	})
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// xlsx writes a workbook; amounts are numbers only where their text is exact as one (fifteen digits), references are always text.
func (x *exporter) xlsx(ctx context.Context, w io.Writer) error {
	book := excelize.NewFile()
	defer book.Close() //nolint:errcheck // temporary files only
	sheet := "Transactions"
	if err := book.SetSheetName("Sheet1", sheet); err != nil {
		return err
	}
	out, err := book.NewStreamWriter(sheet)
	if err != nil {
		return err
	}
	line, styles := 0, cellStyles{book: book, byDecimals: map[int]int{}}
	put := func(cells []string) error {
		line++
		if line > sheetRows {
			return models.Errorf(models.Invalid, "A sheet holds %d rows; choose a shorter time, or CSV.", sheetRows)
		}
		row := make([]any, len(cells))
		for i, c := range cells {
			row[i] = c
			if line > 1 && amountColumns[i] {
				row[i] = styles.cell(c)
			}
		}
		return out.SetRow(fmt.Sprintf("A%d", line), row)
	}
	if err := put(x.header()); err != nil {
		return err
	}
	buf := make([]string, 0, len(exportColumns))
	if err := x.store.EachForExport(ctx, x.actor, x.filter, func(t *models.Transaction) error {
		buf = x.row(ctx, t, buf)
		return put(buf)
	}); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return book.Write(w)
}

// amountColumns are the places of amounts in exportColumns.
var amountColumns = map[int]bool{10: true, 12: true, 14: true, 17: true}

// cellStyles makes number cells that show as many decimals as the amount has.
type cellStyles struct {
	book       *excelize.File
	byDecimals map[int]int
}

// cell gives a number where a workbook can hold the amount exactly (fifteen digits), and the text otherwise.
func (s *cellStyles) cell(amount string) any {
	if amount == "" || len(strings.Trim(amount, "-")) > 16 {
		return amount
	}
	n, err := strconv.ParseFloat(amount, 64) // the workbook's own number type; exact to fifteen digits
	if err != nil {
		return amount
	}
	_, frac, _ := strings.Cut(amount, ".")
	style, ok := s.byDecimals[len(frac)]
	if !ok {
		format := "#,##0"
		if frac != "" {
			format += "." + strings.Repeat("0", len(frac))
		}
		if style, err = s.book.NewStyle(&excelize.Style{CustomNumFmt: &format}); err != nil {
			return amount
		}
		s.byDecimals[len(frac)] = style
	}
	return excelize.Cell{StyleID: style, Value: n}
}
