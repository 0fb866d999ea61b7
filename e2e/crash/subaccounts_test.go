package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
)

// Sub-accounts: the provider knows no reference of ours and answers no id, so the road counts how often each company was asked for. Its stand-in
// refuses a second one by itself; that it never has to is what is proved here.

const companyRef = "sub-account:" // how the stand-in counts them, followed by the e-mail

func (h *house) agency() *box {
	for _, b := range h.boxes {
		if b.name == "wspn" {
			return b
		}
	}
	return nil
}

var ines = models.Actor{UserID: "u-ines", Name: "Inês", Roles: []models.Role{models.Compliance}}

// opensCompanies has compliance ask for one company, or for a file of several, sometimes with something going wrong.
func (h *house) opensCompanies() {
	b, ctx := h.agency(), context.Background()
	if h.rnd.IntN(2) == 0 {
		kind := mishaps[h.rnd.IntN(len(mishaps))]
		if kind == "held_back" {
			b.mu.Lock()
			b.detain++
			b.mu.Unlock()
			h.heldAt = h.clock.Now()
		} else if err := b.fault("sub-account", kind, 1); err != nil {
			h.t.Fatal(err)
		}
		h.note("sub-account: %s", kind)
	}
	if h.rnd.IntN(4) == 0 {
		if err := b.fault("sub-account-list", []string{"http_500", "lose_reply", "garbage", "truncate"}[h.rnd.IntN(4)], 1+h.rnd.IntN(2)); err != nil {
			h.t.Fatal(err)
		}
	}
	specs := make([]models.SubAccountSpec, 1+h.rnd.IntN(3))
	for i := range specs {
		n := h.count("SELECT COUNT(*) FROM sub_accounts") + i
		specs[i] = models.SubAccountSpec{Name: fmt.Sprint("Firma ", n), Company: fmt.Sprintf("Firma %d GmbH", n), Country: "DEU", Type: "4",
			Email: fmt.Sprintf("firma%d@firma.example", n), Username: fmt.Sprintf("firma-%d", n)}
	}
	if len(specs) == 1 {
		_, err := h.store.CreateSubAccount(ctx, ines, store.NewSubAccount{ID: models.NewID(), Environment: models.Sandbox, CredentialID: b.cred.ID, Asked: true, Spec: specs[0]})
		if err != nil && !people(err) {
			h.t.Fatalf("%s: ask for a sub-account: %v", h.name, err)
		}
		return
	}
	file := models.SubAccountBatch{Environment: models.Sandbox, CredentialID: b.cred.ID, FileName: "companies.csv"}
	for i, s := range specs {
		file.Lines = append(file.Lines, models.SubAccountLine{Row: i + 1, Spec: s})
	}
	kept, err := h.store.KeepSubAccountBatch(ctx, ines, file)
	if err == nil {
		_, err = h.store.StartSubAccountBatch(ctx, ines, models.Sandbox, kept.ID, true)
	}
	if err != nil && !people(err) {
		h.t.Fatalf("%s: ask for a file of sub-accounts: %v", h.name, err)
	}
}

const companiesUnderWay = "SELECT COUNT(*) FROM sub_accounts WHERE state IN ('waiting', 'sending', 'accepted', 'unknown')"

// settlesCompanies lets the lists be read until nothing is under way, and has people agree to send again what was proved absent.
func (h *house) settlesCompanies() {
	ctx := context.Background()
	for round := range 20 {
		for range 400 {
			due, err := h.store.DueSubAccounts(ctx, []string{"wspn"})
			if err != nil {
				h.t.Fatal(err)
			}
			if len(due) == 0 && h.count("SELECT COUNT(*) FROM sub_account_calls WHERE state = 'open'") == 0 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		for _, id := range h.texts("SELECT id FROM sub_accounts WHERE state = 'absent'") {
			if _, err := h.store.ResendSubAccount(ctx, h.as(ines), models.Sandbox, id, "the lists"); err != nil && !people(err) {
				h.t.Fatalf("%s: send a sub-account again: %v", h.name, err)
			}
		}
		if h.count(companiesUnderWay) == 0 {
			return
		}
		h.leap([]time.Duration{31 * time.Second, 3 * time.Minute, 5*time.Minute + time.Second, 15*time.Minute + time.Second}[min(round/2, 3)])
	}
}

// companiesAreWhole is what must hold of sub-accounts in the end.
func companiesAreWhole(h *house) (faults []string) {
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	b := h.agency()
	ran := b.executions(h.t)
	for _, line := range h.texts("SELECT a.email || ' ' || a.state || ' ' || (SELECT COUNT(*) FROM sub_account_events e WHERE e.sub_account_id = a.id AND e.what = 'resend') FROM sub_accounts a WHERE a.email <> ''") {
		var email, state string
		var agreed int
		if _, err := fmt.Sscan(line, &email, &state, &agreed); err != nil {
			h.t.Fatal(err)
		}
		b.mu.Lock()
		asked := b.companies[email]
		b.mu.Unlock()
		switch made := ran[companyRef+email]; {
		case made > 1:
			add("%s was created %d times", email, made)
		case asked > 1+agreed:
			add("%s was asked for %d times, and people agreed to %d", email, asked, 1+agreed)
		case state == "refused" && made == 0: // its word is true: for example a token that another client had replaced twice; people file it again
		case state != "open" || made != 1:
			add("%s is %s in our books and was created %d times: %s", email, state, made, strings.Join(h.texts("SELECT sentence FROM sub_account_events e JOIN sub_accounts a ON a.id = e.sub_account_id WHERE a.email = '"+email+"' ORDER BY e.id"), " | "))
		}
		delete(ran, companyRef+email)
	}
	for ref := range ran {
		if strings.HasPrefix(ref, companyRef) {
			add("%s was created and stands in no book of ours", ref)
		}
	}
	if n := h.count("SELECT COUNT(*) FROM sub_accounts WHERE state = 'found' AND their_state = 'Pending KYC'"); n != 0 {
		add("%d of ours were taken for somebody else's", n)
	}
	return faults
}

// countCompanies counts, on the road, how often each company is asked for. What is held back is counted when it arrives.
func (b *box) countCompanies(r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/user-account/create") && !strings.HasSuffix(r.URL.Path, "/user-account/batch-create") {
		return
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var sent struct {
		Query json.RawMessage `json:"query"`
	}
	if err != nil || json.Unmarshal(body, &sent) != nil {
		return
	}
	type company struct {
		Email string `json:"email"`
	}
	var many []company
	if json.Unmarshal(sent.Query, &many) != nil {
		var one company
		_ = json.Unmarshal(sent.Query, &one)
		many = []company{one}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.companies == nil {
		b.companies = map[string]int{}
	}
	for _, c := range many {
		b.companies[c.Email]++
	}
}
