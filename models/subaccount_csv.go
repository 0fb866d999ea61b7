package models

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// SubAccountFileBytes is the most that a file of companies may weigh.
const SubAccountFileBytes = 1 << 20

// SubAccountColumns are the columns of a file of companies, by the names that its first line gives them; the last is optional.
var SubAccountColumns = []string{"company", "country", "type", "email", "username", "name"}

const fileColumns = 40 // a file with more is no list of companies

// ReadSubAccountFile reads a CSV file of companies: UTF-8, with or without a byte order mark, separated by commas or semicolons, the first line
// naming the columns in any order. A file that is no such file is refused as a whole, with a sentence; a bad row is kept with its problem, and
// says nothing about the others.
func ReadSubAccountFile(body []byte, asked bool) ([]SubAccountLine, error) {
	no := func(format string, args ...any) ([]SubAccountLine, error) {
		return nil, FieldErrorf("file", format, args...)
	}
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	switch {
	case len(body) > SubAccountFileBytes:
		return no("The file is larger than 1 MiB. Split it.")
	case len(bytes.TrimSpace(body)) == 0:
		return no("The file is empty.")
	case bytes.IndexByte(body, 0) >= 0:
		return no("This is no CSV file: it holds zero bytes. A spreadsheet must be saved as CSV (UTF-8).")
	case !utf8.Valid(body):
		return no("The file is not UTF-8. Save it as CSV (UTF-8).")
	}
	r := csv.NewReader(bytes.NewReader(body))
	r.FieldsPerRecord = -1
	first, _, _ := bytes.Cut(body, []byte("\n"))
	if bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")) {
		r.Comma = ';'
	}
	head, err := r.Read()
	if err != nil {
		return no("The first line cannot be read as CSV: %s.", csvProblem(err))
	}
	at, err := columnsOf(head)
	if err != nil {
		return nil, err
	}
	var lines []SubAccountLine
	for n := 1; ; n++ {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return no("Row %d cannot be read as CSV: %s.", n, csvProblem(err))
		}
		if n > SubAccountsPerFile {
			return no("The file has more than %d rows. Split it.", SubAccountsPerFile)
		}
		lines = append(lines, subAccountLine(n, cells, head, at, asked))
	}
	if len(lines) == 0 {
		return no("The file has no row below its first line.")
	}
	markTwice(lines)
	return lines, nil
}

func csvProblem(err error) string {
	var p *csv.ParseError
	if !errors.As(err, &p) {
		return "it is damaged"
	}
	if errors.Is(p.Err, csv.ErrQuote) || errors.Is(p.Err, csv.ErrBareQuote) {
		return fmt.Sprintf("a quotation mark stands in the wrong place (line %d)", p.Line)
	}
	return fmt.Sprintf("line %d is damaged", p.Line)
}

// columnsOf finds the columns by the names in the first line.
func columnsOf(head []string) (map[string]int, error) {
	if len(head) > fileColumns {
		return nil, FieldErrorf("file", "The first line names %d columns. This is no list of companies.", len(head))
	}
	at := map[string]int{}
	for i, h := range head {
		name := SubAccountKey(h)
		switch {
		case !slices.Contains(SubAccountColumns, name):
			if name != "" {
				return nil, FieldErrorf("file", "The first line names a column %q. Known are: %s.", Safe(h, 40), strings.Join(SubAccountColumns, ", "))
			}
		default:
			if _, twice := at[name]; twice {
				return nil, FieldErrorf("file", "The first line names the column %q twice.", name)
			}
			at[name] = i
		}
	}
	for _, name := range SubAccountColumns[:len(SubAccountColumns)-1] {
		if _, ok := at[name]; !ok {
			return nil, FieldErrorf("file", "The first line must name the columns: %s. %q is missing.", strings.Join(SubAccountColumns[:len(SubAccountColumns)-1], ", "), name)
		}
	}
	return at, nil
}

func subAccountLine(n int, cells, head []string, at map[string]int, asked bool) SubAccountLine {
	cell := func(name string) string {
		if i, ok := at[name]; ok && i < len(cells) {
			return cells[i]
		}
		return ""
	}
	l := SubAccountLine{Row: n}
	spec := SubAccountSpec{Name: cell("name"), Company: cell("company"), Country: cell("country"), Type: cell("type"), Email: cell("email"), Username: cell("username")}
	if len(cells) != len(head) {
		l.Problem = fmt.Sprintf("The row has %d cells; the first line names %d.", len(cells), len(head))
	}
	clean, problems := spec.Clean(asked)
	if l.Problem == "" {
		var all []string
		for _, p := range problems {
			all = append(all, p.Sentence)
		}
		l.Problem = strings.Join(all, " ")
	}
	for _, f := range []*string{&clean.Name, &clean.Company, &clean.Country, &clean.Type, &clean.Email, &clean.Username} {
		*f = Safe(*f, 255) // a bad row is shown as well
	}
	l.Spec = clean
	return l
}

// markTwice says of a username or e-mail that stands on several rows which row has it first.
func markTwice(lines []SubAccountLine) {
	for _, of := range []struct {
		what string
		key  func(SubAccountSpec) string
	}{{"username", func(s SubAccountSpec) string { return SubAccountKey(s.Username) }}, {"e-mail", func(s SubAccountSpec) string { return SubAccountKey(s.Email) }}} {
		first := map[string]int{}
		for i := range lines {
			l := &lines[i]
			key := of.key(l.Spec)
			if key == "" || l.Problem != "" { // a row that is left out keeps nobody else out
				continue
			}
			if row, ok := first[key]; ok {
				l.Problem = fmt.Sprintf("The %s stands on row %d already.", of.what, row)
			} else {
				first[key] = l.Row
			}
		}
	}
}
