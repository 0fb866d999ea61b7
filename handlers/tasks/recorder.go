package tasks

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"countinghouse/models"
	"countinghouse/models/store"
	"countinghouse/providers/httpx"
)

const (
	recorderQueue = 4096
	recorderGroup = 64
)

// Recorder keeps every exchange with a provider. Writing happens behind the caller's back, in groups of up to 64 per transaction: a slow disk
// never delays a payment. If 4,096 exchanges wait, further ones are dropped and counted; money does not depend on them.
type Recorder struct {
	store   *store.Store
	log     *slog.Logger
	queue   chan recorded
	dropped atomic.Int64
	paused  sync.Map // credential → bool: whether its last call was refused by an open circuit
	callers *callers // reads what answers show about our address; nil: nobody does

	closing sync.RWMutex
	closed  bool
	stopped chan struct{}
}

// recorded is an exchange to write, or a request to tell when everything before it is written.
type recorded struct {
	record models.ExchangeRecord
	flush  chan struct{}
}

// NewRecorder starts the writer. Close stops it.
func NewRecorder(s *store.Store, log *slog.Logger) *Recorder {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	r := &Recorder{store: s, log: log, queue: make(chan recorded, recorderQueue), stopped: make(chan struct{})}
	go r.write()
	return r
}

// Dropped is how many exchanges were not kept since the start, because the database did not keep up or refused them.
func (r *Recorder) Dropped() int64 { return r.dropped.Load() }

// Paused tells whether a credential's last call was refused because its provider did not answer lately; known is false before the first call
// since the program started.
func (r *Recorder) Paused(credentialID string) (paused, known bool) {
	v, ok := r.paused.Load(credentialID)
	if !ok {
		return false, false
	}
	return v.(bool), true //nolint:forcetypeassert // nothing else is stored
}

