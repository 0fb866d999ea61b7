package onekey

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// payer is who pays. For PIX Quickpay it must be left out whole (contract 3.12).
type payer struct {
	Document     string   `json:"document,omitempty"`
	DocumentType string   `json:"document_type,omitempty"`
	Email        string   `json:"email,omitempty"`
	FirstName    string   `json:"first_name,omitempty"`
	LastName     string   `json:"last_name,omitempty"`
	Phone        string   `json:"phone,omitempty"`
	Address      *address `json:"address,omitempty"`
}

type address struct {
	State string `json:"state,omitempty"`
}

// depositBody is POST /v3/deposits (OKP-DEP-1). Fields that only a sister brand's SDK knows are not sent.
type depositBody struct {
	InvoiceID       string      `json:"invoice_id"`
	Amount          json.Number `json:"amount"`
	Country         string      `json:"country"`
	Currency        string      `json:"currency"`
	PaymentMethod   string      `json:"payment_method,omitempty"`
	Payer           *payer      `json:"payer,omitempty"`
	Description     string      `json:"description,omitempty"`
	ClientIP        string      `json:"client_ip,omitempty"`
	Language        string      `json:"language,omitempty"`
	BackURL         string      `json:"back_url,omitempty"`
	SuccessURL      string      `json:"success_url,omitempty"`
	ErrorURL        string      `json:"error_url,omitempty"`
	NotificationURL string      `json:"notification_url,omitempty"`
	CardIdentifier  string      `json:"card_identifier,omitempty"`
	Installments    json.Number `json:"installments,omitempty"`
}

// CreateDeposit asks for money. Our reference is the invoice_id and the idempotency key.
func (c *Client) CreateDeposit(ctx context.Context, r providers.SendRequest) providers.Outcome {
	if no, stop := c.readyForDeposit(r); stop {
		return no
	}
	host, operation := c.main, "deposit.create"
	if r.Method == cardOnFile {
		host, operation = c.card, "deposit.card"
	}
	res, err := c.signed(ctx, host, c.depositKeys(), operation, http.MethodPost, "/v3/deposits", "", c.depositBody(r), r.Reference)
	a := c.judge(deposits, res, err, refusesDeposit)
	if a.outcome != nil {
		return a.outcome
	}
	return c.createdDeposit(r, a)
}

// cardOnFile pays with a card that OneKey keeps (card_identifier): no card number ever passes through here. Deposits with a card number or
// a fresh card token are left out on purpose, because whoever touches those is inside PCI DSS.
const cardOnFile = "dep_card_on_file"

func (c *Client) readyForDeposit(r providers.SendRequest) (providers.Refused, bool) {
	if no, stop := c.locked(); stop {
		return no, true
	}
	m, ok := method(r.Method)
	switch {
	case c.cfg.Secrets[fDepositKey] == "":
		return withheld("This credential has no deposit keys."), true
	case !ok || m.Kind != models.Deposit:
		return withheld("OneKey has no deposit method %q.", r.Method), true
	case r.Method == cardOnFile && c.card == nil:
		return withheld("This credential has no card API address."), true
	case !c.set.invoiceID.MatchString(r.Reference):
		return withheld("The reference has characters that this credential's settings do not allow (OKP-DEP-1)."), true
	}
	if ps := checkRequest(c.cfg.Settings, m, r.Amount, r.Values); len(ps) > 0 {
		return withheld("Not sent: %s", ps[0].Sentence), true
	}
	return providers.Refused{}, false
}

func (c *Client) depositBody(r providers.SendRequest) depositBody {
	m, _ := method(r.Method)
	v := r.Values
	b := depositBody{
		InvoiceID: r.Reference, Amount: json.Number(r.Amount.Plain()), Country: depositCountry(m, v), Currency: r.Amount.Asset, PaymentMethod: v["payment_method"],
		Description: capped(r.Note, 100), ClientIP: v["client_ip"], Language: v["language"], BackURL: r.ReturnURL, SuccessURL: r.ReturnURL, ErrorURL: r.ReturnURL,
		NotificationURL: r.NotifyURL, CardIdentifier: v["card_identifier"], Installments: json.Number(v["installments"]),
	}
	if strings.HasPrefix(r.Method, "dep_br_pix") {
		b.PaymentMethod = "IX"
	}
	p := payer{Document: v["document"], DocumentType: v["document_type"], Email: v["email"], FirstName: v["first_name"], LastName: v["last_name"], Phone: v["phone"]}
	if v["state"] != "" {
		p.Address = &address{State: v["state"]}
	}
	if p != (payer{}) && r.Method != "dep_br_pix_quickpay" {
		b.Payer = &p
	}
	if !httpsOnly(b.NotificationURL) && !stand(b.NotificationURL) {
		b.NotificationURL = "" // an https address too; without one the panel's default is called
	}
	if !httpsOnly(b.BackURL) {
		b.BackURL, b.SuccessURL, b.ErrorURL = "", "", "" // they take https addresses only; without one the payer stays on their page
	}
	return b
}

