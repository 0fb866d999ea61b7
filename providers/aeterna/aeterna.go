// Package aeterna speaks Aeterna's merchant API as far as it is documented: how a request is signed and how a callback is verified. Not
// one path of it is known, so every typed operation (PayIn, PayOut, dispute, balance, statistics) comes out of an operation table that is
// data, shown as assumed, and locked until people have confirmed it. The table-driven engine (table*.go) can carry another provider too.
//
// It imports providers, httpx and models; only providers/all and its own tests import it.
package aeterna

import (
	"fmt"
	"slices"

	"countinghouse/models"
	"countinghouse/providers"
)

// Names of the credential's fields.
const (
	fieldBaseURL     = "base_url"
	fieldPublicToken = "public_token"
	fieldEmail       = "email"
	fieldSecretToken = "secret_token"
)

// Provider is Aeterna for the registry.
func Provider() *providers.Provider {
	return &providers.Provider{Description: description(), New: New, Webhooks: receiver{cache: &tableCache{}}}
}

func capabilities() []providers.Capability {
	return []providers.Capability{providers.CanCheck, providers.CanReadBalances, providers.CanSendPayouts, providers.CanFindPayouts,
		providers.CanCreateDeposits, providers.CanFindDeposits, providers.CanDispute, providers.CanLookUp, providers.CanReceiveWebhooks}
}

func description() providers.Description {
	return providers.Description{
		Name: "aeterna", Title: "Aeterna", Short: "Aeterna",
		About: "PayIns, PayOuts, disputes and a balance. Only the signing of requests and callbacks is documented; everything else follows an operation table that is assumed.",
		Sites: []providers.Site{ // AET-ENV-1: the host is given to each merchant; there is no default
			{Environment: models.Sandbox, Field: fieldBaseURL}, {Environment: models.Live, Field: fieldBaseURL},
		},
		Fields: credentialFields(), Settings: settingRows(), Capabilities: capabilities(), Items: items(),
		Methods: methodsUnder(nil), Reads: reads(),
		Webhooks: []providers.WebhookTopic{{ID: "callback", Title: "Callbacks", Mark: providers.Assumed, Item: "AET-CB-6",
			Help: "It is sent along with every request, or entered in Aeterna's cabinet: the documentation does not say which. Each credential has its own address."}},
		Passport: providers.Passport{
			Idempotency:      "None is documented. Profile L assumes that a reference used twice is refused; nothing is ever sent again by itself.",
			QueryByReference: true, // assumed, AET-L-2 and AET-L-3
			NotFoundAfter:    0, Resend: providers.ResendNever,
			WebhookRetries: "Not documented. Deliveries may be lost, doubled or out of order; every payment is also asked about.",
			Minimum:        "Not documented.", Decimals: "At most 2 (assumed).",
			Finality:        "A cancelled or expired PayIn may be reopened by a dispute (assumed).",
			RateLimit:       "Not documented. After a 429 nothing is repeated by itself.",
			DisputeEvidence: "A dispute carries one https address of the evidence, in JSON; files cannot be sent (assumed, AET-L-4).",
		},
		AddressLists: addressLists(), ReadAddress: readAddress,
		RotateDays: 90, CheckRequest: checkRequest, Locks: locks, CheckSettings: checkSettings, MethodsUnder: methodsUnder, Table: operationTable(),
		PreviewRequests: previewRequests, StatusSentence: statusSentence,
	}
}

func credentialFields() []providers.Field {
	return []providers.Field{
		{Name: fieldBaseURL, Label: "Base URL", Kind: providers.URL, Required: true, MaxLen: 300,
			Help: "The address that Aeterna gave you, beginning with https. There is no default, and the host is not necessarily aeterna.biz."},
		{Name: fieldPublicToken, Label: "Public token", Required: true, Pattern: `^[!-~]{1,200}$`,
			PatternHelp: "Use 1 to 200 letters, digits and signs without spaces.", Help: "Sent with every call as X-App-Token."},
		{Name: fieldEmail, Label: "Account e-mail address", Kind: providers.Email, Required: true, Pattern: `^\S+@\S+$`,
			PatternHelp: "Type the e-mail address without spaces, exactly as it is registered at Aeterna.",
			Help:        "Never sent, but part of every signature: type it exactly as it is registered, capitals included.", Item: "AET-SIG-2"},
		{Name: fieldSecretToken, Label: "Secret token", Secret: true, Required: true, MaxLen: 500,
			Help: "Signs requests and verifies callbacks. It is used exactly as it stands."},
	}
}

