package providers

import "countinghouse/models"

// OperationTable lets people read and change a provider's operations where they are data: the setting models.OperationTable of a credential.
// Its functions are pure; a text that cannot be read gives an error with a sentence.
type OperationTable struct {
	Default string // the table in force while the setting is empty
	Read    func(text string) (TableSheet, error)
	// Write changes single places of a table and leaves every other byte as it is: cells by their Key, and whole lists of pairs by the Pairs of
	// their part. A key that is not there is an error. What comes out is not checked; Description.CheckSettings does that.
	Write func(text string, cells map[string]string, pairs map[string][]Pair) (string, error)
}

// Pair is one line of a list: their word and ours.
type Pair struct{ Theirs, Ours string }

// TableSheet is a table as people read it.
type TableSheet struct {
	Title, Note string
	Mark        Mark
	Parts       []TablePart
}

// TablePart is one part of it: the paths, the fields of an operation, the statuses of a kind.
type TablePart struct {
	ID      string // stable, for links
	Title   string
	Note    string
	Item    string // the contract item that it rests on
	Columns []string
	Rows    [][]TableCell
	// Pairs names a list to which lines can be added and from which they can be taken; each row is then their word and ours. Empty: the rows are fixed.
	Pairs   string
	Choices []Option // what "ours" may be
}

// TableCell is one place. Key is empty where the place can only be changed in the text of the table.
type TableCell struct{ Text, Key string }

// TableProblems checks the text of a table with everything that the provider asks of it; empty means that it could be used.
func (d *Description) TableProblems(settings map[string]string, text string) []models.Problem {
	with := map[string]string{}
	for k, v := range settings {
		with[k] = v
	}
	with[models.OperationTable] = text
	return CheckSettings(d, with)
}

// MadeUp is a value that the field takes, for showing what a request looks like; empty when none of the usual ones fits.
func (f Field) MadeUp() string {
	tries := append([]string{f.Default}, f.Examples...)
	for _, o := range f.Options {
		tries = append(tries, o.Value)
	}
	tries = append(tries, "Sample", "sample@example.com", "4000000000000002", "79990000000", "+254700000000", "100200300", "12345678901", "123456", "https://example.com/sample", "2025-01-01", "AB12")
	for _, v := range tries {
		if v != "" && f.check(v) == "" {
			return v
		}
	}
	return ""
}
