package web

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/web/demo"
)

// largest is the house with the most rows: what happens in it has the most to carry.
func (b *bench) largest() *benchHouse { return b.houses[len(b.houses)-1] }

func (h *benchHouse) account(provider string) (demo.Account, error) {
	for _, a := range h.demo.accounts {
		if a.Description.Name == provider {
			return a, nil
		}
	}
	return demo.Account{}, fmt.Errorf("there is no stand-in for %s in this build", provider)
}

// intake measures deliveries a second through the door, signed as OneKey signs, beside what the same database commits in groups of 64.
func (b *bench) intake(ctx context.Context) error {
	h := b.largest()
	a, err := h.account("onekey")
	if err != nil {
		return err
	}
	keys := h.demo.keys[a.CredentialID]
	var next atomic.Int64
	next.Store(time.Now().UnixMicro())
	date := time.Now().UTC().Format("2006-01-02T15:04:05Z")
	l := &load{name: "webhook intake, verified and durable", base: h.base(), paths: []string{"/hooks/" + a.CredentialID + "/deposit"}, make: func(req *fasthttp.Request) {
		body := []byte(`{"deposit_id":` + strconv.FormatInt(next.Add(1), 10) + `}`)
		m := hmac.New(sha256.New, []byte(keys["deposit_api_signature"]))
		m.Write([]byte(date + keys["deposit_api_key"]))
		m.Write(body)
		req.Header.SetMethod(fasthttp.MethodPost)
		req.Header.SetContentType("application/json")
		req.Header.Set("X-Date", date)
		req.Header.Set("X-Login", keys["deposit_api_key"])
		req.Header.Set("Authorization", "D24 "+hex.EncodeToString(m.Sum(nil)))
		req.SetBody(body)
	}}
	db := h.demo.rt.Store.WriteDB()
	before, err := groupedCommits(ctx, db, b.cmd.Seconds/2)
	if err != nil {
		return err
	}
	// Enough callers for full groups: a provider that sends again after an outage comes with many at once.
	if err := l.run(ctx, 4*b.cmd.Connections, time.Duration(b.cmd.Seconds*float64(time.Second))); err != nil {
		return err
	}
	kept := l.figure(h.rows)
	kept.Unit = "deliveries/s"
	if err := h.settled(ctx); err != nil {
		return err
	}
	after, err := groupedCommits(ctx, db, b.cmd.Seconds/2)
	if err != nil {
		return err
	}
	kept = kept.beside((before+after)/2, "64 inserts a commit")
	b.note(kept.atLeast(kept.Ratio, 0.5, "at least half"))
	return nil
}

// settled waits until the deliveries have been read, at most half a minute.
func (h *benchHouse) settled(ctx context.Context) error {
	for range 300 {
		var n int
		err := h.demo.rt.Store.ReadDB().QueryRowContext(ctx, "SELECT COUNT(*) FROM (SELECT 1 FROM webhook_deliveries WHERE state = 'received' LIMIT 1) x").Scan(&n)
		if err != nil || n == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

// groupedCommits is how many rows of a delivery's size the database takes in a second, 64 durable at a time and one statement each.
func groupedCommits(ctx context.Context, db *sql.DB, seconds float64) (float64, error) {
	if _, err := db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS bench_commits (id TEXT PRIMARY KEY, at_us BIGINT NOT NULL, says TEXT NOT NULL)"); err != nil {
		return 0, err
	}
	says := strings.Repeat("0123456789", 60)
	n, began := 0, time.Now()
	for time.Since(began).Seconds() < seconds {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return 0, err
		}
		for range 64 {
			if _, err := tx.ExecContext(ctx, "INSERT INTO bench_commits VALUES ($1, $2, $3)", models.NewID(), began.UnixMicro(), says); err != nil {
				return 0, errors.Join(err, tx.Rollback())
			}
			n++
		}
		if err := tx.Commit(); err != nil {
			return 0, err
		}
	}
	rate := float64(n) / time.Since(began).Seconds()
	_, err := db.ExecContext(ctx, "DROP TABLE bench_commits")
	return rate, err
}

