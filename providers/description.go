package providers

import (
	"slices"

	"countinghouse/models"
)

// Mark says how well a fact of a contract is known.
type Mark string

// The marks, as in the contract files.
const (
	Documented Mark = "documented" // on a public page of this provider
	Sibling    Mark = "sibling"    // seen only on a sister brand of the same platform
	Assumed    Mark = "assumed"    // our guess, switchable, shown wherever it surfaces
)

// Item is one row of a contract file: a stable id, what it says, how well it is known and what would prove it.
type Item struct {
	ID       string // "OKP-SIG-2"
	Text     string
	Mark     Mark
	Setting  string // name of the Setting that switches it; empty if none
	Evidence string // what in the provider's own environment would confirm it
}

// Option is one choice of a select field or a setting.
type Option struct{ Value, Label string }

// FieldKind says how a form asks for a value.
type FieldKind string

// The kinds of field.
const (
	Text     FieldKind = "text"
	Select   FieldKind = "select"
	Email    FieldKind = "email"
	Phone    FieldKind = "phone"
	URL      FieldKind = "url"
	Digits   FieldKind = "digits" // text of digits: leading zeros count
	Date     FieldKind = "date"   // YYYY-MM-DD
	Checkbox FieldKind = "checkbox"
	Area     FieldKind = "textarea"
	Files    FieldKind = "files"
)

// Role says what a destination or payer field means, so that lists can show and mask it without knowing the provider.
type Role string

// The roles of a field.
const (
	RoleNone     Role = ""
	RoleOwner    Role = "owner"    // who is paid or pays
	RoleLastName Role = "lastname" // follows the owner
	RoleAccount  Role = "account"  // account number, key, address, phone: what decides where money goes
	RoleBank     Role = "bank"
	RoleDocument Role = "document"
	RoleNetwork  Role = "network"
	RoleCurrency Role = "currency" // the one currency that an account is paid in
)

// Field is one value that a form asks for.
type Field struct {
	Name        string
	Label       string
	Help        string
	Kind        FieldKind // empty means Text
	Required    bool
	Secret      bool // credential fields: sealed, never shown again
	Default     string
	Options     []Option
	Lookup      string // id of a Read whose first two columns are value and label, offered as choices
	Pattern     string // anchored regular expression the trimmed value must match; empty: none
	PatternHelp string // the sentence when it does not
	MaxLen      int    // in characters; 0 means 255
	Role        Role
	// PerPayment: the value says something about one payment (a purpose, a text on the statement) and nothing about where it goes, so it is asked
	// for with every payout and is no part of a destination.
	PerPayment bool
	Item       string // contract item it rests on, if its mark is not Documented
	// Examples are right values, made up, that pass the provider's own rules together with the first examples of the other fields. The
	// demonstration draws from them; empty: any value of the kind will do.
	Examples []string
	// Try is the value that the provider's own test data, and so its stand-in, knows: what somebody who tries the way should type.
	Try string
}

// Setting is a contract item that can be switched for a credential.
type Setting struct {
	Name     string
	Label    string
	Help     string
	Item     string   // contract item id
	Options  []Option // closed choice; empty: free text that must match Pattern
	Pattern  string
	Default  string
	Required bool // has no default that may be used without a person's choice
}

// Site is where a provider lives in one environment.
type Site struct {
	Environment models.Environment
	// Field is the credential field that holds this base URL ("base_url", "card_base_url").
	Field   string
	Default string   // empty: must be typed
	Hosts   []string // pinned host names; empty in live means: the host an admin types is pinned by approval of the credential
	Prefix  string   // path prefix that belongs to the base URL, if any
}

// Method is one way to pay out, to take money in, or otherwise to send: "PIX by CPF", "Bank transfer Chile", "WUSD on chain".
type Method struct {
	ID            string // stable, "br_pix_cpf"
	Kind          models.Kind
	Title         string
	Country       string   // ISO 3166-1 alpha-2, empty if none
	Network       string   // crypto network, empty if none
	Assets        []string // assets it can be asked in; empty: typed freely
	Fields        []Field
	Mark          Mark // the weakest mark that sending by it rests on
	Items         []string
	Locked        string // a sentence why it cannot be used anywhere; empty if it can
	LockedLive    string // a sentence why it cannot be used in live until two admins have confirmed Items; empty if free
	Minimum       string // decimal text, smallest amount; empty if not stated
	Note          string // one sentence for the form
	ByAddressBook bool   // the destination must first be registered at the provider

	// To is what the method pays: a bank account, an address. Empty: it is told from the fields.
	To models.DestinationKind
	// Book names the provider's book in which the destination must stand first. EntryField is the field that takes the entry's id; where it is
	// empty the entry's values go by their names.
	Book       models.Book
	EntryField string
}

