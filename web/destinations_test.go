package web_test

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"countinghouse/models"
	"countinghouse/models/store/storetest"
)

const vitalik = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045" // EIP-55, from public life

func wallet(address string) url.Values {
	return url.Values{"form": {"crypto"}, "token": {models.NewID()}, "name": {"Treasury <b>cold</b>"}, "purpose": {"Own wallet"}, "v.network": {"Ethereum"}, "v.address": {address}, "v.owner": {"Us"}}
}

func TestAnAddressIsCheckedAsTypedShownInGroupsAndApprovedByAnother(t *testing.T) {
	h := open(t, inDemo)
	fay, ines := storetest.Add(t, h.store, "fay@example.com", "Fay", models.Finance), storetest.Add(t, h.store, "ines@example.com", "Inês", models.Compliance)
	asFay, asInes := h.session(t, fay), h.session(t, ines)

	for typed, part := range map[string]string{"0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96046": "The checksum does not match", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa": "the network chosen is Ethereum",
		"0xd8dA": "42 characters", "": "Address is missing"} {
		a := h.post(t, "/destinations", asFay, wallet(typed))
		if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.doc(t).Find("main").Text(), part) {
			t.Errorf("%q: %d, and not %q", typed, a.StatusCode, part)
		}
		if got, _ := a.doc(t).Find(`[name="v.address"]`).Attr("value"); got != typed {
			t.Errorf("what was typed is gone: %q", got)
		}
	}
	good := wallet(vitalik)
	a := h.post(t, "/destinations", asFay, good)
	path := a.Header.Get("Location")
	if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(path, "/destinations/") {
		t.Fatalf("a right one: %d to %q\n%s", a.StatusCode, path, a.doc(t).Find("main").Text())
	}
	if again := h.post(t, "/destinations", asFay, good); again.Header.Get("Location") != path {
		t.Errorf("a second click made %q", again.Header.Get("Location"))
	}
	page := h.get(t, path, asFay).doc(t)
	if got := page.Find(".groups .g").Eq(1).Text(); got != vitalik[4:8] {
		t.Errorf("the second group of four is %q", got)
	}
	if page.Find("b").FilterFunction(func(_ int, s *goquery.Selection) bool { return s.Text() == "cold" }).Length() > 0 {
		t.Error("a name became markup")
	}
	if !strings.Contains(page.Find("main").Text(), "waits for a second person") || page.Find(`a[href^="/approvals/"]`).Length() > 0 {
		t.Error("the maker is offered to decide")
	}
	decide, ok := h.get(t, path, asInes).doc(t).Find(`a[href^="/approvals/"]`).Attr("href")
	if !ok {
		t.Fatal("compliance is not offered to decide")
	}
	sheet := h.get(t, decide, asInes).doc(t)
	digest, _ := sheet.Find(`#approve [name="digest"]`).Attr("value")
	if digest == "" { // the second factor is asked for first
		asInes = h.session(t, ines)
		sheet = h.get(t, decide, asInes).doc(t)
		digest, _ = sheet.Find(`#approve [name="digest"]`).Attr("value")
	}
	if a := h.post(t, decide+"/approve", asInes, url.Values{"digest": {digest}}); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("approve: %d %s", a.StatusCode, a.doc(t).Find("main").Text())
	}
	if text := h.get(t, path, asFay).doc(t).Find("main").Text(); !strings.Contains(text, "Cooling down") || !strings.Contains(text, "It can be paid from") {
		t.Error("the page does not say that it cools down")
	}
	h.clock.Advance(24 * time.Hour)
	asFay = h.session(t, fay)
	if text := h.get(t, path, asFay).doc(t).Find("main").Text(); !strings.Contains(text, "Payouts may go to it") {
		t.Error("after its time it is not usable")
	}
	list := h.get(t, "/destinations?q=treas", asFay).body
	if !strings.Contains(list, path) || strings.Contains(list, vitalik) {
		t.Error("the list does not find it, or shows it whole")
	}
	if file := h.get(t, "/destinations/export?format=csv", asFay).body; strings.Contains(file, vitalik) || !strings.Contains(file, "Own wallet") {
		t.Error("the masked file shows the address, or not the row")
	}
	h.clock.Advance(10 * time.Minute)
	// Account numbers do not leave without a fresh second factor, after which one is on the page again from which the file can be had.
	follow(t, h.get(t, "/destinations/export/full?format=csv", asFay, "Referer", h.base+"/destinations?state=usable"), "/step-up?back=%2Fdestinations%3Fstate%3Dusable")
	follow(t, h.get(t, "/destinations/export/full?format=csv", asFay), "/step-up?back=%2F")
}

