package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// review shows what the server understood and what will follow. Nothing is written but the quote of a conversion.
func (h *Make) review(c *Ctx, k models.Kind) error {
	p, err := h.check(c, k)
	if err != nil {
		return err
	}
	if len(p.Errors) > 0 {
		return h.showForm(c, fiber.StatusUnprocessableEntity, p)
	}
	return h.showReview(c, fiber.StatusOK, p)
}

func (h *Make) showReview(c *Ctx, status int, p views.MakeParams) error {
	p.Token = models.NewID()
	if p.Kind != models.Deposit {
		t := models.Transaction{Environment: c.Env, Kind: p.Kind, Provider: p.Provider.Name, Amount: p.Amount, DestinationDigest: p.Destination.Digest}
		var err error
		if p.Policy, err = h.Store.PolicyFor(c.Context(), c.Actor, t); err != nil {
			return err
		}
		if err := h.balance(c, &p); err != nil {
			return err
		}
	}
	if p.Kind == models.Payout {
		var err error
		if p.Duplicates, err = h.Store.Duplicates(c.Context(), c.Actor, c.Env, p.Destination.Digest, p.Destination.Account, p.Amount); err != nil {
			return err
		}
		h.verify(c, &p)
		if p.Verification != nil && p.Verification.Verdict == providers.RecipientBad {
			p.Errors = append(p.Errors, ui.FieldError{Message: "The provider says that this destination cannot be paid: " + p.Verification.Sentence})
			return h.showForm(c, fiber.StatusUnprocessableEntity, p)
		}
	}
	if p.Kind == models.Conversion {
		if err := h.quote(c, &p); err != nil {
			return h.again(c, p, err)
		}
	}
	p.Page = madePage(c, "Review the "+string(p.Kind), p.Sub)
	p.Page.Breadcrumbs = []ui.Crumb{{Label: "Transactions", Href: "/transactions"}, {Label: listTitle(p.Kind), Href: "/" + string(p.Kind) + "s"}, {Label: "Review"}}
	return c.RenderStatus(status, views.MakeReview(p))
}

// balance says what the credential has now and would have after this, by the last reading.
func (h *Make) balance(c *Ctx, p *views.MakeParams) error {
	if !c.Actor.Can(models.BalancesRead) {
		return nil
	}
	list, _, err := h.Store.Balances(c.Context(), c.Actor, c.Env, 0)
	if err != nil {
		return err
	}
	for _, b := range list {
		if b.CredentialID != p.Credential.ID || b.Available.Asset != p.Amount.Asset {
			continue
		}
		after, err := b.Available.Add(p.Amount.Neg())
		if err != nil {
			return err
		}
		p.Before = b.Available.String() + ", read at " + b.ReadAt.Time().In(c.Zone).Format("15:04")
		p.After, p.AfterWarn = after.String(), after.Minor < 0
		return nil
	}
	return nil
}

// verify asks the provider whose the destination is, where it can say.
func (h *Make) verify(c *Ctx, p *views.MakeParams) {
	if !p.Provider.Has(providers.CanVerifyRecipients) {
		p.VerifyWhy = p.Provider.Short + " cannot verify recipients. Compare the destination with its source."
		return
	}
	ctx, cancel := context.WithTimeout(c.Context(), 10*time.Second)
	defer cancel()
	ask := providers.SendRequest{Amount: p.Amount, Method: p.Method.ID, Values: p.Form.Values}
	token := ""
	for _, topic := range p.Provider.Webhooks {
		if topic.Verifies && h.Callback != nil {
			var err error
			if token, err = h.Store.OpenVerification(ctx, c.Actor, p.Credential.ID); err != nil {
				p.VerifyWhy = sentence(err)
				return
			}
			ask.NotifyURL = h.Callback(p.Credential.ID, topic.ID) + "?token=" + token
		}
	}
	v, err := h.Ask.VerifyRecipient(ctx, p.Credential.ID, ask)
	if err != nil {
		p.VerifyWhy = sentence(err)
		return
	}
	p.Verification = &v
	if v.Verdict == providers.RecipientPending && token != "" {
		p.VerifyToken = token
	}
}

