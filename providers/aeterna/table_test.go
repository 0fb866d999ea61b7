package aeterna

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"countinghouse/models"
)

func TestProfileLIsATableThatPassesItsOwnRules(t *testing.T) {
	checked, problems := ParseTable(profileL)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	own, err := ownTable()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(checked, own); diff != "" {
		t.Errorf("the unchecked reading differs: %s", diff)
	}
	for _, name := range operationNames() {
		if !hasOperation(checked, name) {
			t.Errorf("profile L has no %s", name)
		}
	}
}

// edited replaces text in profile L; the old text must be there.
func edited(t *testing.T, old, replacement string) []byte {
	t.Helper()
	if !strings.Contains(string(profileL), old) {
		t.Fatalf("profile L has no %q", old)
	}
	return []byte(strings.Replace(string(profileL), old, replacement, 1))
}

// Each fault an admin can make in a table has a sentence that names the place and says what would be right.
func TestEveryFaultOfATableIsNamedWithItsPlace(t *testing.T) {
	const create = `"path": "/api/payout/create"`
	for _, c := range []struct{ what, old, replacement, sentence string }{
		{"a missing comma", `"format": 1,`, `"format": 1`, "not valid JSON at line 3"},
		{"something behind the end", "\n}\n", "\n} x\n", "behind the end"},
		{"a key twice", `"format": 1,`, `"format": 1, "format": 1,`, "format is written twice"},
		{"a nested key twice", create, create + `, "path": "/x"`, "operations.payout.create.path is written twice"},
		{"a misspelt key", `"title": "Profile L"`, `"titel": "Profile L"`, "titel is not known here. Known are:"},
		{"a key in capitals", `"title": "Profile L"`, `"Title": "Profile L"`, "Title is not known here"},
		{"a misspelt key deep inside", `"group": "which"`, `"gruop": "which"`, "operations.deposit.status.fields[1].gruop is not known"},
		{"a null", `"callback": {`, `"auth": null, "callback": {`, "auth is null. Leave it out"},
		{"a number for a text", `"title": "Profile L"`, `"title": 5`, "title must be a text in quotation marks, not a number"},
		{"a text for a number", `"format": 1`, `"format": "1"`, "format must be a whole number, not a string"},
		{"an object for a list", `"methods": [`, `"methods": {}, "x": [`, "x is not known"},
		{"another format", `"format": 1`, `"format": 2`, "format must be 1"},
		{"an empty title", `"title": "Profile L"`, `"title": " "`, "title is missing"},
		{"an invisible character", `"title": "Profile L"`, `"title": "Profile\u202eL"`, "invisible character"},
		{"money as floats", `"as": "text"`, `"as": "float"`, "amount.as must be one of: text, number, minor"},
		{"19 decimals", `"decimals": 2`, `"decimals": 19`, "amount.decimals must be between"},
		{"a pattern that is not anchored", `"^[A-Za-z0-9_-]{1,64}$"`, `"[A-Z]+"`, "reference must be a pattern"},
		{"a pattern that does not compile", `"^[A-Z]{3}$"`, `"^[A-Z{3}$"`, "currency is not a pattern that can be used"},
		{"a redirect as success", `"http": [200]`, `"http": [302]`, "success.http may hold only statuses from 200 to 299"},
		{"no success", `"http": [200]`, `"http": []`, "success.http must list"},
		{"a 500 as refusal", `{"http": 400, "sentence"`, `{"http": 500, "sentence"`, "may not hold 500: after a server error nobody knows"},
		{"a 200 as refusal without a code", `{"http": 400, "sentence"`, `{"http": 200, "sentence"`, "needs a code for HTTP 200"},
		{"a duplicate as refusal", `{"http": 400, "sentence"`, `{"http": 409, "sentence"`, "cannot mean both"},
		{"a verdict that is none", `"verdict": "clock_off"`, `"verdict": "late"`, "errors.diagnosis[1].verdict must be one of"},
		{"no error code", `"code": "error.code"`, `"code": ""`, "errors.code must be a name"},
		{"a method twice", `"id": "payin_sbp"`, `"id": "payin_card"`, "methods[2].id “payin_card” is used twice"},
		{"a method of another kind", `"id": "payin_card", "kind": "deposit"`, `"id": "payin_card", "kind": "refund"`, "methods[1].kind must be one of: deposit, payout"},
		{"a currency that is none", `"assets": ["RUB"]`, `"assets": ["RUR"]`, "holds “RUR”"},
		{"a pattern without words", `"pattern_help": "A card number has 12 to 19 digits, without spaces."`, `"pattern_help": ""`, "pattern_help is missing"},
		{"a path without a slash", create, `"path": "api/payout/create"`, "operations.payout.create.path must begin with a slash"},
		{"a path that climbs", create, `"path": "/api/../admin"`, "operations.payout.create.path must begin"},
		{"a path with a host", create, `"path": "https://x.example/"`, "operations.payout.create.path must begin"},
		{"a path with a query", create, `"path": "/api?x=1"`, "operations.payout.create.path must begin"},
		{"a path with an unfilled place", create, `"path": "/api/{id}"`, "has {id}, but no required field"},
		{"a create by GET", create, create + `, "method": "GET"`, "may not be GET"},
		{"DELETE", create, create + `, "method": "DELETE"`, "method must be one of"},
		{"XML", create, create + `, "encoding": "xml"`, "encoding must be one of"},
		{"an operation that nobody calls", `"payout.create": {`, `"payout.approve": {`, "operations.payout.approve is not known here"},
		{"no reference", `{"name": "externalId", "from": "reference", "required": true},`, `{"name": "externalId", "from": "const", "const": "x"},`, "need a required field from reference"},
		{"an optional amount", `{"name": "amount", "from": "amount", "required": true},`, `{"name": "amount", "from": "amount"},`, "need a required field from amount"},
		{"a field twice", `{"name": "currency", "from": "currency", "required": true}`, `{"name": "amount", "from": "currency", "required": true}`, "name “amount” twice"},
		{"a value that is also an object", `{"name": "method", "from": "method", "required": true},
        {"name": "recipient.number"`, `{"name": "recipient", "from": "method", "required": true},
        {"name": "recipient.number"`, "both as a value and as an object"},
		{"a source that is none", `"from": "notify_url"`, `"from": "secret_token"`, "from must be one of"},
		{"evidence in a payout", `"from": "notify_url"`, `"from": "evidence_base64"`, "from must be one of"},
		{"value without key", `"from": "value", "key": "client_id"`, `"from": "value"`, "key belongs to from value"},
		{"a constant that is an object", `"from": "value", "key": "client_id"`, `"from": "const", "const": {"a": 1}`, "const belongs to from const"},
		{"a format that is none", `"format": "https_url"`, `"format": "url"`, "format must be one of"},
		{"a field in a header that carries the request", `"name": "callbackUrl"`, `"in": "header", "name": "Host"`, "may not be Host"},
		{"a field in a path that is not there", `"name": "callbackUrl"`, `"in": "path", "name": "callbackUrl"`, "the path has no {callbackUrl}"},
		{"a lie that nobody could notice", `"reference": "externalId", "status": "status", "amount": "amount", "currency": "currency", "expires"`, `"status": "status", "currency": "currency", "expires"`, "nobody could notice"},
		{"no id in the answer", `"answer": {"id": "id", "of"`, `"answer": {"of"`, "answer.id must be a name"},
		{"a dispute about nothing", `"of": "payInId"`, `"reference": "x"`, "of is missing"},
		{"an answer where a balance belongs", `"balances": {`, `"answer": {"id": "id", "status": "x"}, "balances": {`, "does not fit: balance.get is read by “balances”"},
		{"a sheet without columns", `"columns": [{"label": "Number", "path": "id"}, {"label": "PayIn", "path": "payInId"}, {"label": "Status", "path": "status"}, {"label": "Amount", "path": "amount"}]`, `"columns": []`, "needs columns"},
		{"a path into an answer with a hole", `"available": "available"`, `"available": "a..b"`, "available must be a name"},
		{"a state of ours that is none", `"completed": "succeeded"`, `"completed": "done"`, "statuses.deposit.completed must be one of"},
		{"a payout that awaits payment", `"processing": "pending"`, `"processing": "awaiting_payment"`, "statuses.payout.processing must be one of"},
		{"statuses of nothing", `"dispute": {"open"`, `"disputes": {"open"`, "statuses.disputes is not known"},
		{"callbacks about something else", `"payin": "deposit", "payout"`, `"payin": "order", "payout"`, "callback.kinds.payin must be one of"},
	} {
		t.Run(c.what, func(t *testing.T) {
			table, problems := ParseTable(edited(t, c.old, c.replacement))
			if table != nil || len(problems) == 0 {
				t.Fatal("it was accepted")
			}
			all := fmt.Sprint(problems)
			if !strings.Contains(all, c.sentence) {
				t.Errorf("%s\nwant %q", all, c.sentence)
			}
		})
	}
}

