package models_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
)

const head = "company,country,type,email,username\n"

func TestAFileOfCompaniesIsReadRowByRow(t *testing.T) {
	body := "\xef\xbb\xbfusername;Company;COUNTRY;type;email;name\r\n" +
		"nord;Nordlicht Handels GmbH;deu;4;a@nord.example;Nordlicht\r\n" +
		"süd;Werkstatt Süd GmbH;DEU;4;b@sued.example;\r\n" + // a username of other letters
		"nord;Noch einmal;DEU;4;c@nord.example;\r\n" + // twice
		"kurz;Kurz\r\n" + // cells are missing
		"isar;\"Isar \"\"Optik\"\"; GmbH\";DEU;4;isar.example;\r\n" // no e-mail
	lines, err := models.ReadSubAccountFile([]byte(body), true)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range lines {
		got = append(got, fmt.Sprintf("%d %s|%s|%s", l.Row, l.Spec.Company, l.Spec.Name, l.Problem))
	}
	want := []string{"1 Nordlicht Handels GmbH|Nordlicht|",
		"2 Werkstatt Süd GmbH|Werkstatt Süd GmbH|A username is made of letters, digits and . _ - + @ and begins with a letter or digit.",
		"3 Noch einmal|Noch einmal|The username stands on row 1 already.",
		"4 Kurz|Kurz|The row has 2 cells; the first line names 6.",
		`5 Isar "Optik"; GmbH|Isar "Optik"; GmbH|This is no e-mail address.`}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("rows (-want +got):\n%s", d)
	}
}

// A hostile file is refused as a whole in one sentence, or its rows are refused each in theirs; nothing panics and nothing is guessed.
func TestHostileFilesAreRefusedInWords(t *testing.T) {
	good := "Casa,BRA,4,a@casa.example,casa\n"
	for name, c := range map[string]struct{ body, says string }{
		"empty":                  {"", "empty"},
		"only a head":            {head, "no row"},
		"only spaces":            {" \n \n", "empty"},
		"a spreadsheet":          {"PK\x03\x04\x00\x00", "zero bytes"},
		"UTF-16":                 {"c\x00o\x00m\x00p\x00", "zero bytes"},
		"Latin-1":                {head + "M\xfcller,DEU,4,a@m.example,m\n", "not UTF-8"},
		"no head":                {good, "names a column"},
		"a column is missing":    {"company,country,type,email\nCasa,BRA,4,a@casa.example\n", `"username" is missing`},
		"a column twice":         {"company,company,country,type,email,username\n", "twice"},
		"an unknown column":      {"company,country,type,email,username,secret\n", `"secret"`},
		"100,000 columns":        {strings.Repeat("x,", 100_000) + "\n", "100001 columns"},
		"100,000 cells in a row": {head + strings.Repeat("x,", 100_000) + "\n", ""},
		"a stray quotation mark": {head + "Ca\"sa,BRA,4,a@casa.example,casa\n", "quotation mark"},
		"an endless quotation":   {head + "\"Casa,BRA,4,a@casa.example,casa\n" + good, "quotation mark"},
		"too many rows":          {head + strings.Repeat(good, models.SubAccountsPerFile+1), "more than 1000 rows"},
		"too large":              {head + strings.Repeat(" ", models.SubAccountFileBytes), "1 MiB"},
	} {
		lines, err := models.ReadSubAccountFile([]byte(c.body), true)
		if c.says == "" {
			if err != nil || len(lines) != 1 || lines[0].Problem == "" {
				t.Errorf("%s: %v, %v", name, lines, err)
			}
			continue
		}
		if !models.Is(err, models.Invalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s gave %v, want a sentence with %q", name, err, c.says)
		}
	}
	for name, row := range map[string]string{
		"a formula":             `"=HYPERLINK(""http://evil"")",BRA,4,a@casa.example,casa`,
		"a control character":   "Ca\x07sa,BRA,4,a@casa.example,casa",
		"turned text":           "Ca\u202esa,BRA,4,a@casa.example,casa",
		"a long name":           strings.Repeat("x", 256) + ",BRA,4,a@casa.example,casa",
		"a country in words":    "Casa,Brazil,4,a@casa.example,casa",
		"no company":            ",BRA,4,a@casa.example,casa",
		"no type":               "Casa,BRA,,a@casa.example,casa",
		"HTML in the e-mail":    "Casa,BRA,4,<script>@x.y,casa",
		"a line in the e-mail":  "Casa,BRA,4,\"a@casa.example\nBcc: x@y.z\",casa",
		"a path as a username":  "Casa,BRA,4,a@casa.example,../../etc/passwd",
		"a blank username":      "Casa,BRA,4,a@casa.example, ",
		"digits of other hands": "Casa,BRA,4,a@casa.example,١٢٣",
	} {
		lines, err := models.ReadSubAccountFile([]byte(head+row+"\n"+good), true)
		switch {
		case err != nil || len(lines) != 2:
			t.Errorf("%s: %v, %v", name, lines, err)
		case lines[0].Problem == "" || lines[1].Problem != "":
			t.Errorf("%s: the rows say %q and %q", name, lines[0].Problem, lines[1].Problem)
		}
	}
}

func FuzzReadingAFileOfCompanies(f *testing.F) {
	f.Add([]byte(head + "Casa,BRA,4,a@casa.example,casa\n"))
	f.Add([]byte("username;company;country;type;email\n\"a\"\"b\";;;;\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		lines, err := models.ReadSubAccountFile(body, true)
		if err == nil && len(lines) == 0 {
			t.Error("a file without rows was taken")
		}
		for _, l := range lines {
			if again, problems := l.Spec.Clean(true); l.Problem == "" && (len(problems) > 0 || again != l.Spec) {
				t.Errorf("row %d is good and does not stay so: %+v, %v", l.Row, again, problems)
			}
		}
	})
}
