package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"countinghouse/models"
)

// NewTransaction is what a person asks for, already checked against the provider's rules.
type NewTransaction struct {
	ID                string // made when the form was first shown: a second submit of the same form finds the first
	Environment       models.Environment
	Kind              models.Kind
	CredentialID      string
	Method            string
	Amount            models.Money
	Counter           string // conversions: the asset that is bought
	Detail            models.TransactionDetail
	Party             string // masked, for lists
	DestinationID     string
	DestinationDigest string // equal for equal destinations at any provider; empty where there is none
	AccountDigest     string // equal for the same account whatever the country and the way; empty where there is none
	SubAccount        string
	BatchID           string
	OfID              string // refunds
	SendAfter         models.Micros
}

// createPermission is the permission that each kind needs.
var createPermission = map[models.Kind]models.Permission{
	models.Payout: models.PayoutsCreate, models.Deposit: models.DepositsCreate, models.Refund: models.RefundsCreate,
	models.Conversion: models.ConversionsCreate, models.Order: models.OrdersCreate, models.Transfer: models.PayoutsCreate,
}

// CreatePermission tells which permission creating a kind needs.
func CreatePermission(k models.Kind) models.Permission { return createPermission[k] }

// duplicateWindow is how far back the duplicate guard looks.
const duplicateWindow = 24 * time.Hour

// Create submits a transaction: it is written with its payload digest, the policy decides who must agree, and what needs nobody is
// handed to the sender. Submitting the same id again gives the first one back and changes nothing.
func (s *Store) Create(ctx context.Context, a models.Actor, n NewTransaction) (*models.Transaction, error) {
	need, ok := createPermission[n.Kind]
	if !ok {
		return nil, models.Errorf(models.Invalid, "There is no such kind of transaction.")
	}
	if err := a.Require(need); err != nil {
		return nil, err
	}
	if n.Amount.Minor <= 0 && !(n.Kind == models.Refund && n.Detail.Full) {
		return nil, models.FieldErrorf("amount", "The amount must be above zero.")
	}
	var t *models.Transaction
	err := s.Update(ctx, func(tx *Tx) error {
		if old, err := tx.peekTransaction("t.id = ?", n.ID); err == nil {
			if old.CreatedBy != a.UserID {
				return models.Errorf(models.Conflict, "This form belongs to somebody else.")
			}
			t = old
			return nil
		} else if !models.Is(err, models.NotFound) {
			return err
		}
		var err error
		t, err = tx.create(a, n)
		return err
	})
	return t, err
}

func (tx *Tx) create(a models.Actor, n NewTransaction) (*models.Transaction, error) {
	provider, version, err := tx.usableCredential(n.CredentialID, n.Environment)
	if err != nil {
		return nil, err
	}
	t := &models.Transaction{ID: n.ID, Environment: n.Environment, Kind: n.Kind, Provider: provider, CredentialID: n.CredentialID, Method: n.Method,
		Reference: models.NewReference(), State: models.Draft, Amount: n.Amount, Counter: models.Money{Asset: n.Counter}, Party: n.Party,
		DestinationID: n.DestinationID, DestinationDigest: n.DestinationDigest, SubAccount: n.SubAccount, BatchID: n.BatchID, OfID: n.OfID,
		CredentialVersion: version, CreatedAt: tx.Now, UpdatedAt: tx.Now, CreatedBy: a.UserID, CreatedByName: a.Name, SendAfter: n.SendAfter, Version: 1}
	if err := tx.checkSubAccount(t); err != nil {
		return nil, err
	}
	if n.Kind == models.Refund {
		if err := tx.checkRefund(t, &n.Detail); err != nil {
			return nil, err
		}
	}
	if (n.Kind == models.Payout || n.Kind == models.Order) && n.Detail.Why == "" {
		if d, err := tx.duplicatesOf(n.Environment, n.DestinationDigest, n.AccountDigest, n.Amount, 1); err != nil {
			return nil, err
		} else if len(d) > 0 {
			return nil, models.FieldErrorf("why", "The same amount went to the same destination as %s within 24 hours. Say why this one is meant too.", d[0].Reference)
		}
	}
	if err := tx.checkDestination(t, &n.Detail); err != nil {
		return nil, err
	}
	t.Digest = models.PayloadOf(t, &n.Detail).Digest()
	if err := tx.insertTransaction(t, &n.Detail); err != nil {
		return nil, err
	}
	if n.AccountDigest != "" {
		if err := tx.Exec("UPDATE transactions SET account_digest = ? WHERE id = ?", n.AccountDigest, t.ID); err != nil {
			return nil, fmt.Errorf("keep the account: %w", err)
		}
	}
	if _, err := tx.event(t, models.Event{What: "created", ActorID: a.UserID, ActorName: a.Name, Sentence: "Created by " + a.Name}); err != nil {
		return nil, err
	}
	if err := tx.submit(a, t, &n.Detail); err != nil {
		return nil, err
	}
	return t, tx.Audit(a, string(t.Kind)+".create", "transaction", t.ID, nil, models.PayloadOf(t, &n.Detail),
		fmt.Sprintf("Created the %s %s over %s", t.Kind, t.Reference, t.Amount))
}

