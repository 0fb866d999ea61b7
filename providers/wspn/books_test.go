package wspn

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models"
	"countinghouse/providers"
)

func cryptoPayout(t *testing.T, ref, amount string) providers.SendRequest {
	return providers.SendRequest{Reference: ref, Amount: cash(t, amount, "WUSD"), Method: payCrypto, Values: map[string]string{"network": "Polygon", "address": listed}}
}

func acceptedRef(t *testing.T, out providers.Outcome) string {
	t.Helper()
	a, ok := out.(providers.Accepted)
	if !ok {
		t.Fatalf("outcome %#v", out)
	}
	return a.ProviderRef
}

func TestACryptoPayoutGoesToAWhitelistedAddressAndIsFoundByReference(t *testing.T) {
	for _, contract := range []string{"assumed-address", "assumed-whitelist-id"} {
		s := play(t, map[string]string{"crypto_withdraw_contract": contract})
		ref := acceptedRef(t, s.client.SendPayout(t.Context(), cryptoPayout(t, "CHCRYPTO", "12.34")))
		s.do("settle", "reference", "CHCRYPTO", "status", "succeeded")
		f := s.client.FindPayout(t.Context(), providers.Query{Kind: models.Payout, Reference: "CHCRYPTO", Method: payCrypto})
		if f.Result != providers.Found || f.Status.State != models.Succeeded || f.Status.ProviderRef != ref || f.Status.Amount != cash(t, "12.34", "WUSD") ||
			!strings.HasPrefix(f.Status.BankRef, "0x") {
			t.Errorf("%s: found %+v", contract, f)
		}
		both := s.another(func(c *providers.Config) { c.Settings = map[string]string{"order_query_ids": "both"} })
		if f := both.FindPayout(t.Context(), providers.Query{Kind: models.Payout, Reference: "CHCRYPTO", ProviderRef: ref, Method: payCrypto}); f.Result != providers.Found {
			t.Errorf("%s by both ids: %+v", contract, f)
		}
		stranger := s.another(func(c *providers.Config) { c.Values = map[string]string{"base_url": s.url, "client_id": "5"} })
		if f := stranger.FindPayout(t.Context(), providers.Query{Kind: models.Payout, Reference: "CHCRYPTO", Method: payCrypto}); f.Result != providers.Unclear {
			t.Errorf("an order of another client is taken for ours: %+v", f)
		}
	}
	s := play(t, nil)
	r := cryptoPayout(t, "CHNOTLISTED", "5")
	r.Values["address"] = "0x0000000000000000000000000000000000000001"
	if out, ok := s.client.SendPayout(t.Context(), r).(providers.Unknown); !ok || !strings.Contains(out.Cause, "TEST_ADDRESS_UNKNOWN") {
		t.Errorf("outcome %#v", out)
	}
	byID := s.another(func(c *providers.Config) {
		c.Settings = map[string]string{"crypto_withdraw_contract": "assumed-whitelist-id"}
	})
	if out, ok := byID.SendPayout(t.Context(), r).(providers.Refused); !ok || out.Code != providers.NotSent {
		t.Errorf("outcome %#v", out)
	}
}