func depositCountry(m providers.Method, v map[string]string) string {
	return orText(m.Country, v["country"])
}

func httpsOnly(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host != ""
}

// createdDeposit holds the answer against what was asked.
func (c *Client) createdDeposit(r providers.SendRequest, a answer) providers.Outcome {
	o, info := a.object, a.object.part("payment_info")
	id := o.id("deposit_id")
	if id == "" {
		return providers.Unknown{Cause: "OneKey's answer has no deposit_id that can be read.", Raw: a.raw}
	}
	if theirs := o.text("merchant_invoice_id"); o.has("merchant_invoice_id") && theirs != r.Reference {
		return providers.Unknown{Cause: "OneKey's answer speaks of another invoice than ours.", Raw: a.raw}
	}
	for _, part := range []object{o, info} {
		if lie := contradicts(part, r.Reference, r.Amount); lie != "" {
			return providers.Unknown{Cause: lie, Raw: a.raw}
		}
	}
	s := providers.Status{State: models.AwaitingPayment, Word: c.clean(o.text("checkout_type")), ProviderRef: id}
	if result := info.text("result"); result != "" || r.Method == cardOnFile {
		// HTTP 200 does not mean paid: the result decides, and one that is not known waits for a question (contract 3.3).
		s.Word = c.clean(result)
		if result == "REJECTED" {
			s.State = models.Failed
		}
	}
	return providers.Accepted{ProviderRef: id, Status: s, Raw: a.raw, Instructions: c.instructions(o, info)}
}

// instructions is what the payer needs. The zone of expiration_date is not documented, so it is shown as it stands and no clock obeys it.
func (c *Client) instructions(o, info object) providers.Instructions {
	var in providers.Instructions
	if u := o.text("redirect_url"); httpsOnly(u) || (c.cfg.Environment == models.Sandbox && stand(u)) {
		in.RedirectURL = u
	}
	line := func(label, value string, copy bool) {
		if value = c.clean(value); value != "" {
			in.Lines = append(in.Lines, providers.Line{Label: label, Value: value, Copy: copy})
		}
	}
	line("Payment method", info.text("payment_method_name"), false)
	line("Expires (zone not stated)", info.text("expiration_date"), false)
	meta := info.part("metadata")
	keys := make([]string, 0, len(meta))
	for k := range meta {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		if len(in.Lines) >= 30 {
			break
		}
		if k == c.set.pixKey && !c.holdsSecret(meta.text(k)) { // OKP-DEP-3
			in.QR = printable(meta.text(k))
		}
		value := meta.text(k)
		if value == "" && meta.has(k) {
			raw, _ := json.Marshal(meta[k])
			value = string(raw)
		}
		// Payment codes are copied byte for byte: only shown whole, never cut. What repeats a key of ours is no payment code.
		if clean := printable(value); clean != "" && len(clean) <= 2048 && !c.holdsSecret(clean) {
			in.Lines = append(in.Lines, providers.Line{Label: metadataLabel(c.clean(k)), Value: clean, Copy: true})
		}
	}
	return in
}

// metadataLabel says a key of the metadata in words. OKP-DEP-3: the keys are not documented, so one that is not known here is only made
// readable, and never left out.
func metadataLabel(key string) string {
	if words, known := map[string]string{"digitable_line": "Payment line to type", "bar_code": "Bar code", "barcode": "Bar code", "reference": "Payment code", "qr_code": "QR code", "clabe": "CLABE",
		"bank_name": "Bank", "account_number": "Account number", "beneficiary_name": "Beneficiary"}[strings.ToLower(key)]; known {
		return words
	}
	words := strings.TrimSpace(strings.NewReplacer("_", " ", "-", " ").Replace(key))
	if words == "" {
		return key
	}
	r := []rune(words)
	return strings.ToUpper(string(r[:1])) + string(r[1:])
}

// printable gives a text that may be copied: whole, or not at all.
func printable(s string) string {
	if slices.ContainsFunc([]rune(s), func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }) {
		return ""
	}
	return s
}

// stand reports whether an address is a page of a stand-in on this machine.
func stand(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "http" && loopback(u.Hostname())
}