func reads() []providers.Read {
	id := providers.Field{Name: "id", Label: "Dispute's number", Help: "The number that Aeterna gave the dispute.", Required: true}
	from := providers.Field{Name: "from", Label: "From", Kind: providers.Date, Required: true, Help: "First day, from midnight UTC."}
	to := providers.Field{Name: "to", Label: "To", Kind: providers.Date, Required: true, Help: "The day before which it ends, at midnight UTC."}
	return []providers.Read{
		{ID: "statistics", Title: "Statistics", Help: "Counts and sums of PayIns and PayOuts between two days.", Params: []providers.Field{from, to}, Mark: providers.Assumed, Item: "AET-L-6"},
		{ID: "dispute", Title: "Dispute", Help: "Where a dispute stands.", Params: []providers.Field{id}, Mark: providers.Assumed, Item: "AET-L-4"},
	}
}

// methodsUnder gives the methods of the table in force; a table that cannot be used has none.
func methodsUnder(settings map[string]string) []providers.Method {
	t, err := tableOf(settings)
	if err != nil {
		return nil
	}
	var out []providers.Method
	for _, row := range t.Methods {
		op := string(row.Kind) + ".create"
		m := providers.Method{ID: row.ID, Kind: row.Kind, Title: row.Title, Country: row.Country, Network: row.Network, Assets: row.Assets,
			Mark: providers.Assumed, Items: itemsOf(op), LockedLive: assumedSentence(t), Minimum: row.Minimum, Note: row.Note}
		if !hasOperation(t, op) {
			m.Locked = fmt.Sprintf("The operation table “%s” has no operation %s.", t.Title, op)
		}
		for _, f := range row.Fields {
			m.Fields = append(m.Fields, formField(f))
		}
		out = append(out, m)
	}
	return out
}

func formField(f FormField) providers.Field {
	out := providers.Field{Name: f.Name, Label: f.Label, Help: f.Help, Kind: f.Kind, Required: f.Required, Pattern: f.Pattern,
		PatternHelp: f.PatternHelp, MaxLen: f.Max, Role: f.Role}
	for _, o := range f.Options {
		out.Options = append(out.Options, providers.Option(o))
	}
	return out
}

// checkRequest applies the table's rules before anybody approves.
func checkRequest(settings map[string]string, method providers.Method, amount models.Money, values map[string]string) []models.Problem {
	t, err := tableOf(settings)
	if err != nil {
		return []models.Problem{{Field: "method", Sentence: err.Error()}}
	}
	row, ok := t.method(method.ID, method.Kind)
	if !ok {
		return []models.Problem{{Field: "method", Sentence: "The operation table of this credential has no such method."}}
	}
	return t.checkValues(row, amount, values)
}

// checkValues checks a request against a method's form and against what the wire can carry.
func (t *Table) checkValues(row MethodRow, amount models.Money, values map[string]string) []models.Problem {
	var out []models.Problem
	for _, f := range row.Fields {
		if s := fieldProblem(f, values[f.Name]); s != "" {
			out = append(out, models.Problem{Field: f.Name, Sentence: s})
		}
	}
	if len(row.Assets) > 0 && !slices.Contains(row.Assets, amount.Asset) {
		out = append(out, models.Problem{Field: "amount", Sentence: fmt.Sprintf("%s is not a currency of this method.", amount.Asset)})
	}
	if low, err := models.ParseMoney(row.Minimum, amount.Asset); row.Minimum != "" && err == nil && amount.Minor < low.Minor {
		out = append(out, models.Problem{Field: "amount", Sentence: fmt.Sprintf("The smallest amount of this method is %s.", low)})
	}
	if len(out) > 0 {
		return out
	}
	// What the fields allow may still not fit the wire: the request itself is the last check.
	_, err := t.build(string(row.Kind)+".create", input{reference: sampleReference, amount: amount, method: row.Code, values: values})
	return problemsOf(err)
}

// sampleReference has the shape of ours.
const sampleReference = "CH00000000000000000000"

func fieldProblem(f FormField, value string) string {
	switch {
	case value == "" && f.Required:
		return f.Label + " is missing."
	case value == "":
		return ""
	case len([]rune(value)) > f.limit():
		return fmt.Sprintf("%s may have at most %d characters.", f.Label, f.limit())
	case hasControl(value):
		return f.Label + " contains a control or invisible character."
	case !matches(f.Pattern, value):
		return f.PatternHelp
	case len(f.Options) > 0 && !slices.ContainsFunc(f.Options, func(o FormOption) bool { return o.Value == value }):
		return "Choose one of the values offered for " + f.Label + "."
	}
	return ""
}

func (f FormField) limit() int {
	if f.Max == 0 {
		return 255
	}
	return f.Max
}

// statusSentence explains a status word of profile L.
func statusSentence(kind models.Kind, word string) string {
	t, err := tableOf(nil)
	if err != nil {
		return ""
	}
	state := models.State(t.Statuses[string(kind)][word])
	if state == "" {
		return "This word is not in the operation table: it is kept as it is, and nothing follows from it."
	}
	return fmt.Sprintf("“%s” is taken for: %s (assumed, AET-L-7).", word, state.Word())
}
