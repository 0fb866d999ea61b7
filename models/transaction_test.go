package models_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"countinghouse/models"
)

func TestALostReplyIsNeverAFailure(t *testing.T) {
	if models.CanBecome(models.Payout, models.Unknown, models.Failed, models.ByTask) {
		t.Error("a task may turn an unknown outcome into a failure")
	}
	if models.CanBecome(models.Payout, models.Unknown, models.Approved, models.ByTask) {
		t.Error("a task may send an unknown payout again")
	}
	for _, s := range models.States() {
		for _, by := range []models.Cause{models.ByTask, models.ByClock} {
			if s != models.Sending && s != models.Approved && models.CanBecome(models.Payout, models.Unknown, s, by) {
				t.Errorf("%s may end an unknown outcome as %s without evidence", by, s)
			}
		}
	}
}

func TestOnlyTheSenderSends(t *testing.T) {
	for _, tr := range models.Transitions() {
		if tr.To != models.Sending {
			continue
		}
		if len(tr.By) != 1 || tr.By[0] != models.ByTask {
			t.Errorf("%v lets somebody else than the sender send", tr)
		}
		if tr.From == models.Unknown {
			t.Errorf("%v sends from an unknown outcome", tr)
		}
	}
}

func TestFinalIsFinalButForTheDocumentedLateTurns(t *testing.T) {
	late := map[[2]models.State]bool{
		{models.Succeeded, models.Returned}: true, {models.Succeeded, models.Refunded}: true, {models.Succeeded, models.PartiallyRefunded}: true,
		{models.Succeeded, models.ChargedBack}: true, {models.Succeeded, models.Disputed}: true, {models.Expired, models.Succeeded}: true,
		{models.Expired, models.PartiallyPaid}: true, {models.Expired, models.Cancelled}: true, {models.Cancelled, models.Succeeded}: true,
		{models.Cancelled, models.PartiallyPaid}: true, {models.Failed, models.PartiallyPaid}: true,
		{models.Failed, models.Succeeded}: true, {models.Expired, models.AwaitingPayment}: true, {models.Cancelled, models.AwaitingPayment}: true,
	}
	for _, tr := range models.Transitions() {
		if tr.From.Final() && !late[[2]models.State{tr.From, tr.To}] {
			t.Errorf("%s is final, yet it may become %s", tr.From, tr.To)
		}
		if tr.From == models.Failed && (len(tr.Kinds) != 1 || tr.Kinds[0] != models.Deposit) {
			t.Errorf("%v revives a failed payment", tr)
		}
	}
}

func TestEveryStateHasAWordASentenceAndATone(t *testing.T) {
	for _, s := range models.States() {
		if s.Word() == string(s) || s.Sentence() == "" || s.Tone() == "" {
			t.Errorf("%s has no word, sentence or tone", s)
		}
	}
}

func TestAskingFollowsThePlan(t *testing.T) {
	now := models.At(time.Date(2026, 9, 21, 14, 5, 0, 0, time.UTC))
	var at time.Duration
	var got []string
	for n := range 4 {
		at += time.Duration(models.NextAsk(models.Payout, models.Unknown, now, n)-now) * time.Microsecond
		got = append(got, at.String())
	}
	if s := strings.Join(got, " "); s != "30s 2m0s 10m0s 1h0m0s" {
		t.Errorf("an unknown outcome is asked about at %s", s)
	}
	if d := models.NextAsk(models.Payout, models.Unknown, now, 1000) - now; time.Duration(d)*time.Microsecond != 24*time.Hour {
		t.Errorf("after the plan it is asked every %v", time.Duration(d)*time.Microsecond)
	}
	if models.NextAsk(models.Payout, models.Succeeded, now, 5) != 0 || models.NextAsk(models.Payout, models.Succeeded, now, 0) == 0 {
		t.Error("a success is not watched for a return for a while")
	}
}