// FindDeposit reads GET /v3/deposits/{id}. Nobody documents a query by invoice id: without OneKey's number the reconciliation API is
// searched for our reference, if the credential has its token.
func (c *Client) FindDeposit(ctx context.Context, q providers.Query) providers.Finding {
	if c.cfg.Secrets[fDepositKey] == "" {
		return providers.Finding{Result: providers.Unclear, Says: "This credential has no deposit keys."}
	}
	id, searched := q.ProviderRef, false
	if searched = id == ""; searched {
		found, says := c.searchBooks(ctx, "deposits", q)
		if found == "" {
			return providers.Finding{Result: providers.Unclear, Says: "OneKey is asked for deposits by its own number only. " + says}
		}
		id = found
	}
	if !theirNumber.MatchString(id) {
		return providers.Finding{Result: providers.Unclear, Says: "What we hold as OneKey's number is none."}
	}
	res, err := c.signed(ctx, c.main, c.depositKeys(), "deposit.status", http.MethodGet, "/v3/deposits/"+id, "", nil, "")
	a := c.question(deposits, res, err)
	if searched && a.object == nil && a.finding.Result == providers.NotFound {
		a.finding.Result = providers.Unclear
		a.finding.Says = "OneKey's books hold our deposit as " + id + ", and the API says " + a.finding.Says + ". One of the two is wrong."
	}
	return c.readDeposit(a, q, id)
}

func (c *Client) readDeposit(a asking, q providers.Query, id string) providers.Finding {
	if a.object == nil {
		return a.finding
	}
	o := a.object
	unclear := func(says string) providers.Finding {
		return providers.Finding{Result: providers.Unclear, Says: says, Raw: a.raw}
	}
	word := o.text("status")
	switch {
	case o.id("deposit_id") != id:
		return unclear("The answer is about another deposit than we asked for.")
	case q.Reference != "" && o.has("invoice_id") && o.text("invoice_id") != q.Reference:
		return unclear("OneKey's deposit " + id + " has another invoice id than ours.")
	case word == "":
		return unclear("The answer has no status.")
	case q.Amount.Asset != "" && o.has("currency") && o.text("currency") != q.Amount.Asset:
		return unclear("The answer is in another currency than we asked in.")
	}
	s := providers.Status{State: c.set.depositState(word), Word: c.clean(word), ProviderRef: id}
	p := o.part("payer")
	s.Payer = c.clean(strings.TrimSpace(strings.Join([]string{p.text("first_name"), p.text("last_name"), p.text("document")}, " ")))
	if s.State == models.Succeeded {
		// Payers can pay a wrong amount: what was credited is theirs to say and ours to compare.
		// A currency that they do not state is never taken to be the one that we asked in (README, rule 4).
		amount, ok := o.money("local_amount", o.text("currency"))
		if !ok || amount.Minor <= 0 || amount.Asset == "" {
			return unclear("The deposit is " + s.Word + " and its local_amount and currency cannot be read.")
		}
		s.Amount = amount
	}
	if fee, ok := o.money("fee_amount", o.text("fee_currency")); ok && fee.Asset != "" {
		s.Fee = fee
	}
	return providers.Finding{Result: providers.Found, Status: s, Reference: c.clean(o.text("invoice_id")), Says: orText(statusSentence(models.Deposit, word), "Status "+s.Word+", which is not one that we know."), Raw: a.raw}
}

// asking is the answer to a question of the deposits family: an object, or the finding that stands in its place.
type asking struct {
	object  object
	finding providers.Finding
	raw     []byte
}

// question reads the answer to a question. 208 is their clear word that there is no such thing.
func (c *Client) question(f family, res httpx.Response, err error) asking {
	a := asking{raw: res.Exchange.ResponseBody}
	unclear := func(says string) asking {
		a.finding = providers.Finding{Result: providers.Unclear, Says: says, Raw: a.raw}
		return a
	}
	if err != nil {
		return unclear(sentence(c.clean(reasonOf(err))) + ".")
	}
	if res.Status >= 300 && res.Status < 400 {
		return unclear(elsewhere(res.Status))
	}
	o, err := readObject(res.Body)
	if err != nil {
		return unclear("The answer cannot be read: " + c.clean(err.Error()) + ".")
	}
	if p, bad := c.problemOf(res, o); bad {
		if p.Code == "208" && res.Status < 500 {
			a.finding = providers.Finding{Result: providers.NotFound, Says: p.says(f), Raw: a.raw}
			return a
		}
		return unclear(p.says(f))
	}
	a.object = o
	return a
}
