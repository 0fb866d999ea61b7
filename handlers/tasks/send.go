package tasks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/vault"
	"countinghouse/providers"
)

// callTimeout bounds one call to a provider: more than the longest that a contract gives it (60 s, WUPEX-TIME-1), and with the recording of the
// answer still below the two minutes after which an open attempt counts as lost.
const callTimeout = 65 * time.Second

// recordTimeout bounds the recording of an answer; it runs to its end even when the program is asked to stop.
const recordTimeout = 30 * time.Second

// Clients gives the client of a credential. The same client serves the whole process, because tokens and circuit breakers live in it.
type Clients interface {
	Client(ctx context.Context, credentialID string) (client any, p *providers.Provider, c models.Credential, err error)
}

// Money sends, asks and operates. It is the engine's hands.
type Money struct {
	Store    *store.Store
	Clients  Clients
	Log      *slog.Logger
	Vault    *vault.Vault // seals the codes that orders deliver
	Instance string       // this process; attempts of another one are lost when the only process starts
	// CallbackURL gives the address that a provider shall call for a credential and topic; empty when the program has no public address.
	CallbackURL func(credentialID, topic string) string
	// Step is called at the step boundaries of a send with their names. The crash harness stops the process there; nil otherwise.
	Step func(name string)
	// Pause is the time between two sweeps. Default 2 s.
	Pause time.Duration
}

func (m *Money) step(name string) {
	if m.Step != nil {
		m.Step(name)
	}
}

// Send makes one attempt to send a transaction: the intent is committed, then the one call is made, then the answer is recorded. Running
// it again for the same transaction sends nothing twice.
func (m *Money) Send(ctx context.Context, transactionID string) error {
	t, err := m.preflight(ctx, transactionID)
	if err != nil || t == nil {
		return err
	}
	m.step("before_intent")
	o, err := m.Store.BeginSend(ctx, transactionID, m.Instance)
	if models.Is(err, models.Conflict) || o == nil {
		return ignoreConflict(err)
	}
	if err != nil {
		return err
	}
	m.step("after_intent")
	ans := m.attempt(ctx, o)
	m.step("after_answer")
	rctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	if _, err := m.Store.RecordSend(rctx, o.Attempt.ID, ans); err != nil {
		return fmt.Errorf("record the answer to %s: %w", o.Attempt.Reference, err)
	}
	m.step("after_record")
	return nil
}

// preflight builds the client before the intent is written: a credential that cannot be opened must not leave an attempt behind.
func (m *Money) preflight(ctx context.Context, transactionID string) (*models.Transaction, error) {
	t, err := m.Store.TransactionForTask(ctx, transactionID)
	if err != nil {
		return nil, err
	}
	if _, _, _, err := m.Clients.Client(ctx, t.CredentialID); err != nil {
		if perr := m.Store.PostponeSend(ctx, transactionID, sentenceOf(err)); perr != nil {
			return nil, errors.Join(err, perr)
		}
		m.Log.Warn("a transaction cannot be sent now", "transaction", transactionID, "error", err)
		return nil, nil //nolint:nilnil // postponed: there is nothing to send
	}
	return t, nil
}

// attempt makes the one call of an attempt and turns its outcome into an answer. It never panics past here: a client that does leaves
// the outcome unknown.
func (m *Money) attempt(ctx context.Context, o *store.SendOrder) (ans models.Answer) {
	defer func() {
		if r := recover(); r != nil {
			m.Log.Error("a provider client panicked", "transaction", o.Transaction.ID, "panic", fmt.Sprint(r))
			ans = models.Answer{State: models.AttemptUnknown, Message: "The program failed while it waited for the answer"}
		}
	}()
	client, p, _, err := m.Clients.Client(ctx, o.Transaction.CredentialID)
	if err != nil {
		return models.Answer{State: models.AttemptNotSent, Message: sentenceOf(err), Retryable: true}
	}
	// A stop of the program does not cut a call that may already have moved money: it has its own time limit.
	cctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	cctx = WithSubject(cctx, "transaction", o.Transaction.ID)
	cctx = WithAttempt(cctx, o.Attempt.ID)
	cctx, exchanges := WithExchanges(cctx)
	out := dispatch(cctx, client, o.Attempt.Operation, o.Transaction.Kind, m.request(p, o))
	ans = m.withCodes(cctx, &o.Transaction, out, answerOf(out))
	ans.ExchangeID = newest(exchanges())
	return ans
}

