package httpx_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"countinghouse/providers/httpx"
)

// rawServer hands every accepted connection to serve and counts the requests whose header arrived.
func rawServer(t *testing.T, serve func(n int, c net.Conn, req *http.Request)) (url string, arrived *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	arrived = &atomic.Int32{}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer func() { _ = c.Close() }()
				in := bufio.NewReader(c)
				for {
					req, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, req.Body)
					n := int(arrived.Add(1))
					serve(n, c, req)
				}
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return "http://" + l.Addr().String(), arrived
}

func answerOK(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") }

// net/http repeats such a request by itself on a kept connection: the header makes it "replayable" (Go issue 19943).
func TestAPaymentIsWrittenAtMostOnceWhenTheProviderDropsTheConnection(t *testing.T) {
	bodies := map[string][]byte{"with body": []byte(`{"amount":"1.00"}`), "without body": nil}
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "GET"} {
		for kind, body := range bodies {
			if method == "GET" && body != nil {
				continue
			}
			t.Run(method+" "+kind, func(t *testing.T) {
				// The first request is answered and the connection kept; every later one is read whole and cut off.
				url, arrived := rawServer(t, func(n int, c net.Conn, _ *http.Request) {
					if n == 1 {
						answerOK(c)
						return
					}
					_ = c.Close()
				})
				client, _ := newClient(t, url, nil)
				if _, err := client.Do(t.Context(), httpx.Request{Method: "GET", Path: "/", Idempotent: true}); err != nil {
					t.Fatal(err)
				}
				_, err := client.Do(t.Context(), httpx.Request{Operation: "pay", Method: method, Path: "/pay", Body: body,
					Header: http.Header{"X-Idempotency-Key": {"k"}, "Idempotency-Key": {"k"}}})
				wantError(t, err, httpx.KindSentNoAnswer, true)
				if n := arrived.Load(); n != 2 {
					t.Errorf("the provider saw %d requests, want the read and one payment", n)
				}
			})
		}
	}
}

// The control: plain net/http really does send the same POST twice, so the test above can fail.
func TestPlainNetHTTPWouldHavePaidTwice(t *testing.T) {
	url, arrived := rawServer(t, func(n int, c net.Conn, _ *http.Request) {
		if n == 1 {
			answerOK(c)
			return
		}
		_ = c.Close()
	})
	plain := &http.Client{Transport: &http.Transport{}}
	defer plain.CloseIdleConnections()
	for range 2 {
		req, err := http.NewRequestWithContext(t.Context(), "POST", url, bytes.NewReader([]byte("pay")))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Idempotency-Key", "k")
		if res, err := plain.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
	}
	if n := arrived.Load(); n < 3 {
		t.Errorf("net/http sent %d requests; it no longer repeats, and the reason for separate transports is gone", n)
	}
}

func TestAClosedKeptConnectionDoesNotMakeAPaymentUnknown(t *testing.T) {
	url, arrived := rawServer(t, func(_ int, c net.Conn, _ *http.Request) {
		answerOK(c)
		_ = c.Close() // closes after every answer without announcing it
	})
	client, _ := newClient(t, url, nil)
	for range 20 {
		if _, err := client.Do(t.Context(), httpx.Request{Method: "POST", Path: "/", Body: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	if n := arrived.Load(); n != 20 {
		t.Errorf("arrived %d", n)
	}
}

func TestWhatHappensAfterTheFirstByteIsUnknown(t *testing.T) {
	for name, tc := range map[string]struct {
		serve func(c net.Conn)
		kind  httpx.Kind
	}{
		"cut without a word": {func(c net.Conn) { _ = c.Close() }, httpx.KindSentNoAnswer},
		"half a status line": {func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 2"); _ = c.Close() }, httpx.KindSentNoAnswer},
		"not HTTP":           {func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-x\r\n\r\n"); _ = c.Close() }, httpx.KindSentNoAnswer},
		"half a body": {func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
			_ = c.Close()
		}, httpx.KindBadBody},
		"broken chunks": {func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
			_ = c.Close()
		}, httpx.KindBadBody},
		"endless header": {func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 300<<10)+"\r\n\r\n")
			_ = c.Close()
		}, httpx.KindSentNoAnswer},
		"two content lengths": {func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok")
			_ = c.Close()
		}, httpx.KindSentNoAnswer},
		"silence past timeout": {func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) }, httpx.KindSentNoAnswer},
		"slow body": {func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
			_, _ = c.Read(make([]byte, 1))
		}, httpx.KindBadBody},
	} {
		t.Run(name, func(t *testing.T) {
			url, arrived := rawServer(t, func(_ int, c net.Conn, _ *http.Request) { tc.serve(c) })
			client, b := newClient(t, url, nil)
			_, err := client.Do(t.Context(), httpx.Request{Operation: "pay", Method: "POST", Path: "/", Body: []byte("x"), Timeout: 200 * time.Millisecond})
			wantError(t, err, tc.kind, true)
			if rows := b.all(); len(rows) != 1 || !rows[0].Sent || rows[0].Err == "" || arrived.Load() != 1 {
				t.Errorf("arrived %d, record %+v", arrived.Load(), rows)
			}
		})
	}
}

func TestACallGivenUpBeforeTheConnectionWasNotSentAndAfterItWas(t *testing.T) {
	url, arrived := rawServer(t, func(_ int, c net.Conn, _ *http.Request) { _, _ = c.Read(make([]byte, 1)) })
	client, _ := newClient(t, url, nil)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := client.Do(gone, httpx.Request{Method: "POST", Path: "/", Body: []byte("x")})
	wantError(t, err, httpx.KindCanceled, false)
	if !errors.Is(err, context.Canceled) || arrived.Load() != 0 {
		t.Errorf("error %v, arrived %d", err, arrived.Load())
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := client.Do(ctx, httpx.Request{Method: "POST", Path: "/", Body: []byte("x")})
		done <- err
	}()
	for arrived.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	wantError(t, <-done, httpx.KindCanceled, true)
}

