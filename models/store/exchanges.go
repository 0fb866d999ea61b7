package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"countinghouse/models"
)

// maxExchangeBody caps what is kept of one body; the whole body's digest is kept beside it.
const maxExchangeBody = 256 << 10

// PutExchanges keeps recorded exchanges, all of one call or none, and notes when each credential was used and how that went. For the recorder.
func (s *Store) PutExchanges(ctx context.Context, list []models.ExchangeRecord) error {
	return s.Update(ctx, func(tx *Tx) error {
		use := map[string]models.CredentialUse{}
		for _, x := range list {
			if err := tx.putExchange(x); err != nil {
				return err
			}
			u := use[x.CredentialID]
			ended := x.StartedAt.Add(time.Duration(x.DurationUS) * time.Microsecond)
			u.UsedAt = max(u.UsedAt, ended)
			if exchangeFailed(x) {
				if ended >= u.ErrorAt {
					u.ErrorAt, u.Error = ended, failureOf(x)
				}
			} else {
				u.OKAt = max(u.OKAt, ended)
			}
			use[x.CredentialID] = u
		}
		ids := make([]string, 0, len(use))
		for id := range use {
			ids = append(ids, id)
		}
		slices.Sort(ids) // one order on every instance: no deadlocks
		for _, id := range ids {
			if err := tx.touch(id, use[id]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (tx *Tx) putExchange(x models.ExchangeRecord) error {
	reqHead, err := headerText(x.RequestHeader)
	if err != nil {
		return err
	}
	resHead, err := headerText(x.ResponseHeader)
	if err != nil {
		return err
	}
	if err := tx.Exec(`INSERT INTO exchanges (`+exchangeHead+`, request_header, response_header, request_body, response_body)
		VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO NOTHING`, x.ID, x.CredentialID, x.Provider, x.Environment, x.SubjectKind, x.SubjectID,
		x.AttemptID, clean(x.Operation), x.StartedAt, x.DurationUS, x.Method, x.Status, x.Sent, exchangeFailed(x), x.BodyDigest, clean(x.Err), clean(x.URL),
		reqHead, resHead, capped(x.RequestBody), capped(x.ResponseBody)); err != nil {
		return fmt.Errorf("insert the exchange: %w", err)
	}
	return nil
}

// touch moves the marks of use forward, never back: batches of two instances may arrive in any order.
func (tx *Tx) touch(id string, u models.CredentialUse) error {
	err := tx.Exec(`UPDATE credential_use SET used_us = CASE WHEN used_us > ? THEN used_us ELSE ? END, ok_us = CASE WHEN ok_us > ? THEN ok_us ELSE ? END,
		error_text = CASE WHEN error_us > ? THEN error_text ELSE ? END, error_us = CASE WHEN error_us > ? THEN error_us ELSE ? END,
		webhook_us = CASE WHEN webhook_us > ? THEN webhook_us ELSE ? END WHERE credential_id = ?`,
		u.UsedAt, u.UsedAt, u.OKAt, u.OKAt, u.ErrorAt, u.Error, u.ErrorAt, u.ErrorAt, u.WebhookAt, u.WebhookAt, id)
	if err != nil {
		return fmt.Errorf("note the use of the credential: %w", err)
	}
	return nil
}

// exchangeFailed reports whether the provider failed to answer: a refusal in words is an answer.
func exchangeFailed(x models.ExchangeRecord) bool {
	return x.Err != "" || x.Status == 0 || x.Status >= 500
}

func failureOf(x models.ExchangeRecord) string {
	text := x.Err
	if text == "" {
		text = fmt.Sprintf("%s answered with status %d", x.Operation, x.Status)
	}
	return shorten(clean(text), 300)
}

// shorten cuts text at a rune, so that neither engine sees half a character.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

func capped(b []byte) []byte {
	if len(b) > maxExchangeBody {
		return b[:maxExchangeBody]
	}
	if b == nil {
		return []byte{}
	}
	return b
}

// orNil makes an empty body the same on both engines.
func orNil(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

func headerText(h map[string][]string) (string, error) {
	if h == nil {
		h = map[string][]string{}
	}
	b, err := json.Marshal(h)
	if err != nil {
		return "", fmt.Errorf("write headers as JSON: %w", err)
	}
	return clean(string(b)), nil
}

const exchangeHead = `id, credential_id, provider, environment, subject_kind, subject_id, attempt_id, operation, started_us, duration_us, method,
	status, sent, failed, body_digest, err, url`

func scanExchange(r interface{ Scan(...any) error }, more ...any) (x models.ExchangeRecord, err error) {
	var failed bool
	err = r.Scan(append([]any{&x.ID, &x.CredentialID, &x.Provider, &x.Environment, &x.SubjectKind, &x.SubjectID, &x.AttemptID, &x.Operation, &x.StartedAt,
		&x.DurationUS, &x.Method, &x.Status, &x.Sent, &failed, &x.BodyDigest, &x.Err, &x.URL}, more...)...)
	return x, err
}

// Exchange reads one exchange whole. Permission exchanges.read.
func (s *Store) Exchange(ctx context.Context, actor models.Actor, id string) (x models.ExchangeRecord, err error) {
	if err := actor.Require(models.ExchangesRead); err != nil {
		return x, err
	}
	err = s.View(ctx, func(q *Tx) error {
		var reqHead, resHead string
		var req, res []byte
		x, err = scanExchange(q.QueryRow("SELECT "+exchangeHead+", request_header, response_header, request_body, response_body FROM exchanges WHERE id = ?", id),
			&reqHead, &resHead, &req, &res)
		if IsNoRow(err) {
			return models.Errorf(models.NotFound, "There is no such exchange. It may be older than the time that exchanges are kept.")
		}
		if err != nil {
			return err
		}
		x.RequestBody, x.ResponseBody = orNil(req), orNil(res)
		if err := json.Unmarshal([]byte(reqHead), &x.RequestHeader); err != nil {
			return fmt.Errorf("read stored headers: %w", err)
		}
		if err := json.Unmarshal([]byte(resHead), &x.ResponseHeader); err != nil {
			return fmt.Errorf("read stored headers: %w", err)
		}
		return nil
	})
	return x, err
}

// Exchanges lists exchanges without headers and bodies, newest first. The filter names a credential or a subject. Permission exchanges.read.
func (s *Store) Exchanges(ctx context.Context, actor models.Actor, f models.ExchangeFilter) (list []models.ExchangeRecord, err error) {
	if err := actor.Require(models.ExchangesRead); err != nil {
		return nil, err
	}
	if f.CredentialID == "" && (f.SubjectKind == "" || f.SubjectID == "") {
		return nil, models.Errorf(models.Invalid, "Choose a credential or a transaction whose exchanges to show.")
	}
	w := whereClause{}
	w.add("environment = ?", f.Environment, f.Environment != "")
	w.add("credential_id = ?", f.CredentialID, f.CredentialID != "")
	w.add("subject_kind = ?", f.SubjectKind, f.SubjectID != "")
	w.add("subject_id = ?", f.SubjectID, f.SubjectID != "")
	w.add("operation = ?", f.Operation, f.Operation != "")
	if f.OnlyFailed {
		w.conds = append(w.conds, "failed")
	}
	w.add("id < ?", f.Before, f.Before != "")
	limit := listLimit(f.Limit, 200)
	err = s.View(ctx, func(q *Tx) error {
		list = nil
		return q.Each(func(r *sql.Rows) error {
			x, err := scanExchange(r)
			list = append(list, x)
			return err
		}, "SELECT "+exchangeHead+" FROM exchanges"+w.text()+" ORDER BY id DESC LIMIT ?", append(w.args, limit)...)
	})
	return list, err
}

// whereClause collects conditions.
type whereClause struct {
	conds []string
	args  []any
}

func (w *whereClause) add(cond string, arg any, when bool) {
	if when {
		w.conds, w.args = append(w.conds, cond), append(w.args, arg)
	}
}

func (w *whereClause) text() string {
	if len(w.conds) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conds, " AND ")
}

func listLimit(n, most int) int {
	if n <= 0 {
		return 50
	}
	return min(n, most)
}

// healthSample bounds how many exchanges a health figure looks at.
const healthSample = 500

// Health judges a credential by its exchanges since a moment, at most the newest 500. Permission credentials.read.
func (s *Store) Health(ctx context.Context, actor models.Actor, credentialID string, since models.Micros) (h models.Health, err error) {
	if err := actor.Require(models.CredentialsRead); err != nil {
		return h, err
	}
	h = models.Health{CredentialID: credentialID, Since: since}
	var took []int64
	err = s.View(ctx, func(q *Tx) error {
		took, h.Calls, h.Failed, h.LastAt = nil, 0, 0, 0
		return q.Each(func(r *sql.Rows) error {
			var started models.Micros
			var us int64
			var failed bool
			if err := r.Scan(&started, &us, &failed); err != nil {
				return err
			}
			if started < since {
				return nil
			}
			h.Calls++
			h.LastAt = max(h.LastAt, started)
			if failed {
				h.Failed++
			} else {
				took = append(took, us)
			}
			return nil
		}, "SELECT started_us, duration_us, failed FROM exchanges WHERE credential_id = ? ORDER BY id DESC LIMIT ?", credentialID, healthSample)
	})
	h.Bounded = h.Calls == healthSample
	if len(took) > 0 {
		slices.Sort(took)
		h.P50, h.P95 = took[len(took)/2], took[min(len(took)-1, len(took)*95/100)]
	}
	return h, err
}

// pruneStep is how many exchanges are looked at in one go.
const pruneStep = 500

// uncited is the condition that nothing rests on an exchange x: neither what a contract item is believed on nor what the outcome of a
// transaction was judged by, and it is not what a dispute told the provider. The constants let SQLite use the partial indexes.
const uncited = ` NOT EXISTS (SELECT 1 FROM contract_evidence e WHERE e.exchange_id = x.id AND e.exchange_id <> '')
	AND NOT EXISTS (SELECT 1 FROM evidence e WHERE e.exchange_id = x.id AND e.exchange_id <> '')
	AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.id = x.attempt_id AND a.operation = 'dispute')`

// PruneExchanges deletes exchanges older than a moment, in small transactions, and tells how many. Exchanges that are evidence for a
// contract item or for the outcome of a transaction stay. What stays is walked over by readers, so that no writer waits for it.
func (s *Store) PruneExchanges(ctx context.Context, before models.Micros) (gone int64, err error) {
	var at models.Micros
	var last string
	for {
		var old []any
		var end models.Micros
		var endID string
		seen := 0
		if err := s.View(ctx, func(tx *Tx) error {
			old, seen = nil, 0
			return tx.Each(func(r *sql.Rows) error {
				var id string
				var free bool
				if err := r.Scan(&end, &id, &free); err != nil {
					return err
				}
				seen, endID = seen+1, id
				if free {
					old = append(old, id)
				}
				return nil
			}, "SELECT x.started_us, x.id,"+uncited+" FROM exchanges x WHERE x.started_us < ? AND (x.started_us, x.id) > (?, ?) ORDER BY x.started_us, x.id LIMIT ?", before, at, last, pruneStep)
		}); err != nil {
			return gone, fmt.Errorf("look for old exchanges: %w", err)
		}
		if len(old) > 0 {
			var n int64
			if err := s.Update(ctx, func(tx *Tx) (err error) {
				n, err = tx.Change("DELETE FROM exchanges WHERE id IN (SELECT x.id FROM exchanges x WHERE x.id IN ("+marks(len(old))+") AND"+uncited+")", old...) // cited meanwhile?
				return err
			}); err != nil {
				return gone, fmt.Errorf("delete old exchanges: %w", err)
			}
			gone += n
		}
		if seen < pruneStep {
			return gone, nil
		}
		at, last = end, endID
	}
}