func TestAddressesAreAddedListedAndDeleted(t *testing.T) {
	s := play(t, map[string]string{"whitelist_fields": "walletAddress,chain,alias", "networks": "Ethereum=Ethereum, Polygon=Polygon"})
	values := map[string]string{"network": "Ethereum", "address": "0x8617E340B3D01FA5F11F306F4090FD50E238070D", "label": "Cold"}
	id := acceptedRef(t, s.client.AddAddress(t.Context(), "CHADDR1", values))
	list, err := s.client.Addresses(t.Context())
	if err != nil || len(list) != 4 {
		t.Fatalf("%v %v", list, err)
	}
	last := list[3]
	if last.ID != id || !last.Usable || last.State != "ACTIVE" || !maps.Equal(last.Values, values) {
		t.Errorf("entry %+v", last)
	}
	if out, ok := s.client.AddAddress(t.Context(), "CHADDR2", values).(providers.Unknown); !ok || !strings.Contains(out.Cause, "TEST_ADDRESS_DUPLICATE") {
		t.Errorf("the same again: %#v", out)
	}
	for name, bad := range map[string]map[string]string{"no address": {"network": "Ethereum"}, "a short one": {"network": "Ethereum", "address": "0x12"},
		"no network": {"address": listed}, "a network without a code": {"network": "Viction", "address": listed}, "another field": {"network": "Ethereum", "address": listed, "x": "y"}} {
		if out, ok := s.client.AddAddress(t.Context(), "CHADDR3", bad).(providers.Refused); !ok || out.Code != providers.NotSent {
			t.Errorf("%s: %#v", name, out)
		}
	}
	if out, ok := s.client.DeleteAddress(t.Context(), "CHADDR4", last).(providers.Accepted); !ok || out.ProviderRef != id {
		t.Errorf("delete: %#v", out)
	}
	if list, _ := s.client.Addresses(t.Context()); len(list) != 3 {
		t.Errorf("%d entries after the deletion", len(list))
	}
	s.do("fault", "operation", "/wallet-address/whitelist/add", "kind", "lose_reply")
	if out, ok := s.client.AddAddress(t.Context(), "CHADDR5", values).(providers.Unknown); !ok || s.executions("CHADDR5") != 1 {
		t.Errorf("a lost answer: %#v", out)
	}
}

func account() map[string]string {
	return map[string]string{"beneficiary_name": "Ann Öz <Ltd> & Söhne", "beneficiary_address": "1 High St", "bank_country": "GB", "bank_name": "Bank", "account": "GB29NWBK60161331926819",
		"currency": "EUR", "bank_swift": "NWBKGB2L", "bank_address": "2 High St", "intermediary": "1", "intermediary_country": "DEU", "intermediary_name": "Zwischenbank",
		"intermediary_account": "77", "intermediary_swift": "DEUTDEFF500", "intermediary_address": "Taunusanlage 12"}
}

func TestBankAccountsAreAddedChangedListedAndDeleted(t *testing.T) {
	for _, wrapped := range []string{"yes", "no"} {
		s := play(t, map[string]string{"remit_add_wrapped": wrapped})
		id := acceptedRef(t, s.client.AddBankAccount(t.Context(), "CHREM1", account()))
		list, err := s.client.BankAccounts(t.Context())
		if err != nil || len(list) != 4 {
			t.Fatalf("%v %v", list, err)
		}
		want := account()
		want["bank_country"] = "GBR" // sent as alpha-3 (WSPN-CTRY-1)
		if d := cmp.Diff(want, list[3].Values); d != "" || list[3].ID != id || !list[3].Usable {
			t.Errorf("entry %+v: %s", list[3], d)
		}
		changed := list[3].Values
		changed["bank_city"], changed["intermediary"] = "London", ""
		out := s.client.EditBankAccount(t.Context(), "CHREM2", list[3], changed)
		if acceptedRef(t, out) != id {
			t.Errorf("edit: %#v", out)
		}
		list, _ = s.client.BankAccounts(t.Context())
		if list[3].Values["bank_city"] != "London" || list[3].Values["intermediary_name"] != "" {
			t.Errorf("after the change: %+v", list[3])
		}
		renamed := maps.Clone(list[3].Values)
		renamed["beneficiary_name"] = "Somebody else"
		if out, ok := s.client.EditBankAccount(t.Context(), "CHREM3", list[3], renamed).(providers.Refused); !ok || !strings.Contains(out.Message, "name") {
			t.Errorf("another name: %#v", out)
		}
		if out, ok := s.client.DeleteBankAccount(t.Context(), "CHREM4", list[3]).(providers.Accepted); !ok {
			t.Errorf("delete: %#v", out)
		}
	}
	s := play(t, map[string]string{"response_shapes": "header-only", "remit_edit_sends_name": "no", "bank_country_format": "alpha-2"})
	if out := s.client.AddBankAccount(t.Context(), "CHREM5", account()).(providers.Accepted); out.ProviderRef != "" {
		t.Errorf("header only: %#v", out)
	}
	list, _ := s.client.BankAccounts(t.Context())
	if list[3].Values["bank_country"] != "GB" || list[3].Values["intermediary_country"] != "DE" {
		t.Errorf("alpha-2: %+v", list[3].Values)
	}
	if _, ok := s.client.EditBankAccount(t.Context(), "CHREM6", list[3], list[3].Values).(providers.Accepted); !ok {
		t.Error("an edit without the name")
	}
}

