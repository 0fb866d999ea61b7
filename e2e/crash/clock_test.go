package crash

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// leapingClock is the real time plus leaps that the servers under test make too: they read the same eight bytes. The questions after 30 s, 2 min,
// an hour come within milliseconds that way. The stand-ins stay in real time, since signatures are checked against it.
type leapingClock struct {
	path  string
	mu    sync.Mutex
	ahead time.Duration
}

func newClock(t testing.TB, dir string) *leapingClock {
	c := &leapingClock{path: filepath.Join(dir, "clock")}
	if err := os.WriteFile(c.path, make([]byte, 8), 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

// Now is a models.Clock.
func (c *leapingClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *leapingClock) leap(t testing.TB, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
	f, err := os.OpenFile(c.path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(c.ahead.Microseconds())), 0); err != nil { //nolint:gosec // never negative
		t.Fatal(err)
	}
}