// submit lets the policy decide and starts what follows. Taking money in needs nobody's agreement.
func (tx *Tx) submit(a models.Actor, t *models.Transaction, d *models.TransactionDetail) error {
	if t.Kind == models.Deposit {
		t.SendAfter, t.Waits = max(tx.Now, t.SendAfter), "being created"
		if err := tx.save(t); err != nil {
			return err
		}
		return tx.enqueue(JobSend, t.ID, t.SendAfter)
	}
	p, err := tx.policyFor(t)
	if err != nil {
		return err
	}
	if _, err := tx.event(t, models.Event{What: "rule", Sentence: "Rule: " + p.Sentence()}); err != nil {
		return err
	}
	if p.Approvers == 0 {
		return tx.approve(t, a.Name+", no second person needed", models.ByStaff, a)
	}
	t.ExpiresAt = tx.Now.Add(p.TTL)
	t.Waits = waitsFor(0, p.Approvers, p.Role)
	if err := tx.move(t, models.FiguresOf(t), models.AwaitingApproval, models.ByStaff,
		models.Event{What: "submitted", ActorID: a.UserID, ActorName: a.Name, Sentence: "Submitted for approval"}); err != nil {
		return err
	}
	if err := tx.save(t); err != nil {
		return err
	}
	return tx.openRequest(a, ApprovalRequest{Environment: t.Environment, Subject: "transaction", SubjectID: t.ID, Digest: t.Digest,
		Title: fmt.Sprintf("%s %s to %s", t.Kind, t.Amount, t.Party), PolicyID: p.ID, Rule: p.Sentence(), Needed: p.Approvers, Role: p.Role,
		Permission: models.PayoutsApprove, ExpiresAt: t.ExpiresAt, Reason: d.Why}, models.PayloadOf(t, d))
}

// approve brings a transaction to approved and hands it to the sender, in this transaction.
func (tx *Tx) approve(t *models.Transaction, sentence string, by models.Cause, a models.Actor) error {
	before := models.FiguresOf(t)
	t.SendAfter, t.ExpiresAt, t.NextAsk, t.Waits = max(tx.Now, t.SendAfter), 0, 0, "to be sent"
	if err := tx.move(t, before, models.Approved, by, models.Event{What: "approved", ActorID: a.UserID, ActorName: a.Name, Sentence: "Approved: " + sentence}); err != nil {
		return err
	}
	if err := tx.save(t); err != nil {
		return err
	}
	return tx.enqueue(JobSend, t.ID, t.SendAfter)
}

func waitsFor(have, needed int, role models.Role) string {
	return fmt.Sprintf("%d of %d, from %s", have, needed, role)
}

