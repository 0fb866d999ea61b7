package web

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// child is this program run as `serve` in a process of its own.
type child struct {
	cmd     *exec.Cmd
	base    string
	started time.Time
}

func (h *benchHouse) serveApart(ctx context.Context) (*child, error) {
	listen, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := []string{"--data", h.cfg.Data, "--listen", listen}
	if h.cfg.Database != "" {
		args = append(args, "--database", h.cfg.Database)
	}
	c := &child{base: "http://" + listen, cmd: exec.CommandContext(ctx, self, append(args, "serve")...)} //nolint:gosec // ourselves
	c.cmd.Stderr, c.cmd.Stdout = io.Discard, io.Discard
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "COUNTINGHOUSE_") && !strings.HasPrefix(v, "DATABASE_URL=") {
			c.cmd.Env = append(c.cmd.Env, v)
		}
	}
	c.started = time.Now()
	return c, c.cmd.Start()
}

func (c *child) stop() error {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	var exit *exec.ExitError
	if err := c.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return err
	}
	return nil
}

// get opens a page of the child, signed in.
func (c *child) get(ctx context.Context, path, token string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return nil, err
	}
	req.AddCookie(&http.Cookie{Name: cookiePlain, Value: token})
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Accept-Encoding", "identity")
	return http.DefaultClient.Do(req)
}

// firstPage waits until the child shows the signed-in list.
func (c *child) firstPage(ctx context.Context, token string) (time.Duration, error) {
	for ctx.Err() == nil && time.Since(c.started) < time.Minute {
		res, err := c.get(ctx, "/transactions", token)
		if err != nil {
			time.Sleep(time.Millisecond)
			continue
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil {
			return 0, err
		}
		if res.StatusCode != http.StatusOK || !bytes.Contains(body, []byte("</html>")) {
			return 0, fmt.Errorf("the first page answered %d", res.StatusCode)
		}
		return time.Since(c.started), nil
	}
	return 0, errors.Join(ctx.Err(), errors.New("the server did not start within a minute"))
}

// memory reads a process's figures from Linux, in MB: all resident pages, and those that are its own and not the database file's.
func memory(pid int) (all, own float64) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, 0
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		name, rest, _ := strings.Cut(line, ":")
		kb, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
		switch name {
		case "VmRSS":
			all = kb / 1024
		case "RssAnon":
			own = kb / 1024
		}
	}
	return all, own
}

// startUp measures from the start of the process to the first page, and what the process holds after five idle seconds.
func (h *benchHouse) startUp(ctx context.Context) error {
	const times = 5
	var took []float64
	for i := range times {
		c, err := h.serveApart(ctx)
		if err != nil {
			return err
		}
		d, err := c.firstPage(ctx, h.tokens["finance"])
		if err == nil && i == times-1 {
			time.Sleep(5 * time.Second)
			all, own := memory(c.cmd.Process.Pid)
			h.bench.note(figure{What: "memory, idle for 5 s", Rows: h.rows, Value: all, Unit: "MB"}.atMost(all, 57, "under 57 MB"))
			h.bench.note(figure{What: "  of it not the program's file or the database's", Rows: h.rows, Value: own, Unit: "MB"})
		}
		if err = errors.Join(err, c.stop()); err != nil {
			return err
		}
		took = append(took, d.Seconds()*1000)
	}
	slices.Sort(took)
	f := figure{What: "start to first page, middle of five", Rows: h.rows, Value: took[times/2], Unit: "ms"}
	if floor := bareStart(ctx); floor > 0 {
		f = f.beside(floor, "the program doing nothing (--help)")
	}
	h.bench.note(f.atMost(f.Value, 190, "under 190 ms"))
	return nil
}

// bareStart is how long this program takes to print its help, in milliseconds: what starting a process costs on this machine now.
func bareStart(ctx context.Context) float64 {
	self, err := os.Executable()
	if err != nil {
		return 0
	}
	var took []float64
	for range 5 {
		began := time.Now()
		if err := exec.CommandContext(ctx, self, "--help").Run(); err != nil { //nolint:gosec // ourselves
			return 0
		}
		took = append(took, time.Since(began).Seconds()*1000)
	}
	slices.Sort(took)
	return took[2]
}

