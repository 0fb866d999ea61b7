package onekey

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
)

// The reconciliation API (contract 3.16) reads OneKey's own books by creation time, at most 60 days at once. It cannot be searched by our
// reference, so a search pages through a window.
const (
	booksSpan = 59 * 24 * time.Hour
	booksRows = 50
	mostPages = 2000
)

// book reads one page of a report.
func (c *Client) book(ctx context.Context, path, query string) (object, []byte, error) {
	what := "Reconciliation " + path
	if c.books == nil || c.cfg.Secrets[fBooksToken] == "" {
		return nil, nil, models.Errorf(models.Unavailable, "%s: this credential has no reconciliation token.", what)
	}
	res, err := c.bearer(ctx, c.books, c.cfg.Secrets[fBooksToken], "reconciliation."+strings.ReplaceAll(path, "/", "."), "/"+path, query)
	if err != nil || res.Status != http.StatusOK {
		return nil, nil, c.trouble(deposits, what, res, err)
	}
	o, err := readObject(res.Body)
	if err != nil {
		return nil, nil, c.unreadable(what, err)
	}
	if asked, err := url.ParseQuery(query); err == nil && asked.Has("page") && o.has("page") && o.text("page") != asked.Get("page") {
		return nil, nil, models.Errorf(models.Unavailable, "%s: OneKey answered page %s when asked for page %s.", what, c.clean(o.text("page")), asked.Get("page"))
	}
	return o, res.Exchange.ResponseBody, nil
}

// rowsOf is how many rows a page has, readable or not: only a page that is not full is the last one.
func rowsOf(o object) int {
	all, _ := o["data"].([]any)
	return len(all)
}

// moment writes a time as the API takes it (OKP-REC-1).
func (c *Client) moment(t time.Time) string {
	if c.set.millis {
		return strconv.FormatInt(t.UnixMilli(), 10)
	}
	return strconv.FormatInt(t.Unix(), 10)
}

func (c *Client) window(from, to time.Time, page int) string {
	return url.Values{"from": {c.moment(from)}, "to": {c.moment(to)}, "page": {strconv.Itoa(page)}}.Encode()
}

// cursor says where a statement goes on: which book, the start of the window, the page in it.
type cursor struct {
	book string
	from time.Time
	page int
}

func (c cursor) String() string { return fmt.Sprintf("%s:%d:%d", c.book, c.from.Unix(), c.page) }

func readCursor(s string, from time.Time) (cursor, error) {
	if s == "" {
		return cursor{book: "deposits", from: from}, nil
	}
	parts := strings.Split(s, ":")
	if len(parts) == 3 {
		unix, err1 := strconv.ParseInt(parts[1], 10, 64)
		page, err2 := strconv.Atoi(parts[2])
		if err1 == nil && err2 == nil && page >= 0 && page < mostPages && (parts[0] == "deposits" || parts[0] == "cashouts") {
			return cursor{parts[0], time.Unix(unix, 0).UTC(), page}, nil
		}
	}
	return cursor{}, models.Errorf(models.Invalid, "This place in the statement cannot be read. Begin again.")
}

// Statement reads deposits, then cashouts, page by page. Refunds are not in it: the fields of that report are not documented (they can be
// looked at under look-ups).
func (c *Client) Statement(ctx context.Context, from, to time.Time, next string) ([]providers.StatementLine, string, error) {
	at, err := readCursor(next, from.UTC())
	if err != nil {
		return nil, "", err
	}
	end := to
	if limit := at.from.Add(booksSpan); limit.Before(to) {
		end = limit
	}
	o, _, err := c.book(ctx, at.book, c.window(at.from, end, at.page))
	if err != nil {
		return nil, "", err
	}
	rows := o.list("data")
	if _, isList := o["data"].([]any); !isList || len(rows) != rowsOf(o) {
		return nil, "", models.Errorf(models.Unavailable, "Reconciliation %s: OneKey's answer holds no list of rows that can all be read.", at.book)
	}
	var lines []providers.StatementLine
	for _, row := range rows {
		lines = append(lines, c.statementLine(at.book, row))
	}
	switch {
	case rowsOf(o) >= pageSize(o) && at.page+1 >= mostPages: // never a statement that ends before its end
		return nil, "", models.Errorf(models.Unavailable, "Reconciliation %s: there are more than %d pages. Ask for a shorter time.", at.book, mostPages)
	case rowsOf(o) >= pageSize(o):
		at.page++
	case end.Before(to):
		at.from, at.page = end, 0
	case at.book == "deposits":
		at = cursor{book: "cashouts", from: from.UTC()}
	default:
		return lines, "", nil
	}
	return lines, at.String(), nil
}

