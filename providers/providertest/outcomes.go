package providertest

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
)

// accepts sends every sample through a healthy sandbox: accepted, moved once, found again.
func accepts(t *testing.T, s Subject) {
	h := Open(t, s)
	for _, x := range s.Samples {
		t.Run(x.Name, func(t *testing.T) {
			r := x.request(t, h, Reference())
			out, err := Send(t.Context(), h.Client, x.Kind, r)
			if err != nil {
				t.Fatal(err)
			}
			a, ok := out.(providers.Accepted)
			if !ok {
				t.Fatalf("a healthy sandbox answered %s", Say(out))
			}
			if a.Status.State == "" {
				t.Errorf("accepted without a state of ours: %+v", a.Status)
			}
			truthful(t, h, r.Reference, out)
			findAgain(t, h, x, r, a)
		})
	}
}

func findAgain(t *testing.T, h *House, x Sample, r providers.SendRequest, a providers.Accepted) {
	t.Helper()
	f, can := Find(t.Context(), h.Client, query(x, r, a.ProviderRef))
	if can && f.Result != providers.Found {
		t.Errorf("what was just accepted is %s: %s", f.Result, f.Says)
	}
	if can && f.Says == "" {
		t.Error("the finding says nothing for the evidence table")
	}
}

func query(x Sample, r providers.SendRequest, ref string) providers.Query {
	return providers.Query{Kind: x.Kind, Reference: r.Reference, ProviderRef: ref, Method: r.Method, Amount: r.Amount,
		SentAt: models.At(time.Now()), Values: r.Values, SKU: r.SKU, Quantity: r.Quantity}
}

// Say writes an outcome for a test's message.
func Say(o providers.Outcome) string {
	switch o := o.(type) {
	case providers.Accepted:
		return fmt.Sprintf("Accepted %s %+v", o.ProviderRef, o.Status)
	case providers.Refused:
		return fmt.Sprintf("Refused %s (retryable %v): %s", o.Code, o.Retryable, o.Message)
	case providers.Unknown:
		return "Unknown: " + o.Cause
	}
	return fmt.Sprintf("no outcome: %T", o)
}

// truthful holds an outcome against what the sandbox really did.
func truthful(t *testing.T, h *House, reference string, out providers.Outcome) {
	t.Helper()
	n := h.Executions(t, reference)
	switch o := out.(type) {
	case providers.Accepted:
		if n != 1 {
			t.Errorf("%s, but the sandbox moved money %d times", Say(out), n)
		}
		if o.ProviderRef == "" && o.Status.State == "" {
			t.Error("accepted with neither their id nor a state")
		}
	case providers.Refused:
		if n != 0 {
			t.Errorf("%s, but the sandbox moved money %d times", Say(out), n)
		}
		if o.Code == "" || o.Message == "" {
			t.Errorf("refused without code or sentence: %+v", o)
		}
	case providers.Unknown:
		if n > 1 {
			t.Errorf("%s, and the sandbox moved money %d times", Say(out), n)
		}
		if o.Cause == "" {
			t.Error("unknown without a cause")
		}
	default:
		t.Errorf("%s", Say(out))
	}
}

// plays are the faults with how often money moves under each: -1 where that is the sandbox's choice.
var plays = []struct {
	kind  string
	moved int
}{
	{"lose_reply", 1}, {"drop_before", 0}, {"http_500", -1}, {"garbage", 1}, {"truncate", 1}, {"duplicate", -1}, {"lie_amount", 1}, {"late", 1},
}

func faults(t *testing.T, s Subject) {
	for _, x := range s.Samples {
		t.Run(x.Name, func(t *testing.T) {
			h := Open(t, s)
			for _, p := range plays {
				t.Run(p.kind, func(t *testing.T) { oneFault(t, s, h, x, p.kind, p.moved) })
			}
		})
	}
}

func oneFault(t *testing.T, s Subject, h *House, x Sample, kind string, moved int) {
	if why := x.Blind[kind]; why != "" {
		t.Skip(why)
	}
	r := x.request(t, h, Reference())
	// A client of its own, so that the circuit breaker of one fault does not decide the next.
	client := Build(t, s.Provider, h.Config)
	h.Fault(t, x.operation(), kind)
	ctx, cancel := context.WithTimeout(t.Context(), faultTimeout(kind))
	defer cancel()
	out, err := Send(ctx, client, x.Kind, r)
	if err != nil {
		t.Fatal(err)
	}
	truthful(t, h, r.Reference, out)
	_, unknown := out.(providers.Unknown)
	if !unknown && kind != "duplicate" {
		t.Errorf("after %s: %s, want Unknown", kind, Say(out))
	}
	if n := h.Executions(t, r.Reference); moved >= 0 && n != moved {
		t.Errorf("after %s the sandbox moved money %d times, want %d", kind, n, moved)
	}
	if unknown && h.Executions(t, r.Reference) == 1 && x.Kind == models.Payout && s.Provider.Description.Passport.QueryByReference {
		f, _ := Find(t.Context(), client, query(x, r, ""))
		if f.Result != providers.Found {
			t.Errorf("the passport says that a lost payout is found by reference; it was %s: %s", f.Result, f.Says)
		}
	}
}

// faultTimeout is shorter than the sandbox's lateness (1.5 s in Open) and long enough for a busy machine.
func faultTimeout(kind string) time.Duration {
	if kind == "late" {
		return 700 * time.Millisecond
	}
	return 20 * time.Second
}

// unsent holds that a request of which no byte left is refused with the code NotSent and may be repeated.
func unsent(t *testing.T, s Subject) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := "http://" + listener.Addr().String()
	_ = listener.Close()
	h := Open(t, s)
	for _, x := range s.Samples {
		r := x.request(t, h, Reference())
		client := Build(t, s.Provider, s.config(dead, h.Book))
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		for what, ctx := range map[string]context.Context{"nobody listens": t.Context(), "the caller has gone": gone} {
			out, err := Send(ctx, client, x.Kind, r)
			if err != nil {
				t.Fatal(err)
			}
			refused, ok := out.(providers.Refused)
			if !ok || refused.Code != providers.NotSent || !refused.Retryable {
				t.Errorf("%s, %s: %s, want Refused %s, retryable", x.Name, what, Say(out), providers.NotSent)
			}
		}
	}
}

// concurrent sends many at once through one client: each is its own, and each is moved once.
func concurrent(t *testing.T, s Subject) {
	h := Open(t, s)
	type sent struct {
		r   providers.SendRequest
		out providers.Outcome
	}
	for _, x := range s.Samples {
		list := make([]sent, 12)
		for i := range list {
			list[i].r = x.request(t, h, Reference())
		}
		var wg sync.WaitGroup
		for i := range list {
			wg.Go(func() { list[i].out, _ = Send(t.Context(), h.Client, x.Kind, list[i].r) })
		}
		wg.Wait()
		refs := map[string]bool{}
		for _, one := range list {
			truthful(t, h, one.r.Reference, one.out)
			a, ok := one.out.(providers.Accepted)
			if !ok {
				t.Errorf("%s: %s", x.Name, Say(one.out))
				continue
			}
			if refs[a.ProviderRef] && a.ProviderRef != "" {
				t.Errorf("%s: two requests got the same id %s", x.Name, a.ProviderRef)
			}
			refs[a.ProviderRef] = true
		}
	}
}
