package tasks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"countinghouse/models"
	"countinghouse/models/files"
	"countinghouse/models/store"
	"countinghouse/providers"
)

func (k *KYB) step(name string) {
	if k.Step != nil {
		k.Step(name)
	}
}

// Send makes the calls of a run, one after the other: the intent is committed, then the one call is made, then the answer is recorded. Running it
// again for the same run hands nothing over twice.
func (k *KYB) Send(ctx context.Context, runID string) error {
	run, err := k.Store.KYBRunForTask(ctx, runID)
	if err != nil || run.State != "running" {
		return err
	}
	for {
		rules, words, err := k.before(ctx, run)
		if err != nil {
			k.Log.Warn("documents cannot be handed over now", "run", runID, "error", err)
			return k.Store.StopKYBRun(ctx, runID, sentenceOf(err))
		}
		k.step("before_intent")
		o, err := k.Store.BeginKYBCall(ctx, runID, k.Instance, store.KYBLimits{Companies: rules.MaxCompanies, Bytes: rules.BatchBytes}, words)
		if models.Is(err, models.Conflict) || (err == nil && o == nil) {
			return nil // another call of the credential is in flight and the sweep comes back; or nothing waits
		}
		if err != nil {
			return err
		}
		k.step("after_intent")
		ans := k.call(ctx, o)
		k.step("after_answer")
		rctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
		err = k.Store.RecordKYBCall(rctx, o.Call.ID, ans)
		cancel()
		if err != nil {
			return fmt.Errorf("record the answer to a KYB call: %w", err)
		}
		k.step("after_record")
		if ans.State == "not_sent" {
			return k.Store.StopKYBRun(ctx, runID, ans.Message)
		}
	}
}

// before collects what must be known before anything is sent: the provider's rules, and its words for the accounts, by which a lost answer is
// settled.
func (k *KYB) before(ctx context.Context, run models.KYBRun) (rules models.KYBRules, words map[string]string, err error) {
	client, p, cred, err := k.Clients.Client(ctx, run.CredentialID)
	if err != nil {
		return rules, nil, err
	}
	if cred.State != models.CredentialActive {
		return rules, nil, models.Errorf(models.Conflict, "The credential %s is not in use.", cred.Name)
	}
	if _, ok := client.(providers.KYBSubmitter); !ok || p.Description.KYB == nil {
		return rules, nil, models.Errorf(models.Conflict, "%s takes no documents.", p.Description.Title)
	}
	rules = p.Description.KYB(cred.Environment, cred.Settings)
	said, err := k.words(ctx, client, cred.ID)
	words = map[string]string{}
	for account, w := range said {
		words[account] = w.Word
	}
	return rules, words, err
}

// words reads the provider's list of accounts to its end.
func (k *KYB) words(ctx context.Context, client any, credentialID string) (map[string]store.KYBWord, error) {
	lister, ok := client.(providers.SubAccounts)
	if !ok {
		return nil, models.Errorf(models.Conflict, "This provider does not say how its accounts stand.")
	}
	ctx = WithSubject(ctx, "credential", credentialID)
	out := map[string]store.KYBWord{}
	for page, pages := 1, 1; page <= pages && page <= maxPages; page++ {
		cctx, cancel := context.WithTimeout(ctx, callTimeout)
		list, n, err := lister.ListSubAccounts(cctx, page)
		cancel()
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			out[a.ID] = store.KYBWord{Word: a.State, Note: a.Note}
		}
		if pages = n; len(list) == 0 {
			break
		}
	}
	return out, nil
}

// call makes the one call of an intent and says what came of it. It never panics past here: a client that does leaves the outcome unknown.
func (k *KYB) call(ctx context.Context, o *store.KYBOrder) (ans store.KYBAnswer) {
	defer func() {
		if r := recover(); r != nil {
			k.Log.Error("a provider client panicked", "call", o.Call.ID, "panic", fmt.Sprint(r))
			ans = store.KYBAnswer{State: "unknown", Message: "The program failed while it waited for the answer"}
		}
	}()
	client, _, _, err := k.Clients.Client(ctx, o.Run.CredentialID)
	if err != nil {
		return store.KYBAnswer{State: "not_sent", Message: sentenceOf(err)}
	}
	sets := map[string][]providers.Document{}
	for _, sub := range o.Submissions {
		if sets[sub.Account], err = k.load(ctx, sub); err != nil {
			k.Log.Error("a document cannot be read", "submission", sub.ID, "error", err)
			return store.KYBAnswer{State: "not_sent", Message: "A document of " + sub.Company + " cannot be read from the file store"}
		}
	}
	// A stop of the program does not cut a call that may already have handed something over: it has its own time limit.
	cctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), kybTimeout)
	defer cancel()
	cctx, exchanges := WithExchanges(WithSubject(cctx, "kyb", o.Call.ID))
	ans = kybAnswerOf(handOver(cctx, client, sets))
	ans.ExchangeID = newest(exchanges())
	return ans
}

// handOver is the one function through which documents leave.
func handOver(ctx context.Context, client any, sets map[string][]providers.Document) providers.Outcome {
	c, ok := client.(providers.KYBSubmitter)
	if !ok {
		return providers.Refused{Code: providers.NotSent, Message: "This provider takes no documents"}
	}
	if len(sets) == 1 {
		for account, docs := range sets {
			return c.SubmitKYB(ctx, account, docs)
		}
	}
	return c.SubmitKYBBatch(ctx, sets)
}

// load reads the files of a submission and holds each against the hash that was approved.
func (k *KYB) load(ctx context.Context, sub models.KYBSubmission) ([]providers.Document, error) {
	var out []providers.Document
	for _, f := range sub.Files {
		key, err := k.Store.KYBFileKey(ctx, f.VersionID)
		if err != nil {
			return nil, err
		}
		rc, err := k.Files.Open(ctx, key)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(io.LimitReader(files.Verified(rc, f.SHA256), f.Size+1))
		if err = errors.Join(err, rc.Close()); err != nil {
			return nil, err
		}
		if int64(len(body)) != f.Size {
			return nil, fmt.Errorf("%s: %w", f.VersionID, files.ErrSize)
		}
		out = append(out, providers.Document{Name: f.Name, Type: f.Type, Kind: string(f.Kind), Body: body})
	}
	return out, nil
}

// kybAnswerOf turns a provider's outcome into what the store records. Anything that is none of the three outcomes is unknown.
func kybAnswerOf(out providers.Outcome) store.KYBAnswer {
	switch o := out.(type) {
	case providers.Accepted:
		return store.KYBAnswer{State: "accepted", Message: "Accepted"}
	case providers.Refused:
		state := "declined"
		if o.Code == providers.NotSent {
			state = "not_sent"
		}
		message := models.Safe(o.Message, 300)
		if message == "" {
			message = "refused with code " + models.Safe(o.Code, 60)
		}
		return store.KYBAnswer{State: state, Code: o.Code, Message: strings.TrimSuffix(message, ".")}
	case providers.Unknown:
		return store.KYBAnswer{State: "unknown", Message: strings.TrimSuffix(models.Safe(o.Cause, 300), ".")}
	}
	return store.KYBAnswer{State: "unknown", Message: "The client gave no outcome"}
}
