package tasks_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/handlers/tasks"
	"countinghouse/models"
	"countinghouse/models/jobs"
	"countinghouse/models/store"
)

// hooked is a bench with a queue that reads deliveries and keeps house.
type hooked struct {
	*bench
	queue *jobs.Queue
	hooks *tasks.Hooks
	in    *store.Intake
}

func withHooks(b *bench) *hooked {
	q, err := jobs.New(jobs.Config{DB: b.store.WriteDB(), Engine: jobs.Engine(b.store.Engine), Now: b.clock.Now,
		Lanes: map[string]int{jobs.DefaultLane: 2, tasks.WebhookLane: 2, tasks.BalancesLane: 2}})
	if err != nil {
		b.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(b.log, nil))
	h := &hooked{bench: b, queue: q, hooks: &tasks.Hooks{Store: b.store, Desk: b.desk, Queue: q, Log: log}}
	h.hooks.Register()
	(&tasks.Keeping{Store: b.store, Desk: b.desk, Queue: q, Log: log}).Register()
	h.in = b.store.NewIntake(h.hooks.Received)
	b.Cleanup(h.in.Close)
	return h
}

// send lets a delivery come in and works the queue until nothing is due.
func (h *hooked) send(credentialID, body string) models.Delivery {
	h.Helper()
	j := h.judge(credentialID, delivery(canary, body))
	if k := h.in.Keep(h.Context(), j.Delivery); k.Err != nil {
		h.Fatal(k.Err)
	}
	return h.read(j.Delivery.ID)
}

func (h *hooked) read(id string) models.Delivery {
	h.Helper()
	h.work()
	d, err := h.store.Delivery(h.Context(), h.ann, id)
	if err != nil {
		h.Fatal(err)
	}
	return d
}

func (h *hooked) work() {
	h.Helper()
	results, err := h.queue.RunDue(h.Context(), h.clock.Now())
	if err != nil {
		h.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			h.Errorf("a job failed: %+v", r)
		}
	}
}

func TestAWebhookFindsItsTransactionByOurReference(t *testing.T) {
	each(t, func(b *bench) {
		h := withHooks(b)
		c := b.credential()
		fay := models.Actor{UserID: "u-fay", Name: "Fay", Roles: []models.Role{models.Finance}, StepUp: b.store.Now()}
		x, err := b.store.Create(b.Context(), fay, store.NewTransaction{ID: models.NewID(), Environment: models.Sandbox, Kind: models.Payout, CredentialID: c.ID, Method: "wire",
			Amount: models.Money{Minor: 1000, Asset: "BRL"}, Party: "J··· S···"})
		if err != nil {
			b.Fatal(err)
		}
		d := h.send(c.ID, fmt.Sprintf(`{"event":"e1","ref":%q,"status":"done"}`, x.Reference))
		if d.State != models.DeliveryProcessed || d.TransactionID != x.ID || d.Word != "done" || d.Tries != 1 {
			b.Errorf("the delivery after its reading: %+v", d)
		}
		list, err := b.store.Deliveries(b.Context(), b.ann, models.DeliveryFilter{Environment: models.Sandbox, TransactionID: x.ID})
		if err != nil || len(list) != 1 || list[0].ID != d.ID {
			b.Errorf("deliveries of the transaction: %+v, %v", list, err)
		}
		st, err := b.store.Standings(b.Context(), b.ann, b.get(c.ID))
		if err != nil || st["PP-WH"].Latest == nil || st["PP-WH"].Latest.DeliveryID != d.ID {
			b.Errorf("what the webhook proved: %+v, %v", st["PP-WH"], err)
		}
		if n, err := b.store.CountDeliveries(b.Context(), b.ann, models.Live, models.DeliveryProcessed); err != nil || n != 0 {
			b.Errorf("a sandbox delivery counts in live: %d, %v", n, err)
		}
	})
}