// export takes all rows out as CSV from a process of its own and watches its memory, beside the sqlite3 shell's export of the same columns.
func (h *benchHouse) export(ctx context.Context) error {
	c, err := h.serveApart(ctx)
	if err != nil {
		return err
	}
	if _, err := c.firstPage(ctx, h.tokens["finance"]); err != nil {
		return errors.Join(err, c.stop())
	}
	best, shell, all, own := time.Hour, time.Hour, 0.0, 0.0
	lines := 0
	for range 2 {
		d, n, a, o, err := c.csv(ctx, h.tokens["finance"])
		if err != nil {
			return errors.Join(err, c.stop())
		}
		best, all, own, lines = min(best, d), max(all, a), max(own, o), n
		if d, ok := h.shellExport(ctx); ok {
			shell = min(shell, d)
		}
	}
	if err := c.stop(); err != nil {
		return err
	}
	rows := float64(lines - 1)
	f := figure{What: "CSV of all rows", Rows: h.rows, Value: rows / best.Seconds(), Unit: "rows/s"}
	if shell < time.Hour {
		f = f.beside(rows/shell.Seconds(), "the sqlite3 shell")
		times := best.Seconds() / shell.Seconds()
		f = f.atMost(times, 1.5, fmt.Sprintf("%.2f × the shell's time, at most 1.5", times))
	}
	h.bench.note(f)
	h.bench.note(figure{What: "memory at most while exporting, own", Rows: h.rows, Value: own, Unit: "MB"}.atMost(own, 64, "under 64 MB"))
	h.bench.note(figure{What: "  with mapped pages of program and database", Rows: h.rows, Value: all, Unit: "MB"})
	return nil
}

// csv reads one export to its end and counts its lines.
func (c *child) csv(ctx context.Context, token string) (took time.Duration, lines int, all, own float64, err error) {
	began := time.Now()
	res, err := c.get(ctx, "/transactions/export?format=csv", token)
	if err != nil {
		return 0, 0, 0, 0, err
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	if res.StatusCode != http.StatusOK {
		return 0, 0, 0, 0, fmt.Errorf("the export answered %d", res.StatusCode)
	}
	buf := make([]byte, 64<<10)
	seen := time.Time{}
	for {
		n, err := res.Body.Read(buf)
		lines += bytes.Count(buf[:n], []byte("\n"))
		if now := time.Now(); now.Sub(seen) > 50*time.Millisecond {
			a, o := memory(c.cmd.Process.Pid)
			all, own, seen = max(all, a), max(own, o), now
		}
		if errors.Is(err, io.EOF) {
			return time.Since(began), lines, all, own, nil
		}
		if err != nil {
			return 0, 0, 0, 0, err
		}
	}
}

// shellColumns are the columns of the export as the table holds them.
const shellColumns = `datetime(created_us/1000000,'unixepoch'), created_us, kind, provider, credential_id, reference, provider_ref, bank_ref, party, minor, asset,
	fee_minor, fee_asset, settled_minor, settled_asset, rate, counter_minor, counter_asset, state, word, reason, created_by_name, sent_us, settled_us`

// shellExport lets the sqlite3 shell write the same rows in the same order; false when there is no shell or no SQLite.
func (h *benchHouse) shellExport(ctx context.Context) (time.Duration, bool) {
	path, err := exec.LookPath("sqlite3")
	if err != nil || h.cfg.Database != "" {
		return 0, false
	}
	began := time.Now()
	cmd := exec.CommandContext(ctx, path, "-readonly", "-csv", h.cfg.databasePath(), //nolint:gosec // the shell of this machine
		"SELECT "+shellColumns+" FROM transactions WHERE environment = 'sandbox' ORDER BY created_us DESC, id DESC;")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, false
	}
	if err := cmd.Start(); err != nil {
		return 0, false
	}
	_, err = io.Copy(io.Discard, bufio.NewReaderSize(out, 64<<10))
	if err = errors.Join(err, cmd.Wait()); err != nil {
		return 0, false
	}
	return time.Since(began), true
}
