package files_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"countinghouse/models/files"
)

// clamd plays the scanner: it reads the stream strictly and answers what the test says.
func clamd(t *testing.T, network, addr string, most int, answer func(body []byte) string) string {
	t.Helper()
	l, err := net.Listen(network, addr) //nolint:noctx // ends with the test
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				in := bufio.NewReader(c)
				if cmd, err := in.ReadString(0); err != nil || cmd != "zINSTREAM\x00" {
					return
				}
				var body []byte
				for {
					var n uint32
					if binary.Read(in, binary.BigEndian, &n) != nil {
						return
					}
					if n == 0 {
						break
					}
					if len(body)+int(n) > most {
						_, _ = io.WriteString(c, "INSTREAM size limit exceeded. ERROR\x00")
						return
					}
					chunk := make([]byte, n)
					if _, err := io.ReadFull(in, chunk); err != nil {
						return
					}
					body = append(body, chunk...)
				}
				_, _ = io.WriteString(c, answer(body))
			}()
		}
	}()
	return l.Addr().String()
}

func TestWhatTheScannerSaysAndWhatIsMadeOfIt(t *testing.T) {
	virus := []byte("EICAR-ish")
	addr := clamd(t, "tcp", "127.0.0.1:0", 1<<20, func(body []byte) string {
		switch {
		case bytes.Contains(body, virus):
			return "stream: Eicar-Signature FOUND\x00"
		case bytes.HasPrefix(body, []byte("say ")):
			return string(body[4:])
		}
		return "stream: OK\x00"
	})
	s := files.Scanner{Addr: addr, Timeout: 5 * time.Second}
	for in, want := range map[string]files.Verdict{
		"":                           {State: files.Clean},
		"harmless":                   {State: files.Clean},
		strings.Repeat("x", 200_000): {State: files.Clean},
		strings.Repeat("x", 65_533) + "EICAR-ish": {State: files.Infected, Signature: "Eicar-Signature"}, // across two chunks
		"say stream: OK":                      {State: files.Clean}, // ended by closing
		"say stream: OK FOUND\x00":            {State: files.Infected, Signature: "OK"},
		"say stream:  FOUND\x00":              {State: files.Unscanned, Reason: "the virus scanner said: stream:  FOUND"},
		"say UNKNOWN COMMAND\x00":             {State: files.Unscanned, Reason: "the virus scanner said: UNKNOWN COMMAND"},
		"say stream: OK\nstream: X FOUND\x00": {State: files.Infected, Signature: "OKstream: X"},
		"say ":                                {State: files.Unscanned, Reason: "the virus scanner did not answer: no verdict: EOF"},
	} {
		if diff := cmp.Diff(want, s.Scan(t.Context(), strings.NewReader(in))); diff != "" {
			t.Errorf("%.40q: %s", in, diff)
		}
	}
	got := s.Scan(t.Context(), strings.NewReader(strings.Repeat("x", 3<<20)))
	if got.State != files.Unscanned {
		t.Errorf("too long for the scanner: %+v", got)
	}
	got = s.Scan(t.Context(), io.MultiReader(strings.NewReader("x"), iotest.ErrReader(errors.New("disk"))))
	if got.State != files.Unscanned || !strings.Contains(got.Reason, "disk") {
		t.Errorf("unreadable file: %+v", got)
	}
}

func TestTheScannerMayBeASocketOrSilentOrAbsent(t *testing.T) {
	addr := clamd(t, "unix", filepath.Join(t.TempDir(), "s"), 1<<20, func([]byte) string { return "stream: OK\x00" })
	if got := (files.Scanner{Addr: addr}).Scan(t.Context(), strings.NewReader("x")); got.State != files.Clean {
		t.Errorf("socket: %+v", got)
	}
	silent := make(chan struct{})
	defer close(silent)
	mute := clamd(t, "tcp", "127.0.0.1:0", 1<<20, func([]byte) string { <-silent; return "" })
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for name, got := range map[string]files.Verdict{
		"none":     files.Scanner{}.Scan(t.Context(), strings.NewReader("x")),
		"down":     files.Scanner{Addr: "127.0.0.1:1"}.Scan(t.Context(), strings.NewReader("x")),
		"mute":     files.Scanner{Addr: mute, Timeout: 50 * time.Millisecond}.Scan(t.Context(), strings.NewReader("x")),
		"given up": files.Scanner{Addr: mute}.Scan(gone, strings.NewReader("x")),
	} {
		if got.State != files.Unscanned || got.Reason == "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
