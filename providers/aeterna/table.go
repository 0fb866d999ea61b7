package aeterna

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"countinghouse/models"
	"countinghouse/providers"
)

// The files table*.go are the table-driven engine: a provider's paths, fields, success rule, refusals and statuses as data. They know
// nothing of Aeterna; profile_l.json is only their first table. A table can also describe another way to authenticate, so that it
// carries a provider that nobody has written code for. Every line of a table is somebody's assumption until it is confirmed.

//go:embed profile_l.json
var profileL []byte

// Operations that a table may have. The first part is the kind of thing, the second what is done.
const (
	opDepositCreate = "deposit.create"
	opDepositStatus = "deposit.status"
	opPayoutCreate  = "payout.create"
	opPayoutStatus  = "payout.status"
	opDisputeCreate = "dispute.create"
	opDisputeStatus = "dispute.status"
	opBalance       = "balance.get"
	opStatistics    = "statistics.get"
)

// operationNames lists the operations in the order that people read them.
func operationNames() []string {
	return []string{opDepositCreate, opDepositStatus, opPayoutCreate, opPayoutStatus, opDisputeCreate, opDisputeStatus, opBalance, opStatistics}
}

func creates(operation string) bool { return strings.HasSuffix(operation, ".create") }

// Table is a provider's typed operations as data. ParseTable is the only way to make one.
type Table struct {
	Format     int                          `json:"format"` // 1
	Title      string                       `json:"title"`
	Note       string                       `json:"note"`
	Auth       *Auth                        `json:"auth"` // absent: Aeterna's documented signing
	Amount     AmountRule                   `json:"amount"`
	Reference  string                       `json:"reference"` // pattern of our references; empty: any
	Currency   string                       `json:"currency"`  // pattern of currency codes; empty: any
	Success    SuccessRule                  `json:"success"`
	Errors     ErrorRules                   `json:"errors"`
	Methods    []MethodRow                  `json:"methods"`
	Operations map[string]Operation         `json:"operations"`
	Statuses   map[string]map[string]string `json:"statuses"` // deposit, payout, dispute: their word → ours
	Callback   *Callback                    `json:"callback"`
}

// AmountRule says how money is written.
type AmountRule struct {
	As       string `json:"as"`       // text ("100.50"), number (100.50) or minor (10050)
	Decimals int    `json:"decimals"` // most digits after the point
}

// SuccessRule says when an answer may be read as a success. All of it must hold; a 2xx alone proves nothing (AET-ERR-1).
type SuccessRule struct {
	HTTP   []int             `json:"http"`
	Data   string            `json:"data"`   // where the payload is; empty: the whole body
	Absent []string          `json:"absent"` // paths that must not be there
	Equals map[string]string `json:"equals"` // paths that must have this text
}

// ErrorRules say how an error is written and what it proves.
type ErrorRules struct {
	Code      string      `json:"code"` // path of the error code
	Message   string      `json:"message"`
	Refusals  []ErrorRule `json:"refusals"`  // nothing was created
	Exists    []ErrorRule `json:"exists"`    // something with this reference is there already
	NotFound  []ErrorRule `json:"not_found"` // status questions: no such thing
	Diagnosis []ErrorRule `json:"diagnosis"` // what an error of a check means
}

// ErrorRule is one kind of error. It matches only an answer that carries an error code at the declared path.
type ErrorRule struct {
	HTTP      int    `json:"http"`
	Code      string `json:"code"` // empty: any code
	Retryable bool   `json:"retryable"`
	Sentence  string `json:"sentence"`
	Verdict   string `json:"verdict"` // diagnosis only
}

// MethodRow is one way to pay in or out.
type MethodRow struct {
	ID      string      `json:"id"`
	Kind    models.Kind `json:"kind"`
	Title   string      `json:"title"`
	Code    string      `json:"code"` // the provider's word for it
	Country string      `json:"country"`
	Network string      `json:"network"`
	Assets  []string    `json:"assets"`
	Minimum string      `json:"minimum"`
	Note    string      `json:"note"`
	Fields  []FormField `json:"fields"`
}

// FormField is one value that a form asks for.
type FormField struct {
	Name        string              `json:"name"`
	Label       string              `json:"label"`
	Help        string              `json:"help"`
	Kind        providers.FieldKind `json:"kind"`
	Required    bool                `json:"required"`
	Pattern     string              `json:"pattern"`
	PatternHelp string              `json:"pattern_help"`
	Max         int                 `json:"max"`
	Role        providers.Role      `json:"role"`
	Options     []FormOption        `json:"options"`
}

// FormOption is one choice of a select field.
type FormOption struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

// Operation is one call.
type Operation struct {
	Path     string       `json:"path"` // below the base URL; {name} stands for a field with "in": "path"
	Method   string       `json:"method"`
	Encoding string       `json:"encoding"` // json (default) or form
	Fields   []WireField  `json:"fields"`
	Answer   *AnswerPaths `json:"answer"`
	Sheet    *SheetRule   `json:"sheet"`
	Balances *BalanceRule `json:"balances"`
}