// payouts measures whole payouts a second: created, approved by a second person, sent to the stand-in over HTTP and its answer recorded.
func (b *bench) payouts(ctx context.Context) error {
	h := b.largest()
	a, err := h.account("onekey")
	if err != nil {
		return err
	}
	commits, err := singleCommits(ctx, h.demo.rt.Store.WriteDB(), b.cmd.Seconds/2)
	if err != nil {
		return err
	}
	m, r, err := h.payable(a)
	if err != nil {
		return err
	}
	const n = 200
	ids := make([]string, n)
	began := time.Now()
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for k := range 8 {
		wg.Go(func() {
			for i := k; i < n; i += 8 {
				one := r // of an amount of its own: the same one twice would have to be explained
				one.Amount.Minor += int64(i)
				id, err := h.pay(ctx, a, m, one)
				if err != nil {
					errs <- err
					return
				}
				ids[i] = id
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
	}
	made := time.Since(began)
	if err := h.answered(ctx, ids); err != nil {
		return err
	}
	f := figure{What: "payouts, created, approved, sent and answered", Rows: h.rows, Value: n / time.Since(began).Seconds(), Unit: "payouts/s"}
	b.note(f.beside(commits, "durable commits of one row"))
	b.note(figure{What: "  of it created and approved", Rows: h.rows, Value: n / made.Seconds(), Unit: "payouts/s"})
	return nil
}

func (h *benchHouse) payable(a demo.Account) (providers.Method, demo.Request, error) {
	maker := demo.NewHistorian(h.bench.cmd.Seed, h.demo.accounts, nil, time.Now(), 0)
	for _, m := range a.Description.Methods {
		if m.Kind != models.Payout || m.Locked != "" || m.ByAddressBook {
			continue
		}
		for range 20 {
			r, ok := maker.Today(a, m)
			if !ok {
				break
			}
			if clean, problems := a.Description.Check(nil, m, r.Amount, r.Values); len(problems) == 0 {
				r.Values = clean
				return m, r, nil
			}
		}
	}
	return providers.Method{}, demo.Request{}, errors.New("no method of the stand-in takes a made-up payout")
}

func (h *benchHouse) pay(ctx context.Context, a demo.Account, m providers.Method, r demo.Request) (string, error) {
	t, err := h.demo.make(ctx, "finance", a, m, r.Amount, r.Values)
	if err != nil {
		return "", err
	}
	page, err := h.demo.rt.Store.Transaction(ctx, h.demo.as("finance2"), models.Sandbox, t.ID)
	if err != nil {
		return "", err
	}
	for _, q := range page.Approvals {
		for _, who := range []string{"finance2", "finance3"}[:min(2, q.Needed)] {
			if _, err := h.demo.rt.Store.Decide(ctx, h.demo.as(who), models.Sandbox, q.ID, true, "", q.Digest); err != nil {
				return "", err
			}
		}
	}
	return t.ID, nil
}

// answered waits until every payout has its answer.
func (h *benchHouse) answered(ctx context.Context, ids []string) error {
	deadline := time.Now().Add(time.Minute)
	for _, id := range ids {
		for {
			var state models.State
			err := h.demo.rt.Store.ReadDB().QueryRowContext(ctx, "SELECT state FROM transactions WHERE id = $1", id).Scan(&state)
			if err != nil {
				return err
			}
			if state != models.AwaitingApproval && state != models.Approved && state != models.Sending {
				break
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("a payout is still %s after a minute", state)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	return nil
}

// singleCommits is how many rows a second the database takes durably one by one.
func singleCommits(ctx context.Context, db *sql.DB, seconds float64) (float64, error) {
	if _, err := db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS bench_commits (id TEXT PRIMARY KEY)"); err != nil {
		return 0, err
	}
	n, began := 0, time.Now()
	for ; time.Since(began).Seconds() < seconds; n++ {
		if _, err := db.ExecContext(ctx, "INSERT INTO bench_commits VALUES ($1)", models.NewID()); err != nil {
			return 0, err
		}
	}
	rate := float64(n) / time.Since(began).Seconds()
	_, err := db.ExecContext(ctx, "DROP TABLE bench_commits")
	return rate, err
}
