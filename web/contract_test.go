package web_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"countinghouse/models"
	"countinghouse/models/store/storetest"
	"countinghouse/providers"
	"countinghouse/providers/all"
	"countinghouse/web"
)

func TestLookupsBalancesAndTheirExchanges(t *testing.T) {
	h := openKeys(t)
	id := h.add("Main")
	page := "/credentials/" + id
	d := h.see(h.finance, page+"/lookups")
	form, ok := d.Find("main tbody tr a").First().Attr("href")
	if !ok {
		t.Fatal("no look-up is offered")
	}
	asked := ""
	for _, r := range mustGet(t, "onekey").Reads {
		fields := url.Values{}
		for _, f := range r.Params {
			if f.Required && f.Default == "" {
				fields.Set("f."+f.Name, map[bool]string{true: "BR", false: ""}[f.Name == "country"])
			} else {
				fields.Set("f."+f.Name, f.Default)
			}
		}
		d, _ := h.send(h.finance, page+"/lookups/"+r.ID, fields)
		if d.Find("#answer").Length() == 1 {
			asked = r.ID
		}
	}
	if asked == "" {
		t.Error("not one look-up was answered")
	}
	if a := h.post(t, form+"-nothing", h.finance, nil); a.StatusCode != http.StatusNotFound {
		t.Errorf("a look-up that does not exist: %d", a.StatusCode)
	}
	d, _ = h.send(h.finance, "/balances/refresh", url.Values{"credential": {id}})
	h.says(d, "Asked. The figures are as of now.", "OneKey Payments, Main")
	if d.Find("main .money").Length() == 0 {
		t.Errorf("no balance is shown:\n%s", text(d))
	}
	if a := h.post(t, "/balances/refresh", h.finance, url.Values{"credential": {"nobody"}}); a.StatusCode != http.StatusNotFound {
		t.Errorf("a balance of nobody: %d", a.StatusCode)
	}
	h.until("exchanges are kept", func() bool { return h.see(h.finance, page+"/exchanges").Find("main tbody tr").Length() > 5 })
	d = h.see(h.finance, page+"/exchanges")
	x, _ := d.Find("main tbody tr a").First().Attr("href")
	d = h.see(h.finance, x)
	h.says(d, "What we sent", "What came back", "SHA-256")
	auditor := h.session(t, storetest.Add(t, h.store, "ari@example.com", "Ari", models.Auditor))
	h.see(auditor, x)
	compliance := h.session(t, storetest.Add(t, h.store, "cia@example.com", "Cia", models.Compliance))
	if a := h.get(t, x, compliance); a.StatusCode != http.StatusForbidden {
		t.Errorf("compliance read an exchange: %d", a.StatusCode)
	}
	if a := h.get(t, "/exchanges?subject=&id=", h.finance); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("exchanges of nothing: %d", a.StatusCode)
	}
	d, _ = h.send(h.admin, page+"/contract", nil)
	h.says(d, "What the test of the present secrets showed", "OKP-SIG-2", "Proved")
	n := d.Find("main table tbody tr").Length()
	if items := len(mustGet(t, "onekey").Items); n < items {
		t.Errorf("the contract check lists %d lines for %d items", n, items)
	}
}

func mustGet(t *testing.T, name string) *providers.Description {
	t.Helper()
	p, ok := all.Registry().Get(name)
	if !ok {
		t.Fatalf("no provider %s", name)
	}
	return &p.Description
}

func TestEveryProviderHasAFormAPassportAndAContract(t *testing.T) {
	h := openKeys(t)
	for _, p := range all.Registry().All() {
		name := p.Description.Name
		d := h.see(h.finance, "/providers/"+name)
		h.says(d, p.Description.Title, "What it can do", "Idempotency")
		if got := d.Find("main table").Last().Find("tbody tr").Length(); got != len(p.Description.Items) {
			t.Errorf("%s: the passport lists %d of %d contract items", name, got, len(p.Description.Items))
		}
		d = h.see(h.admin, "/credentials/new?provider="+name)
		for _, f := range p.Description.Fields {
			if d.Find(fmt.Sprintf("[name=%q]", "f."+f.Name)).Length() == 0 {
				t.Errorf("%s: the form does not ask for %s", name, f.Name)
			}
		}
		for _, s := range p.Description.Settings {
			if asks := d.Find(fmt.Sprintf("[name=%q]", "s."+s.Name)).Length() != 0; s.Name == models.OperationTable && asks {
				t.Errorf("%s: the form asks for the operation table, which two admins change on its own page", name)
			} else if s.Name != models.OperationTable && !asks {
				t.Errorf("%s: the form does not ask for the setting %s", name, s.Name)
			}
		}
	}
	if a := h.get(t, "/providers/nobody", h.finance); a.StatusCode != http.StatusNotFound {
		t.Errorf("a provider that is not there: %d", a.StatusCode)
	}
}

func TestTheDoctorPrintsTheContractCheck(t *testing.T) {
	h := openKeys(t)
	h.add("Main")
	audit := base64.StdEncoding.EncodeToString(storetest.Key().Seed())
	doctor := func(provider string, run bool) (string, error) {
		var out bytes.Buffer
		e := &web.Env{Context: t.Context(), Config: web.Config{Data: h.dir, Listen: "127.0.0.1:0", VaultKey: h.vault, AuditKey: audit}, Log: slog.New(slog.DiscardHandler), Out: &out,
			Providers: all.Registry()}
		err := web.DoctorProvider(e, provider, run)
		h.pages.WriteString(out.String())
		return out.String(), err
	}
	if _, err := doctor("nobody", false); err == nil || !strings.Contains(err.Error(), "onekey") {
		t.Errorf("an unknown provider: %v", err)
	}
	if out, err := doctor("wspn", false); err != nil || !strings.Contains(out, "No keys of WSPN are kept here.") {
		t.Errorf("a provider without keys: %q, %v", out, err)
	}
	out, err := doctor("onekey", true)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Main, sandbox (active)", "Keys, signature and address are accepted.", "auth_scheme=D24", "proved"} {
		if !strings.Contains(out, want) {
			t.Errorf("the doctor does not say %q:\n%s", want, out)
		}
	}
	for _, it := range mustGet(t, "onekey").Items {
		if !strings.Contains(out, it.ID) {
			t.Errorf("the doctor leaves %s out", it.ID)
		}
	}
}