// WireField is one value of a request.
type WireField struct {
	Name      string          `json:"name"` // dots nest: recipient.number
	In        string          `json:"in"`   // body (default), query, path, header
	From      string          `json:"from"` // what fills it; see sources
	Key       string          `json:"key"`  // with from=value: the form field
	Const     json.RawMessage `json:"const"`
	Required  bool            `json:"required"`
	Group     string          `json:"group"` // of the fields of a group only the first that has a value is sent
	Pattern   string          `json:"pattern"`
	Format    string          `json:"format"` // uuid, https_url, decimal, moment
	Max       int             `json:"max"`
	Sensitive bool            `json:"sensitive"` // blanked in records
}

// AnswerPaths says where things stand in the payload of a create or a status answer.
type AnswerPaths struct {
	ID        string       `json:"id"`
	Of        string       `json:"of"` // disputes: the id of what is disputed
	Reference string       `json:"reference"`
	Status    string       `json:"status"`
	Amount    string       `json:"amount"`
	Currency  string       `json:"currency"`
	Paid      string       `json:"paid"`
	Fee       string       `json:"fee"`
	Reason    string       `json:"reason"`
	BankRef   string       `json:"bank_ref"`
	Expires   string       `json:"expires"`
	Redirect  string       `json:"redirect"`
	QR        string       `json:"qr"`
	Lines     []AnswerLine `json:"lines"`
}

// AnswerLine is one label and value that a payer is shown.
type AnswerLine struct {
	Label     string `json:"label"`
	Path      string `json:"path"`
	Copy      bool   `json:"copy"`
	Sensitive bool   `json:"sensitive"`
}

// SheetRule turns an answer into a table of text.
type SheetRule struct {
	List    string       `json:"list"` // path of an array whose elements are the rows; empty: Rows
	Rows    []AnswerLine `json:"rows"`
	Columns []AnswerLine `json:"columns"`
}

// BalanceRule says where balances stand.
type BalanceRule struct {
	List      string `json:"list"` // path of an array; empty: the payload is one balance
	Account   string `json:"account"`
	Named     string `json:"account_path"`
	Currency  string `json:"currency"`
	Available string `json:"available"`
	Held      string `json:"held"`
	Total     string `json:"total"`
}

// Callback says where things stand in a callback, and how it is signed where that is not the documented way.
type Callback struct {
	Signature *CallbackSignature `json:"signature"`
	Kind      string             `json:"kind"`  // path of their word for what it is about
	Kinds     map[string]string  `json:"kinds"` // their word → deposit, payout or dispute
	ID        string             `json:"id"`
	Reference string             `json:"reference"`
	Status    string             `json:"status"`
}

// tableOf reads the table of a credential: the setting, or profile L where it is empty.
func tableOf(settings map[string]string) (*Table, error) {
	text := settings[settingTable]
	if strings.TrimSpace(text) == "" {
		return ownTable()
	}
	t, problems := ParseTable([]byte(text))
	if len(problems) > 0 {
		more := ""
		if len(problems) > 1 {
			more = fmt.Sprintf(" (%d problems in all)", len(problems))
		}
		return nil, models.FieldErrorf(settingTable, "The operation table cannot be used: %s%s", problems[0].Sentence, more)
	}
	return t, nil
}

// ownTable decodes profile L without checking it again: a test does that for every build.
func ownTable() (*Table, error) {
	var t Table
	if err := json.Unmarshal(profileL, &t); err != nil {
		return nil, fmt.Errorf("profile L: %w", err)
	}
	return &t, nil
}

// tableCache keeps the tables that callbacks were last read with, so that a flood of deliveries costs no parsing.
type tableCache struct {
	mu     sync.Mutex
	tables map[string]*Table
}

func (c *tableCache) table(settings map[string]string) (*Table, error) {
	text := settings[settingTable]
	c.mu.Lock()
	defer c.mu.Unlock()
	if t, ok := c.tables[text]; ok {
		return t, nil
	}
	t, err := tableOf(settings)
	if err != nil {
		return nil, err
	}
	if c.tables == nil || len(c.tables) >= 16 {
		c.tables = map[string]*Table{}
	}
	c.tables[text] = t
	return t, nil
}

// operation finds an operation; the error is a sentence for people.
func (t *Table) operation(name string) (Operation, error) {
	op, ok := t.Operations[name]
	if !ok {
		return Operation{}, models.Errorf(models.Conflict, "The operation table “%s” has no operation %s.", t.Title, name)
	}
	return op, nil
}

// method finds a method of a kind.
func (t *Table) method(id string, kind models.Kind) (MethodRow, bool) {
	for _, m := range t.Methods {
		if m.ID == id && m.Kind == kind {
			return m, true
		}
	}
	return MethodRow{}, false
}

// sensitive lists the names whose values are blanked in records: the last part of every path marked so.
func (t *Table) sensitive() []string {
	var out []string
	add := func(path string) { out = append(out, path[strings.LastIndexByte(path, '.')+1:]) }
	for _, name := range operationNames() {
		op := t.Operations[name]
		for _, f := range op.Fields {
			if f.Sensitive {
				add(f.Name)
			}
		}
		if op.Answer != nil {
			for _, l := range op.Answer.Lines {
				if l.Sensitive {
					add(l.Path)
				}
			}
		}
	}
	return out
}