// Capability names what a provider can do; each has one interface in capabilities.go.
type Capability string

// The capabilities.
const (
	CanCheck            Capability = "check"
	CanReadBalances     Capability = "balances"
	CanSendPayouts      Capability = "payouts"
	CanFindPayouts      Capability = "payout-status"
	CanCancelPayouts    Capability = "payout-cancel"
	CanHoldPayouts      Capability = "payout-hold"
	CanCreateDeposits   Capability = "deposits"
	CanFindDeposits     Capability = "deposit-status"
	CanRefund           Capability = "refunds"
	CanFindRefunds      Capability = "refund-status"
	CanConvert          Capability = "conversions"
	CanFindConversions  Capability = "conversion-status"
	CanOrder            Capability = "orders"
	CanFindOrders       Capability = "order-status"
	CanTransfer         Capability = "transfers"
	CanKeepAddresses    Capability = "address-book"
	CanKeepAccounts     Capability = "bank-account-book"
	CanVerifyRecipients Capability = "recipient-verification"
	CanOpenSubAccounts  Capability = "sub-accounts"
	CanSubmitKYB        Capability = "kyb"
	CanReadStatements   Capability = "statements"
	CanDispute          Capability = "disputes"
	CanLookUp           Capability = "look-ups"
	CanUploadProof      Capability = "proof-upload"
	CanDecodeQR         Capability = "qr-decode"
	CanReceiveWebhooks  Capability = "webhooks"
)

// Resend says what a provider's contract allows after a lost answer, once the evidence says that nothing was created.
type Resend string

// The resend rules (providers/README.md, rule 1).
const (
	ResendSame  Resend = "same"  // the same reference and identical fields
	ResendNew   Resend = "new"   // a new reference, approved by two people
	ResendStaff Resend = "staff" // the same reference, decided by two people
	ResendNever Resend = "never" // ask instead
)

// Passport is what people must know before they move money at a provider; screens show it and obey it.
type Passport struct {
	Idempotency      string // one sentence
	QueryByReference bool   // a payout can be found by our own reference
	NotFoundAfter    int    // seconds after sending from which "not found" may be believed; 0: never by itself
	Resend           Resend
	// ByNumberOnly are the kinds that are found by the provider's own number only, whatever QueryByReference says. A lost answer takes that number
	// along, so they are never sent again.
	ByNumberOnly    []models.Kind
	CancelUntil     string // sentence; empty: cannot be cancelled
	WebhookRetries  string
	Minimum         string
	Decimals        string
	Finality        string // what may still turn after "final"
	RateLimit       string
	DisputeEvidence string // what a dispute takes as evidence, for those that can dispute: a sentence that says whether files can be sent
}

// Finds reports whether a transaction of a kind can be found by our own reference.
func (p Passport) Finds(k models.Kind) bool {
	return p.QueryByReference && !slices.Contains(p.ByNumberOnly, k)
}

// ResendOf is the rule for sending one of a kind again.
func (p Passport) ResendOf(k models.Kind) Resend {
	if slices.Contains(p.ByNumberOnly, k) {
		return ResendNever
	}
	return p.Resend
}

// WebhookTopic is one kind of callback a provider sends; its address is shown beside the credential.
type WebhookTopic struct {
	ID    string // path segment: "cashout", "deposit"
	Title string
	Help  string // where to enter the address at the provider
	Mark  Mark
	Item  string
	// Verifies: answers to recipient verifications arrive here; the address that is given out carries ?token=….
	Verifies bool
}

