package crash

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"countinghouse/models"
	"countinghouse/models/store/storetest"
)

// tally is what a run of seeds has seen, so that a run that saw nothing cannot pass for a proof.
type tally struct {
	mu                            sync.Mutex
	seeds, transactions, executed int
	kills, mishaps, states, kinds map[string]int
}

func (c *tally) add(h *house) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seeds++
	c.transactions += len(h.made)
	for k, n := range h.kills {
		c.kills[k] += n
	}
	for _, b := range h.boxes {
		for k, n := range b.used {
			c.mishaps[k] += n
		}
		c.executed += len(b.executions(h.t))
	}
	for _, t := range h.made {
		p := h.page(t.ID)
		c.states[string(p.Transaction.State)]++
		if ran := h.boxOf(t).executions(h.t); slices.ContainsFunc(sendsOf(p), func(a models.Attempt) bool { return ran[a.Reference] > 0 }) {
			c.kinds[string(t.Kind)]++
		}
		for _, e := range p.Events {
			if e.To == "unknown" {
				c.states["(was unknown)"]++
			}
		}
		if len(sendsOf(p)) > 1 {
			c.states["(was sent again)"]++
		}
	}
}

func (c *tally) String() string {
	list := func(m map[string]int) string {
		var out []string
		for _, k := range slices.Sorted(maps.Keys(m)) {
			out = append(out, fmt.Sprintf("%s %d", k, m[k]))
		}
		return strings.Join(out, ", ")
	}
	return fmt.Sprintf("%d seeds, %d transactions, %d executed: %s\n  killed at: %s\n  mishaps: %s\n  states: %s", c.seeds, c.transactions, c.executed, list(c.kinds),
		list(c.kills), list(c.mishaps), list(c.states))
}

// live plays one seed and gives what it disproved.
func (h *house) live() (faults []string) {
	phases := 2 + h.rnd.IntN(3)
	total := 8 + h.rnd.IntN(5)
	for n := range phases {
		h.phase(n, total*(n+1)/phases)
		if len(h.servers) > 1 {
			faults = append(faults, h.books()...)
		} else {
			faults = append(append(faults, h.atAnyMoment()...), h.books()...)
		}
		if len(faults) > 0 {
			return faults
		}
	}
	h.end()
	for _, s := range h.servers {
		if h.rnd.IntN(4) == 0 {
			s.stop()
		}
		s.kill()
	}
	return append(append(append(faults, h.atAnyMoment()...), h.books()...), h.atTheEnd()...)
}

func number(t *testing.T, name string, otherwise uint64) uint64 {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		t.Fatalf("%s is not a number: %v", name, err)
	}
	return n
}

func TestMoneyNeverMovesTwiceAndIsNeverLostFromSight(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the real program for some seconds: skipped with -short")
	}
	seeds, from := number(t, "CRASH_SEEDS", 3), number(t, "CRASH_FROM", 1)
	postgres := os.Getenv("CRASH_POSTGRES") != ""
	if postgres && os.Getenv(storetest.Env) == "" {
		t.Fatalf("CRASH_POSTGRES is set and %s is not", storetest.Env)
	}
	c := &tally{kills: map[string]int{}, mishaps: map[string]int{}, states: map[string]int{}, kinds: map[string]int{}}
	t.Run("seeds", func(t *testing.T) {
		for seed := from; seed < from+seeds; seed++ {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				again := ""
				if postgres {
					again = "CRASH_POSTGRES=1 "
				}
				name := fmt.Sprintf("seed %d (replay: %sCRASH_SEEDS=1 CRASH_FROM=%d go test -count=1 ./e2e/crash -run MoneyNever)", seed, again, seed)
				h := newHouse(t, name, seed, "", postgres)
				if faults := h.live(); len(faults) > 0 {
					h.fail("%s", strings.Join(faults, "\n"))
				}
				c.add(h)
			})
		}
	})
	t.Log(c)
	if seeds < 50 || t.Failed() {
		return
	}
	for _, step := range append(slices.Clone(steps), "any moment") {
		if c.kills[step] == 0 {
			t.Errorf("no process was killed at %s", step)
		}
	}
	for _, kind := range []models.Kind{models.Payout, models.Deposit, models.Conversion, models.Refund, models.Order} {
		if c.kinds[string(kind)] == 0 {
			t.Errorf("no %s was executed", kind)
		}
	}
	for _, kind := range mishaps {
		if c.mishaps[kind] == 0 {
			t.Errorf("the mishap %s never happened", kind)
		}
	}
	if c.states["(was unknown)"] == 0 || c.states["succeeded"] == 0 || c.states["(was sent again)"] == 0 || c.states["returned"] == 0 {
		t.Error("no outcome was unknown, none succeeded, none was sent again or none was returned: these seeds prove nothing")
	}
}

// TestTheHarnessFindsMistakes breaks the engine in the ways that others' engines were broken, and expects each to be found and named.
func TestTheHarnessFindsMistakes(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the real program for some seconds: skipped with -short")
	}
	for mistake, says := range map[string]string{
		"resend_unknown": "sent again: ",
		"intent_after":   "executed: ",
		"forget_to_ask":  "forgotten: ",
		"lost_is_failed": "untrue: ",
	} {
		t.Run(mistake, func(t *testing.T) {
			t.Parallel()
			var all []string
			for seed := uint64(1); seed <= 4; seed++ {
				h := newHouse(t, fmt.Sprintf("%s, seed %d", mistake, seed), seed, mistake, false)
				faults := h.badLife()
				for _, f := range faults {
					if strings.HasPrefix(f, says) {
						return
					}
				}
				all = append(all, faults...)
			}
			t.Errorf("the engine was broken (%s) and nothing was found that begins with %q; found %q", mistake, says, all)
		})
	}
}

// badLife is a short life of a broken engine: nothing is killed but at the end, every reply is lost, and the proofs are made as in any seed.
func (h *house) badLife() []string {
	s := h.servers[0]
	s.start("")
	s.ready()
	for _, b := range h.boxes {
		for _, w := range wishes {
			if w.provider == b.name && b.name != "aeterna" {
				if err := b.fault(w.operation, "lose_reply", 1); err != nil {
					h.t.Fatal(err)
				}
				h.wants(w)
			}
		}
	}
	for _, t := range h.made {
		h.decide(t.ID, true)
	}
	h.rest()
	s.kill()
	return append(append(h.atAnyMoment(), h.books()...), h.atTheEnd()...)
}
