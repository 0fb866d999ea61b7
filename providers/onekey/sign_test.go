package onekey

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
)

// The vectors of contract section 2.3: invented keys that fix the canonical forms.
func TestTheVectorsOfTheContract(t *testing.T) {
	const depositSecret, login, date, cashoutSecret = "test-api-signature", "test-deposit-key", "2026-01-15T12:00:00Z", "test-cashout-signature"
	c1, err := os.ReadFile("testdata/c1.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(c1) != 316 {
		t.Fatalf("C1 has %d bytes, the contract says 316", len(c1))
	}
	for name, row := range map[string][2]string{
		"D1": {depositSignature(depositSecret, date, login, []byte(`{"country":"BR","amount":100.50,"currency":"BRL","invoice_id":"inv0001"}`)), "abdba6b76529144ba8355c1de2d775b9fa075537f27f73611d182930e518d308"},
		"D2": {depositSignature(depositSecret, date, login, nil), "ce44eed321727d4e29f8a6ef271ce876965e521242bf45dda74e22f24eabf1db"},
		"D3": {depositSignature(depositSecret, date, login, []byte(`{"beneficiary_name":"João"}`)), "a27b1b22ad4786fdfb9dcb1f315f3ba5b7a96034b56e68a33022ee6ee6a3a69b"},
		"C0": {payloadSignature(cashoutSecret, nil), "27e2233d270bfbb86e13d6b916b156aa65366783ce360109cbeafe4914693660"},
		"C1": {payloadSignature(cashoutSecret, c1), "f559f0f2b3f5f21a03792dc05f46c2befb455b8c8013aa67823fbee7029b7a94"},
		"C2": {payloadSignature(cashoutSecret, []byte(`{"login":"test-login","pass":"test-pass","external_id":"ext0001"}`)), "e0a6b330a333a8d536bc23060c2c8d81cf315d5e6130d3c8efdb35835144d003"},
		"N1": {webhookControl(cashoutSecret, "ext0001"), "8F26A1A2DA6CCB1E8EE5F7307D83DBA6AE73E6491040275FED5A0BA690149E88"},
	} {
		if row[0] != row[1] {
			t.Errorf("%s: %s, want %s", name, row[0], row[1])
		}
	}
}

// What the client writes for the payout of C1 is C1, byte for byte: the order of keys, 100.50 as a number, the padded bank code.
func TestTheClientWritesC1(t *testing.T) {
	c := &Client{cfg: providers.Config{Secrets: map[string]string{fCashoutKey: "test-login", fCashoutPass: "test-pass"}}}
	body, err := json.Marshal(c.cashoutBody(providers.SendRequest{
		Reference: "ext0001", Amount: models.Money{Minor: 10050, Asset: "BRL"}, Method: "br_bank", NotifyURL: "https://example.com/n",
		Values: map[string]string{"document_id": "52998224725", "beneficiary_name": "João Silva", "bank_code": "001", "bank_account": "3423422-7", "bank_branch": "1234", "account_type": "C"},
	}))
	if err != nil {
		t.Fatal(err)
	}
	c1, err := os.ReadFile("testdata/c1.json")
	if err != nil {
		t.Fatal(err)
	}
	if string(body) != string(c1) {
		t.Errorf("the client writes\n%s\nthe contract has\n%s", body, c1)
	}
}

func TestXDateIsWholeSecondsInUTC(t *testing.T) {
	at := time.Date(2026, 1, 15, 9, 0, 0, 987_654_321, time.FixedZone("BRT", -3*3600))
	if got := xDate(at); got != "2026-01-15T12:00:00Z" {
		t.Errorf("%s", got)
	}
}

func TestC1HasNoLineEnd(t *testing.T) {
	b, err := os.ReadFile("testdata/c1.json")
	if err != nil || strings.ContainsAny(string(b), "\r\n") {
		t.Errorf("testdata/c1.json must be the exact bytes: %v", err)
	}
}
