package crash

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// build makes the program once per run of the tests, with the harness in it; CRASH_BINARY names one that was built before.
var build = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("CRASH_BINARY"); path != "" {
		return path, nil
	}
	return compile("harness")
})

func compile(tags string) (string, error) {
	dir, err := os.MkdirTemp("", "countinghouse-crash-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "countinghouse")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-tags", tags, "-o", path, "countinghouse") //nolint:gosec,noctx // our own program
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
}

func TestMain(m *testing.M) {
	code := m.Run()
	if !built {
		os.Exit(code)
	}
	if path, err := build(); err == nil && os.Getenv("CRASH_BINARY") == "" {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// built says that some test needed the program, so that TestMain does not build it only to remove it.
var built bool

// server is one process of the program.
type server struct {
	h      *house
	data   string
	listen string
	env    []string

	cmd    *exec.Cmd
	log    *bytes.Buffer
	ended  chan error
	deaths int
}

// start runs the program. kill is a step and a count, such as after_intent:2, or empty. It does not wait until the pages answer: a process may be
// killed before.
func (s *server) start(kill string) {
	s.h.t.Helper()
	path, err := build()
	if err != nil {
		s.h.t.Fatal(err)
	}
	args := []string{"serve", "--data", s.data, "--listen", s.listen, "--public-url", "http://" + s.h.public}
	s.cmd = exec.Command(path, args...) //nolint:gosec,noctx // our own program; it is killed by hand
	s.cmd.Env = append(append(os.Environ(), s.env...), "COUNTINGHOUSE_HARNESS_CLOCK="+s.h.clock.path, "COUNTINGHOUSE_HARNESS_KILL="+kill,
		"COUNTINGHOUSE_HARNESS_BREAK="+s.h.broken, "GOMAXPROCS=2")
	s.log = &bytes.Buffer{}
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		s.h.t.Fatal(err)
	}
	s.ended = make(chan error, 1)
	cmd, ended := s.cmd, s.ended
	go func() { ended <- cmd.Wait() }()
}

// ready waits until the pages answer. False means that the process died before.
func (s *server) ready() bool {
	for range 1000 {
		if res, err := http.Get("http://" + s.listen + "/readyz"); err == nil { //nolint:noctx,gosec // loopback
			_ = res.Body.Close()
			return true
		}
		if s.waitDeath(10 * time.Millisecond) {
			return false
		}
	}
	s.h.t.Fatalf("%s: the server does not answer\n%s", s.h.name, s.log)
	return false
}

// waitDeath waits for the end of the process. An end that nobody caused is a failure of the seed.
func (s *server) waitDeath(d time.Duration) bool {
	if s.cmd == nil {
		return true
	}
	select {
	case err := <-s.ended:
		s.gone() // before anything else: whoever cleans up must not wait for its end a second time
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != -1 { // -1: by a signal
			s.h.t.Fatalf("%s: the server ended by itself: %v\n%s", s.h.name, err, s.log)
		}
		return true
	case <-time.After(d):
		return false
	}
}

func (s *server) gone() {
	s.h.logs.Write(s.log.Bytes())
	s.cmd = nil
	s.deaths++
}

// kill ends the process as a power cut of the process would: nothing of it runs any more.
func (s *server) kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.ended //nolint:errcheck // killed on purpose: how it ended says nothing
	s.gone()
}

// stop asks the process to end, as systemd does, and expects that it does so in peace.
func (s *server) stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(os.Interrupt)
	select {
	case err := <-s.ended:
		if err != nil {
			s.h.t.Errorf("%s: a stop in peace ended with %v\n%s", s.h.name, err, s.log)
		}
	case <-time.After(time.Minute): // the grace of running requests and that of running jobs come one after the other
		s.h.t.Errorf("%s: the server does not stop\n%s", s.h.name, s.log)
		s.kill()
		return
	}
	s.gone()
	s.deaths--
}

func TestTheHarnessIsNotInTheProgramThatPeopleRun(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program: skipped with -short")
	}
	files := func(tags string) string {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-tags", tags, "-f", "{{.GoFiles}}", "countinghouse/web").Output() //nolint:gosec // the go command
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	if got := files(""); strings.Contains(got, " harness.go ") || !strings.Contains(got, " harness_off.go ") {
		t.Errorf("the program is built from %s", got)
	}
	if got := files("harness"); !strings.Contains(got, " harness.go ") {
		t.Errorf("the harness is built from %s", got)
	}
	has := func(path string, err error) bool {
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path) //nolint:gosec // what was just built
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Contains(b, []byte("COUNTINGHOUSE_HARNESS"))
	}
	plain, err := compile("none")
	if err == nil {
		defer func() { _ = os.RemoveAll(filepath.Dir(plain)) }()
	}
	if has(plain, err) {
		t.Error("the program that people run can be told to kill itself")
	}
	built = true
	if !has(build()) {
		t.Error("the search finds nothing even where the harness is") // else the test above could not fail
	}
}
