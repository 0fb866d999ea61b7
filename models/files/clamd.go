package files

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// ScanState is what is known about viruses in a file. Unscanned is shown to people as such.
type ScanState string

// The states.
const (
	Clean     ScanState = "clean"
	Infected  ScanState = "infected"
	Unscanned ScanState = "unscanned"
)

// Verdict is a scanner's word. Signature is set when infected, Reason when unscanned.
type Verdict struct {
	State     ScanState
	Signature string
	Reason    string
}

// Scanner speaks clamd's INSTREAM. The zero Scanner scans nothing and says so.
type Scanner struct {
	// Addr is "host:port" or the path of a unix socket. Empty: no scanner.
	Addr string
	// Timeout of a whole scan. Default 60 s.
	Timeout time.Duration
}

// Scan sends r to clamd. It never fails: what could not be scanned is Unscanned, with the reason.
func (s Scanner) Scan(ctx context.Context, r io.Reader) Verdict {
	if s.Addr == "" {
		return Verdict{State: Unscanned, Reason: "no virus scanner is set up"}
	}
	if s.Timeout <= 0 {
		s.Timeout = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	reply, err := s.ask(ctx, r)
	if err != nil {
		return Verdict{State: Unscanned, Reason: "the virus scanner did not answer: " + err.Error()}
	}
	return parseReply(reply)
}

func (s Scanner) ask(ctx context.Context, r io.Reader) (string, error) {
	network := "tcp"
	if strings.HasPrefix(s.Addr, "/") {
		network = "unix"
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, s.Addr)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if sent := stream(conn, r); sent != nil && !errors.As(sent, new(net.Error)) {
		return "", sent
	}
	// Also after a failed write: clamd closes the stream early when it is too long, and says so.
	reply, err := bufio.NewReader(io.LimitReader(conn, 4096)).ReadString(0)
	if err != nil && (reply == "" || !errors.Is(err, io.EOF)) {
		return "", fmt.Errorf("no verdict: %w", err)
	}
	return strings.TrimRight(reply, "\x00\n"), nil
}

// stream writes the command, the chunks each after its length, and the empty chunk that ends them.
func stream(w io.Writer, r io.Reader) error {
	if _, err := io.WriteString(w, "zINSTREAM\x00"); err != nil {
		return err
	}
	buf := make([]byte, 4+64<<10)
	for {
		n, err := io.ReadFull(r, buf[4:])
		if n > 0 {
			binary.BigEndian.PutUint32(buf, uint32(n)) // #nosec G115 -- at most 64 KiB
			if _, werr := w.Write(buf[:4+n]); werr != nil {
				return werr
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			_, err := w.Write(make([]byte, 4))
			return err
		}
		if err != nil {
			return fmt.Errorf("read the file: %w", err)
		}
	}
}

// parseReply trusts nothing but the two answers it knows.
func parseReply(reply string) Verdict {
	body, ok := strings.CutPrefix(reply, "stream: ")
	switch signature, found := strings.CutSuffix(body, " FOUND"); {
	case ok && body == "OK":
		return Verdict{State: Clean}
	case ok && found && signature != "":
		return Verdict{State: Infected, Signature: clip(signature)}
	}
	return Verdict{State: Unscanned, Reason: "the virus scanner said: " + clip(reply)}
}

func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) > 200 {
		return strings.ToValidUTF8(s[:200], "")
	}
	return s
}
