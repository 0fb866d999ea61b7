package journeys

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// sheets are the papers of the world, in inches.
var sheets = map[string][2]float64{"A4": {8.27, 11.69}, "Letter": {8.5, 11}}

var aSheet = regexp.MustCompile(`/Type\s*/Page\b[^s]`)

// prints prints the page that the person is on and gives what stands on the sheets, without gaps.
func (p *person) prints(most int, must ...string) {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, patience)
	defer stop()
	for name, size := range sheets {
		out, err := chromedp.Call(ctx, page.PrintToPDF, page.PrintToPDFParams{PaperWidth: size[0], PaperHeight: size[1]}) // backgrounds stay away, as most people have it
		if err != nil {
			p.t.Fatalf("print on %s: %v", name, err)
		}
		if n := len(aSheet.FindAll(out.Data, -1)); n < 1 || n > most {
			p.t.Errorf("%s is printed on %d sheets of %s, at most %d are wanted", p.path(), n, name, most)
		}
		if got := onPaper(p.t, out.Data); got != "" {
			for _, m := range must {
				if !strings.Contains(got, gapless(m)) {
					p.t.Errorf("printed on %s, %s does not say %q:\n%s", name, p.path(), m, got)
				}
			}
		}
	}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
		p.t.Fatal(err)
	}
	defer func() {
		if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{}); err != nil {
			p.t.Error(err)
		}
	}()
	for _, m := range must {
		p.until("on paper: "+m, `document.body.innerText.replace(/\s+/g, '').includes('`+gapless(m)+`')`)
	}
	// What cannot be pressed on paper is not there, and no card is drawn over the next one.
	p.until("no buttons and fields on paper", `![...document.querySelectorAll('main button, main textarea, main input:not([type=hidden])')].some((e) => e.checkVisibility())`)
	p.until("cards under each other", `(() => { const at = [...document.querySelectorAll('main .card')].filter((e) => e.checkVisibility()).map((e) => e.getBoundingClientRect()); return at.every((r, i) => !i || r.top >= at[i - 1].bottom - 1) })()`)
}

// onPaper reads a PDF with poppler's program, where it is; without it the sheets are only counted.
func onPaper(t *testing.T, pdf []byte) string {
	t.Helper()
	tool, err := exec.LookPath("pdftotext")
	if err != nil {
		if os.Getenv("REQUIRE_BROWSER") != "" {
			t.Fatal("pdftotext is required here and not installed")
		}
		t.Log("pdftotext is not installed: the sheets were counted, not read")
		return ""
	}
	cmd := exec.CommandContext(t.Context(), tool, "-layout", "-", "-")
	cmd.Stdin = bytes.NewReader(pdf)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("read the print: %v", err)
	}
	return gapless(string(out))
}

func gapless(s string) string { return strings.Join(strings.Fields(s), "") }

func (w *walk) printsOnPaper(t *testing.T) {
	ada, marta := w.as(t, w.ada), w.as(t, w.marta)
	w.makesPayout(ada, "77.31", "77.31 BRL")
	ref := ada.reference()
	ada.open("/approvals?view=made")
	ada.press("Payout", true, `tr[data-ref="`+ref+`"]`)
	ada.sees("Destination, in full", ref)
	ada.prints(2, "SANDBOX", "77.31BRL", ref, "Rule that fired", "Bound to this exact payload", "Made by Ada Okoye", "date, signature")
	marta.approves(ref, "77.31 BRL")
	ada.open("/payouts?q=" + ref)
	ada.press(ref, true, "main")
	ada.sees("Pending", "OneKey has it")
	w.onekey.tell(t, "settle", "reference", ref, "status", "succeeded")
	ada.until("it has succeeded", `document.querySelector('#live')?.innerText.includes('Succeeded')`)
	theirs := ask[string](ada, `[...document.querySelectorAll('dt')].find((e) => e.innerText.startsWith('OneKey')).nextElementSibling.innerText.trim()`)
	if theirs == "" || theirs == "none yet" {
		t.Fatalf("no reference of the provider: %q", theirs)
	}
	ada.prints(2, "SANDBOX", "77.31BRL", ref, theirs, "Succeeded", "Marta Lind", "Destination, in full", "Ledger")
}
