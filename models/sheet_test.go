package models_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
)

func TestFilesOfSpreadsheetsAreRead(t *testing.T) {
	want := models.Sheet{Header: []string{"name", "account"}, Rows: []models.SheetRow{{Line: 2, Cells: []string{"João; & Sons, Ltd", "00123"}}, {Line: 4, Cells: []string{"say \"hi\"", "9"}}}}
	for name, text := range map[string]string{
		"comma":                "name,account\n\"João; & Sons, Ltd\",00123\n\n\"say \"\"hi\"\"\",9\n",
		"semicolon and a mark": "\xef\xbb\xbfName;Account\r\n\"João; & Sons, Ltd\";00123\r\n;\r\n\"say \"\"hi\"\"\";9",
		"tab":                  "name\taccount\n\"João; & Sons, Ltd\"\t00123\n\n\"say \"\"hi\"\"\"\t9\n",
	} {
		got, err := models.ReadSheet([]byte(text), 10)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	got, err := models.ReadSheet([]byte("sep=;\nname;account\nA;1\n"), 10)
	if err != nil || got.Rows[0].Line != 3 || got.Rows[0].Cells[1] != "1" {
		t.Errorf("a line that names the separator: %v, %v", got, err)
	}
}

func TestFilesThatCannotBeReadSayWhy(t *testing.T) {
	for name, c := range map[string]struct{ body, part string }{
		"empty":           {"", "empty"},
		"only a header":   {"name,account\n", "no rows"},
		"UTF-16":          {"\xff\xfen\x00a\x00", "UTF-16"},
		"a workbook":      {"PK\x03\x04rest", "workbook"},
		"Latin-1":         {"name\nx\nJo\xe3o\n", "Line 3 is not UTF-8"},
		"a NUL":           {"name\nJo\x00ao\n", "Line 2 has a NUL"},
		"many columns":    {strings.Repeat("a,", 100_000) + "\n1\n", "100001 columns"},
		"two of one name": {"name,Name\nx,y\n", "Two columns"},
		"a broken header": {"na\"me,x\n1,2\n", "first row"},
		"too many rows":   {"name\n" + strings.Repeat("x\n", 11), "more than 10 rows"},
		"too large":       {strings.Repeat("x", models.SheetBytes+1), "2 MiB"},
	} {
		if _, err := models.ReadSheet([]byte(c.body), 10); !models.Is(err, models.Invalid) || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%s: %v; want %q", name, err, c.part)
		}
	}
}

func TestABrokenRowSpoilsNoOther(t *testing.T) {
	s, err := models.ReadSheet([]byte("name,account\nA,1\nB \"x\" y,2\nC,3,4\n"+strings.Repeat("z,", 100_000)+"z\nD,5\n\"E,6\nF,7\n"), 10)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range s.Rows {
		got = append(got, r.Problem)
	}
	want := []string{"", "quotation mark stands inside", "3 cells", "100001 cells", "", "opens here and is not closed"}
	for i, part := range want {
		if i >= len(got) || (part == "") != (got[i] == "") || !strings.Contains(got[i], part) {
			t.Fatalf("rows: %q", got)
		}
	}
}

func FuzzReadSheet(f *testing.F) {
	f.Add([]byte("a;b\n1;2\n"))
	f.Add([]byte("\xef\xbb\xbf\"a\",b\n\"1\n2\",3"))
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := models.ReadSheet(body, 50)
		if err == nil && (len(s.Rows) == 0 || len(s.Header) == 0 || bytes.IndexByte(body, 0) >= 0) {
			t.Errorf("read %d rows of a file that has none, or is no text", len(s.Rows))
		}
	})
}