func TestBankAccountsThatCannotBeSent(t *testing.T) {
	s := play(t, nil)
	for name, c := range map[string]struct{ field, value, says string }{
		"no name": {"beneficiary_name", "", "Beneficiary is missing"}, "SWIFT code of 9": {"bank_swift", "NWBKGB2LX", "8 or 11"},
		"country that is none": {"bank_country", "XX", "no country code"}, "lower-case currency": {"currency", "eur", "Three letters"},
		"intermediary without its bank": {"intermediary_name", "", "Intermediary bank is missing"}, "intermediary without a country": {"intermediary_country", "", "no country code"},
		"long name": {"beneficiary_name", strings.Repeat("é", 256), "longer than 255"},
	} {
		v := account()
		v[c.field] = c.value
		out, ok := s.client.AddBankAccount(t.Context(), "CHBAD", v).(providers.Refused)
		if !ok || out.Code != providers.NotSent || !strings.Contains(out.Message, c.says) {
			t.Errorf("%s: %#v", name, out)
		}
	}
	lax := s.another(func(c *providers.Config) { c.Settings = map[string]string{"intermediary_required": "none"} })
	v := account()
	v["intermediary_name"] = ""
	if _, ok := lax.AddBankAccount(t.Context(), "CHBAD2", v).(providers.Unknown); !ok {
		t.Error("with nothing required here, the stand-in decides")
	}
	if n := s.records.count("remit.add"); n != 1 {
		t.Errorf("%d calls", n)
	}
}

func TestEverySubAccountIsFoundByListing(t *testing.T) {
	s := play(t, nil)
	one := providers.SubAccount{Company: "Alpha GmbH", Country: "DE", Type: "Corporate", Username: "alpha", Email: "a@alpha.example"}
	if out, ok := s.client.CreateSubAccount(t.Context(), one).(providers.Accepted); !ok || out.ProviderRef != "" {
		t.Fatalf("outcome %#v", out)
	}
	var many []providers.SubAccount
	for i := range 25 {
		many = append(many, providers.SubAccount{Company: fmt.Sprintf("Beta %d", i), Country: "SGP", Type: "3", Username: fmt.Sprintf("beta%d", i), Email: fmt.Sprintf("b%d@beta.example", i)})
	}
	for range 2 {
		if out, ok := s.client.CreateSubAccounts(t.Context(), many).(providers.Accepted); !ok {
			t.Fatalf("outcome %#v", out)
		}
		for i := range many {
			many[i].Username, many[i].Email = "again"+many[i].Username, "again"+many[i].Email
		}
	}
	var all []providers.SubAccount
	for page, pages := 1, 1; page <= pages; page++ {
		list, n, err := s.client.ListSubAccounts(t.Context(), page)
		if err != nil {
			t.Fatal(err)
		}
		all, pages = append(all, list...), n
	}
	if len(all) != 52 {
		t.Fatalf("%d sub-accounts", len(all))
	}
	all[1].Raw = nil
	want := providers.SubAccount{ID: "100202", Company: "Alpha GmbH", Country: "DEU", Type: "Corporate", State: "Pending KYC", Username: "alpha", UserID: "51003"}
	if d := cmp.Diff(want, all[1]); d != "" {
		t.Error(d)
	}
	for name, bad := range map[string]providers.SubAccount{
		"no country": {Company: "X", Country: "Q", Type: "4", Username: "x", Email: "x@x.example"}, "no e-mail": {Company: "X", Country: "DE", Type: "4", Username: "x", Email: "x"},
		"type 7": {Company: "X", Country: "DE", Type: "7", Username: "x", Email: "x@x.example"}, "nothing": {},
	} {
		if out, ok := s.client.CreateSubAccount(t.Context(), bad).(providers.Refused); !ok || out.Code != providers.NotSent {
			t.Errorf("%s: %#v", name, out)
		}
	}
	twice := []providers.SubAccount{{Company: "Y", Country: "DE", Type: "4", Username: "y", Email: "y@y.example"}, {Company: "Z", Country: "DE", Type: "4", Username: "z", Email: "Y@y.example"}}
	if out, ok := s.client.CreateSubAccounts(t.Context(), twice).(providers.Refused); !ok || !strings.Contains(out.Message, "Row 2") {
		t.Errorf("an e-mail twice: %#v", out)
	}
	if out, ok := s.client.CreateSubAccounts(t.Context(), make([]providers.SubAccount, 26)).(providers.Refused); !ok || !strings.Contains(out.Message, "26") {
		t.Errorf("26 at once: %#v", out)
	}
}