// Description is everything about a provider that is known without calling it. It is pure data and pure functions.
type Description struct {
	Name         string // folder name
	Title        string // "OneKey Payments"
	Short        string // "OneKey", for tables
	About        string // one sentence
	Sites        []Site
	Fields       []Field // what a credential holds, base URLs included
	Settings     []Setting
	Capabilities []Capability
	Items        []Item
	Methods      []Method
	Reads        []Read
	Webhooks     []WebhookTopic
	// AddressFields and AccountFields are what the forms of the address book and of the bank-account book ask for, by the names that
	// AddAddress and AddBankAccount take and that Entry.Values give back.
	AddressFields []Field
	AccountFields []Field
	// SubAccountFields are what the form of a new sub-account asks for: company, country, type, email, username. Only with CanOpenSubAccounts.
	SubAccountFields []Field
	Passport         Passport
	TryQR            string            // the text of a QR code that the provider's own test data knows, for people who try it in sandbox
	Demo             map[string]string // settings that the demonstration chooses, so that everything can be tried against the stand-in
	RotateDays       int               // how often the provider wants keys changed; 0 means 90

	// AddressLists are the provider's lists of addresses that may call it. ReadAddress says what an answer shows about the address that we
	// called from, of which list, and which address the provider says it saw, if it says so; word "" means nothing. It is pure.
	AddressLists []AddressList
	ReadAddress  func(a Answered) (list string, word AddressWord, seen string)

	// CheckRequest applies the provider's own rules to a request before anybody approves it. It is pure; it may be nil.
	CheckRequest func(settings map[string]string, method Method, amount models.Money, values map[string]string) []models.Problem
	// Locks lists operations that may not be used with this configuration and what would unlock them. It is pure; it may be nil.
	Locks func(env models.Environment, values, settings map[string]string) []Lock
	// CheckSettings applies the provider's own rules to settings before they are saved. It is pure; it may be nil.
	CheckSettings func(settings map[string]string) []models.Problem
	// MethodsUnder gives the methods under these settings, where they are data that an admin can change; nil: always Methods.
	MethodsUnder func(settings map[string]string) []Method
	// Canonical writes the values of a book's entry in one spelling, so that ours and theirs can be compared: a country as SGP where the other
	// side says SG. It is pure; nil: values are compared as they stand.
	Canonical func(book models.Book, values map[string]string) map[string]string
	// Table lets people read and change operations that are data; nil where they are code.
	Table *OperationTable
	// PreviewRequests writes out the exact requests, secrets blanked, that the given values would become under these settings, one for
	// every operation the provider has. It is pure; it may be nil.
	PreviewRequests func(env models.Environment, values, settings map[string]string, r SendRequest) ([]RequestPreview, error)
	// StatusSentence explains the provider's own status word; it may be nil.
	StatusSentence func(kind models.Kind, status string) string
	// KYB is what the provider wants to know about a company: requirement lists, limits, its words. It is pure; nil where there is no list.
	KYB func(env models.Environment, settings map[string]string) models.KYBRules
}

// Lock is an operation that may not be used yet.
type Lock struct {
	Operation string   // capability or method id
	Reason    string   // for people
	Items     []string // contract items whose confirmation unlocks it; empty: nothing unlocks it
	Warning   bool     // shown, not enforced: in sandbox, or where a part of the operation is left out
}

// RequestPreview is one request as it would be sent, for people to check before a change of settings is approved.
type RequestPreview struct {
	Operation string // "payout.create"
	Text      string // request line, headers, empty line, body; secrets and signatures blanked
	Problem   string // a sentence why these values make no such request; Text is then empty
}

// MethodsWith gives the methods that a credential with these settings has.
func (d *Description) MethodsWith(settings map[string]string) []Method {
	if d.MethodsUnder == nil {
		return d.Methods
	}
	return d.MethodsUnder(settings)
}

// Method finds a method by id.
func (d *Description) Method(id string) (Method, bool) {
	for _, m := range d.Methods {
		if m.ID == id {
			return m, true
		}
	}
	return Method{}, false
}

// Item finds a contract item by id.
func (d *Description) Item(id string) (Item, bool) {
	for _, it := range d.Items {
		if it.ID == id {
			return it, true
		}
	}
	return Item{}, false
}

// Has reports whether the description lists a capability.
func (d *Description) Has(c Capability) bool {
	for _, x := range d.Capabilities {
		if x == c {
			return true
		}
	}
	return false
}

// Topic finds a webhook topic by id.
func (d *Description) Topic(id string) (WebhookTopic, bool) {
	for _, t := range d.Webhooks {
		if t.ID == id {
			return t, true
		}
	}
	return WebhookTopic{}, false
}