func TestATableThatIsNotTextAtAll(t *testing.T) {
	for what, c := range map[string]struct{ text, sentence string }{
		"nothing":         {"", "line 1"},
		"a list":          {"[]", "must be one JSON object"},
		"null":            {"null", "must be one JSON object"},
		"not UTF-8":       {"{\"title\":\"\xff\"}", "not UTF-8"},
		"a mark in front": {"\ufeff{}", "byte-order mark"},
		"too large":       {"{\"note\":\"" + strings.Repeat("x", maxTableBytes) + "\"}", "at most 65536"},
		"too deep":        {strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), "nested too deeply"},
		"a very long key": {`{"` + strings.Repeat("k", 5000) + `":1}`, "…"},
		"a megabyte deep": {strings.Repeat("[", 60_000), "nested too deeply"},
	} {
		table, problems := ParseTable([]byte(c.text))
		if table != nil || len(problems) == 0 || !strings.Contains(problems[0].Sentence, c.sentence) {
			t.Errorf("%s: %v", what, problems)
		}
		if len(problems) > maxProblems {
			t.Errorf("%s: %d problems", what, len(problems))
		}
	}
}

// A table with one piece taken out is either refused in words or still works: it never panics, and never makes a create without our
// reference and the amount.
func TestATableWithAPieceMissingIsRefusedOrSafe(t *testing.T) {
	var tree any
	if err := json.Unmarshal(profileL, &tree); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		var copied any
		if err := json.Unmarshal(profileL, &copied); err != nil {
			rt.Fatal(err)
		}
		for range rapid.IntRange(1, 3).Draw(rt, "pieces") {
			mutilate(rt, copied)
		}
		text, err := json.Marshal(copied)
		if err != nil {
			rt.Fatal(err)
		}
		table, problems := ParseTable(text)
		if (table == nil) != (len(problems) > 0) {
			rt.Fatalf("table %v, problems %v", table != nil, problems)
		}
		if table == nil {
			return
		}
		w, err := table.build(opPayoutCreate, input{reference: "CH01", amount: rub(100), method: "card", values: map[string]string{"number": "4111111111111111"}})
		if err == nil && (!strings.Contains(string(w.body), "CH01") || !strings.Contains(string(w.body), `"1`)) {
			rt.Fatalf("a create without reference or amount: %s", w.body)
		}
	})
}