// Creating carries no requestId, so a lost or refused call is never repeated, not even for a token.
func TestCreatingASubAccountIsNeverRepeated(t *testing.T) {
	s := play(t, nil)
	if _, err := s.client.Balances(t.Context()); err != nil {
		t.Fatal(err)
	}
	elsewhere := s.another(func(c *providers.Config) { c.Settings = map[string]string{"token_single_live": "no"} })
	if _, err := elsewhere.Balances(t.Context()); err != nil {
		t.Fatal(err)
	}
	one := providers.SubAccount{Company: "Alpha GmbH", Country: "DE", Type: "4", Username: "alpha", Email: "a@alpha.example"}
	if out, ok := s.client.CreateSubAccount(t.Context(), one).(providers.Refused); !ok || !out.Retryable || s.records.count("sub-account.create") != 1 {
		t.Fatalf("with a dead token: %#v", out)
	}
	s.do("fault", "operation", "/user-account/create", "kind", "lose_reply")
	if out, ok := s.client.CreateSubAccount(t.Context(), one).(providers.Unknown); !ok {
		t.Errorf("a lost answer: %#v", out)
	}
	if n := s.executions("sub-account:a@alpha.example"); n != 1 || s.records.count("sub-account.create") != 2 {
		t.Errorf("made %d times by %d calls", n, s.records.count("sub-account.create"))
	}
}

func TestKeysOfSubAccountsAreListedWithoutAnySecret(t *testing.T) {
	s := play(t, nil)
	s.client.CreateSubAccount(t.Context(), providers.SubAccount{Company: "Alpha GmbH", Country: "DE", Type: "4", Username: "alpha", Email: "a@alpha.example"})
	sheet, pages, err := s.client.SubAccountKeys(t.Context(), 1)
	if err != nil || pages != 1 || len(sheet.Rows) != 1 || sheet.Rows[0][1] != "key of alpha" {
		t.Fatalf("%+v %d %v", sheet, pages, err)
	}
	if all := fmt.Sprintf("%+v", sheet); strings.Contains(all, "canary-sub-secret") || strings.Contains(all, "sub-key-") || len(sheet.Raw) != 0 {
		t.Errorf("a secret stands in %s", all)
	}
	if s.records.count("sub-account.keys") != 0 {
		t.Error("the answer was recorded")
	}
}

func doc(name, body string) providers.Document {
	return providers.Document{Name: name, Type: "application/pdf", Kind: "incorporation", Body: []byte(body)}
}

