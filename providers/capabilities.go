package providers

import (
	"context"
	"time"

	"countinghouse/models"
)

// Every method below may be called at the same time from many goroutines. A method that moves money makes at most one request that
// could create something, and never repeats it. Errors of reading methods are models.Error with a sentence for people.

// Checker makes the provider's harmless calls and says precisely what happened.
type Checker interface {
	Check(ctx context.Context) []CheckResult
}

// BalanceReader reads all balances.
type BalanceReader interface {
	Balances(ctx context.Context) ([]Balance, error)
}

// PayoutSender sends a payout.
type PayoutSender interface {
	SendPayout(ctx context.Context, r SendRequest) Outcome
}

// PayoutReader asks about a payout.
type PayoutReader interface {
	FindPayout(ctx context.Context, q Query) Finding
}

// PayoutCanceller calls a payout off. Accepted means that it is cancelled (or what Status says); Refused that it was too late.
type PayoutCanceller interface {
	CancelPayout(ctx context.Context, q Query) Outcome
}

// PayoutHolder holds a payout and lets it go.
type PayoutHolder interface {
	HoldPayout(ctx context.Context, q Query) Outcome
	ReleasePayout(ctx context.Context, q Query) Outcome
}

// DepositCreator asks for money. Accepted carries the instructions for the payer.
type DepositCreator interface {
	CreateDeposit(ctx context.Context, r SendRequest) Outcome
}

// DepositReader asks about a deposit.
type DepositReader interface {
	FindDeposit(ctx context.Context, q Query) Finding
}

// Refunder gives a deposit back, whole or in part.
type Refunder interface {
	SendRefund(ctx context.Context, r SendRequest) Outcome
}

// RefundReader asks about a refund.
type RefundReader interface {
	FindRefund(ctx context.Context, q Query) Finding
}

// Converter quotes and converts.
type Converter interface {
	Quote(ctx context.Context, sell, buy string, amount models.Money) (Quote, error)
	Convert(ctx context.Context, r SendRequest) Outcome
}

// ConversionReader asks about a conversion.
type ConversionReader interface {
	FindConversion(ctx context.Context, q Query) Finding
}

// Product is something that can be ordered.
type Product struct {
	SKU, Title, Country, Note string
	Price                     models.Money // Asset models.Unstated when the provider does not say
	PriceText                 string
	Stock                     int // -1: not stated
	Enabled                   bool
}

// Orderer lists products and buys one line of them.
type Orderer interface {
	Products(ctx context.Context) ([]Product, error)
	PlaceOrder(ctx context.Context, r SendRequest) Outcome
}

// OrderReader asks about an order.
type OrderReader interface {
	FindOrder(ctx context.Context, q Query) Finding
}

// Transferer moves money between the merchant's own wallets at the provider.
type Transferer interface {
	SendTransfer(ctx context.Context, r SendRequest) Outcome
}

// RecipientVerifier asks whether a destination exists and whose it is.
type RecipientVerifier interface {
	VerifyRecipient(ctx context.Context, r SendRequest) (Verification, error)
}

// AddressBook keeps crypto addresses at the provider. Adding is idempotent only by listing: a lost answer is settled with List.
type AddressBook interface {
	Addresses(ctx context.Context) ([]Entry, error)
	AddAddress(ctx context.Context, reference string, values map[string]string) Outcome
	DeleteAddress(ctx context.Context, reference string, e Entry) Outcome
}

// BankAccountBook keeps bank accounts at the provider.
type BankAccountBook interface {
	BankAccounts(ctx context.Context) ([]Entry, error)
	AddBankAccount(ctx context.Context, reference string, values map[string]string) Outcome
	EditBankAccount(ctx context.Context, reference string, e Entry, values map[string]string) Outcome
	DeleteBankAccount(ctx context.Context, reference string, e Entry) Outcome
}

// SubAccounts opens and lists sub-accounts. Create answers no id: it is found by listing.
type SubAccounts interface {
	ListSubAccounts(ctx context.Context, page int) (list []SubAccount, pages int, err error)
	CreateSubAccount(ctx context.Context, a SubAccount) Outcome
	CreateSubAccounts(ctx context.Context, as []SubAccount) Outcome
	// SubAccountKeys lists API keys without any secret: the sub-account's id in the first column, then label, state, created.
	SubAccountKeys(ctx context.Context, page int) (Sheet, int, error)
}

// KYBSubmitter hands documents of a company to the provider.
type KYBSubmitter interface {
	SubmitKYB(ctx context.Context, subAccountID string, docs []Document) Outcome
	SubmitKYBBatch(ctx context.Context, docs map[string][]Document) Outcome
}

// ProofUploader uploads a proof of transfer and gives the provider's file id.
type ProofUploader interface {
	UploadProof(ctx context.Context, d Document) (fileID string, err error)
}

// StatementReader reads the provider's own books; next is empty on the last page.
type StatementReader interface {
	Statement(ctx context.Context, from, to time.Time, cursor string) (lines []StatementLine, next string, err error)
}

// Values of a query that a Disputer is given beside the method's own; each may be empty.
const (
	DisputeProof  = "proof_url"      // https address of the evidence
	DisputeAmount = "dispute_amount" // what was really paid, decimal text in major units
)

// Disputer opens a dispute about a deposit. Accepted carries the dispute's own number as ProviderRef.
type Disputer interface {
	OpenDispute(ctx context.Context, q Query, reason string, evidence []Document) Outcome
}

// LookUps answers the Reads of the description.
type LookUps interface {
	LookUp(ctx context.Context, id string, params map[string]string) (Sheet, error)
}

// QRDecoder turns the text of a QR code into a prefilled payout.
type QRDecoder interface {
	DecodeQR(ctx context.Context, text string) (method string, values map[string]string, amount string, err error)
}