// Flush waits until everything that was recorded before the call is in the database.
func (r *Recorder) Flush(ctx context.Context) error {
	done := make(chan struct{})
	r.closing.RLock()
	if r.closed {
		r.closing.RUnlock()
		<-r.stopped
		return nil
	}
	select {
	case r.queue <- recorded{flush: done}:
		r.closing.RUnlock()
	case <-ctx.Done():
		r.closing.RUnlock()
		return ctx.Err()
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close writes what waits and stops.
func (r *Recorder) Close() {
	r.closing.Lock()
	if !r.closed {
		r.closed = true
		close(r.queue)
	}
	r.closing.Unlock()
	<-r.stopped
}

func (r *Recorder) write() {
	defer close(r.stopped)
	for first := range r.queue {
		group := []recorded{first}
	gather:
		for len(group) < recorderGroup {
			select {
			case more, open := <-r.queue:
				if !open {
					break gather
				}
				group = append(group, more)
			default:
				break gather
			}
		}
		r.put(group)
	}
}

func (r *Recorder) put(group []recorded) {
	var list []models.ExchangeRecord
	for _, g := range group {
		if g.flush == nil {
			list = append(list, g.record)
		}
	}
	if len(list) > 0 {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		if err := r.store.PutExchanges(ctx, list); err != nil {
			r.dropped.Add(int64(len(list)))
			r.log.Error("exchanges were not kept", "count", len(list), "error", err)
		}
		if err := r.callers.note(ctx, r.store, list); err != nil {
			r.log.Error("what answers showed about our address was not kept", "error", err)
		}
		cancel()
	}
	for _, g := range group {
		if g.flush != nil {
			close(g.flush)
		}
	}
}

// For gives the recorder of one credential's client. Redaction is httpx's work and the provider's rules; that none of the credential's secrets
// gets through is made sure of here once more.
func (r *Recorder) For(cred models.Credential, secrets map[string]string) httpx.Recorder {
	return &credentialRecorder{recorder: r, credential: cred.ID, provider: cred.Provider, environment: cred.Environment, literals: literals(secrets)}
}

type credentialRecorder struct {
	recorder             *Recorder
	credential, provider string
	environment          models.Environment
	literals             []string
}

// Record takes one exchange. It never blocks.
func (c *credentialRecorder) Record(ctx context.Context, x httpx.Exchange) {
	id := x.ID
	if id == "" {
		id = models.NewID()
	}
	on := about(ctx)
	rec := models.ExchangeRecord{ID: id, CredentialID: c.credential, Provider: c.provider, Environment: c.environment, SubjectKind: on.kind, SubjectID: on.id,
		AttemptID: on.attempt, Operation: x.Operation, StartedAt: models.At(x.StartedAt), DurationUS: x.Duration.Microseconds(), Method: x.Method,
		URL: scrub(x.URL, c.literals), RequestHeader: scrubHeader(x.RequestHeader, c.literals), RequestBody: scrubBytes(x.RequestBody, c.literals), Status: x.Status,
		ResponseHeader: scrubHeader(x.ResponseHeader, c.literals), ResponseBody: scrubBytes(x.ResponseBody, c.literals), Err: scrub(x.Err, c.literals),
		BodyDigest: x.BodyDigest, Sent: x.Sent}
	if on.seen != nil {
		on.seen.add(rec)
	}
	r := c.recorder
	r.paused.Store(c.credential, x.Kind == httpx.KindCircuitOpen)
	r.closing.RLock()
	defer r.closing.RUnlock()
	if r.closed {
		r.dropped.Add(1)
		return
	}
	select {
	case r.queue <- recorded{record: rec}:
	default:
		r.dropped.Add(1)
	}
}

// subject is what a call is about; it travels in the context.
type subject struct {
	kind, id, attempt string
	seen              *seenExchanges
}

type subjectKey struct{}

func about(ctx context.Context) subject {
	s, _ := ctx.Value(subjectKey{}).(subject)
	return s
}

// WithSubject says what the calls made under a context are about: "transaction" and its id, "credential" and its id, and so on.
func WithSubject(ctx context.Context, kind, id string) context.Context {
	s := about(ctx)
	s.kind, s.id = kind, id
	return context.WithValue(ctx, subjectKey{}, s)
}

// WithAttempt links the calls made under a context to one attempt of a transaction.
func WithAttempt(ctx context.Context, attemptID string) context.Context {
	s := about(ctx)
	s.attempt = attemptID
	return context.WithValue(ctx, subjectKey{}, s)
}

// seenExchanges collects the exchanges made under a context, so that evidence can point at them.
type seenExchanges struct {
	mu   sync.Mutex
	list []models.ExchangeRecord
}

func (s *seenExchanges) add(x models.ExchangeRecord) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, x)
}

// last gives the id of the newest exchange of an operation; empty if there was none.
func (s *seenExchanges) last(operation string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.list) - 1; i >= 0; i-- {
		if s.list[i].Operation == operation {
			return s.list[i].ID
		}
	}
	return ""
}

// WithExchanges makes the calls under a context tell the ids of their exchanges: ids gives them in the order they were made. The outcome
// court uses it to link what was said to the exchange that said it.
func WithExchanges(ctx context.Context) (_ context.Context, ids func() []string) {
	s := about(ctx)
	s.seen = &seenExchanges{}
	return context.WithValue(ctx, subjectKey{}, s), func() []string {
		s.seen.mu.Lock()
		defer s.seen.mu.Unlock()
		out := make([]string, 0, len(s.seen.list))
		for _, x := range s.seen.list {
			out = append(out, x.ID)
		}
		return out
	}
}

// literals are the secrets worth looking for: shorter ones would blank half of every record.
func literals(secrets map[string]string) []string {
	var out []string
	for _, v := range secrets {
		if len(v) >= 6 {
			out = append(out, v)
		}
	}
	return out
}

func scrub(s string, secrets []string) string {
	for _, v := range secrets {
		s = strings.ReplaceAll(s, v, httpx.Redacted)
	}
	return s
}

func scrubBytes(b []byte, secrets []string) []byte {
	for _, v := range secrets {
		b = bytes.ReplaceAll(b, []byte(v), []byte(httpx.Redacted))
	}
	return b
}

func scrubHeader(h http.Header, secrets []string) http.Header {
	if len(secrets) == 0 {
		return h
	}
	out := make(http.Header, len(h))
	for k, vs := range h {
		for _, v := range vs {
			out[k] = append(out[k], scrub(v, secrets))
		}
	}
	return out
}
