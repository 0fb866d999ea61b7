package onekey

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// reads are the harmless look-ups.
func reads() []providers.Read {
	// What has a default is not required, so that a form can offer the list as choices without asking anything.
	country := providers.Field{Name: "country", Label: "Country", Default: "BR", MaxLen: 2, Pattern: `^[A-Z]{2}$`, PatternHelp: "Two capital letters, for example BR."}
	amount := providers.Field{Name: "amount", Label: "Amount", Default: "1", MaxLen: 21, Pattern: `^\d{1,18}(\.\d{1,2})?$`, PatternHelp: "Digits and one point."}
	days := []providers.Field{
		{Name: "from", Label: "Created from", Kind: providers.Date, Required: true}, {Name: "to", Label: "Created before", Kind: providers.Date, Required: true, Help: "At most 60 days later."},
	}
	number := func(label string) []providers.Field {
		return []providers.Field{{Name: "id", Label: label, Kind: providers.Digits, Required: true, MaxLen: 18, Pattern: `^[1-9]\d{0,17}$`, PatternHelp: "OneKey's number, digits only."}}
	}
	return []providers.Read{
		{ID: "banks", Title: "Licensed banks", Help: "Cashouts to a bank that is not licensed are refused with 565.", Params: []providers.Field{country,
			{Name: "code", Label: "One bank only", Kind: providers.Digits, MaxLen: 8, Pattern: `^\d{1,8}$`, PatternHelp: "A bank code or an ISPB."}}, Mark: providers.Assumed, Item: "OKP-BANK-1"},
		{ID: "payment_methods", Title: "Payment methods", Params: []providers.Field{country}, Mark: providers.Sibling, Item: "OKP-DEP-4"},
		{ID: "exchange_rate", Title: "Exchange rate", Help: "The amount is in US dollars. Rates are not locked for cashouts.", Params: []providers.Field{country, amount}, Mark: providers.Documented},
		{ID: "crypto_rate", Title: "Crypto exchange rate", Params: []providers.Field{
			{Name: "currency", Label: "Currency", Default: "USD", MaxLen: 3, Pattern: `^[A-Z]{3}$`, PatternHelp: "Three capital letters."}, amount,
			{Name: "crypto", Label: "Crypto asset", Default: "BTC", MaxLen: 10, Pattern: `^[A-Z0-9]{2,10}$`, PatternHelp: "A symbol such as BTC."}}, Mark: providers.Assumed, Item: "OKP-REC-1"},
		{ID: "states", Title: "States of a country", Params: []providers.Field{country}, Mark: providers.Documented},
		{ID: "subscription", Title: "A subscription", Help: "The fields of this answer are not documented: they are shown as they come.", Params: number("Subscription number"), Mark: providers.Documented},
		{ID: "books_deposits", Title: "OneKey's books: deposits", Params: days, Mark: providers.Assumed, Item: "OKP-REC-1"},
		{ID: "books_cashouts", Title: "OneKey's books: cashouts", Params: days, Mark: providers.Assumed, Item: "OKP-REC-1"},
		{ID: "books_refunds", Title: "OneKey's books: refunds", Help: "The fields are not documented: they are shown as they come.", Params: days, Mark: providers.Assumed, Item: "OKP-REC-1"},
		{ID: "books_balance_report", Title: "OneKey's books: balance report", Help: "The fields are not documented: they are shown as they come.", Params: days, Mark: providers.Assumed, Item: "OKP-REC-1"},
	}
}

// LookUp answers one of the reads.
func (c *Client) LookUp(ctx context.Context, id string, params map[string]string) (providers.Sheet, error) {
	for _, r := range reads() {
		if r.ID != id {
			continue
		}
		if err := models.Problems(providers.CheckFields(r.Params, params)); err != nil {
			return providers.Sheet{}, err
		}
		p := map[string]string{}
		for _, f := range r.Params {
			p[f.Name] = orText(params[f.Name], f.Default)
		}
		return c.lookUp(ctx, r, p)
	}
	return providers.Sheet{}, models.Errorf(models.NotFound, "OneKey has no such look-up.")
}

func (c *Client) lookUp(ctx context.Context, r providers.Read, p map[string]string) (providers.Sheet, error) {
	query := url.Values{}
	switch r.ID {
	case "banks":
		return c.banks(ctx, r.Title, p["country"], p["code"])
	case "payment_methods":
		query.Set("country", p["country"])
		return c.readOnly(ctx, r.Title, "methods.list", "/v3/payment_methods", query, []string{"code", "name", "type", "country", "status"})
	case "states":
		query.Set("country", p["country"])
		return c.readOnly(ctx, r.Title, "states.list", "/v3/states", query, []string{"iso", "name"})
	case "exchange_rate":
		query.Set("country", p["country"])
		query.Set("amount", p["amount"])
		return c.readOnly(ctx, r.Title, "rates.fiat", "/v3/exchange_rates", query, []string{"fx_rate", "currency", "converted_amount"})
	case "crypto_rate":
		query.Set("currency", p["currency"])
		query.Set("amount", p["amount"])
		query.Set("crypto", p["crypto"])
		return c.readOnly(ctx, r.Title, "rates.crypto", "/v3/exchange_rates/crypto", query, []string{"fx_rate", "currency", "converted_amount", "fee"})
	case "subscription":
		return c.FindSubscription(ctx, p["id"])
	}
	return c.report(ctx, r, p)
}

