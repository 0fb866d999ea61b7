package web

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// load is one kind of request, sent over and over to one server.
type load struct {
	name  string
	base  string
	paths []string // taken in turn
	token string   // of the session; empty for none
	gzip  bool

	make func(req *fasthttp.Request) // changes the request; nil for a plain GET
	want int                         // the status; 200 when zero

	mu    sync.Mutex
	took  []time.Duration
	spent time.Duration
}

// rounds is how often contenders take turns: what else the machine does meanwhile then falls on all of them.
const rounds = 16

// contest sends every load for the same time, in short turns, so that their ratios hold on a machine that is not ours alone.
func (b *bench) contest(ctx context.Context, loads ...*load) error {
	for _, l := range loads { // once each, unmeasured: caches of the database and of the program are warm for all
		if err := l.run(ctx, min(4, b.cmd.Connections), 100*time.Millisecond); err != nil {
			return err
		}
		l.took, l.spent = nil, 0
	}
	turn := time.Duration(b.cmd.Seconds * float64(time.Second) / rounds)
	for range rounds {
		for _, l := range loads {
			if err := l.run(ctx, b.cmd.Connections, turn); err != nil {
				return err
			}
		}
	}
	return nil
}

// run sends requests on n connections for a while. Any other status than the wanted one ends it.
func (l *load) run(ctx context.Context, n int, d time.Duration) error {
	client := &fasthttp.HostClient{Addr: l.base[len("http://"):], MaxConns: n, NoDefaultUserAgentHeader: true, ReadTimeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	var wg sync.WaitGroup
	errs := make(chan error, n)
	began := time.Now()
	for k := range n {
		wg.Go(func() {
			took, err := l.worker(ctx, client, k, began.Add(d))
			if err != nil {
				errs <- err
			}
			l.mu.Lock()
			l.took = append(l.took, took...)
			l.mu.Unlock()
		})
	}
	wg.Wait()
	l.spent += time.Since(began)
	select {
	case err := <-errs:
		return fmt.Errorf("%s: %w", l.name, err)
	default:
		return ctx.Err()
	}
}

func (l *load) worker(ctx context.Context, client *fasthttp.HostClient, k int, until time.Time) (took []time.Duration, err error) {
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(res)
	for i := k; ctx.Err() == nil; i++ {
		req.Reset()
		req.SetRequestURI(l.base + l.paths[i%len(l.paths)])
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		if l.token != "" {
			req.Header.SetCookie(cookiePlain, l.token)
		}
		if l.gzip {
			req.Header.Set("Accept-Encoding", "gzip")
		}
		if l.make != nil {
			l.make(req)
		}
		start := time.Now()
		if start.After(until) {
			return took, nil
		}
		if err := client.Do(req, res); err != nil {
			return took, err
		}
		took = append(took, time.Since(start))
		if want := max(l.want, 200*b2i(l.want == 0)); res.StatusCode() != want {
			return took, fmt.Errorf("%s answered %d: %.200s", req.URI().Path(), res.StatusCode(), res.Body())
		}
	}
	return took, ctx.Err()
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// rate is requests a second.
func (l *load) rate() float64 { return float64(len(l.took)) / max(l.spent.Seconds(), 1e-9) }

// at gives the latency below which a part of the requests stayed, in milliseconds.
func (l *load) at(part float64) float64 {
	if len(l.took) == 0 {
		return 0
	}
	slices.Sort(l.took)
	return float64(l.took[min(len(l.took)-1, int(part*float64(len(l.took))))]) / 1e6
}

func (l *load) figure(rows int) figure {
	return figure{What: l.name, Rows: rows, Value: l.rate(), Unit: "req/s", P50: l.at(0.5), P95: l.at(0.95)}
}