// usableCredential gives provider and version of an active credential.
func (tx *Tx) usableCredential(id string, env models.Environment) (provider string, version int64, err error) {
	var state string
	var in models.Environment
	err = tx.QueryRow("SELECT provider, environment, state, version FROM credentials WHERE id = ?", id).Scan(&provider, &in, &state, &version)
	switch {
	case IsNoRow(err) || (err == nil && in != env):
		return "", 0, models.FieldErrorf("credential", "There is no such credential in %s.", env)
	case err != nil:
		return "", 0, err
	case state != "active":
		return "", 0, models.FieldErrorf("credential", "This credential is %s; only an active one can be used.", state)
	}
	return provider, version, nil
}

// checkRefund holds a refund below what is left of its deposit, refunds under way included.
func (tx *Tx) checkRefund(t *models.Transaction, d *models.TransactionDetail) error {
	of, err := tx.transaction(t.OfID)
	if err != nil {
		return err
	}
	if of.Kind != models.Deposit || of.Environment != t.Environment || of.CredentialID != t.CredentialID {
		return models.Errorf(models.Conflict, "Only a deposit of the same credential can be refunded.")
	}
	if of.State != models.Succeeded && of.State != models.PartiallyRefunded {
		return models.Errorf(models.Conflict, "Only a deposit that has succeeded can be refunded; this one is %q.", of.State.Word())
	}
	paid := of.Amount
	if of.Settled.Asset != "" {
		paid = of.Settled
	}
	var used int64
	err = tx.QueryRow(`SELECT COALESCE(SUM(minor), 0) FROM transactions WHERE of_id = ? AND of_id <> '' AND kind = 'refund'
		AND state NOT IN ('rejected', 'expired', 'failed', 'cancelled', 'returned')`, of.ID).Scan(&used)
	if err != nil {
		return err
	}
	left := models.Money{Minor: paid.Minor - used, Asset: paid.Asset}
	if d.Full && used == 0 {
		t.Amount = left
	} else {
		d.Full = false
	}
	if t.Amount.Asset != left.Asset || t.Amount.Minor > left.Minor || left.Minor <= 0 {
		return models.FieldErrorf("amount", "Only %s of this deposit is left to refund.", left)
	}
	return nil
}

// Duplicates lists recent payouts of the same amount to the same destination or account, at any provider and by any way. Those that never left
// or failed do not count.
func (s *Store) Duplicates(ctx context.Context, a models.Actor, env models.Environment, destinationDigest, accountDigest string, amount models.Money) (ts []models.Transaction, err error) {
	if err := a.Require(models.TransactionsRead); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(tx *Tx) error {
		ts, err = tx.duplicatesOf(env, destinationDigest, accountDigest, amount, 10)
		return err
	})
	return ts, err
}

func (tx *Tx) duplicatesOf(env models.Environment, destination, account string, amount models.Money, limit int) ([]models.Transaction, error) {
	var out []models.Transaction
	for _, by := range []struct{ column, index, digest string }{{"destination_digest", "transactions_party", destination}, {"account_digest", "transactions_account", account}} {
		if by.digest == "" {
			continue
		}
		if err := tx.Each(func(r *sql.Rows) error {
			t, err := scanTransaction(r)
			if err == nil && !slices.ContainsFunc(out, func(x models.Transaction) bool { return x.ID == t.ID }) {
				out = append(out, *t)
			}
			return err
		}, "SELECT "+transactionColumns+" FROM transactions t"+tx.Store.by(by.index)+" WHERE t."+by.column+" = ? AND t."+by.column+` <> '' AND t.created_us > ? AND t.environment = ? AND t.asset = ?
			AND t.minor = ? AND t.state NOT IN ('rejected', 'expired', 'failed', 'cancelled') ORDER BY t.created_us DESC LIMIT ?`,
			by.digest, tx.Now.Add(-duplicateWindow), env, amount.Asset, amount.Minor, limit); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b models.Transaction) int {
		return cmp.Or(cmp.Compare(b.CreatedAt, a.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	return out[:min(limit, len(out))], nil
}
