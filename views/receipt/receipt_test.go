package receipt_test

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"countinghouse/models"
	"countinghouse/views/receipt"
)

var madeAt = time.Date(2026, 9, 21, 14, 5, 0, 0, time.UTC)

func params(t models.Transaction, d models.TransactionDetail) receipt.Params {
	zone := time.FixedZone("America/Sao_Paulo", -3*3600)
	return receipt.Params{Merchant: "Łukasz Müller & Filhos Ltda", Provider: "OneKey", Story: &models.TransactionPage{Transaction: t, Detail: d}, Zone: zone, MadeAt: madeAt, MadeBy: "Ada Ångström"}
}

func payout() models.Transaction {
	at := models.At(madeAt)
	return models.Transaction{ID: "t", Environment: models.Live, Kind: models.Payout, Provider: "onekey", Reference: "CH0000000001", ProviderRef: "7788", BankRef: "E18236120",
		State: models.Succeeded, Word: "1", Amount: models.Money{Minor: 123456789, Asset: "BRL"}, Fee: models.Money{Minor: 250, Asset: "BRL"}, Rate: "5.4321",
		Party: "Łukasz Müller · PIX by CPF ···· 4725", CreatedAt: at, SentAt: at.Add(time.Minute), SettledAt: at.Add(time.Hour)}
}

func draw(t *testing.T, p receipt.Params) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := receipt.Write(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var (
	streams = regexp.MustCompile(`(?s)stream\r?\n(.*?)\r?\nendstream`)
	strs    = regexp.MustCompile(`(?s)\((?:\\.|[^\\)])*\)\s*Tj`)
	pages   = regexp.MustCompile(`/Type\s*/Page\b[^s]`)
)

// words reads the text of a PDF back, as a reader program would: the strings that its pages show, one a line.
func words(t *testing.T, pdf []byte) string {
	t.Helper()
	var out strings.Builder
	for _, m := range streams.FindAllSubmatch(pdf, -1) {
		z, err := zlib.NewReader(bytes.NewReader(m[1]))
		if err != nil {
			continue // a picture or a font that is not compressed
		}
		b, _ := io.ReadAll(z)
		for _, s := range strs.FindAll(b, -1) {
			raw := s[1:bytes.LastIndexByte(s, ')')]
			var plain []byte
			for i := 0; i < len(raw); i++ {
				if raw[i] == '\\' && i+1 < len(raw) {
					i++
					if raw[i] == 'r' {
						plain = append(plain, '\r')
						continue
					}
				}
				plain = append(plain, raw[i])
			}
			var units []uint16
			for i := 0; i+1 < len(plain); i += 2 {
				units = append(units, uint16(plain[i])<<8|uint16(plain[i+1]))
			}
			out.WriteString(string(utf16.Decode(units)) + "\n")
		}
	}
	return out.String()
}

func says(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("the receipt does not say %q:\n%s", w, got)
		}
	}
}

func TestAReceiptSaysWhatMoved(t *testing.T) {
	pdf := draw(t, params(payout(), models.TransactionDetail{Verified: "LUKASZ MULLER"}))
	got := words(t, pdf)
	says(t, got, "Łukasz Müller & Filhos Ltda", "Receipt of a payout", "1,234,567.89 BRL", "out", "Succeeded", "CH0000000001", "Reference at OneKey", "7788", "E18236120",
		"Łukasz Müller · PIX by CPF ···· 4725", "LUKASZ MULLER (by OneKey)", "2.50 BRL", "5.4321", "2026-09-21 11:05:00 São Paulo (UTC−3)", "2026-09-21 12:05:00", "Ada Ångström", "Page 1 of 1")
	for _, no := range []string{"SANDBOX", "no proof", "□"} {
		if strings.Contains(got, no) {
			t.Errorf("the receipt says %q:\n%s", no, got)
		}
	}
	if n := len(pages.FindAll(pdf, -1)); n != 1 {
		t.Errorf("%d pages", n)
	}
}

func TestInSandboxEveryPageSaysSo(t *testing.T) {
	x := payout()
	x.Environment, x.State, x.Reason = models.Sandbox, models.Failed, strings.Repeat("the bank closed the account ", 400)
	p := params(x, models.TransactionDetail{})
	for range 30 {
		p.Story.Related = append(p.Story.Related, models.Transaction{Reference: "CHR", Amount: models.Money{Minor: 1, Asset: "BRL"}, State: models.Failed})
	}
	pdf := draw(t, p)
	got, n := words(t, pdf), len(pages.FindAll(pdf, -1))
	if bands := strings.Count(got, "SANDBOX: no real money moved"); bands != n || n < 1 {
		t.Errorf("%d bands on %d pages", bands, n)
	}
	says(t, got, "Status of a payout", "This is no proof of a payment.", "the bank closed the account")
}