func TestReferencesFitEveryProvider(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		r := models.NewReference()
		if len(r) != 14 || strings.Trim(r, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") != "" || seen[r] {
			t.Fatalf("reference %q", r)
		}
		seen[r] = true
	}
}

func TestTheDigestSeesEveryChange(t *testing.T) {
	row := models.Transaction{Environment: models.Live, Kind: models.Payout, Provider: "onekey", CredentialID: "c", CredentialVersion: 1, Method: "m",
		Reference: "CH1", Amount: models.Money{Minor: 1, Asset: "BRL"}}
	detail := models.TransactionDetail{Values: map[string]string{"a": "1", "b": "2"}}
	base := models.PayloadOf(&row, &detail).Digest()
	changes := map[string]func(*models.Transaction, *models.TransactionDetail){
		"amount":     func(t *models.Transaction, _ *models.TransactionDetail) { t.Amount.Minor++ },
		"asset":      func(t *models.Transaction, _ *models.TransactionDetail) { t.Amount.Asset = "USD" },
		"credential": func(t *models.Transaction, _ *models.TransactionDetail) { t.CredentialVersion++ },
		"reference":  func(t *models.Transaction, _ *models.TransactionDetail) { t.Reference = "CH2" },
		"destination": func(_ *models.Transaction, d *models.TransactionDetail) {
			d.Values = map[string]string{"a": "1", "b": "3"}
		},
		"moved value": func(_ *models.Transaction, d *models.TransactionDetail) {
			d.Values = map[string]string{"a": "12", "b": ""}
		},
		"hold":        func(_ *models.Transaction, d *models.TransactionDetail) { d.Hold = true },
		"environment": func(t *models.Transaction, _ *models.TransactionDetail) { t.Environment = models.Sandbox },
	}
	for name, change := range changes {
		r, d := row, detail
		change(&r, &d)
		if models.PayloadOf(&r, &d).Digest() == base {
			t.Errorf("a changed %s keeps the digest", name)
		}
	}
}

func TestMoneyIsExact(t *testing.T) {
	for text, want := range map[string]string{"1234.5": "1,234.50 BRL", "0.01": "0.01 BRL", "-1840": "−1,840.00 BRL", "1000000.10": "1,000,000.10 BRL", "7.500": "7.50 BRL"} {
		m, err := models.ParseMoney(text, "BRL")
		if err != nil || m.String() != want {
			t.Errorf("ParseMoney(%q) = %v, %v; want %s", text, m, err, want)
		}
	}
	for _, text := range []string{"", " ", "1,5", "1e3", "+1", "0x10", "1.", ".5", "--1", "1_000", "١٢٣", "1.005", "NaN", "Inf", "1 000", "12345678901234567890",
		"1.0000000000000000001", "1\n", "1\x00", "９"} {
		if m, err := models.ParseMoney(text, "BRL"); err == nil {
			t.Errorf("ParseMoney(%q) = %v, want a refusal", text, m)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SampledFrom(models.Assets()).Draw(t, "asset")
		m := models.Money{Minor: rapid.Int64Range(-1e17, 1e17).Draw(t, "minor"), Asset: a.Code}
		back, err := models.ParseMoney(m.Plain(), a.Code)
		if err != nil || back != m {
			t.Fatalf("%v is written %q and read back as %v, %v", m, m.Plain(), back, err)
		}
	})
}

func TestTheLastRuleIsTwoPeople(t *testing.T) {
	pay := &models.Transaction{Environment: models.Live, Kind: models.Payout, Amount: models.Money{Minor: 100, Asset: "EUR"}}
	if p := models.Decide(nil, pay, models.Sums{}); p.Approvers != 2 {
		t.Errorf("without a rule %d people are asked", p.Approvers)
	}
	free := models.Policy{Name: "free", Kind: models.Payout, TTL: time.Hour}
	if free.Check() == nil {
		t.Error("a rule may let a payout go on one person's word")
	}
}
