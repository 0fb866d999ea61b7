package web_test

import (
	"net/url"
	"strings"
	"testing"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/store/storetest"
)

// office is a house with people from every corner and a OneKey credential in the sandbox. Nothing in it is sent anywhere: no queue runs.
type office struct {
	*house
	fay, gil, hana storetest.Person // finance
	bob            storetest.Person // the second admin
	cora           storetest.Person // compliance
	otto           storetest.Person // auditor
	cred           models.Credential
}

func openOffice(t *testing.T) *office {
	t.Helper()
	o := &office{house: open(t, inDemo)}
	o.fay = storetest.Add(t, o.store, "fay@example.com", "Fay Finance", models.Finance)
	o.gil = storetest.Add(t, o.store, "gil@example.com", "Gil Finance", models.Finance)
	o.hana = storetest.Add(t, o.store, "hana@example.com", "Hana Finance", models.Finance)
	o.bob = storetest.Add(t, o.store, "bob@example.com", "Bob Admin", models.Admin)
	o.cora = storetest.Add(t, o.store, "cora@example.com", "Cora Compliance", models.Compliance)
	o.otto = storetest.Add(t, o.store, "otto@example.com", "Otto Auditor", models.Auditor)
	for _, p := range []*storetest.Person{&o.fay, &o.gil, &o.hana, &o.bob, &o.cora, &o.otto} {
		p.Token = o.session(t, *p)
	}
	o.ada.Token = o.session(t, o.ada)
	o.cred = o.credential(t, "onekey", "OneKey cashouts")
	return o
}

func (o *office) credential(t *testing.T, provider, name string) models.Credential {
	t.Helper()
	ada := o.ada.Actor(o.store)
	c, err := o.store.CreateCredential(t.Context(), ada, storetest.Vault(t), models.CredentialSpec{Provider: provider, Environment: models.Sandbox,
		CredentialNotes: models.CredentialNotes{Name: name}, Values: map[string]string{"base_url": "http://127.0.0.1:1"}, Secrets: map[string]string{"secret": "canary-secret-0123456"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.store.AskChange(t.Context(), ada, models.CredentialChange{CredentialID: c.ID, Kind: models.ChangeActivate}, c.Version); err != nil {
		t.Fatal(err)
	}
	return c
}

// payout submits a payout by PIX. The reason is the maker's where a duplicate must be explained.
func (o *office) payout(t *testing.T, maker storetest.Person, minor int64, name, why string) *models.Transaction {
	t.Helper()
	x, err := o.store.Create(t.Context(), maker.Actor(o.store), store.NewTransaction{ID: models.NewID(), Environment: models.Sandbox, Kind: models.Payout,
		CredentialID: o.cred.ID, Method: "br_pix_cpf", Amount: models.Money{Minor: minor, Asset: "BRL"}, Party: name + " · PIX by CPF ···· 4725", DestinationDigest: "d-" + name,
		Detail: models.TransactionDetail{Values: map[string]string{"beneficiary_name": name, "document_id": "52998224725"}, Why: why}})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// request is the open request about a transaction.
func (o *office) request(t *testing.T, x *models.Transaction) models.ApprovalRequest {
	t.Helper()
	story, err := o.store.Transaction(t.Context(), o.ada.Actor(o.store), models.Sandbox, x.ID)
	if err != nil || len(story.Approvals) == 0 {
		t.Fatalf("the story of %s: %v", x.Reference, err)
	}
	return story.Approvals[0]
}

func (o *office) state(t *testing.T, x *models.Transaction) models.State {
	t.Helper()
	story, err := o.store.Transaction(t.Context(), o.ada.Actor(o.store), models.Sandbox, x.ID)
	if err != nil {
		t.Fatal(err)
	}
	return story.Transaction.State
}

// text is what a part of a page says, with single spaces.
func (a answer) text(t *testing.T, selector string) string {
	t.Helper()
	return strings.Join(strings.Fields(a.doc(t).Find(selector).Text()), " ")
}

// says fails when a part of a page lacks one of the phrases.
func (a answer) says(t *testing.T, selector string, phrases ...string) {
	t.Helper()
	text := a.text(t, selector)
	for _, p := range phrases {
		if !strings.Contains(text, p) {
			t.Errorf("%s does not say %q; it says %q", selector, p, text)
		}
	}
}

const hostile = `"><script>alert(1)</script>'{{7*7}}`

// noMarkup fails when foreign text became markup.
func (a answer) noMarkup(t *testing.T) {
	t.Helper()
	if strings.Contains(a.body, "<script>alert") {
		t.Error("foreign text came back as markup")
	}
}

func decision(digest string, more ...string) url.Values {
	v := url.Values{"digest": {digest}}
	for i := 0; i+1 < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return v
}