func TestOnlyWhatSucceededIsAReceipt(t *testing.T) {
	for _, s := range models.States() {
		x := payout()
		x.State = s
		got := words(t, draw(t, params(x, models.TransactionDetail{})))
		want := s == models.Succeeded || s == models.Refunded || s == models.PartiallyRefunded
		if is := strings.Contains(got, "Receipt of"); is != want || strings.Contains(got, "no proof of a payment") == want {
			t.Errorf("%s: a receipt %v, want %v", s, is, want)
		}
		says(t, got, s.Word())
	}
}

// Whatever stands in a field comes out as text, on the page, and breaks nothing.
func TestHostileTextInEveryField(t *testing.T) {
	for name, s := range map[string]string{
		"Chinese": "王小明", "emoji": "😀 party", "astral": "\U0002070e", "the last of the plane": "\uffff\ufffe\uffff", "Arabic": "محمد علي", "combining": "Łu\u0301kasz", "direction": "abc\u202edef\u2066g",
		"control": "a\x00b\x1b[31m\r\nc", "PDF": `) Tj ET /JS (app.alert(1)) \) \\ ( <</OpenAction`, "markup": `<script>alert(1)</script>`, "no gap": strings.Repeat("W", 3000),
		"gaps": strings.Repeat("ab ", 3000), "bad UTF-8": "a\xff\xfeb", "alias": "{nb} \ue000", "empty": "", "spaces": "   ", "soft": "a\u00adb\u200bc\u2028d",
	} {
		t.Run(name, func(t *testing.T) {
			x := payout()
			x.Reference, x.ProviderRef, x.BankRef, x.Party, x.Word, x.Reason, x.Rate, x.State = s, s, s, s, s, s, s, models.Returned
			x.Amount.Asset, x.Fee = "BRL", models.Money{Minor: -9_000_000_000_000_000, Asset: "BTC"}
			p := params(x, models.TransactionDetail{Verified: s, SKU: s, Quantity: 3})
			p.Merchant, p.Provider, p.MadeBy = s, s, s
			pdf := draw(t, p)
			got := words(t, pdf)
			says(t, got, "1,234,567.89 BRL", "Returned", "−90,000,000.00000000 BTC")
			if !bytes.HasPrefix(pdf, []byte("%PDF-")) || !bytes.HasSuffix(bytes.TrimSpace(pdf), []byte("%%EOF")) || bytes.Contains(pdf, []byte("/JS")) || bytes.Contains(pdf, []byte("/OpenAction <<")) {
				t.Error("the file is broken, or the text became a part of it")
			}
			if strings.ContainsAny(got, "\x00\x1b\u202e") {
				t.Errorf("control characters: %q", got)
			}
		})
	}
}

func TestWhatTheFontDoesNotHoldIsSpeltOut(t *testing.T) {
	x := payout()
	x.Party = "王小明 Ltd"
	says(t, words(t, draw(t, params(x, models.TransactionDetail{}))), "□□□ Ltd", "U+738B U+5C0F U+660E")
	x.Party = strings.Repeat("王", 500)
	says(t, words(t, draw(t, params(x, models.TransactionDetail{}))), "and more.")
}

func TestTheSameReceiptIsTheSameFile(t *testing.T) {
	p := params(payout(), models.TransactionDetail{Verified: "Ω Ж ễ"})
	one := draw(t, p)
	for range 3 {
		if !bytes.Equal(one, draw(t, p)) {
			t.Fatal("two files of one receipt differ")
		}
	}
	p.MadeAt = p.MadeAt.Add(time.Second)
	if bytes.Equal(one, draw(t, p)) {
		t.Error("the moment of making is not in it")
	}
}

func TestTheFontsAreTheOnesThatWereWrittenDown(t *testing.T) {
	notes, err := os.ReadFile("fonts/VENDORED.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"inter-regular.ttf", "inter-semibold.ttf"} {
		b, err := os.ReadFile("fonts/" + name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(b)
		if !strings.Contains(string(notes), "`"+name+"`") || !strings.Contains(string(notes), hex.EncodeToString(sum[:])) {
			t.Errorf("VENDORED.md does not name %s with %x", name, sum)
		}
	}
}
