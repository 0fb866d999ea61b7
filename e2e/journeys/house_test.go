package journeys

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"countinghouse/providers"
	"countinghouse/providers/all"
)

// house is the running program with what stands around it.
type house struct {
	base   string            // where the pages are
	hosts  map[string]string // the demonstration's own stand-ins, by provider
	onekey *standIn          // ours: its keys are known to the tests, which the demonstration's are not
}

// open builds the program and starts the demonstration on a free port.
func open(t *testing.T) *house {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "countinghouse")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", binary, "countinghouse").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	// Not the test's context: the program is asked to stop, and must do so by itself.
	cmd := exec.Command(binary, "--listen", "127.0.0.1:0", "--trusted-proxy", "127.0.0.1/32", "demo", "--transactions", "300") //nolint:noctx // see above
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, cmd) })
	h := &house{hosts: map[string]string{}, onekey: oneKey(t)}
	heard := make(chan error, 1)
	go func() { heard <- h.read(out) }()
	select {
	case err := <-heard:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("the demonstration did not say where it is")
	}
	return h
}

var address = regexp.MustCompile(`^\s+(?:(\w+)\s+)?(http://127\.0\.0\.1:\d+)(?:/_sandbox/)?$`)

// read takes the addresses from what the demonstration prints; the rest of it is drained, so that it is never held up.
func (h *house) read(out io.Reader) error {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := address.FindStringSubmatch(lines.Text()); m != nil && m[1] == "" {
			h.base = m[2]
		} else if m != nil {
			h.hosts[m[1]] = m[2]
		}
		if strings.HasPrefix(lines.Text(), "Press Ctrl-C") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			if h.base == "" || h.hosts["wspn"] == "" {
				return fmt.Errorf("the demonstration printed no address: %+v", h)
			}
			return nil
		}
	}
	return fmt.Errorf("the demonstration ended before it was up: %w", lines.Err())
}

func stop(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	_ = cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("the demonstration ended with %v", err)
		}
	case <-time.After(60 * time.Second):
		_ = cmd.Process.Kill()
		t.Error("the demonstration did not stop when it was asked to")
	}
}

// standIn is a provider's sandbox at an address, whose controls the tests use.
type standIn struct {
	url  string
	keys map[string]string
}

// oneKey starts a stand-in of OneKey in which nothing happens by itself.
func oneKey(t *testing.T) *standIn {
	t.Helper()
	keys := map[string]string{}
	for _, name := range []string{"cashout_api_key", "cashout_api_passphrase", "cashout_api_signature", "deposit_api_key", "deposit_api_signature", "read_only_key"} {
		keys[name] = "k-" + strings.ReplaceAll(name, "_", "")
	}
	return openStandIn(t, "onekey", keys)
}

// openStandIn starts a stand-in that knows these keys and in which nothing happens by itself.
func openStandIn(t *testing.T, provider string, keys map[string]string) *standIn {
	t.Helper()
	s := &standIn{keys: keys}
	box := all.Sandboxes()[provider](providers.SandboxOptions{Credential: s.keys, Settings: map[string]string{"autosettle": "off"}, Seed: 5})
	server := httptest.NewServer(box)
	t.Cleanup(func() {
		server.Close()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	s.url = server.URL
	return s
}

// tell uses a control: tell(t, "settle", "reference", "CH…", "status", "paid").
func (s *standIn) tell(t *testing.T, what string, pairs ...string) {
	t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	res, err := http.PostForm(s.url+"/_sandbox/"+what, form) //nolint:noctx // the test's own sandbox
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	if body, _ := io.ReadAll(res.Body); res.StatusCode >= http.StatusBadRequest {
		t.Fatalf("the stand-in refused to %s %v: %s", what, pairs, body)
	}
}

// executions says how often money was really moved, by our reference.
func (s *standIn) executions(t *testing.T) map[string]int {
	t.Helper()
	res, err := http.Get(s.url + "/_sandbox/executions") //nolint:noctx // the test's own sandbox
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	var out map[string]int
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}
