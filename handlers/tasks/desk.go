package tasks

import (
	"context"
	"log/slog"
	"sync"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/models/vault"
	"countinghouse/providers"
)

// Desk is where providers are asked. It keeps one client per credential, version and slot for the whole process, because tokens, rate limits
// and circuit breakers live in the client. Its own methods only read; none of them can move money.
type Desk struct {
	store    *store.Store
	vault    *vault.Vault
	registry *providers.Registry
	recorder *Recorder
	log      *slog.Logger
	address  string
	clock    models.Clock

	mu      sync.Mutex
	clients map[clientPlace]*builtClient
	gates   map[string]*gate
}

// DeskConfig is what a desk works with.
type DeskConfig struct {
	Store    *store.Store
	Vault    *vault.Vault
	Registry *providers.Registry
	Recorder *Recorder
	Log      *slog.Logger // discarded when nil
	// CallerAddress is the address that providers see us call from, if it is known; it appears in sentences only.
	CallerAddress string
	// Clock is what clients sign and count the lives of tokens by. Default: the store's.
	Clock models.Clock
}

// NewDesk makes a desk.
func NewDesk(c DeskConfig) *Desk {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = c.Store.Clock
	}
	return &Desk{clock: c.Clock, store: c.Store, vault: c.Vault, registry: c.Registry, recorder: c.Recorder, log: c.Log, address: c.CallerAddress,
		clients: map[clientPlace]*builtClient{}, gates: map[string]*gate{}}
}

// Client gives the client of a credential's secrets in use, with its provider and the credential as it is now. A draft or a revoked credential
// gives an error. A suspended one gives its client, because what is on its way must still be followed: who sends checks the state.
func (d *Desk) Client(ctx context.Context, credentialID string) (client any, p *providers.Provider, cred models.Credential, err error) {
	cred, err = d.store.CredentialForTask(ctx, credentialID)
	if err != nil {
		return nil, nil, cred, err
	}
	switch cred.State {
	case models.CredentialDraft:
		return nil, nil, cred, models.Errorf(models.Conflict, "The credential %s is a draft. An admin must bring it into use first.", cred.Name)
	case models.CredentialRevoked:
		return nil, nil, cred, models.Errorf(models.Conflict, "The credential %s is revoked.", cred.Name)
	}
	client, p, err = d.clientOf(ctx, cred, models.SlotCurrent)
	return client, p, cred, err
}

// Settings gives the settings that a client of the credential works with: those chosen, and for every contract item that may be relied on
// "proven:<ITEM>" = "1", and "confirmed:<ITEM>" = "1" where two admins have confirmed it.
func (d *Desk) Settings(ctx context.Context, cred models.Credential) (map[string]string, error) {
	p, err := d.provider(cred.Provider)
	if err != nil {
		return nil, err
	}
	standings, err := d.store.StandingsForTask(ctx, cred)
	if err != nil {
		return nil, err
	}
	return providers.WithProven(&p.Description, cred, standings), nil
}

func (d *Desk) provider(name string) (*providers.Provider, error) {
	p, ok := d.registry.Get(name)
	if !ok {
		return nil, models.Errorf(models.NotFound, "This program has no provider called %q.", name)
	}
	return p, nil
}

// withDefault makes calls that nobody said anything about belong to the credential.
func withDefault(ctx context.Context, credentialID string) context.Context {
	if about(ctx).kind != "" {
		return ctx
	}
	return WithSubject(ctx, "credential", credentialID)
}

// cannot is the answer where a provider lacks a capability.
func cannot(p *providers.Provider, what string) error {
	return models.Errorf(models.Invalid, "%s cannot %s.", p.Description.Title, what)
}

// Balances reads all balances of a credential at its provider.
func (d *Desk) Balances(ctx context.Context, credentialID string) ([]providers.Balance, error) {
	ctx = withDefault(ctx, credentialID)
	client, p, _, err := d.Client(ctx, credentialID)
	if err != nil {
		return nil, err
	}
	reader, ok := client.(providers.BalanceReader)
	if !ok {
		return nil, cannot(p, "be asked for balances")
	}
	return reader.Balances(ctx)
}

// Quote asks for a rate.
func (d *Desk) Quote(ctx context.Context, credentialID, sell, buy string, amount models.Money) (providers.Quote, error) {
	ctx = withDefault(ctx, credentialID)
	client, p, _, err := d.Client(ctx, credentialID)
	if err != nil {
		return providers.Quote{}, err
	}
	c, ok := client.(providers.Converter)
	if !ok {
		return providers.Quote{}, cannot(p, "quote a rate")
	}
	return c.Quote(ctx, sell, buy, amount)
}

// VerifyRecipient asks whether a destination exists and whose it is.
func (d *Desk) VerifyRecipient(ctx context.Context, credentialID string, r providers.SendRequest) (providers.Verification, error) {
	ctx = withDefault(ctx, credentialID)
	client, p, _, err := d.Client(ctx, credentialID)
	if err != nil {
		return providers.Verification{}, err
	}
	v, ok := client.(providers.RecipientVerifier)
	if !ok {
		return providers.Verification{}, cannot(p, "verify a recipient")
	}
	return v.VerifyRecipient(ctx, r)
}

// LookUp answers one of the provider's Reads. Parameters are checked against the description first.
func (d *Desk) LookUp(ctx context.Context, credentialID, id string, params map[string]string) (providers.Sheet, error) {
	ctx = withDefault(ctx, credentialID)
	client, p, _, err := d.Client(ctx, credentialID)
	if err != nil {
		return providers.Sheet{}, err
	}
	l, ok := client.(providers.LookUps)
	if !ok {
		return providers.Sheet{}, cannot(p, "be asked for look-ups")
	}
	for _, r := range p.Description.Reads {
		if r.ID == id {
			if err := models.Problems(providers.CheckFields(r.Params, params)); err != nil {
				return providers.Sheet{}, err
			}
			return l.LookUp(ctx, id, params)
		}
	}
	return providers.Sheet{}, models.Errorf(models.NotFound, "%s has no such look-up.", p.Description.Title)
}

// Whose asks what a provider has under one of its own numbers. It only reads.
func (d *Desk) Whose(ctx context.Context, credentialID string, k models.Kind, number string) (providers.Finding, error) {
	ctx = withDefault(ctx, credentialID)
	client, p, _, err := d.Client(ctx, credentialID)
	if err != nil {
		return providers.Finding{}, err
	}
	f, ok := find(ctx, client, providers.Query{Kind: k, ProviderRef: number})
	if !ok {
		return f, cannot(p, "be asked about a "+string(k))
	}
	return f, nil
}

// DecodeQR turns the text of a QR code into a prefilled payout.
func (d *Desk) DecodeQR(ctx context.Context, credentialID, text string) (method string, values map[string]string, amount string, err error) {
	ctx = withDefault(ctx, credentialID)
	client, p, _, err := d.Client(ctx, credentialID)
	if err != nil {
		return "", nil, "", err
	}
	q, ok := client.(providers.QRDecoder)
	if !ok {
		return "", nil, "", cannot(p, "read QR codes")
	}
	return q.DecodeQR(ctx, text)
}

// Products lists what can be ordered.
func (d *Desk) Products(ctx context.Context, credentialID string) ([]providers.Product, error) {
	ctx = withDefault(ctx, credentialID)
	client, p, _, err := d.Client(ctx, credentialID)
	if err != nil {
		return nil, err
	}
	o, ok := client.(providers.Orderer)
	if !ok {
		return nil, cannot(p, "list products")
	}
	return o.Products(ctx)
}
