package journeys

import (
	"strings"
	"testing"
)

// labels of the secrets on the form, by their names.
var labels = map[string]string{
	"cashout_api_key": "Cashouts: API key", "cashout_api_passphrase": "Cashouts: API passphrase", "cashout_api_signature": "Cashouts: API signature",
	"deposit_api_key": "Deposits: API key", "deposit_api_signature": "Deposits: API signature", "read_only_key": "Read-only API key",
}

// result is the verdict of one call in the table of a test.
func (p *person) result(call string) string {
	p.t.Helper()
	p.until("the results of the test", `document.querySelector('#test table')`)
	return ask[string](p, `[...document.querySelectorAll('#test tbody tr')].map((r) => r.innerText.replace(/\s+/g, ' ').trim()).find((r) => r.startsWith('`+call+`')) || ''`)
}

func (w *walk) addsACredential(t *testing.T) {
	p := w.as(t, w.tomas)
	p.click("Providers")
	p.at("/providers")
	p.clickIn("#provider-onekey", "Add a credential")
	p.provesSecondFactor()
	p.fill("Name", "Cashouts Brazil")
	p.fill("API address", w.onekey.url)
	p.fill("Reconciliation address", w.onekey.url+"/v1")
	for name, label := range labels {
		value := w.onekey.keys[name]
		if name == "cashout_api_key" {
			value = "mistyped"
		}
		p.fill(label, value)
	}
	p.click("Write the credential down")
	p.until("the credential's page", `/^\/credentials\/[0-9a-f-]{36}$/.test(location.pathname)`)
	w.account = strings.TrimPrefix(p.path(), "/credentials/")
	p.sees("Cashouts Brazil")
	for _, value := range w.onekey.keys {
		p.seesNot(value)
	}

	// A wrong key is named, and what it does not spoil is named too.
	p.click("Test")
	if got := p.result("Cashouts keys"); !strings.Contains(got, "Keys rejected") || !strings.Contains(got, "does not know this API key and passphrase") {
		t.Errorf("the test of a mistyped key says %q", got)
	}
	for _, call := range []string{"Deposit keys", "Read-only key"} {
		if got := p.result(call); !strings.Contains(got, "Works") {
			t.Errorf("with right keys the test says %q", got)
		}
	}

	p.click("Replace the secrets")
	p.provesSecondFactor()
	for name, label := range labels {
		p.fill(label, w.onekey.keys[name])
	}
	p.click("Keep the new secrets and test them")
	for _, call := range []string{"Cashouts keys", "Deposit keys", "Read-only key"} {
		if got := p.result(call); !strings.Contains(got, "Works") {
			t.Errorf("with the right keys the test says %q", got)
		}
	}
	p.click("Let the new secrets take over")
	p.sees("old secrets kept")
	p.click("Bring it into use")
	p.sees("Suspend")
	p.until("the address to give to OneKey", words+`.includes('/hooks/`+w.account+`/cashout')`)
}