func TestAWebhookBeforeItsTransactionIsTriedAgainAndThenLeftAlone(t *testing.T) {
	each(t, func(b *bench) {
		h := withHooks(b)
		c := b.credential()
		d := h.send(c.ID, `{"event":"e1","ref":"CHNOBODYKNOWS","status":"done"}`)
		var seen []int
		for _, pause := range []time.Duration{0, 6 * time.Second, 61 * time.Second, 11 * time.Minute, 24 * time.Hour} {
			b.clock.Advance(pause)
			d = h.read(d.ID)
			seen = append(seen, d.Tries)
			if d.State != models.DeliveryUnmatched {
				b.Errorf("after %s it is %s", pause, d.State)
			}
		}
		if diff := cmp.Diff([]int{1, 2, 3, 4, 4}, seen); diff != "" {
			b.Errorf("tries (-want +got):\n%s", diff)
		}
	})
}

func TestADeliveryThatCannotBeReadIsDeadUntilAPersonReplaysIt(t *testing.T) {
	each(t, func(b *bench) {
		h := withHooks(b)
		c := b.credential()
		d := h.send(c.ID, `this is not JSON`)
		if d.State != models.DeliveryDead || !strings.Contains(d.Error, "not JSON") {
			b.Fatalf("unreadable: %s, %q", d.State, d.Error)
		}
		compliance := models.Actor{UserID: "c", Roles: []models.Role{models.Compliance}}
		if err := b.store.ReplayDelivery(b.Context(), compliance, d.ID, h.hooks.Enqueue); !models.Is(err, models.Forbidden) {
			b.Errorf("replayed without the permission: %v", err)
		}
		if err := b.store.ReplayDelivery(b.Context(), b.ann, d.ID, h.hooks.Enqueue); err != nil {
			b.Fatal(err)
		}
		if again := h.read(d.ID); again.State != models.DeliveryDead || again.Tries != 1 {
			b.Errorf("after the replay: %s, %d tries", again.State, again.Tries)
		}
		entries, err := b.store.AuditList(b.Context(), models.Actor{Roles: []models.Role{models.Auditor}}, models.AuditFilter{Noun: "webhook", NounID: d.ID})
		if err != nil || len(entries) != 1 || entries[0].Action != "webhook.replay" {
			b.Errorf("the replay in the audit trail: %+v, %v", entries, err)
		}
	})
}

// The deliveries of one job are written together. One whose writing fails is tried again by itself, and the others are written all the same.
func TestOneDeliveryThatCannotBeWrittenHoldsNoOtherUp(t *testing.T) {
	each(t, func(b *bench) {
		h := withHooks(b)
		c := b.credential()
		in := b.store.NewIntake(func(*store.Tx, []string) error { return nil })
		defer in.Close()
		var ids []string
		for _, body := range []string{`{"event":"first"}`, `{"event":"second"}`, `not JSON`, `{"event":"fourth"}`} {
			d := b.judge(c.ID, delivery(canary, body)).Delivery
			if k := in.Keep(b.Context(), d); k.Err != nil {
				b.Fatal(k.Err)
			}
			ids = append(ids, d.ID)
		}
		trap := []string{"CREATE TRIGGER trap BEFORE UPDATE ON webhook_deliveries WHEN NEW.event = 'second' AND NEW.state = 'processed' BEGIN SELECT RAISE(ABORT, 'the disk is in a mood'); END"}
		if b.store.Engine == store.Postgres {
			trap = []string{"CREATE FUNCTION trap() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'the disk is in a mood'; END $$ LANGUAGE plpgsql",
				"CREATE TRIGGER trap BEFORE UPDATE ON webhook_deliveries FOR EACH ROW WHEN (NEW.event = 'second' AND NEW.state = 'processed') EXECUTE FUNCTION trap()"}
		}
		for _, q := range trap {
			if _, err := b.store.WriteDB().ExecContext(b.Context(), q); err != nil {
				b.Fatal(err)
			}
		}
		if err := b.store.Update(b.Context(), func(tx *store.Tx) error { return h.hooks.Enqueue(tx, ids) }); err != nil {
			b.Fatal(err)
		}
		h.work()
		var states []models.DeliveryState
		for _, id := range ids {
			d, err := b.store.Delivery(b.Context(), b.ann, id)
			if err != nil {
				b.Fatal(err)
			}
			if states = append(states, d.State); d.Tries != 1 {
				b.Errorf("%s was tried %d times", d.State, d.Tries)
			}
		}
		want := []models.DeliveryState{models.DeliveryProcessed, models.DeliveryFailed, models.DeliveryDead, models.DeliveryProcessed}
		if diff := cmp.Diff(want, states); diff != "" {
			b.Errorf("after the job (-want +got):\n%s", diff)
		}
	})
}

