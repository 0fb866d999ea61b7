//go:build harness

package web

// This file exists only in the build that e2e/crash makes of the program (-tags harness). It lets the harness move the clock, kill the
// process at a named step of a send, and, to prove that the harness would notice, break the engine on purpose. e2e/crash tests that nothing
// of it is in the program that people run.

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"countinghouse/handlers/tasks"
	"countinghouse/models"
)

// wallClock is the real time plus what stands in the file COUNTINGHOUSE_HARNESS_CLOCK: microseconds, eight bytes, little endian. The harness
// writes it, so that both processes jump together.
func wallClock() models.Clock {
	path := os.Getenv("COUNTINGHOUSE_HARNESS_CLOCK")
	if path == "" {
		return time.Now
	}
	f, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	return func() time.Time {
		var b [8]byte
		if _, err := f.ReadAt(b[:], 0); err != nil {
			panic(err)
		}
		return time.Now().Add(time.Duration(binary.LittleEndian.Uint64(b[:])) * time.Microsecond)
	}
}

// providersClock is the real time: the stand-ins check signatures against it. What jumps is how long we have waited.
func providersClock() models.Clock { return time.Now }

// rig sets what the environment asks for: COUNTINGHOUSE_HARNESS_KILL=STEP:N ends the process by SIGKILL at the N-th time that a send passes
// STEP, COUNTINGHOUSE_HARNESS_BREAK=NAME breaks the engine.
func rig(rt *Runtime, m *tasks.Money) {
	m.Pause = 60 * time.Millisecond
	step, count, _ := strings.Cut(os.Getenv("COUNTINGHOUSE_HARNESS_KILL"), ":")
	left := new(atomic.Int64)
	n, _ := strconv.Atoi(count)
	left.Store(int64(n))
	spoil := breakage(rt, os.Getenv("COUNTINGHOUSE_HARNESS_BREAK"))
	m.Step = func(name string) {
		spoil(name)
		if name == step && left.Add(-1) == 0 {
			_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
			select {} // nothing after this step may run
		}
	}
}

// breakage makes a mistake that engines like this one have made in public. The harness must find each of them.
func breakage(rt *Runtime, name string) func(step string) {
	do := func(sql string) {
		if _, err := rt.Store.WriteDB().Exec(sql); err != nil {
			rt.Log.Error("the breakage failed", "error", err)
		}
	}
	each := func(sql string) {
		go func() {
			for range time.Tick(30 * time.Millisecond) {
				do(sql)
			}
		}()
	}
	nothing := func(string) {}
	switch name {
	case "":
		return nothing
	case "resend_unknown": // a lost reply is simply sent again
		each("UPDATE transactions SET state = 'approved', send_after_us = 1 WHERE state = 'unknown'")
	case "intent_after": // the intent is not durable before the first byte
		return func(step string) {
			if step == "after_intent" {
				do("DELETE FROM evidence WHERE attempt_id IN (SELECT id FROM attempts WHERE state = 'open')")
				do("UPDATE transactions SET state = CASE kind WHEN 'deposit' THEN 'draft' ELSE 'approved' END, send_after_us = 1 WHERE id IN (SELECT transaction_id FROM attempts WHERE state = 'open')")
				do("DELETE FROM attempts WHERE state = 'open'")
			}
		}
	case "forget_to_ask": // what hangs is never asked about again
		each("UPDATE transactions SET next_ask_us = 0 WHERE state IN ('unknown', 'pending', 'awaiting_payment')")
	case "lost_is_failed": // a lost reply is booked as a failure
		each("UPDATE transactions SET state = 'failed', next_ask_us = 0 WHERE state = 'unknown'")
	default:
		panic(fmt.Sprintf("no breakage is called %q", name))
	}
	return nothing
}