// verification is the part of the review that waits for an answer by webhook. It is polled until it has come.
func (h *Make) verification(c *Ctx, _ models.Kind) error {
	v, err := h.Store.Verification(c.Context(), c.Actor, c.Param("token"))
	if err != nil {
		return err
	}
	p := views.MakeParams{}
	switch {
	case v.Answered:
		p.Verification = &providers.Verification{Verdict: providers.Verdict(v.Verdict), Name: v.Name, Sentence: v.Sentence}
	case v.Gone:
		p.VerifyWhy = "No answer came within two minutes. Compare the destination with its source."
	default:
		p.VerifyToken = c.Param("token")
		p.Verification = &providers.Verification{Verdict: providers.RecipientPending, Sentence: "The question was put; the answer comes by a call."}
	}
	return c.Render(views.MakeVerification(p))
}

// quote takes a rate and keeps it, so that the confirmation uses exactly the one on the screen.
func (h *Make) quote(c *Ctx, p *views.MakeParams) error {
	buy := p.Form.Values["buy_currency"]
	if buy == "" {
		buy = buysByDefault(p)
	}
	q, err := h.Ask.Quote(c.Context(), p.Credential.ID, p.Amount.Asset, buy, p.Amount)
	if err != nil {
		return models.Errorf(models.Conflict, "%s gave no rate: %s", p.Provider.Short, sentence(err))
	}
	rate, err := models.ParseDecimal(q.Rate)
	if err != nil {
		return models.Errorf(models.Conflict, "%s gave a rate that cannot be read.", p.Provider.Short)
	}
	bought := p.Amount.Decimal().Mul(rate)
	// Shown only: what is really bought is the provider's figure. Rounded down, so that the page never promises more.
	a, _ := models.AssetByCode(buy)
	if p.Bought, err = models.MoneyOf(bought.RoundDown(int32(a.Scale)), buy); err != nil { //nolint:gosec // scales are below 19
		return err
	}
	b, err := json.Marshal(q)
	if err != nil {
		return fmt.Errorf("encode the quote: %w", err)
	}
	p.QuoteID, err = h.Store.KeepQuote(c.Context(), c.Actor, store.KeptQuote{CredentialID: p.Credential.ID, Sell: p.Amount, Buy: buy, JSON: string(b), ExpiresAt: q.ExpiresAt})
	p.Quote = &q
	return err
}

// buysByDefault is the asset that the other conversions of the provider sell: whoever sells one buys the other.
func buysByDefault(p *views.MakeParams) string {
	for _, m := range p.Provider.Methods {
		if m.Kind == models.Conversion && m.ID != p.Method.ID && len(m.Assets) == 1 {
			return m.Assets[0]
		}
	}
	return ""
}

// proofLimit is the largest proof of transfer.
const proofLimit = 10 << 20

// uploadProofs hands the files of the form to the provider and puts their ids in place of the field's value.
func (h *Make) uploadProofs(c *Ctx, p *views.MakeParams) {
	form, err := c.Fiber.MultipartForm()
	if err != nil || form == nil {
		return
	}
	for _, f := range p.Method.Fields {
		if f.Kind != providers.Files {
			continue
		}
		var ids []string
		for _, fh := range form.File["v."+f.Name] {
			id, err := h.uploadProof(c, p, f, fh.Filename, fh.Size, func() (io.ReadCloser, error) { return fh.Open() })
			if err != nil {
				p.Errors = append(p.Errors, ui.FieldError{Field: "v." + f.Name, Message: sentence(err)})
				return
			}
			ids = append(ids, id)
		}
		if len(ids) > 0 {
			p.Form.Values[f.Name] = strings.Join(ids, ",")
		}
	}
}

func (h *Make) uploadProof(c *Ctx, p *views.MakeParams, f providers.Field, name string, size int64, open func() (io.ReadCloser, error)) (string, error) {
	if size <= 0 || size > proofLimit {
		return "", models.FieldErrorf(f.Name, "%s is empty or larger than 10 MiB.", models.Safe(name, 60))
	}
	r, err := open()
	if err != nil {
		return "", err
	}
	defer r.Close() //nolint:errcheck // only read
	body, err := io.ReadAll(io.LimitReader(r, proofLimit+1))
	if err != nil {
		return "", err
	}
	kind, err := h.Sniff(name, body)
	if err != nil {
		return "", models.FieldErrorf(f.Name, "%s", err.Error())
	}
	return h.Ask.UploadProof(c.Context(), p.Credential.ID, providers.Document{Name: models.Safe(name, 100), Type: kind, Kind: "proof", Body: body})
}
