package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"countinghouse/handlers"
	"countinghouse/handlers/tasks"
	"countinghouse/models"
	"countinghouse/models/files"
	"countinghouse/models/jobs"
	"countinghouse/models/store"
	"countinghouse/providers"
)

// Engine is what works beside the pages: the desk that asks providers, the money that is sent, the queue that wakes both.
type Engine struct {
	rt       *Runtime
	instance string
	callback func(credentialID, topic string) string
	recorder *tasks.Recorder
	desk     *tasks.Desk
	money    *tasks.Money
	accounts *tasks.SubAccounts
	hooks    *tasks.Hooks
	kyb      *tasks.KYB
	inbox    *store.Intake
	queue    *jobs.Queue
}

// NewEngine builds the engine over an open runtime. Nothing runs yet.
func NewEngine(ctx context.Context, rt *Runtime) (*Engine, error) {
	set, err := rt.Config.check()
	if err != nil {
		return nil, err
	}
	callback := func(credentialID, topic string) string {
		return set.base.String() + "/hooks/" + credentialID + "/" + topic
	}
	instance := models.NewID()
	kind := jobs.SQLite
	if rt.Store.Engine == store.Postgres {
		kind = jobs.Postgres
	}
	if err := jobs.Migrate(ctx, rt.Store.WriteDB(), kind); err != nil {
		return nil, fmt.Errorf("prepare the queue: %w", err)
	}
	e := &Engine{rt: rt, instance: instance, callback: callback, recorder: tasks.NewRecorder(rt.Store, rt.Log)}
	e.recorder.WatchCallers(rt.Providers, rt.Config.EgressAddress)
	e.desk = tasks.NewDesk(tasks.DeskConfig{Store: rt.Store, Vault: rt.Vault, Registry: rt.Providers, Recorder: e.recorder, Log: rt.Log, CallerAddress: rt.Config.EgressAddress, Clock: providersClock()})
	e.money = &tasks.Money{Store: rt.Store, Clients: e.desk, Vault: rt.Vault, Log: rt.Log, Instance: instance, CallbackURL: callback}
	rig(rt, e.money)
	e.accounts = &tasks.SubAccounts{Store: rt.Store, Clients: e.desk, Registry: rt.Providers, Log: rt.Log, Instance: instance, Step: e.money.Step, Pause: e.money.Pause}
	lanes := tasks.MoneyLanes()
	lanes[tasks.KYBLane] = 2
	maps.Copy(lanes, tasks.KeyLanes())
	e.queue, err = jobs.New(jobs.Config{DB: rt.Store.WriteDB(), Engine: kind, Now: rt.Clock, Log: rt.Log, Lanes: lanes, Alone: rt.lonely()})
	if err != nil {
		return nil, err
	}
	e.money.Register(e.queue)
	e.accounts.Register(e.queue)
	e.hooks = &tasks.Hooks{Store: rt.Store, Desk: e.desk, Queue: e.queue, Log: rt.Log}
	e.hooks.Verified = func(ctx context.Context, credentialID, token string, v providers.Verification) error {
		return rt.Store.AnswerVerification(ctx, credentialID, token, string(v.Verdict), v.Name, v.Sentence)
	}
	e.hooks.Register()
	rt.Store.UseKYB(kybRulesOf(rt.Providers))
	e.kyb = &tasks.KYB{Store: rt.Store, Clients: e.desk, Files: rt.Files, Queue: e.queue, Log: rt.Log, Instance: instance, Alone: rt.lonely()}
	e.kyb.Register()
	e.hooks.Account = e.kyb.Heard
	(&tasks.Keeping{Store: rt.Store, Desk: e.desk, Queue: e.queue, Log: rt.Log, KeepExchanges: models.Days(rt.Config.KeepExchanges)}).Register()
	e.inbox = rt.Store.NewIntake(e.hooks.Received)
	rt.Store.UseJobs(tasks.Enqueuer{Queue: e.queue})
	return e, nil
}

// lonely reports that no other process works on this database: a SQLite file belongs to the server that holds the lock on its folder.
func (rt *Runtime) lonely() bool { return rt.Store.Engine == store.SQLite && rt.lock != nil }

// asker is the desk as the handlers want it; nil when there is no engine, as in tests that move no money.
func (e *Engine) asker() handlers.Asker {
	if e == nil {
		return nil
	}
	return e.desk
}

// subAccounts is the desk as the pages of sub-accounts want it; nil without an engine.
func (e *Engine) subAccounts() handlers.SubAccountAsker {
	if e == nil {
		return nil
	}
	return e.desk
}

// books reads the providers' books; nil without an engine.
func (e *Engine) books() handlers.BookReader {
	if e == nil {
		return nil
	}
	return e.money
}

// callbacks is nil without an engine.
func (e *Engine) callbacks() func(string, string) string {
	if e == nil {
		return nil
	}
	return e.callback
}

func (e *Engine) name() string {
	if e == nil {
		return "no engine"
	}
	return e.instance
}

// run works until ctx ends, then lets what is running finish.
func (e *Engine) run(ctx context.Context) {
	log := e.rt.Log
	defer e.recorder.Close()
	defer e.desk.Close()
	defer e.inbox.Close() // the pages have stopped: nothing more comes in
	if err := e.queue.Start(context.WithoutCancel(ctx)); err != nil {
		log.Error("the queue does not start; the sweep does its work, later", "error", err)
	}
	var beside sync.WaitGroup
	beside.Go(func() { e.accounts.Run(ctx, e.rt.lonely()) })
	e.money.Run(ctx, e.rt.lonely())
	beside.Wait()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err := e.queue.Stop(stop); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		log.Error("stopping the queue", "error", err)
	}
}

// sniffProof tells the type of a proof of transfer by its content, or refuses it in words.
func sniffProof(name string, body []byte) (string, error) {
	found, err := files.Sniff(name, bytes.NewReader(body), int64(len(body)), files.Limits{MaxBytes: 10 << 20})
	if err != nil {
		return "", err
	}
	return found.Type, nil
}
