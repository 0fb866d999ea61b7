package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"countinghouse/models"
)

// The columns of an export are read as one text: handing over a row costs the drivers several times more per column than the database needs
// to put them into one. What others wrote stands at its end, each text with its length in bytes before, so that no character in it can move
// a border.
const (
	exportSeparator = "\x1f"
	exportFields    = 11 // texts of our own
	exportNumbers   = 7
	exportTexts     = 8 // written by others
	exportBatch     = 256
)

func (k keys) texts() string {
	const own = `t.id, t.kind, t.provider, t.credential_id, t.reference, t.state, t.sub_account, t.asset, t.fee_asset, t.settled_asset, t.counter_asset,
		t.minor, t.fee_minor, t.settled_minor, t.counter_minor, t.created_us, t.sent_us, t.settled_us`
	others := []string{"t.provider_ref", "t.bank_ref", "t.party", "t.rate", "t.word", "t.reason", "t.created_by_name", "t.method"}
	return "SELECT concat_ws(?, " + own + ", octet_length(" + strings.Join(others, "), octet_length(") + "), " + strings.Join(others, " || ") + ")" + k.from(false)
}

// EachForExport hands every transaction of a filter to do, newest first, from one snapshot and without holding them in memory. Only what a
// file shows is filled: who, what, how much, where it stands and when. It needs exports.create.
func (s *Store) EachForExport(ctx context.Context, a models.Actor, f models.Filter, do func(*models.Transaction) error) error {
	if err := a.Require(models.ExportsCreate); err != nil {
		return err
	}
	return s.View(ctx, func(tx *Tx) error {
		from, until := f.Range(tx.Now.Time())
		k, err := tx.keyQuery(f, from, until, models.Cursor{}, 0)
		if err != nil || k.empty {
			return err
		}
		// One goroutine reads while the other writes; the batches between them are all that is held.
		g, ctx := errgroup.WithContext(ctx)
		batches := make(chan []string, 4)
		g.Go(func() error {
			defer close(batches)
			batch := make([]string, 0, exportBatch)
			send := func() error {
				select {
				case batches <- batch:
					batch = make([]string, 0, exportBatch)
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			err := tx.Each(func(r *sql.Rows) error {
				var text string
				if err := r.Scan(&text); err != nil {
					return err
				}
				if batch = append(batch, text); len(batch) < exportBatch {
					return nil
				}
				return send()
			}, k.texts(), append([]any{exportSeparator}, k.args...)...)
			if err == nil && len(batch) > 0 {
				err = send()
			}
			return err
		})
		g.Go(func() error {
			for batch := range batches {
				for _, text := range batch {
					t, err := exported(text)
					if err == nil {
						err = do(t)
					}
					if err != nil {
						return err
					}
				}
			}
			return nil
		})
		return g.Wait()
	})
}

// exported takes one row apart.
func exported(text string) (*models.Transaction, error) {
	var v [exportFields]string
	for i := range v {
		var whole bool
		if v[i], text, whole = strings.Cut(text, exportSeparator); !whole {
			return nil, fmt.Errorf("export transaction %s: a row of %d fields", v[0], i)
		}
	}
	var n [exportNumbers + exportTexts]int64
	for i := range n {
		word, rest, whole := strings.Cut(text, exportSeparator)
		number, err := strconv.ParseInt(word, 10, 64)
		if err != nil || !whole {
			return nil, fmt.Errorf("export transaction %s: number %d is %q", v[0], i, word)
		}
		text = rest
		n[i] = number
	}
	var o [exportTexts]string
	for i := range o {
		length := n[exportNumbers+i]
		if length < 0 || length > int64(len(text)) {
			return nil, fmt.Errorf("export transaction %s: text %d is cut", v[0], i)
		}
		o[i], text = text[:length], text[length:]
	}
	return &models.Transaction{ID: v[0], Kind: models.Kind(v[1]), Provider: v[2], CredentialID: v[3], Reference: v[4], State: models.State(v[5]), SubAccount: v[6],
		Amount: models.Money{Asset: v[7], Minor: n[0]}, Fee: models.Money{Asset: v[8], Minor: n[1]}, Settled: models.Money{Asset: v[9], Minor: n[2]},
		Counter: models.Money{Asset: v[10], Minor: n[3]}, CreatedAt: models.Micros(n[4]), SentAt: models.Micros(n[5]), SettledAt: models.Micros(n[6]),
		ProviderRef: o[0], BankRef: o[1], Party: o[2], Rate: o[3], Word: o[4], Reason: o[5], CreatedByName: o[6], Method: o[7]}, nil
}

// AuditExport notes that somebody took a file out.
func (s *Store) AuditExport(ctx context.Context, a models.Actor, what, filter, format string) error {
	if err := a.Require(models.ExportsCreate); err != nil {
		return err
	}
	return s.Update(ctx, func(tx *Tx) error {
		return tx.Audit(a, "export", what, "", nil, map[string]string{"filter": filter, "format": format}, "Exported "+what+" as "+format)
	})
}