// A flood is one waiting job, which reads all of it, and not a job for every delivery.
func TestAFloodIsReadByOneJobAndNothingOfItIsMissed(t *testing.T) {
	each(t, func(b *bench) {
		h := withHooks(b)
		c := b.credential()
		fay := models.Actor{UserID: "u-fay", Name: "Fay", Roles: []models.Role{models.Finance}, StepUp: b.store.Now()}
		x, err := b.store.Create(b.Context(), fay, store.NewTransaction{ID: models.NewID(), Environment: models.Sandbox, Kind: models.Payout, CredentialID: c.ID, Method: "wire",
			Amount: models.Money{Minor: 1000, Asset: "BRL"}, Party: "J··· S···"})
		if err != nil {
			b.Fatal(err)
		}
		const n = 550 // more than one reading takes
		want := map[models.DeliveryState]int{models.DeliveryProcessed: 2, models.DeliveryUnmatched: n - 3, models.DeliveryDead: 1}
		for i := range n {
			body := fmt.Sprintf(`{"event":"e%d","ref":"CHNOBODYKNOWS","status":"done"}`, i)
			switch i {
			case 0, n - 1:
				body = fmt.Sprintf(`{"event":"e%d","ref":%q,"status":"done"}`, i, x.Reference)
			case 100:
				body = `not JSON`
			}
			if k := h.in.Keep(b.Context(), b.judge(c.ID, delivery(canary, body)).Delivery); k.Err != nil {
				b.Fatal(k.Err)
			}
		}
		ran := func(kind string) (n int) {
			b.Helper()
			results, err := h.queue.RunDue(b.Context(), h.clock.Now())
			if err != nil {
				b.Fatal(err)
			}
			for _, r := range results {
				if r.Kind == kind {
					n++
				}
			}
			return n
		}
		if n := ran("read_webhooks"); n != 1 {
			b.Errorf("%d jobs read the flood; want one", n)
		}
		got := map[models.DeliveryState]int{}
		for state := range want {
			if got[state], err = b.store.CountDeliveries(b.Context(), b.ann, models.Sandbox, state); err != nil {
				b.Fatal(err)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			b.Errorf("after the job (-want +got):\n%s", diff)
		}
		b.clock.Advance(6 * time.Second)
		if n := ran("process_webhook"); n != 2 {
			b.Errorf("%d jobs try the unmatched again; want one for each of two readings", n)
		}
	})
}

// An id is made before its delivery waits for its turn, so that a later commit may bring an earlier id.
func TestADeliveryThatIsStoredAfterALaterOneIsReadToo(t *testing.T) {
	each(t, func(b *bench) {
		h := withHooks(b)
		c := b.credential()
		early := b.judge(c.ID, delivery(canary, `{"event":"early"}`)).Delivery
		h.send(c.ID, `{"event":"late"}`)
		if k := h.in.Keep(b.Context(), early); k.Err != nil {
			b.Fatal(k.Err)
		}
		if d := h.read(early.ID); d.State != models.DeliveryProcessed {
			b.Errorf("it is %s", d.State)
		}
	})
}

func TestADeliveryWithoutAJobIsPickedUp(t *testing.T) {
	each(t, func(b *bench) {
		h := withHooks(b)
		c := b.credential()
		lost := b.store.NewIntake(func(*store.Tx, []string) error { return nil })
		d := b.judge(c.ID, delivery(canary, `{"event":"e1"}`)).Delivery
		if k := lost.Keep(b.Context(), d); k.Err != nil {
			b.Fatal(k.Err)
		}
		lost.Close()
		if got := h.read(d.ID); got.State != models.DeliveryReceived {
			b.Fatalf("without a job it is %s", got.State)
		}
		b.clock.Advance(2 * time.Minute)
		if _, err := h.queue.InsertNow(b.Context(), tasks.StrayWebhooksJob{}, jobs.Opts{}); err != nil {
			b.Fatal(err)
		}
		if got := h.read(d.ID); got.State != models.DeliveryProcessed {
			b.Errorf("two minutes later it is %s", got.State)
		}
	})
}

func TestBalancesAreReadKeptAndGrowStaleInWords(t *testing.T) {
	each(t, func(b *bench) {
		c := b.credential()
		read := func() (models.BalanceFigure, models.BalanceRead) {
			b.Helper()
			list, reads, err := b.store.Balances(b.Context(), b.ann, models.Sandbox, 1)
			if err != nil || len(list) != 1 {
				b.Fatalf("balances: %+v, %v", list, err)
			}
			return list[0], reads[c.ID]
		}
		for _, figure := range []string{"1234.50", "1000.00", "1000.00", "900.00"} {
			b.server.balance = figure
			if err := b.desk.RefreshBalances(b.Context(), c.ID); err != nil {
				b.Fatal(err)
			}
			b.clock.Advance(12 * time.Hour)
		}
		f, r := read()
		if f.Available.String() != "900.00 BRL" || f.Text != "900.00" || len(f.Points) != 4 || r.Error != "" {
			b.Errorf("figure %s, theirs %q, %d points, %q", f.Available, f.Text, len(f.Points), r.Error)
		}
		if left, ok := models.Runway(f.Points, f.Available.Minor); !ok || left < 96*time.Hour || left > 97*time.Hour {
			b.Errorf("runway %s, %v; want about 97 hours: 334.50 left in 36 hours", left, ok)
		}
		b.server.Close()
		if err := b.desk.RefreshBalances(b.Context(), c.ID); err == nil {
			b.Error("a provider that is gone answered")
		}
		if f, r := read(); f.Available.Minor != 90000 || r.Error == "" || strings.Contains(r.Error, canary) {
			b.Errorf("after the failure: %s, %q", f.Available, r.Error)
		}
		if _, _, err := b.store.Balances(b.Context(), models.Actor{}, models.Sandbox, 0); !models.Is(err, models.Forbidden) {
			b.Errorf("somebody without the permission saw balances: %v", err)
		}
	})
}

func TestRemindersComeOnceEachAndBeginAnewWithNewKeys(t *testing.T) {
	each(t, func(b *bench) {
		b.credential()
		var got []int
		for day := range 100 {
			due, err := b.store.RemindRotation(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			for _, r := range due {
				got = append(got, day, r.DaysBefore)
			}
			b.clock.Advance(models.Days(1))
		}
		if diff := cmp.Diff([]int{60, 30, 83, 7, 89, 1, 90, 0}, got); diff != "" {
			b.Errorf("days and reminders (-want +got):\n%s", diff)
		}
	})
}

func TestThePeriodicWorkReadsBalancesAndForgetsWhatIsOld(t *testing.T) {
	each(t, func(b *bench) {
		h := withHooks(b)
		c := b.credential()
		for _, args := range []jobs.Args{tasks.AllBalancesJob{}, tasks.RemindRotationJob{}} {
			if _, err := h.queue.InsertNow(b.Context(), args, jobs.Opts{}); err != nil {
				b.Fatal(err)
			}
		}
		h.work()
		if list, _, err := b.store.Balances(b.Context(), b.ann, models.Sandbox, 0); err != nil || len(list) != 1 {
			b.Errorf("balances after the round: %+v, %v", list, err)
		}
		if err := b.recorder.Flush(b.Context()); err != nil {
			b.Fatal(err)
		}
		ids := func() (out []string) {
			b.Helper()
			list, err := b.store.Exchanges(b.Context(), b.ann, models.ExchangeFilter{CredentialID: c.ID})
			if err != nil {
				b.Fatal(err)
			}
			for _, x := range list {
				out = append(out, x.ID)
			}
			return out
		}
		old := ids()
		if len(old) != 1 {
			b.Fatalf("exchanges of the round: %v", old)
		}
		got, err := b.desk.Check(b.Context(), b.ann, c.ID, models.SlotCurrent)
		if err != nil {
			b.Fatal(err)
		}
		b.clock.Advance(models.Days(401))
		if _, err := h.queue.InsertNow(b.Context(), tasks.ForgetJob{}, jobs.Opts{}); err != nil {
			b.Fatal(err)
		}
		h.work()
		if left := ids(); slices.Contains(left, old[0]) || !slices.Contains(left, got.Exchanges["balance.read"]) {
			b.Errorf("after 401 days %v are left; want %s, which is evidence, and not %s", left, got.Exchanges["balance.read"], old[0])
		}
	})
}
