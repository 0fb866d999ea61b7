package web_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"countinghouse/handlers"
	"countinghouse/models/store/storetest"
	"countinghouse/web"
)

// odd is a server with three routes that behave badly.
func odd(t *testing.T, grace time.Duration) (base string, log *logBook, entered, release chan struct{}, stop func() error) {
	t.Helper()
	entered, release = make(chan struct{}), make(chan struct{})
	log = &logBook{}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	route := func(name string, timeout time.Duration, handle func(*handlers.Ctx) error) handlers.Route {
		return handlers.Route{Method: "GET", Path: "/test/" + name, Name: "test." + name, Access: handlers.Public, Timeout: timeout, Handle: handle}
	}
	deps := web.Deps{Store: storetest.SQLite(t), Log: slog.New(slog.NewJSONHandler(log, nil))}.With(
		route("slow", 0, func(c *handlers.Ctx) error {
			close(entered)
			<-release
			return c.Fiber.SendString("finished")
		}),
		route("late", 50*time.Millisecond, func(c *handlers.Ctx) error {
			<-c.Context().Done()
			return c.Context().Err()
		}),
		route("panic", 0, func(*handlers.Ctx) error { panic("the canary of this panic") }),
	)
	app, err := web.New(web.Config{Data: t.TempDir(), Listen: l.Addr().String(), GracePeriod: grace}, deps)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- app.Serve(ctx, l) }()
	stopped := false
	stop = func() error {
		stopped = true
		cancel()
		return <-done
	}
	t.Cleanup(func() {
		if !stopped {
			if err := stop(); err != nil {
				t.Error(err)
			}
		}
	})
	return "http://" + l.Addr().String(), log, entered, release, stop
}

func fetch(t *testing.T, address string) (answer, error) {
	t.Helper()
	res, err := http.Get(address) //nolint:gosec // a test's own server
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	var b strings.Builder
	buf := make([]byte, 32<<10)
	for {
		n, err := res.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return answer{res, b.String()}, nil
		}
	}
}

func TestStoppingLetsRunningRequestsFinish(t *testing.T) {
	base, _, entered, release, stop := odd(t, 10*time.Second)
	got := make(chan answer, 1)
	go func() {
		a, err := fetch(t, base+"/test/slow")
		if err != nil {
			t.Errorf("the running request was cut off: %v", err)
		}
		got <- a
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	for range 200 { // until the door is closed to newcomers
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", strings.TrimPrefix(base, "http://"))
		if err != nil {
			break
		}
		_ = c.Close()
		time.Sleep(10 * time.Millisecond)
	}
	select {
	case err := <-stopped:
		t.Fatalf("stopped before the running request had ended: %v", err)
	default:
	}
	close(release)
	if a := <-got; a.StatusCode != 200 || a.body != "finished" {
		t.Errorf("the running request got %d %q", a.StatusCode, a.body)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
}

// Browsers open connections ahead of time and load balancers keep some in store. None of them may hold up a stop.
func TestStoppingDoesNotWaitForConnectionsWithoutARequest(t *testing.T) {
	for name, said := range map[string]string{"silent": "", "after a request": "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "half a request": "GET /heal"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base, _, _, _, stop := odd(t, time.Hour)
			c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(base, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			if _, err := c.Write([]byte(said)); err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(said, "\r\n\r\n") {
				if _, err := c.Read(make([]byte, 64)); err != nil {
					t.Fatal(err)
				}
			}
			if a, err := fetch(t, base+"/healthz"); err != nil || a.StatusCode != 200 { // came later, so the other one is inside
				t.Fatal(a.StatusCode, err)
			}
			stopped := make(chan error, 1)
			go func() { stopped <- stop() }()
			select {
			case err := <-stopped:
				if err != nil {
					t.Errorf("stop: %v", err)
				}
			case <-time.After(time.Minute):
				t.Error("the stop waits for somebody who asked for nothing, an hour if need be")
			}
		})
	}
}

func TestAPanicBecomesAPageAndALogLine(t *testing.T) {
	base, log, _, _, _ := odd(t, 10*time.Second)
	a, err := fetch(t, base+"/test/panic")
	if err != nil || a.StatusCode != 500 || !strings.Contains(a.body, "Something went wrong on our side") {
		t.Fatalf("%d %v\n%s\n%s", a.StatusCode, err, a.body, log)
	}
	if strings.Contains(a.body, "canary") || strings.Contains(a.body, "goroutine") {
		t.Error("the page tells what is for the log only")
	}
	id := a.Header.Get("X-Request-Id")
	if !strings.Contains(a.body, id) || !strings.Contains(log.String(), "the canary of this panic") || strings.Count(log.String(), id) < 2 {
		t.Errorf("page and log do not share the request id %q:\n%s", id, log)
	}
	if a, err := fetch(t, base+"/healthz"); err != nil || a.StatusCode != 200 {
		t.Errorf("after a panic: %d %v", a.StatusCode, err)
	}
}

func TestARequestThatTakesTooLongIsGivenUp(t *testing.T) {
	base, _, _, _, _ := odd(t, 10*time.Second)
	a, err := fetch(t, base+"/test/late")
	if err != nil || a.StatusCode != 503 || !strings.Contains(a.body, "This is not available right now") {
		t.Errorf("%d %v", a.StatusCode, err)
	}
}
