package journeys

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"countinghouse/web/demo"
)

// twenty are the files of a company as they lie on somebody's desk: their names say what they are, except where somebody was lazy.
var twenty = []string{"certificate of incorporation.pdf", "extract of the register.pdf", "articles.pdf", "shareholders.pdf", "directors.pdf", "passport.png", "utility bill.pdf", "annual accounts.pdf",
	"tax certificate.pdf", "bank statement May.pdf", "bank statement June.pdf", "bank statement July.pdf", "resolution of March.pdf", "resolution of May.pdf", "aml policy.pdf",
	"accounts of the year before.pdf", lazy, "lease of the office.pdf", "cap table.pdf", "vat number.pdf"}

const (
	heavy = "annual accounts.pdf" // large enough that its way takes a while
	liar  = "tax certificate.pdf" // no PDF at all
	// lazy is what a machine calls a file: long, without a place to break it, and saying nothing.
	lazy = "scan_from_the_machine_on_the_second_floor_00000000000000000000000000000000000000017.pdf"
)

// desk writes files into a folder and gives their paths.
func desk(t *testing.T, of string, names ...string) (paths []string) {
	t.Helper()
	folder := t.TempDir()
	for _, n := range names {
		body := demo.PDF(of, n)
		if strings.HasSuffix(n, ".png") {
			_, body = demo.Paper("identity")
		}
		if n == heavy && len(names) > 1 {
			body = bytes.Replace(body, []byte("\n"), append([]byte("\n"), bytes.Repeat([]byte("% "+of+"\n"), 300_000)...), 1) // a long comment behind the head
		}
		if n == liar && len(names) > 1 {
			body = []byte("<!doctype html><title>" + of + "</title><p>Please sign in to see your tax certificate")
		}
		path := filepath.Join(folder, n)
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

// chooses is what somebody does in the window that lists files.
func (p *person) chooses(paths ...string) {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, patience)
	defer stop()
	if err := chromedp.Do(ctx, chromedp.SetUploadFiles(chromedp.CSS("#upload input[type=file]"), paths)); err != nil {
		p.t.Fatal(err)
	}
}

// line makes the person's line to the program narrow, in bytes a second; 0 is as it was.
func (p *person) line(up int) {
	p.t.Helper()
	type params struct {
		Offline  bool `json:"offline"`
		Latency  int  `json:"latency"`
		Download int  `json:"downloadThroughput"`
		Upload   int  `json:"uploadThroughput"`
	}
	if up == 0 {
		up = -1
	}
	if _, err := chromedp.Call(p.ctx, cdp.Command[params, cdp.Empty]{Method: "Network.emulateNetworkConditions"}, params{Download: -1, Upload: up}); err != nil {
		p.t.Fatal(err)
	}
}

// row is the line of a file on the page of uploads.
func row(name string) string {
	return `[...document.querySelectorAll('[data-upload-list] li')].find((r) => r.querySelector('.name').textContent === ` + strconv.Quote(name) + `)`
}

// becomes waits until a file's line is in a state.
func (p *person) becomes(name, state string) {
	p.t.Helper()
	p.until(name+" is "+state, row(name)+`?.dataset.state === `+strconv.Quote(state))
}

// acts presses the button of one file.
func (p *person) acts(name, button string) {
	p.t.Helper()
	ask[bool](p, `(() => { document.querySelectorAll('#this-file').forEach((e) => e.removeAttribute('id')); `+row(name)+`.id = 'this-file'; return true })()`)
	p.clickIn("#this-file", button+" "+name)
}

// dates types a day into a date field of one file in the form in which files are sorted.
func (p *person) dates(file, label, day string) {
	p.t.Helper()
	found := ask[bool](p, `(() => { const f = [...document.querySelectorAll('main fieldset')].find((f) => f.querySelector('legend').innerText.trim() === `+strconv.Quote(file)+`)
		const e = [...(f?.querySelectorAll('label') || [])].find((l) => l.innerText.trim().startsWith(`+strconv.Quote(label)+`))?.control
		if (!e) return false
		e.value = `+strconv.Quote(day)+`; e.dispatchEvent(new Event('input', {bubbles: true})); return e.value !== '' })()`)
	if !found {
		p.t.Fatalf("%s finds no %s of %s\n%s", p.name, label, file, p.scene())
	}
}

// provesTwoCompanies is compliance's work with two companies, from their files to the provider's approval.
func (w *walk) provesTwoCompanies(t *testing.T) {
	axe, err := os.ReadFile(filepath.Join("..", "testdata", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	ines, omar := arrive(t, w.browser, w.house, "Inês Duarte"), arrive(t, w.browser, w.house, "Omar Haddad")
	look := func(p *person, where string) {
		t.Helper()
		p.axe(string(axe), where, everyRule)
		p.device(390, 844, "")
		p.fits(where, 390)
		p.device(1280, 800, "")
	}
	wspn := sit(t, w.browser, &house{base: w.hosts["wspn"]}, "somebody at WSPN")
	wspn.open("/_sandbox/")
	wspn.click("Wait for a button")
	wspn.sees("Verdict on files that come in: none by itself")
	w.member(t, "300901", "Aurora Glass Pte Ltd", "SGP")
	w.member(t, "300902", "Boreal Mills GmbH", "DEU")

	aurora := ines.opensACase("Aurora Glass Pte Ltd", "SGP", "300901")
	w.uploadsTwenty(t, ines)
	look(ines, "the upload page with files to sort")
	ines.dates("passport.png", "Expires", "2031-03-04")
	ines.dates("utility bill.pdf", "Issued", "2026-09-01")
	ines.dates(heavy, "Issued", "2026-06-01")
	ines.dates(heavy, "What it is", "accounts")
	ines.dates(lazy, "What it is", "other")
	ines.click("Keep")
	ines.sees("20 documents are sorted.", "everything is there", "Prepare the documents; a second person then looks at them.")
	look(ines, "the case")
	ines.click("Prepare documents")
	ines.sees("20 selected")
	look(ines, "the page to prepare documents")
	ines.click("Ask a second person to approve this set")
	ines.sees("It waits for a second person", "Exactly these files", "20,")
	look(ines, "the submission")

	boreal := w.provesByKeyboard(t, ines)
	w.agreesToFiles(t, ines, omar, "Aurora Glass Pte Ltd", false)
	w.agreesToFiles(t, ines, omar, "Boreal Mills GmbH", true)
	w.handsTwoOver(t, ines)
	w.isAskedAndApproved(t, ines, wspn, aurora, boreal)
	look(ines, "the case that is verified")
	for _, p := range []*person{ines, omar} {
		for _, wrong := range p.wrongs {
			t.Error(wrong)
		}
	}
}

// member opens an account at the stand-in, as WSPN does after a talk on the telephone.
func (w *walk) member(t *testing.T, id, company, country string) {
	t.Helper()
	res, err := http.PostForm(w.hosts["wspn"]+"/_sandbox/member", url.Values{"client": {id}, "company": {company}, "country": {country}}) //nolint:noctx // the test's own sandbox
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("the stand-in has no account %s: %d", id, res.StatusCode)
	}
}

func (p *person) opensACase(company, country, account string) (path string) {
	p.t.Helper()
	p.open("/kyb")
	p.click("New case")
	p.fill("Company, its full name", company)
	p.fill("Country", country)
	p.click("Open the case")
	p.sees("The case is open")
	p.choose("Credential", "WSPN main")
	p.fill("The provider’s number of the account", account)
	p.click("Put it on the case")
	p.sees("The account is on the case", "account "+account)
	return p.path()
}

// uploadsTwenty puts twenty files into the upload page at once: one is cancelled on its way and sent again, one is no PDF and is chosen anew; none of
// the others is sent a second time.
func (w *walk) uploadsTwenty(t *testing.T, ines *person) {
	t.Helper()
	ines.click("Upload documents")
	ines.until("the script has taken the form over", `document.querySelector('#upload button[type=submit]')?.disabled`)
	ines.chooses(desk(t, "Aurora", twenty...)...)
	ines.sees("0 of 20 taken, 20 to go")
	ines.line(200_000)
	ines.click("Upload")
	ines.until("the large file is on its way, with progress", row(heavy)+`.querySelector('progress').value > 2 && `+row(heavy)+`.dataset.state === 'running'`)
	ines.until("the ones before it are there", row("articles.pdf")+`.dataset.state === 'done'`)
	ines.until("the ones after it wait", row(liar)+`.dataset.state === 'waiting'`)
	ines.acts(heavy, "Cancel")
	ines.becomes(heavy, "cancelled")
	ines.line(0)
	ines.sees("18 of 20 taken, 2 not")
	ines.becomes(liar, "refused")
	ines.sees("Not taken: this is a web page", "Only PDF, PNG, JPEG and WEBP can be taken.")
	ines.acts(heavy, "Try again")
	ines.becomes(heavy, "done")
	ines.sees("19 of 20 taken, 1 not")
	ines.picks(func() { ines.acts(liar, "Choose it anew") }, desk(t, "Aurora", liar)...) // and it is sent at once, in the old one's place
	ines.until("the page of what came in", `location.search === '?done=20'`)
	ines.sees("Sort what came in", lazy)
	if n := ask[int](ines, `document.querySelectorAll('#sort fieldset').length`); n != 20 {
		t.Errorf("%d files came in, not 20", n)
	}
}

// provesByKeyboard opens a case, uploads, sorts and prepares without a mouse, on a narrow screen.
func (w *walk) provesByKeyboard(t *testing.T, ines *person) (path string) {
	t.Helper()
	ines.device(390, 844, "")
	defer ines.device(1280, 800, "")
	ines.open("/kyb/new")
	ines.tabAndType("Company, its full name", "Boreal Mills GmbH")
	ines.tabAndType("Country", "DEU")
	ines.tabAndEnter("Open the case")
	ines.sees("The case is open")
	path = ines.path()
	ines.tabAndType("Credential", "WSPN main")
	ines.tabAndType("The provider’s number of the account", "300902")
	ines.tabAndEnter("Put it on the case")
	ines.sees("The account is on the case", "account 300902")
	ines.tabAndEnter("Upload documents")
	ines.until("the script has taken the form over", `document.querySelector('#upload button[type=submit]')?.disabled`)
	ines.tabTo("Documents")
	ines.picks(func() { ines.keys(kb.Enter) }, desk(t, "Boreal", "register.pdf", "articles.pdf", "shareholders.pdf", "directors.pdf", "passport.png", "lease.pdf")...)
	ines.sees("0 of 6 taken, 6 to go")
	ines.tabAndEnter("Upload")
	ines.until("the page of what came in", `location.search === '?done=6'`)
	ines.sees("Sort what came in")
	for _, x := range [][3]string{{"passport.png", "Expires", "03042031"}, {"lease.pdf", "Issued", "09012026"}} { // as they stand on the page
		file, field := x[0], x[1:]
		ines.until("the field of "+file, `(() => { const f = [...document.querySelectorAll('main fieldset')].find((f) => f.querySelector('legend').innerText.trim() === '`+file+`')
			const l = [...f.querySelectorAll('label')].find((l) => l.innerText.trim().startsWith('`+field[0]+`')); l?.control.setAttribute('data-here', ''); return l })()`)
		for range 150 {
			if ask[bool](ines, `document.activeElement?.hasAttribute('data-here')`) {
				break
			}
			ines.keys(kb.Tab)
		}
		ines.keys(field[1])
		ines.until("a day in "+file, `document.querySelector('[data-here]').value.startsWith('20')`)
		ask[bool](ines, `(() => { document.querySelector('[data-here]').removeAttribute('data-here'); return true })()`)
	}
	ines.tabAndEnter("Keep")
	ines.sees("6 documents are sorted.", "2 due later")
	ines.tabAndEnter("Prepare documents")
	ines.sees("6 selected")
	ines.tabAndEnter("Ask a second person to approve this set")
	ines.sees("It waits for a second person", "Boreal Mills GmbH")
	return path
}

// picks opens the browser's window of files and chooses in it.
func (p *person) picks(open func(), paths ...string) {
	p.t.Helper()
	if _, err := chromedp.Call(p.ctx, page.SetInterceptFileChooserDialog, page.SetInterceptFileChooserDialogParams{Enabled: true}); err != nil {
		p.t.Fatal(err)
	}
	opened := make(chan cdp.BackendNodeID, 1)
	ctx, stop := context.WithTimeout(p.ctx, patience)
	defer stop()
	if err := chromedp.Listen(ctx, func(event any) {
		if e, ok := event.(*page.EventFileChooserOpened); ok {
			select {
			case opened <- e.BackendNodeID:
			default:
			}
		}
	}); err != nil {
		p.t.Fatal(err)
	}
	open()
	select {
	case node := <-opened:
		if _, err := chromedp.Call(ctx, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: paths, BackendNodeID: node}); err != nil {
			p.t.Fatal(err)
		}
	case <-ctx.Done():
		p.t.Fatalf("%s asks for files, and no window opens\n%s", p.name, p.scene())
	}
	if _, err := chromedp.Call(p.ctx, page.SetInterceptFileChooserDialog, page.SetInterceptFileChooserDialogParams{}); err != nil {
		p.t.Fatal(err)
	}
}

// agreesToFiles is the second person, who sees exactly what would leave. Whoever prepared it is not offered to agree.
func (w *walk) agreesToFiles(t *testing.T, ines, omar *person, company string, byKeyboard bool) {
	t.Helper()
	mark := `(() => { const r = [...document.querySelectorAll('main tbody tr')].find((r) => r.innerText.includes(` + strconv.Quote(company) + `)); if (r) r.id = 'this-request'; return !!r })()`
	omar.open("/approvals")
	omar.until("the request about "+company, mark)
	href := ask[string](omar, `document.querySelector('#this-request a').getAttribute('href')`)
	if !byKeyboard {
		ines.open(href)
		ines.sees("You made this")
		ines.seesNot("Approve that these files leave")
		omar.press("Documents leave", true, "#this-request")
		omar.at(href)
	} else {
		omar.open(href)
	}
	omar.sees(company, "Approve that these files leave")
	press := omar.click
	if byKeyboard {
		press = omar.tabAndEnter
	}
	if ask[bool](omar, words+`.includes('Show the second factor')`) {
		press("Show the second factor")
		omar.at("/step-up")
		press("Go on as if the code had been shown")
		omar.sees(company)
	}
	press("Approve that these files leave")
	omar.sees("Approved")
}

// handsTwoOver takes two of what is approved, and hands them over in one call.
func (w *walk) handsTwoOver(t *testing.T, ines *person) {
	t.Helper()
	ines.open("/kyb/submissions")
	ines.click("Hand over what is approved")
	ines.sees("Hand over the selected companies", "Aurora Glass Pte Ltd", "Boreal Mills GmbH")
	ask[bool](ines, `(() => { document.querySelectorAll('main tbody input[type=checkbox]').forEach((b) => { const two = /Aurora|Boreal/.test(b.closest('tr').innerText); if (b.checked !== two) b.click() }); return true })()`)
	ines.sees("2 selected")
	ines.click("Hand over the selected companies")
	ines.provesSecondFactor()
	ines.sees("Handover of 2 companies", "2 taken")
	ines.sees("Accepted", "Being reviewed", "26")
	if w.made(t, "kyb:300901") != 1 || w.made(t, "kyb:300902") != 1 {
		t.Error("the stand-in has not got the files of each once")
	}
}

// isAskedAndApproved is what comes back: a question about one company, and the approval of both.
func (w *walk) isAskedAndApproved(t *testing.T, ines, wspn *person, aurora, boreal string) {
	t.Helper()
	const asks = "Who holds the other 40 per cent?"
	wspn.open("/_sandbox/")
	wspn.fill("Ask 300901:", asks)
	ask[bool](wspn, `(() => { [...document.querySelectorAll('tr')].find((r) => r.innerText.startsWith('300901')).id = 'this-client'; return true })()`)
	wspn.clickIn("#this-client", "Ask")
	wspn.sees(asks)
	wspn.click("Approve 300902")
	ines.open(aurora)
	ines.looksAgain(asks)
	ines.sees("A question is open. Answer it below.", "WSPN asks about account 300901: "+asks)
	ines.open(boreal)
	ines.looksAgain("WSPN has approved the account.")
	ines.sees("Verified", "KYC Approved")
	ines.open(aurora)
	ines.fill("What was done about it", "Sent the cap table to our contact there by mail; it is the founder's trust.")
	ines.click("Close the question")
	ines.sees("The question is closed")
	ines.seesNot("A question is open")
	wspn.open("/_sandbox/")
	wspn.click("Approve 300901")
	wspn.sees("KYC Approved")
	ines.looksAgain("WSPN has approved the account.")
	ines.sees("Verified", "WSPN has approved account 300901", "Question closed: Sent the cap table")
	if n := w.made(t, "kyb:300901"); n != 1 {
		t.Errorf("the files of 300901 arrived %d times", n)
	}
}