// readOnly reads with the read-only key.
func (c *Client) readOnly(ctx context.Context, what, operation, path string, query url.Values, first []string) (providers.Sheet, error) {
	if c.cfg.Secrets[fReadOnlyKey] == "" {
		return providers.Sheet{}, models.Errorf(models.Unavailable, "%s: this credential has no read-only key.", what)
	}
	res, err := c.bearer(ctx, c.main, c.cfg.Secrets[fReadOnlyKey], operation, path, query.Encode())
	return c.sheet(what, res, err, first)
}

// sheet turns a list of objects, or one object, into a table: the named columns first, then whatever else there is.
func (c *Client) sheet(what string, res httpx.Response, err error, first []string) (providers.Sheet, error) {
	if err != nil || res.Status != http.StatusOK {
		return providers.Sheet{}, c.trouble(deposits, what, res, err)
	}
	v, err := readAnswer(res.Body)
	if err != nil {
		return providers.Sheet{}, c.unreadable(what, err)
	}
	var rows []object
	switch v := v.(type) {
	case []any:
		rows = objects(v)
	case object:
		if p, bad := c.problemOf(res, v); bad && v.has("description") {
			return providers.Sheet{}, models.Errorf(models.Unavailable, "%s: OneKey answered %s.", what, p.says(deposits))
		}
		rows = []object{v}
		if v.has("data") {
			rows = v.list("data")
		}
	default:
		return providers.Sheet{}, models.Errorf(models.Unavailable, "%s: OneKey's answer is no table.", what)
	}
	return providers.Sheet{Columns: columnsOf(rows, first), Rows: c.cells(rows, columnsOf(rows, first)), Raw: res.Exchange.ResponseBody}, nil
}

func columnsOf(rows []object, first []string) []string {
	var more []string
	seen := map[string]bool{}
	for _, f := range first {
		seen[f] = true
	}
	for _, r := range rows {
		for k := range r {
			if !seen[k] && len(k) <= 64 && len(more) < 30 {
				seen[k] = true
				more = append(more, k)
			}
		}
	}
	sort.Strings(more)
	return append(append([]string{}, first...), more...)
}

func (c *Client) cells(rows []object, columns []string) [][]string {
	var out [][]string
	for _, r := range rows {
		line := make([]string, len(columns))
		for i, col := range columns {
			line[i] = c.clean(r.text(col))
			if line[i] == "" && r.has(col) {
				raw, _ := json.Marshal(r[col])
				line[i] = c.clean(string(raw))
			}
		}
		out = append(out, line)
	}
	return out
}

// banks reads the authorised banks (contract 3.10). Codes are JSON numbers there, so that leading zeros are lost; they are put back
// (OKP-BANK-1). A list and a single object are both understood.
func (c *Client) banks(ctx context.Context, what, country, code string) (providers.Sheet, error) {
	path, operation := "/v1/country/"+country+"/authorized-banks", "banks.list"
	if code != "" {
		path, operation = path+"/"+orText(strings.TrimLeft(code, "0"), "0"), "banks.one"
	}
	s, err := c.readOnly(ctx, what, operation, path, url.Values{}, []string{"bank_code", "bank_name", "ispb_code", "bank_licensed"})
	if err != nil || !c.set.padBanks {
		return s, err
	}
	for _, row := range s.Rows {
		row[0], row[2] = padded(row[0], 3), padded(row[2], 8)
	}
	return s, nil
}

func padded(digits string, width int) string {
	if digits == "" || len(digits) >= width || strings.Trim(digits, "0123456789") != "" {
		return digits
	}
	return strings.Repeat("0", width-len(digits)) + digits
}

// report shows a book of the reconciliation API as it comes.
func (c *Client) report(ctx context.Context, r providers.Read, p map[string]string) (providers.Sheet, error) {
	from, err1 := time.Parse(time.DateOnly, p["from"])
	to, err2 := time.Parse(time.DateOnly, p["to"])
	if err1 != nil || err2 != nil || !from.Before(to) || to.Sub(from) > 60*24*time.Hour {
		return providers.Sheet{}, models.FieldErrorf("to", "Give a span of 1 to 60 days.")
	}
	path := map[string]string{"books_deposits": "deposits", "books_cashouts": "cashouts", "books_refunds": "refunds", "books_balance_report": "balance/report"}[r.ID]
	o, raw, err := c.book(ctx, path, c.window(from, to, 0))
	if err != nil {
		return providers.Sheet{}, err
	}
	rows := o.list("data")
	if !o.has("data") {
		rows = []object{o}
	}
	s := providers.Sheet{Columns: columnsOf(rows, nil), Raw: raw}
	s.Rows = c.cells(rows, s.Columns)
	if len(rows) >= pageSize(o) {
		s.Note = "There are more rows: this is the first page. The statement has all of them."
	}
	return s, nil
}