func TestKYBDocumentsAreSubmittedForOneAndForMany(t *testing.T) {
	for _, signed := range []string{"empty", "raw"} {
		s := play(t, map[string]string{"sign_multipart_body": signed})
		s.client.CreateSubAccount(t.Context(), providers.SubAccount{Company: "Alpha GmbH", Country: "DE", Type: "4", Username: "alpha", Email: "a@alpha.example"})
		if out, ok := s.client.SubmitKYB(t.Context(), "100202", []providers.Document{doc("reg\"is\r\nter.pdf", "%PDF-1"), doc("owners.pdf", "%PDF-2")}).(providers.Accepted); !ok {
			t.Errorf("one company: %#v", out)
		}
		batch := map[string][]providers.Document{"100202": {doc("a.pdf", "1")}, "100200": {doc("a.pdf", "2"), doc("b.pdf", "3")}}
		if out, ok := s.client.SubmitKYBBatch(t.Context(), batch).(providers.Accepted); !ok {
			t.Errorf("two companies: %#v", out)
		}
		if s.executions("kyb:100202") != 2 || s.executions("kyb:100200") != 1 {
			t.Error("what arrived")
		}
	}
	s := play(t, nil)
	many := func(n int) (out []providers.Document) {
		for i := range n {
			out = append(out, doc(fmt.Sprintf("f%d.pdf", i), "x"))
		}
		return out
	}
	companies := map[string][]providers.Document{}
	for i := range 26 {
		companies[fmt.Sprint(100200+i)] = many(1)
	}
	for name, out := range map[string]providers.Outcome{
		"21 files": s.client.SubmitKYB(t.Context(), "100200", many(21)), "no file": s.client.SubmitKYB(t.Context(), "100200", nil),
		"a name twice":  s.client.SubmitKYB(t.Context(), "100200", []providers.Document{doc("a.pdf", "1"), doc("A.pdf", "2")}),
		"an empty file": s.client.SubmitKYB(t.Context(), "100200", []providers.Document{doc("a.pdf", "")}), "no client": s.client.SubmitKYB(t.Context(), "x", many(1)),
		"26 companies": s.client.SubmitKYBBatch(t.Context(), companies), "no company": s.client.SubmitKYBBatch(t.Context(), nil),
	} {
		if out, ok := out.(providers.Refused); !ok || out.Code != providers.NotSent {
			t.Errorf("%s: %#v", name, out)
		}
	}
}

func TestTheStandInRefusesTooManyFilesAndCompanies(t *testing.T) {
	s := play(t, nil)
	send := func(path string, params [][2]string, files []filePart) string {
		body, kind, err := multipartBody(params, files)
		if err != nil {
			t.Fatal(err)
		}
		_, out := s.signed("POST", path, kind, string(body), nil)
		return codeOf(out)
	}
	var files, companies []filePart
	var params [][2]string
	for i := range 26 {
		files = append(files, filePart{"files", doc(fmt.Sprintf("f%d", i), "x")})
		companies = append(companies, filePart{fmt.Sprintf("kyb[%d].files", i), doc("f", "x")})
		params = append(params, [2]string{fmt.Sprintf("kyb[%d].clientId", i), "100200"})
	}
	for name, c := range map[string]struct{ got, want string }{
		"20 files":     {send("/openapi/v1/kyb/submit", [][2]string{{"clientId", "100200"}}, files[:20]), ""},
		"21 files":     {send("/openapi/v1/kyb/submit", [][2]string{{"clientId", "100200"}}, files[:21]), "TEST_FILES"},
		"25 companies": {send("/openapi/v1/kyb/batch-submit", params[:25], companies[:25]), ""},
		"26 companies": {send("/openapi/v1/kyb/batch-submit", params, companies), "TEST_COMPANIES"},
		"two proofs":   {send("/openapi/v1/file/upload", [][2]string{{"scene", "4"}}, []filePart{{"file", doc("a", "x")}, {"file", doc("b", "x")}}), "TEST_FILES"},
		"scene 3":      {send("/openapi/v1/file/upload", [][2]string{{"scene", "3"}}, []filePart{{"file", doc("a", "x")}}), "TEST_FIELD_MISSING"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", name, c.got, c.want)
		}
	}
}
