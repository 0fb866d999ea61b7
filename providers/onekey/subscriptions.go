package onekey

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
)

// Subscription is a repeated deposit (contract 3.15). No capability of the provider contract fits it yet: creating and cancelling are
// methods of this client, reading is a look-up. Card data (the PCI variant) is left out on purpose.
type Subscription struct {
	Reference                                  string // invoice_id
	Amount                                     models.Money
	Country                                    string
	Document, DocumentType                     string
	Email, FirstName, LastName                 string
	Description                                string
	StartDate                                  string // YYYY-MM-DD
	Plan                                       string // DAILY, WEEKLY, MONTHLY, ANNUALLY; on staging also TEST
	PlanUnit                                   int
	AutoRenewal                                bool
	ClientIP, ReturnURL, ErrorURL, CallbackURL string
}

type subscriptionBody struct {
	InvoiceID       string      `json:"invoice_id"`
	Amount          json.Number `json:"amount"`
	Currency        string      `json:"currency"`
	Country         string      `json:"country"`
	Payer           payer       `json:"payer"`
	Description     string      `json:"description,omitempty"`
	Subscription    planBody    `json:"subscription"`
	ClientIP        string      `json:"client_ip,omitempty"`
	BackURL         string      `json:"back_url,omitempty"`
	SuccessURL      string      `json:"success_url,omitempty"`
	ErrorURL        string      `json:"error_url,omitempty"`
	NotificationURL string      `json:"notification_url,omitempty"`
}

type planBody struct {
	StartDate   string `json:"start_date"`
	Plan        string `json:"plan"`
	PlanUnit    int    `json:"plan_unit"`
	AutoRenewal bool   `json:"auto_renewal"`
}

// CreateSubscription starts a subscription; the payer confirms it at the redirect address.
func (c *Client) CreateSubscription(ctx context.Context, s Subscription) providers.Outcome {
	if no, stop := c.locked(); stop {
		return no
	}
	if problem := c.subscriptionProblem(s); problem != "" {
		return withheld("Not sent: %s", problem)
	}
	body := subscriptionBody{
		InvoiceID: s.Reference, Amount: json.Number(s.Amount.Plain()), Currency: s.Amount.Asset, Country: s.Country, Description: s.Description, ClientIP: s.ClientIP,
		Payer:        payer{Document: s.Document, DocumentType: s.DocumentType, Email: s.Email, FirstName: s.FirstName, LastName: s.LastName},
		Subscription: planBody{s.StartDate, s.Plan, s.PlanUnit, s.AutoRenewal},
		BackURL:      s.ReturnURL, SuccessURL: s.ReturnURL, ErrorURL: orText(s.ErrorURL, s.ReturnURL), NotificationURL: s.CallbackURL,
	}
	res, err := c.signed(ctx, c.main, c.depositKeys(), "subscription.create", http.MethodPost, "/v3/subscriptions", "", body, s.Reference)
	a := c.judge(deposits, res, err, refusesDeposit)
	if a.outcome != nil {
		return a.outcome
	}
	id := a.object.id("subscription_id")
	if id == "" {
		return providers.Unknown{Cause: "OneKey's answer has no subscription_id that can be read.", Raw: a.raw}
	}
	if m, ok := a.object.money("payment_amount", s.Amount.Asset); a.object.has("payment_amount") && (!ok || m != s.Amount) {
		return providers.Unknown{Cause: "OneKey's answer speaks of another amount than we sent.", Raw: a.raw}
	}
	return providers.Accepted{ProviderRef: id, Status: providers.Status{State: models.AwaitingPayment, ProviderRef: id}, Instructions: c.instructions(a.object, nil), Raw: a.raw}
}

func (c *Client) subscriptionProblem(s Subscription) string {
	plans := []string{"DAILY", "WEEKLY", "MONTHLY", "ANNUALLY"}
	if c.cfg.Environment == models.Sandbox {
		plans = append(plans, "TEST")
	}
	_, err := time.Parse(time.DateOnly, s.StartDate)
	switch {
	case c.cfg.Secrets[fDepositKey] == "":
		return "this credential has no deposit keys."
	case !c.set.invoiceID.MatchString(s.Reference):
		return "the reference has characters that cannot be used."
	case s.Amount.Minor <= 0:
		return "the amount must be above zero."
	case err != nil:
		return "the start must be a date such as 2026-01-31."
	case !slices.Contains(plans, s.Plan) || s.PlanUnit < 1:
		return "the plan must be daily, weekly, monthly or annually, every 1 or more."
	}
	return ""
}

// FindSubscription reads a subscription. Its answer is not documented, so it is shown as it comes.
func (c *Client) FindSubscription(ctx context.Context, id string) (providers.Sheet, error) {
	const what = "Subscription"
	switch {
	case c.cfg.Secrets[fDepositKey] == "":
		return providers.Sheet{}, models.Errorf(models.Unavailable, "%s: this credential has no deposit keys.", what)
	case !theirNumber.MatchString(id):
		return providers.Sheet{}, models.FieldErrorf("id", "OneKey's numbers are digits only.")
	}
	res, err := c.signed(ctx, c.main, c.depositKeys(), "subscription.status", http.MethodGet, "/v3/subscriptions/"+id, "", nil, "")
	return c.sheet(what, res, err, []string{"subscription_id"})
}

// CancelSubscription ends a subscription: a DELETE whose body is {} and is signed as {}. The code in the body decides, because whether
// the HTTP status equals it is unclear.
func (c *Client) CancelSubscription(ctx context.Context, id string) providers.Outcome {
	if !theirNumber.MatchString(id) || c.cfg.Secrets[fDepositKey] == "" {
		return withheld("OneKey's number of the subscription, or the deposit keys, are missing.")
	}
	res, err := c.signed(ctx, c.main, c.depositKeys(), "subscription.cancel", http.MethodDelete, "/v3/subscriptions/"+id, "", struct{}{}, "")
	a := c.judge(deposits, res, err, func(p problem) bool {
		return slices.Contains([]string{"100", "101", "102", "103", "200", "208", "420", "421", "426"}, p.Code)
	})
	if a.outcome != nil {
		return a.outcome
	}
	return providers.Accepted{ProviderRef: id, Status: providers.Status{State: models.Cancelled, ProviderRef: id}, Raw: a.raw}
}
