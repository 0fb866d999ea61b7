package store

import (
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"countinghouse/models"
)

// A row of transactions is read as one text where many are read: handing over a row costs the drivers several times more per column than the
// database needs to put the columns into one. Texts of our own and numbers come first, with a separator between them. What others wrote stands
// at the end, each text with its length in bytes before, so that no character in it can move a border.
const rowSeparator = "\x1f"

type textColumn struct {
	name string
	of   func(t *models.Transaction) *string
}

type numberColumn struct {
	name string
	set  func(t *models.Transaction, n int64)
}

// rowText is which columns are read.
type rowText struct {
	own     []textColumn // identifiers and words of our own
	numbers []numberColumn
	others  []textColumn // written by people and providers
}

// wholeRow is every column of a transaction.
func wholeRow() rowText {
	x := exportRow()
	x.own = append(x.own,
		textColumn{"t.environment", func(t *models.Transaction) *string { return (*string)(&t.Environment) }},
		textColumn{"t.destination_id", func(t *models.Transaction) *string { return &t.DestinationID }},
		textColumn{"t.destination_digest", func(t *models.Transaction) *string { return &t.DestinationDigest }},
		textColumn{"t.batch_id", func(t *models.Transaction) *string { return &t.BatchID }},
		textColumn{"t.of_id", func(t *models.Transaction) *string { return &t.OfID }},
		textColumn{"t.digest", func(t *models.Transaction) *string { return &t.Digest }},
		textColumn{"t.created_by", func(t *models.Transaction) *string { return &t.CreatedBy }})
	x.numbers = append(x.numbers,
		numberColumn{"t.credential_version", func(t *models.Transaction, n int64) { t.CredentialVersion = n }},
		numberColumn{"t.updated_us", func(t *models.Transaction, n int64) { t.UpdatedAt = models.Micros(n) }},
		numberColumn{"t.send_after_us", func(t *models.Transaction, n int64) { t.SendAfter = models.Micros(n) }},
		numberColumn{"t.expires_us", func(t *models.Transaction, n int64) { t.ExpiresAt = models.Micros(n) }},
		numberColumn{"t.next_ask_us", func(t *models.Transaction, n int64) { t.NextAsk = models.Micros(n) }},
		numberColumn{"t.asks", func(t *models.Transaction, n int64) { t.Asks = int(n) }},
		numberColumn{"t.version", func(t *models.Transaction, n int64) { t.Version = n }})
	x.others = append(x.others,
		textColumn{"t.reason_code", func(t *models.Transaction) *string { return &t.ReasonCode }},
		textColumn{"t.waits", func(t *models.Transaction) *string { return &t.Waits }},
		textColumn{"t.alert", func(t *models.Transaction) *string { return &t.Alert }})
	return x
}