func TestFilesOfDestinationsAreCheckedRowByRowAndHostileOnesSpoilNothing(t *testing.T) {
	h := open(t, inDemo)
	fay := storetest.Add(t, h.store, "fay@example.com", "Fay", models.Finance)
	token := h.session(t, fay)
	for name, c := range map[string]struct{ body, part string }{
		"empty":           {"", "empty"},
		"NUL":             {"name,address\nA\x00,x\n", "NUL"},
		"Latin-1":         {"name,address\nJo\xe3o,x\n", "not UTF-8"},
		"UTF-16":          {"\xff\xfen\x00", "UTF-16"},
		"a workbook":      {"PK\x03\x04", "workbook"},
		"100,000 columns": {strings.Repeat("a,", 100_000) + "\nx\n", "100001 columns"},
	} {
		a := h.upload(t, "/destinations/import", token, "crypto", "x.csv", c.body)
		if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.doc(t).Find("main").Text(), c.part) {
			t.Errorf("%s: %d; want %q", name, a.StatusCode, c.part)
		}
	}
	file := "\xef\xbb\xbfname;purpose;network;address;owner\r\n" +
		"Cold wallet;Own;Ethereum;" + vitalik + ";Us\r\n" +
		"Typo;Own;Ethereum;0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96046;Us\r\n" +
		"Same;Own;Ethereum;" + vitalik + ";Us\r\n" +
		";Own;Ethereum;0x52908400098527886E0F7030069857D2E4169EE7;Us\r\n" +
		"\"=HYPERLINK(\"\"x\"\")\";Own;Ethereum;0x52908400098527886E0F7030069857D2E4169EE7;Us\r\n" +
		"Wide;Own;Ethereum;x;Us;and;more\r\n"
	a := h.upload(t, "/destinations/import", token, "crypto", "../../x.csv", file)
	text := a.doc(t).Find("main").Text()
	for _, part := range []string{"2 of 6 rows can be added", "The checksum does not match", "The same destination stands in line 2", "name: Write something", "7 cells"} {
		if !strings.Contains(text, part) {
			t.Errorf("the page does not say %q:\n%s", part, text)
		}
	}
	rows := func() int {
		l, err := h.store.Destinations(context.Background(), fay.Actor(h.store), models.DestinationFilter{Environment: models.Sandbox}, models.Cursor{}, 50)
		if err != nil {
			t.Fatal(err)
		}
		return len(l.Rows)
	}
	if n := rows(); n != 0 {
		t.Fatalf("%d rows were written by checking", n)
	}
	add, ok := a.doc(t).Find(`form[action^="/destinations/import/"]`).Attr("action")
	if !ok {
		t.Fatal("nothing can be added")
	}
	if a := h.post(t, add, token, nil); a.StatusCode != http.StatusSeeOther || rows() != 2 {
		t.Errorf("add: %d, %d rows", a.StatusCode, rows())
	}
	if a := h.post(t, add, token, nil); rows() != 2 {
		t.Errorf("added twice: %d", a.StatusCode)
	}
	// The refused rows come back as a file, also after the others were added; brought again as it is, it is refused for the same reasons.
	back, _ := a.doc(t).Find(`a[href$="/refused"]`).Attr("href")
	got := h.get(t, back, token)
	head, _, _ := strings.Cut(strings.TrimPrefix(got.body, "\xef\xbb\xbf"), "\r\n")
	if got.StatusCode != http.StatusOK || head != "line in the file,why it was refused,name,purpose,network,address,owner" {
		t.Errorf("the file of refused rows: %d\n%s", got.StatusCode, got.body)
	}
	if strings.Count(got.body, "\r\n") != 5 || !strings.Contains(got.body, `3,"address: The checksum does not match`) {
		t.Errorf("the refused rows:\n%s", got.body)
	}
	again := h.upload(t, "/destinations/import", token, "crypto", "again.csv", got.body).doc(t).Find("main").Text()
	if !strings.Contains(again, "No row can be added") || !strings.Contains(again, "The checksum does not match") || strings.Contains(again, "no field") {
		t.Errorf("brought again:\n%s", again)
	}
	if gil := storetest.Add(t, h.store, "gil@example.com", "Gil", models.Finance); h.get(t, back, h.session(t, gil)).StatusCode != http.StatusNotFound {
		t.Error("somebody else reads the rows of a file")
	}
	if out := h.get(t, "/destinations/export?format=csv", token).body; !strings.Contains(out, "'=HYPERLINK") {
		t.Error("a formula leaves in the file")
	}
}

func TestTheBandStandsOnEveryPageWhileTheGuardIsOff(t *testing.T) {
	h := open(t, inDemo)
	jun := storetest.Add(t, h.store, "jun@example.com", "Jun", models.Admin)
	tom, other := h.ada.Actor(h.store), jun.Actor(h.store)
	if err := h.store.AskGuardOff(t.Context(), tom, models.Sandbox, "The bank is down"); err != nil {
		t.Fatal(err)
	}
	list, err := h.store.PendingChanges(t.Context(), other)
	if err != nil || len(list) != 1 {
		t.Fatal(len(list), err)
	}
	token := h.session(t, jun)
	if strings.Contains(h.get(t, "/transactions", token).body, "goes off in sandbox") {
		t.Error("the band stands before two admins agreed")
	}
	if _, err := h.store.ApproveChange(t.Context(), other, list[0].ID); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/transactions", "/destinations", "/people"} {
		if !strings.Contains(h.get(t, path, token).body, "goes off in sandbox") {
			t.Errorf("%s: no band while the guard is about to go off", path)
		}
	}
	h.clock.Advance(48 * time.Hour)
	token = h.session(t, jun)
	if !strings.Contains(h.get(t, "/audit", token).body, "is off in sandbox") {
		t.Error("no band while the guard is off")
	}
	if err := h.store.SwitchGuardOn(t.Context(), jun.Actor(h.store), models.Sandbox); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(h.get(t, "/audit", token).body, "is off in sandbox") {
		t.Error("the band stays after the guard is on again")
	}
}

// upload posts a file as a browser would.
func (h *house) upload(t *testing.T, path, token, form, name, body string) answer {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.WriteField("form", form)
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(part, body)
	_ = w.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.base+path, &b)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.AddCookie(&http.Cookie{Name: "countinghouse", Value: token})
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	out, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res, string(out)}
}