// pageSize is how many rows a full page has.
func pageSize(o object) int {
	if n, err := strconv.Atoi(o.text("maxRows")); err == nil && n > 0 && n <= 10_000 {
		return n
	}
	return booksRows
}

// statementLine reads one row. A figure that is no exact amount of a known currency stays text: nothing is rounded or guessed.
func (c *Client) statementLine(book string, row object) providers.StatementLine {
	l := providers.StatementLine{Kind: models.Deposit, ID: row.id("idDeposit"), Word: c.clean(row.text("status")), At: c.when(row)}
	amount, currency := "localAmount", row.text("localCurrency")
	if book == "cashouts" {
		l.Kind, l.ID = models.Payout, row.id("idCashout")
		amount, currency = "amount", row.text("currency")
	} else if currency == "" {
		amount, currency = "amount", row.text("currency")
	}
	l.ProviderRef, l.Reference = l.ID, c.clean(row.text("externalId")) // OKP-REC-1: externalId is our invoice id
	if m, ok := row.money(amount, currency); ok {
		l.Amount = m
	}
	if m, ok := row.money("fee", currency); ok {
		l.Fee = m
	}
	raw, _ := json.Marshal(row)
	l.Text = capped(string(raw), 2000)
	return l
}

// when reads creationDate, whose form is not documented: Unix time or the usual texts; anything else stays unknown.
func (c *Client) when(row object) models.Micros {
	text := row.text("creationDate")
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 {
		if n > 99_999_999_999 {
			return models.At(time.UnixMilli(n))
		}
		return models.At(time.Unix(n, 0))
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", time.DateTime} {
		if t, err := time.Parse(layout, text); err == nil {
			return models.At(t)
		}
	}
	return 0
}

// searchBooks looks for our reference in a report around the time of sending and gives OneKey's number. Not finding it proves nothing: how
// soon the books are written is not documented.
func (c *Client) searchBooks(ctx context.Context, book string, q providers.Query) (id, says string) {
	if q.Reference == "" || q.SentAt == 0 {
		return "", "Our reference or the time of sending is missing."
	}
	if c.books == nil || c.cfg.Secrets[fBooksToken] == "" {
		return "", "This credential has no reconciliation token to search OneKey's books with."
	}
	from, to := q.SentAt.Time().Add(-10*time.Minute), q.SentAt.Time().Add(24*time.Hour)
	for page := range 20 {
		o, _, err := c.book(ctx, book, c.window(from, to, page))
		if err != nil {
			return "", err.Error()
		}
		rows := o.list("data")
		for _, row := range rows {
			if row.text("externalId") == q.Reference {
				return c.statementLine(book, row).ID, "Found in OneKey's books."
			}
		}
		if rowsOf(o) < pageSize(o) {
			return "", "It is not in OneKey's books of that day."
		}
	}
	return "", "OneKey's books of that day are longer than can be searched."
}

// bookBalances reads /balance. Its documented fields state no currency: none is invented.
func (c *Client) bookBalances(ctx context.Context) ([]providers.Balance, error) {
	o, _, err := c.book(ctx, "balance", "")
	if err != nil {
		return nil, err
	}
	var out []providers.Balance
	for _, b := range o.list("balances") {
		data := b.part("data")
		asset := models.Unstated
		if known, ok := models.AssetByCode(data.text("currency")); ok {
			asset = known.Code
		}
		available, ok1 := data.money("availableBalance", asset)
		total, ok2 := data.money("totalBalance", asset)
		if !ok1 || !ok2 || !data.has("availableBalance") {
			return nil, models.Errorf(models.Unavailable, "Reconciliation balance: OneKey's figure %q cannot be read.", c.clean(data.text("availableBalance")))
		}
		one := providers.Balance{Account: c.clean(orText(b.text("type"), "balance")), Available: available, Total: total, Text: data.text("availableBalance"), Mark: providers.Documented}
		if asset == models.Unstated {
			one.Note = "OneKey's documentation names no currency for this figure."
		}
		out = append(out, one)
	}
	return out, nil
}
