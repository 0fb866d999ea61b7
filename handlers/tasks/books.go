package tasks

import (
	"context"
	"fmt"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers"
)

// WriteBook makes one write into a provider's book of destinations: the intent with its request id is committed, then the one call is made, then the
// answer is recorded. Where an answer was lost it reads the book instead, and never writes a second time.
func (m *Money) WriteBook(ctx context.Context, entryID string) error {
	m.step("book_before_intent")
	o, err := m.Store.BeginBook(ctx, entryID, m.Instance)
	if err != nil || o == nil {
		return err
	}
	if o.Look {
		return m.readBook(ctx, o.Entry.CredentialID, o.Entry.Book)
	}
	m.step("book_after_intent")
	ans := m.bookAttempt(ctx, o)
	m.step("book_after_answer")
	rctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	if err := m.Store.RecordBook(rctx, o.Attempt.ID, ans); err != nil {
		return fmt.Errorf("record the answer about an entry in a book: %w", err)
	}
	m.step("book_after_record")
	if o.Attempt.Operation != models.BookRemove && (ans.State == models.AttemptAccepted || ans.State == models.AttemptRefused) {
		return m.readBook(ctx, o.Entry.CredentialID, o.Entry.Book) // whether it may be paid is in their list; what was refused may stand there already
	}
	return nil
}

func (m *Money) bookAttempt(ctx context.Context, o *store.BookOrder) (ans store.BookAnswer) {
	defer func() {
		if r := recover(); r != nil {
			m.Log.Error("a provider client panicked", "entry", o.Entry.ID, "panic", fmt.Sprint(r))
			ans = store.BookAnswer{State: models.AttemptUnknown, Message: "The program failed while it waited for the answer"}
		}
	}()
	client, p, cred, err := m.Clients.Client(ctx, o.Entry.CredentialID)
	if err != nil {
		return store.BookAnswer{State: models.AttemptNotSent, Message: sentenceOf(err), Retryable: true}
	}
	if cred.State != models.CredentialActive {
		return store.BookAnswer{State: models.AttemptNotSent, Message: "The credential is not active", Retryable: true}
	}
	cctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	cctx = WithAttempt(WithSubject(cctx, "destination", o.Destination.ID), o.Attempt.ID)
	cctx, exchanges := WithExchanges(cctx)
	a := answerOf(dispatchBook(cctx, client, &p.Description, o))
	return store.BookAnswer{State: a.State, EntryID: a.Report.ProviderRef, Word: a.Report.Word, Code: a.Code, Message: a.Message, Retryable: a.Retryable, ExchangeID: newest(exchanges())}
}

// readBook reads one book of a credential and lets the store compare it with ours. It moves and changes nothing there.
func (m *Money) readBook(ctx context.Context, credentialID string, book models.Book) error {
	client, p, cred, err := m.Clients.Client(ctx, credentialID)
	if err != nil {
		return m.Store.RecordReadFailed(ctx, credentialID, book, sentenceOf(err))
	}
	cctx, cancel := context.WithTimeout(WithSubject(ctx, "credential", credentialID), callTimeout)
	defer cancel()
	asked := m.Store.Now()
	list, err := bookOf(cctx, client, p, book)
	if err != nil {
		return m.Store.RecordReadFailed(ctx, credentialID, book, sentenceOf(err))
	}
	d := &p.Description
	lines := make([]store.ReadLine, 0, len(list))
	for _, e := range list {
		if spec, ok := d.ReadEntry(cred.Environment, cred.Settings, book, e); ok {
			lines = append(lines, store.ReadLine{EntryID: models.Safe(e.ID, 80), Word: e.State, Usable: e.Usable, Spec: spec})
		}
	}
	return m.Store.RecordRead(ctx, cred, book, asked, lines, func(ours *models.Destination, theirs map[string]string) bool {
		return len(d.Drift(book, d.BookValues(book, ours), theirs)) > 0
	})
}

func bookOf(ctx context.Context, client any, p *providers.Provider, book models.Book) (_ []providers.Entry, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = models.Errorf(models.Unavailable, "The program failed while it read the book")
		}
	}()
	if c, ok := client.(providers.AddressBook); ok && book == models.AddressesBook {
		return c.Addresses(ctx)
	}
	if c, ok := client.(providers.BankAccountBook); ok && book == models.AccountsBook {
		return c.BankAccounts(ctx)
	}
	return nil, cannot(p, "keep such a book")
}

// ReadBooks reads every book of a credential.
func (m *Money) ReadBooks(ctx context.Context, credentialID string) error {
	_, p, _, err := m.Clients.Client(ctx, credentialID)
	if err != nil {
		return err
	}
	for _, b := range p.Description.Books() {
		if err := m.readBook(ctx, credentialID, b); err != nil {
			return err
		}
	}
	return nil
}

// ReadAllBooks reads the books of all active credentials, one after the other. One that cannot be read is noted and holds up no other.
func (m *Money) ReadAllBooks(ctx context.Context) error {
	ids, err := m.Store.BooksToRead(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := m.ReadBooks(ctx, id); err != nil && ctx.Err() == nil {
			m.Log.Warn("the books of a credential were not read", "credential", id, "error", err)
		}
	}
	return ctx.Err()
}