// exportRow is the columns that a file shows: who, what, how much, where it stands and when.
func exportRow() rowText {
	return rowText{
		own: []textColumn{
			{"t.id", func(t *models.Transaction) *string { return &t.ID }},
			{"t.kind", func(t *models.Transaction) *string { return (*string)(&t.Kind) }},
			{"t.provider", func(t *models.Transaction) *string { return &t.Provider }},
			{"t.credential_id", func(t *models.Transaction) *string { return &t.CredentialID }},
			{"t.reference", func(t *models.Transaction) *string { return &t.Reference }},
			{"t.state", func(t *models.Transaction) *string { return (*string)(&t.State) }},
			{"t.sub_account", func(t *models.Transaction) *string { return &t.SubAccount }},
			{"t.asset", func(t *models.Transaction) *string { return &t.Amount.Asset }},
			{"t.fee_asset", func(t *models.Transaction) *string { return &t.Fee.Asset }},
			{"t.settled_asset", func(t *models.Transaction) *string { return &t.Settled.Asset }},
			{"t.counter_asset", func(t *models.Transaction) *string { return &t.Counter.Asset }},
		},
		numbers: []numberColumn{
			{"t.minor", func(t *models.Transaction, n int64) { t.Amount.Minor = n }},
			{"t.fee_minor", func(t *models.Transaction, n int64) { t.Fee.Minor = n }},
			{"t.settled_minor", func(t *models.Transaction, n int64) { t.Settled.Minor = n }},
			{"t.counter_minor", func(t *models.Transaction, n int64) { t.Counter.Minor = n }},
			{"t.created_us", func(t *models.Transaction, n int64) { t.CreatedAt = models.Micros(n) }},
			{"t.sent_us", func(t *models.Transaction, n int64) { t.SentAt = models.Micros(n) }},
			{"t.settled_us", func(t *models.Transaction, n int64) { t.SettledAt = models.Micros(n) }},
		},
		others: []textColumn{
			{"t.provider_ref", func(t *models.Transaction) *string { return &t.ProviderRef }},
			{"t.bank_ref", func(t *models.Transaction) *string { return &t.BankRef }},
			{"t.party", func(t *models.Transaction) *string { return &t.Party }},
			{"t.rate", func(t *models.Transaction) *string { return &t.Rate }},
			{"t.word", func(t *models.Transaction) *string { return &t.Word }},
			{"t.reason", func(t *models.Transaction) *string { return &t.Reason }},
			{"t.created_by_name", func(t *models.Transaction) *string { return &t.CreatedByName }},
			{"t.method", func(t *models.Transaction) *string { return &t.Method }},
		},
	}
}

// selects is the query of the text, up to its FROM; its one argument is the separator.
func (x rowText) selects() string {
	var columns, lengths, others []string
	for _, c := range x.own {
		columns = append(columns, c.name)
	}
	for _, c := range x.numbers {
		columns = append(columns, c.name)
	}
	for _, c := range x.others {
		lengths = append(lengths, "octet_length("+c.name+")")
		others = append(others, c.name)
	}
	return "SELECT concat_ws(?, " + strings.Join(slices.Concat(columns, lengths), ", ") + ", " + strings.Join(others, " || ") + ")"
}

// read takes one row apart.
func (x rowText) read(text string, t *models.Transaction) error {
	for i, c := range x.own {
		v, rest, whole := strings.Cut(text, rowSeparator)
		if !whole {
			return fmt.Errorf("read transaction %s: a row of %d fields", t.ID, i)
		}
		*c.of(t), text = v, rest
	}
	number := func(name string) (int64, error) {
		word, rest, whole := strings.Cut(text, rowSeparator)
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil || !whole {
			return 0, fmt.Errorf("read transaction %s: %s is %q", t.ID, name, word)
		}
		text = rest
		return n, nil
	}
	for _, c := range x.numbers {
		n, err := number(c.name)
		if err != nil {
			return err
		}
		c.set(t, n)
	}
	lengths := make([]int64, len(x.others))
	for i, c := range x.others {
		var err error
		if lengths[i], err = number("the length of " + c.name); err != nil {
			return err
		}
	}
	for i, c := range x.others {
		if n := lengths[i]; n < 0 || n > int64(len(text)) {
			return fmt.Errorf("read transaction %s: %s is cut", t.ID, c.name)
		}
		*c.of(t), text = text[:lengths[i]], text[lengths[i]:]
	}
	if text != "" {
		return fmt.Errorf("read transaction %s: %d bytes are left over", t.ID, len(text))
	}
	return nil
}

// transactions reads whole rows; from is what stands behind the columns of t.
func (tx *Tx) transactions(limit int, from string, args ...any) ([]models.Transaction, error) {
	x := wholeRow()
	rows := make([]models.Transaction, 0, limit)
	err := tx.Each(func(r *sql.Rows) error {
		var text string
		if err := r.Scan(&text); err != nil {
			return err
		}
		rows = append(rows, models.Transaction{})
		return x.read(text, &rows[len(rows)-1])
	}, x.selects()+from, append([]any{rowSeparator}, args...)...)
	return rows, err
}
