package tasks

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
)

// Ask puts one question about a transaction to its provider and records what it found. It moves nothing.
func (m *Money) Ask(ctx context.Context, transactionID string) error {
	o, err := m.Store.BeginAsk(ctx, transactionID)
	if err != nil || o == nil {
		return err
	}
	f := m.question(ctx, o)
	_, err = m.Store.RecordFinding(ctx, transactionID, f)
	return ignoreConflict(err)
}

func (m *Money) question(ctx context.Context, o *store.AskOrder) (f models.Found) {
	f = models.Found{Result: string(providers.Unclear), Source: "asked"}
	defer func() {
		if r := recover(); r != nil {
			m.Log.Error("a provider client panicked", "transaction", o.Transaction.ID, "panic", fmt.Sprint(r))
			f.Result, f.Says = string(providers.Unclear), "The program failed while it asked"
		}
	}()
	client, p, _, err := m.Clients.Client(ctx, o.Transaction.CredentialID)
	if err != nil {
		f.Says = sentenceOf(err)
		return f
	}
	cctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	t := &o.Transaction
	q := providers.Query{Kind: t.Kind, Reference: o.Reference, ProviderRef: t.ProviderRef, Method: t.Method, Amount: t.Amount, SentAt: t.SentAt,
		Values: o.Detail.Values, SKU: o.Detail.SKU, Quantity: o.Detail.Quantity}
	if o.Of != nil {
		q.OfProviderRef, q.OfReference = o.Of.ProviderRef, o.Of.Reference
	}
	cctx, exchanges := WithExchanges(WithSubject(cctx, "transaction", t.ID))
	finding, ok := find(cctx, client, q)
	f.ExchangeID = newest(exchanges())
	if !ok {
		f.Says = p.Description.Short + " cannot be asked about a " + string(t.Kind)
		return f
	}
	codes, err := m.sealCodes(cctx, t.ID, finding.Status.Items)
	if err != nil {
		m.Log.Error("codes could not be sealed", "transaction", t.ID, "error", err)
		f.Says = notSealed
		return f
	}
	f.Result, f.Says, f.Report = string(finding.Result), finding.Says, reportOf(finding.Status)
	f.Report.Codes = codes
	if f.Says == "" && finding.Result == providers.Found {
		f.Says = "Found, status " + finding.Status.Word
	}
	return f
}

// find asks by the capability of the kind; false when the client has none for it.
func find(ctx context.Context, client any, q providers.Query) (providers.Finding, bool) {
	switch q.Kind {
	case models.Payout:
		if c, ok := client.(providers.PayoutReader); ok {
			return c.FindPayout(ctx, q), true
		}
	case models.Deposit:
		if c, ok := client.(providers.DepositReader); ok {
			return c.FindDeposit(ctx, q), true
		}
	case models.Refund:
		if c, ok := client.(providers.RefundReader); ok {
			return c.FindRefund(ctx, q), true
		}
	case models.Conversion:
		if c, ok := client.(providers.ConversionReader); ok {
			return c.FindConversion(ctx, q), true
		}
	case models.Order:
		if c, ok := client.(providers.OrderReader); ok {
			return c.FindOrder(ctx, q), true
		}
	}
	return providers.Finding{}, false
}

// Operate carries out a cancel, hold or release whose intent was written by a person's request.
func (m *Money) Operate(ctx context.Context, attemptID string) error {
	o, err := m.Store.BeginOperation(ctx, attemptID)
	if err != nil || o == nil {
		return err
	}
	ans := m.operate(ctx, o)
	rctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	return m.Store.RecordOperation(rctx, attemptID, ans)
}

func (m *Money) operate(ctx context.Context, o *store.SendOrder) models.Answer {
	// dispatch reads the provider's id of the payout from the place where refunds keep their deposit's.
	of := o.Transaction
	o.Of = &of
	return m.attempt(ctx, o)
}

// Sweep finds everything that is due and that no job reached: attempts that were lost, transactions to send, questions to ask, operations
// to carry out, approvals that ran out. It gives how much it did. Several instances may sweep at once: every step is guarded in the store.
func (m *Money) Sweep(ctx context.Context) (int, error) {
	n, err := m.Store.LoseAttempts(ctx, "")
	if err != nil {
		return n, err
	}
	expired, err := m.Store.ExpireApprovals(ctx)
	if err != nil {
		return n, err
	}
	n += expired
	lost, err := m.Store.LoseBookAttempts(ctx, "")
	if err != nil {
		return n, err
	}
	n += lost
	books, err := m.Store.DueEntries(ctx, 100)
	if err != nil {
		return n, err
	}
	send, ask, err := m.Store.Due(ctx, 100)
	if err != nil {
		return n, err
	}
	ops, err := m.Store.OpenOperations(ctx)
	if err != nil {
		return n, err
	}
	for _, step := range []struct {
		ids []string
		do  func(context.Context, string) error
	}{{send, m.Send}, {ops, m.Operate}, {ask, m.Ask}, {books, m.WriteBook}} {
		n += m.each(ctx, step.ids, step.do)
	}
	return n, ctx.Err()
}

// sweepers is how many due tasks run side by side, so that one silent provider does not keep the others waiting.
const sweepers = 8

func (m *Money) each(ctx context.Context, ids []string, do func(context.Context, string) error) int {
	var g errgroup.Group
	var done atomic.Int64
	g.SetLimit(sweepers)
	for _, id := range ids {
		g.Go(func() error {
			if ctx.Err() != nil {
				return nil
			}
			if err := do(ctx, id); err != nil {
				m.Log.Error("a due task failed", "id", id, "error", err)
				return nil
			}
			done.Add(1)
			return nil
		})
	}
	_ = g.Wait() // the goroutines give no error: each is logged where it happens
	return int(done.Load())
}

// sweepEvery is the pause between two sweeps, if Money names none.
const sweepEvery = 2 * time.Second

// Run sweeps until the context ends. lonely says that no other process works on this database: then every attempt that another process
// left open is lost and is settled at once.
func (m *Money) Run(ctx context.Context, lonely bool) {
	if lonely {
		if n, err := m.Store.LoseAttempts(ctx, m.Instance); err != nil {
			m.Log.Error("settling what the last process left open failed", "error", err)
		} else if n > 0 {
			m.Log.Warn("the last process left attempts open; their outcomes are unknown and are being asked", "attempts", n)
		}
		if _, err := m.Store.LoseBookAttempts(ctx, m.Instance); err != nil {
			m.Log.Error("settling what the last process wrote into books failed", "error", err)
		}
	}
	tick := time.NewTicker(cmp.Or(m.Pause, sweepEvery))
	defer tick.Stop()
	for {
		if _, err := m.Sweep(ctx); err != nil && ctx.Err() == nil {
			m.Log.Error("the sweep failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