// The promise behind NotSent, hunted with cancellations at every moment: whenever the client says "not sent", the
// provider has not got, and never gets, the request.
func TestNotSentIsNeverSaidOfARequestThatArrives(t *testing.T) {
	var mu sync.Mutex
	got := map[string]bool{}
	url, _ := rawServer(t, func(_ int, c net.Conn, req *http.Request) {
		mu.Lock()
		got[req.URL.Path] = true
		mu.Unlock()
		answerOK(c)
	})
	client, _ := newClient(t, url, func(cfg *httpx.Config) { cfg.Breaker.Off = true })
	denied := map[string]bool{}
	for i := range 400 {
		path := fmt.Sprintf("/%d", i)
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*2*time.Microsecond)
		_, err := client.Do(ctx, httpx.Request{Method: "POST", Path: path, Body: []byte("x")})
		cancel()
		if httpx.NotSent(err) {
			denied[path] = true
		}
	}
	time.Sleep(100 * time.Millisecond) // whatever was still on its way arrives
	mu.Lock()
	defer mu.Unlock()
	for path := range denied {
		if got[path] {
			t.Errorf("%s was said to be unsent and arrived", path)
		}
	}
	t.Logf("%d of 400 not sent, %d arrived", len(denied), len(got))
}

func TestReadsAreRepeatedTwiceAndPaymentsNever(t *testing.T) {
	var hits atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := hits.Add(1)
		if r.URL.Path == "/recovers" && n == 3 {
			return
		}
		w.WriteHeader(503)
	}))
	defer srv.Close()
	for _, tc := range []struct {
		req  httpx.Request
		hits int32
		want int
	}{
		{httpx.Request{Method: "GET", Path: "/recovers", Idempotent: true}, 3, 200},
		{httpx.Request{Method: "GET", Path: "/down", Idempotent: true}, 3, 503},
		{httpx.Request{Method: "GET", Path: "/down"}, 1, 503},
		{httpx.Request{Method: "POST", Path: "/down", Body: []byte("x")}, 1, 503},
	} {
		hits.Store(0)
		c, b := newClient(t, srv.URL, nil)
		c.WithoutWaiting()
		res, err := c.Do(t.Context(), tc.req)
		if err != nil || res.Status != tc.want || hits.Load() != tc.hits || len(b.all()) != int(tc.hits) {
			t.Errorf("%s %s: %d hits, %d recorded, status %d, error %v", tc.req.Method, tc.req.Path, hits.Load(), len(b.all()), res.Status, err)
		}
	}
}

func TestTheBreakerOpensOnSilenceAndSaysNothingWasSent(t *testing.T) {
	var down atomic.Bool
	down.Store(true)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			w.WriteHeader(500)
		}
	}))
	defer srv.Close()
	c, _ := newClient(t, srv.URL, func(cfg *httpx.Config) { cfg.Breaker = httpx.Breaker{Failures: 3, OpenFor: 50 * time.Millisecond} })
	for range 10 { // the status of a payment does not count
		if _, err := c.Do(t.Context(), httpx.Request{Method: "POST", Path: "/", Body: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if _, err := c.Do(t.Context(), httpx.Request{Method: "GET", Path: "/"}); err != nil {
			t.Fatal(err)
		}
	}
	if !c.CircuitOpen() {
		t.Fatal("the breaker is still closed")
	}
	_, err := c.Do(t.Context(), httpx.Request{Method: "POST", Path: "/", Body: []byte("x")})
	wantError(t, err, httpx.KindCircuitOpen, false)
	down.Store(false)
	for httpx.NotSent(err) {
		time.Sleep(5 * time.Millisecond)
		_, err = c.Do(t.Context(), httpx.Request{Method: "GET", Path: "/"})
	}
	if err != nil || c.CircuitOpen() {
		t.Errorf("after the pause: %v, open %v", err, c.CircuitOpen())
	}
}

func TestACallThatCannotWaitForItsTurnIsNotSent(t *testing.T) {
	hits := 0
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits++ }))
	defer srv.Close()
	c, _ := newClient(t, srv.URL, func(cfg *httpx.Config) {
		cfg.RateLimit, cfg.Timeout = httpx.RateLimit{PerSecond: 0.001, Burst: 2}, time.Second
	})
	for range 2 {
		if _, err := c.Do(t.Context(), httpx.Request{Method: "POST", Path: "/"}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.Do(t.Context(), httpx.Request{Method: "POST", Path: "/"})
	wantError(t, err, httpx.KindNotSent, false)
	if hits != 2 {
		t.Errorf("hits %d", hits)
	}
}

func TestOverTLSTheSamePromisesHold(t *testing.T) {
	var hits atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 1 {
			t.Errorf("spoke %s", r.Proto)
		}
		if hits.Add(1) > 1 {
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write([]byte("ok"))
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	c, _ := newClient(t, srv.URL, func(cfg *httpx.Config) { cfg.RootCAs = pool })
	if res, err := c.Do(t.Context(), httpx.Request{Method: "GET", Path: "/", Idempotent: true}); err != nil || string(res.Body) != "ok" {
		t.Fatal(res, err)
	}
	_, err := c.Do(t.Context(), httpx.Request{Method: "POST", Path: "/", Body: []byte("x"), Header: http.Header{"Idempotency-Key": {"k"}}})
	wantError(t, err, httpx.KindSentNoAnswer, true)
	if hits.Load() != 2 {
		t.Errorf("hits %d", hits.Load())
	}
}
