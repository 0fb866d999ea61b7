package models

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Bounds of a file that people bring.
const (
	SheetBytes   = 2 << 20
	SheetColumns = 100
)

// Sheet is a CSV file that people brought, read row by row.
type Sheet struct {
	Header []string
	Rows   []SheetRow
}

// SheetRow is one row. Problem is a sentence when it cannot be read at all.
type SheetRow struct {
	Line    int // in the file, as an editor counts
	Cells   []string
	Problem string
}

// ReadSheet reads a CSV file as spreadsheets write it: UTF-8 with or without a mark at its beginning, separated by comma, semicolon or tab, cells in
// quotes where they need them. What makes the whole file unreadable is an error with a sentence; what is wrong with one row stands in that row.
func ReadSheet(body []byte, maxRows int) (Sheet, error) {
	var s Sheet
	body, err := sheetText(body)
	if err != nil {
		return s, err
	}
	comma, skip := separator(body)
	if skip > 0 {
		body = body[skip:]
	}
	first, _, _ := bytes.Cut(body, []byte("\n"))
	if n := bytes.Count(first, []byte(string(comma))); n >= SheetColumns {
		return s, FieldErrorf("file", "The first row has %d columns; %d are the most. Is this the right file?", n+1, SheetColumns)
	}
	r := csv.NewReader(bytes.NewReader(body))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = comma, -1, false
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		row := SheetRow{Cells: cells}
		var bad *csv.ParseError
		switch {
		case errors.As(err, &bad):
			row.Line, row.Cells, row.Problem = bad.StartLine, nil, quoteProblem(bad)
		case err != nil:
			return s, FieldErrorf("file", "This file cannot be read: %v.", err)
		default:
			row.Line, _ = r.FieldPos(0)
		}
		if skip > 0 {
			row.Line++
		}
		if blank(row) {
			continue
		}
		if s.Header == nil {
			if row.Problem != "" {
				return s, FieldErrorf("file", "The first row, which names the columns, cannot be read: %s", row.Problem)
			}
			if s.Header, err = sheetHeader(row.Cells); err != nil {
				return s, err
			}
			continue
		}
		if row.Problem == "" {
			row.Problem = tooWide(row.Cells, len(s.Header))
		}
		if s.Rows = append(s.Rows, row); len(s.Rows) > maxRows {
			return s, FieldErrorf("file", "The file has more than %d rows. Bring it in parts.", maxRows)
		}
	}
	if s.Header == nil || len(s.Rows) == 0 {
		return s, FieldErrorf("file", "The file has no rows below its first one, which names the columns.")
	}
	return s, nil
}

// sheetText makes sure that a file is text.
func sheetText(body []byte) ([]byte, error) {
	switch {
	case len(body) == 0:
		return nil, FieldErrorf("file", "The file is empty.")
	case len(body) > SheetBytes:
		return nil, FieldErrorf("file", "The file is larger than 2 MiB. Bring it in parts.")
	case bytes.HasPrefix(body, []byte{0xff, 0xfe}), bytes.HasPrefix(body, []byte{0xfe, 0xff}):
		return nil, FieldErrorf("file", "The file is UTF-16. Save it as “CSV UTF-8” and bring it again.")
	case bytes.HasPrefix(body, []byte("PK\x03\x04")):
		return nil, FieldErrorf("file", "This is a workbook (or another packed file). Save it as “CSV UTF-8” and bring that.")
	}
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if i := bytes.IndexByte(body, 0); i >= 0 {
		return nil, FieldErrorf("file", "Line %d has a NUL byte: this is not a text file, or it was damaged.", 1+bytes.Count(body[:i], []byte("\n")))
	}
	for i := 0; i < len(body); {
		r, n := utf8.DecodeRune(body[i:])
		if r == utf8.RuneError && n == 1 {
			return nil, FieldErrorf("file", "Line %d is not UTF-8. Save the file as “CSV UTF-8” and bring it again, so that no name is spoiled.", 1+bytes.Count(body[:i], []byte("\n")))
		}
		i += n
	}
	return body, nil
}

// separator finds what parts the cells of the first line; a line "sep=;" that spreadsheets write says it, and skip is its length.
func separator(body []byte) (comma rune, skip int) {
	first, _, _ := bytes.Cut(body, []byte("\n"))
	line := strings.TrimRight(string(first), "\r")
	if len(line) == 5 && strings.HasPrefix(strings.ToLower(line), "sep=") && strings.ContainsAny(line[4:], ",;\t") {
		return rune(line[4]), len(first) + 1
	}
	most := 0
	comma = ','
	for _, c := range []rune{',', ';', '\t'} {
		n, quoted := 0, false
		for _, r := range line {
			if r == '"' {
				quoted = !quoted
			}
			if r == c && !quoted {
				n++
			}
		}
		if n > most {
			comma, most = c, n
		}
	}
	return comma, 0
}

func quoteProblem(e *csv.ParseError) string {
	switch {
	case errors.Is(e.Err, csv.ErrQuote) && e.Line > e.StartLine:
		return fmt.Sprintf("A quotation mark opens here and is not closed; the row was read up to line %d.", e.Line)
	case errors.Is(e.Err, csv.ErrQuote):
		return "A quotation mark is not closed, or text follows a closed one. Write a mark inside a cell twice: \"\"."
	case errors.Is(e.Err, csv.ErrBareQuote):
		return "A quotation mark stands inside a cell that is not quoted. Quote the whole cell and write the mark twice: \"\"."
	}
	return "This row cannot be read."
}

func blank(r SheetRow) bool {
	for _, c := range r.Cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return r.Problem == ""
}

func sheetHeader(cells []string) ([]string, error) {
	seen := map[string]bool{}
	out := make([]string, len(cells))
	for i, c := range cells {
		name := strings.ToLower(strings.TrimSpace(c))
		if name != "" && seen[name] {
			return nil, FieldErrorf("file", "Two columns are called %s.", printable(name))
		}
		seen[name], out[i] = true, name
	}
	return out, nil
}

func tooWide(cells []string, columns int) string {
	for i := columns; i < len(cells); i++ {
		if strings.TrimSpace(cells[i]) != "" {
			return fmt.Sprintf("This row has %d cells, and the first row names %d columns. Is a separator inside a cell that is not quoted?", len(cells), columns)
		}
	}
	return ""
}

// Unguarded takes away the apostrophe that a formula guard puts before a cell, so that what we wrote can be read again.
func Unguarded(cell string) string {
	cell = strings.TrimSpace(cell)
	if len(cell) > 1 && cell[0] == '\'' && strings.ContainsRune("=+-@", rune(cell[1])) {
		return cell[1:]
	}
	return cell
}