func newest(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return ids[len(ids)-1]
}

// request builds what the client is given, from what was approved and nothing else.
func (m *Money) request(p *providers.Provider, o *store.SendOrder) providers.SendRequest {
	t, d := &o.Transaction, &o.Detail
	r := providers.SendRequest{Reference: o.Attempt.Reference, Amount: t.Amount, Method: t.Method, Values: d.Values, Note: d.Note, Hold: d.Hold,
		ReturnURL: d.ReturnURL, NotifyURL: d.NotifyURL, Full: d.Full, From: d.From, To: d.To, SKU: d.SKU, Quantity: d.Quantity}
	if r.NotifyURL == "" && m.CallbackURL != nil {
		r.NotifyURL = m.CallbackURL(t.CredentialID, topicOf(p, t.Kind))
	}
	if o.Of != nil {
		r.OfProviderRef, r.OfReference = o.Of.ProviderRef, o.Of.Reference
	}
	if o.Attempt.Operation == models.OpDispute {
		r.Note, r.Values = d.Dispute.Reason, map[string]string{}
		maps.Copy(r.Values, d.Values)
		r.Values[providers.DisputeProof], r.Values[providers.DisputeAmount] = d.Dispute.Proof, d.Dispute.Amount
	}
	if d.QuoteJSON != "" {
		_ = json.Unmarshal([]byte(d.QuoteJSON), &r.Quote) // written by us; a broken one leaves no quote, and the client refuses
	}
	return r
}

// topicOf finds the callback topic of a kind: the topic that is called like the kind or starts it, else the first.
func topicOf(p *providers.Provider, k models.Kind) string {
	for _, t := range p.Description.Webhooks {
		if t.ID == string(k) || (k == models.Payout && t.ID == "cashout") {
			return t.ID
		}
	}
	if len(p.Description.Webhooks) > 0 {
		return p.Description.Webhooks[0].ID
	}
	return ""
}

// dispatch is the one function through which money leaves. Every money-moving method of the contract is called here and nowhere else.
func dispatch(ctx context.Context, client any, op models.Operation, k models.Kind, r providers.SendRequest) providers.Outcome {
	cannot := providers.Refused{Code: providers.NotSent, Message: "This provider cannot do that"}
	q := providers.Query{Kind: k, Reference: r.Reference, ProviderRef: r.OfProviderRef, Method: r.Method, Amount: r.Amount, Values: r.Values}
	switch op {
	case models.OpDispute:
		if c, ok := client.(providers.Disputer); ok {
			return c.OpenDispute(ctx, q, r.Note, nil)
		}
		return cannot
	case models.OpCancel:
		if c, ok := client.(providers.PayoutCanceller); ok {
			return c.CancelPayout(ctx, q)
		}
		return cannot
	case models.OpHold, models.OpRelease:
		c, ok := client.(providers.PayoutHolder)
		switch {
		case !ok:
			return cannot
		case op == models.OpHold:
			return c.HoldPayout(ctx, q)
		}
		return c.ReleasePayout(ctx, q)
	}
	switch k {
	case models.Payout:
		if c, ok := client.(providers.PayoutSender); ok {
			return c.SendPayout(ctx, r)
		}
	case models.Deposit:
		if c, ok := client.(providers.DepositCreator); ok {
			return c.CreateDeposit(ctx, r)
		}
	case models.Refund:
		if c, ok := client.(providers.Refunder); ok {
			return c.SendRefund(ctx, r)
		}
	case models.Conversion:
		if c, ok := client.(providers.Converter); ok {
			return c.Convert(ctx, r)
		}
	case models.Order:
		if c, ok := client.(providers.Orderer); ok {
			return c.PlaceOrder(ctx, r)
		}
	case models.Transfer:
		if c, ok := client.(providers.Transferer); ok {
			return c.SendTransfer(ctx, r)
		}
	}
	return cannot
}