// mutilate removes or replaces one value somewhere in the tree.
func mutilate(t *rapid.T, v any) {
	for range 12 {
		switch x := v.(type) {
		case map[string]any:
			if len(x) == 0 {
				return
			}
			k := rapid.SampledFrom(sortedKeys(x)).Draw(t, "key")
			if rapid.IntRange(0, 3).Draw(t, "here") == 0 {
				if rapid.Bool().Draw(t, "remove") {
					delete(x, k)
				} else {
					x[k] = rapid.SampledFrom([]any{"", "x", 1, true, []any{}, map[string]any{}}).Draw(t, "value")
				}
				return
			}
			v = x[k]
		case []any:
			if len(x) == 0 {
				return
			}
			v = x[rapid.IntRange(0, len(x)-1).Draw(t, "index")]
		default:
			return
		}
	}
}

func TestTheBodyKeepsTheOrderOfTheTableAndEveryCharacter(t *testing.T) {
	table, err := ownTable()
	if err != nil {
		t.Fatal(err)
	}
	w, err := table.build(opPayoutCreate, input{reference: "CH01", amount: rub(150050), method: "sbp", notifyURL: "https://us.example/hook?a=1&b=2",
		values: map[string]string{"number": "+79001234567", "bank": "Пример <& Co>", "holder": `O"Neil`}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"externalId":"CH01","amount":"1500.50","currency":"RUB","method":"sbp","recipient":{"number":"+79001234567","holder":"O\"Neil","bank":"Пример <& Co>"},"callbackUrl":"https://us.example/hook?a=1&b=2"}`
	if string(w.body) != want || w.method != "POST" || w.path != "/api/payout/create" || w.contentType != "application/json" {
		t.Errorf("%s %s %s\n%s", w.method, w.path, w.contentType, w.body)
	}
}

func TestAmountsAreWrittenExactly(t *testing.T) {
	for _, c := range []struct {
		as       string
		decimals int
		money    models.Money
		want     string // empty: refused
	}{
		{"text", 2, rub(150050), `"1500.50"`}, {"text", 2, rub(1), `"0.01"`}, {"text", 2, models.Money{Minor: 5, Asset: "JPY"}, `"5"`},
		{"text", 0, rub(150000), `"1500"`}, {"text", 0, rub(150050), ""}, {"text", 2, models.Money{Minor: 1500, Asset: "KWD"}, `"1.50"`},
		{"text", 2, models.Money{Minor: 1501, Asset: "KWD"}, ""}, {"number", 2, rub(150050), `1500.50`}, {"minor", 2, rub(150050), `150050`},
		{"text", 2, models.Money{Minor: 4611686018427387903, Asset: "RUB"}, `"46116860184273879.03"`},
		{"text", 2, rub(0), ""}, {"text", 2, rub(-5), ""}, {"text", 2, models.Money{}, ""},
	} {
		table := &Table{Amount: AmountRule{As: c.as, Decimals: c.decimals}}
		got, err := table.amount(WireField{Name: "amount", From: "amount"}, c.money)
		if string(got) != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s %v: %s, %v; want %s", c.as, c.money, got, err, c.want)
		}
	}
}

func TestValuesThatDoNotFitTheWireAreRefusedInWords(t *testing.T) {
	table, err := ownTable()
	if err != nil {
		t.Fatal(err)
	}
	const id = "0a1b2c3d-0000-4000-8000-000000000001"
	card := map[string]string{"number": "4111111111111111"}
	for _, c := range []struct {
		what, operation string
		in              input
		words           string
	}{
		{"a reference with a space", opPayoutCreate, input{reference: "CH 01", amount: rub(1), method: "card", values: card}, "Our reference"},
		{"a currency of four letters", opPayoutCreate, input{reference: "CH01", amount: models.Money{Minor: 1_000_000, Asset: "USDT"}, method: "card", values: card}, "USDT is not a currency"},
		{"three decimals", opPayoutCreate, input{reference: "CH01", amount: models.Money{Minor: 1001, Asset: "KWD"}, method: "card", values: card}, "at most 2 decimals"},
		{"no recipient", opPayoutCreate, input{reference: "CH01", amount: rub(1), method: "card"}, "recipient.number is missing"},
		{"http", opPayoutCreate, input{reference: "CH01", amount: rub(1), method: "card", values: card, notifyURL: "http://us.example/"}, "begins with https"},
		{"http on this machine in live", opPayoutCreate, input{reference: "CH01", amount: rub(1), method: "card", values: card, notifyURL: "http://127.0.0.1/"}, "begins with https"},
		{"a control character", opPayoutCreate, input{reference: "CH01", amount: rub(1), method: "card", values: map[string]string{"number": "4111", "holder": "A\x00B"}}, "control or invisible"},
		{"broken text", opPayoutCreate, input{reference: "CH01", amount: rub(1), method: "card", values: map[string]string{"number": "4111", "holder": "\xff"}}, "control or invisible"},
		{"neither id nor reference", opPayoutStatus, input{}, "One of id and externalId is needed"},
		{"a dispute without the PayIn's id", opDisputeCreate, input{reason: "look"}, "payInId is missing"},
		{"an id that is none", opDisputeCreate, input{providerRef: "17", reason: "look"}, "8-4-4-4-12"},
		{"a long comment", opDisputeCreate, input{providerRef: id, reason: strings.Repeat("ы", 1001)}, "at most 1000"},
		{"a negative dispute", opDisputeCreate, input{providerRef: id, values: map[string]string{"dispute_amount": "-1"}}, "above zero"},
		{"a proof by http", opDisputeCreate, input{providerRef: id, values: map[string]string{"proof_url": "http://x.example/p.png"}}, "begins with https"},
	} {
		if w, err := table.build(c.operation, c.in); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v %s", c.what, err, w.body)
		}
	}
}

func FuzzParseTable(f *testing.F) {
	f.Add(profileL)
	f.Add([]byte(sixthTable))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		table, problems := ParseTable(text)
		if (table == nil) != (len(problems) > 0) || len(problems) > maxProblems {
			t.Fatalf("table %v, %d problems", table != nil, len(problems))
		}
		for _, p := range problems {
			if p.Sentence == "" || len(p.Sentence) > 2000 {
				t.Fatalf("the sentence %q", p.Sentence)
			}
		}
		if table != nil {
			for name := range table.Operations {
				_, _ = table.build(name, input{reference: "CH01", amount: rub(1), values: map[string]string{}})
			}
		}
	})
}