// dispatchBook is the one function that writes into a provider's book of destinations. Every writing method of the books is called here and nowhere
// else, with the request id of an attempt that is committed already.
func dispatchBook(ctx context.Context, client any, d *providers.Description, o *store.BookOrder) providers.Outcome {
	cannot := providers.Refused{Code: providers.NotSent, Message: "This provider cannot do that"}
	values, entry := d.BookValues(o.Entry.Book, &o.Destination), providers.Entry{ID: o.Entry.EntryID, Values: o.Theirs}
	switch o.Entry.Book {
	case models.AddressesBook:
		c, ok := client.(providers.AddressBook)
		switch {
		case !ok:
			return cannot
		case o.Attempt.Operation == models.BookAdd:
			return c.AddAddress(ctx, o.Attempt.Reference, values)
		case o.Attempt.Operation == models.BookRemove:
			return c.DeleteAddress(ctx, o.Attempt.Reference, entry)
		}
	case models.AccountsBook:
		c, ok := client.(providers.BankAccountBook)
		switch {
		case !ok:
			return cannot
		case o.Attempt.Operation == models.BookAdd:
			return c.AddBankAccount(ctx, o.Attempt.Reference, values)
		case o.Attempt.Operation == models.BookEdit:
			return c.EditBankAccount(ctx, o.Attempt.Reference, entry, values)
		case o.Attempt.Operation == models.BookRemove:
			return c.DeleteBankAccount(ctx, o.Attempt.Reference, entry)
		}
	}
	return cannot
}

// answerOf turns a provider's outcome into what the store records. Anything that is none of the three outcomes is unknown.
func answerOf(out providers.Outcome) models.Answer {
	switch o := out.(type) {
	case providers.Accepted:
		a := models.Answer{State: models.AttemptAccepted, Message: "Accepted", Report: reportOf(o.Status)}
		if a.Report.ProviderRef == "" {
			a.Report.ProviderRef = o.ProviderRef
		}
		if o.ProviderRef != "" {
			a.Message = "Accepted as " + models.Safe(o.ProviderRef, 80)
		}
		if in := o.Instructions; in.RedirectURL != "" || in.QR != "" || len(in.Lines) > 0 || in.Address != "" {
			if b, err := json.Marshal(in); err == nil {
				a.Instructions = string(b)
			}
		}
		return a
	case providers.Refused:
		a := models.Answer{State: models.AttemptRefused, Code: o.Code, Message: models.Safe(o.Message, 300), Retryable: o.Retryable}
		if o.Code == providers.NotSent {
			a.State = models.AttemptNotSent
		}
		if a.Message == "" {
			a.Message = "Refused with code " + o.Code
		}
		return a
	case providers.Unknown:
		return models.Answer{State: models.AttemptUnknown, Message: models.Safe(o.Cause, 300)}
	}
	return models.Answer{State: models.AttemptUnknown, Message: "The client gave no outcome"}
}

func reportOf(s providers.Status) models.Report {
	return models.Report{State: s.State, Word: s.Word, ReasonCode: s.ReasonCode, Reason: s.Reason, ProviderRef: s.ProviderRef, BankRef: s.BankRef,
		Settled: s.Amount, Fee: s.Fee, Counter: s.Counter, Rate: s.Rate, Payer: s.Payer}
}

func sentenceOf(err error) string {
	var e *models.Error
	if errors.As(err, &e) {
		return e.Sentence
	}
	return "The credential cannot be used right now"
}

func ignoreConflict(err error) error {
	if models.Is(err, models.Conflict) {
		return nil
	}
	return err
}
