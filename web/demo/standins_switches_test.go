package demo_test

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"countinghouse/providers"
)

// carried are the faults after which the provider has done what it was asked; left those after which it has not.
var (
	carried = []string{"lose_reply", "http_500", "garbage", "truncate", "late", "lie_amount", "old_status"}
	left    = []string{"drop_before", "http_500_before", "html_403", "http_429"}
)

// faulty asks for what was spoilt, and looks at what came of it at both ends.
func (x *player) faulty(p press) {
	x.Helper()
	operation, kind := p.form.Get("operation"), p.form.Get("kind")
	began := time.Now()
	ref, out := x.do(operation)
	counted := operation != "deposit" && operation != "dispute" // no money moves by itself there
	switch n := x.executed(ref); {
	case slices.Contains(left, kind) && (isAccepted(out) || counted && n != 0):
		x.Errorf("%s: done %d times, %+v", p.label, n, out)
	case slices.Contains(carried, kind) && counted && n != 1:
		x.Errorf("%s: done %d times, %+v", p.label, n, out)
	case slices.Contains([]string{"lose_reply", "garbage", "truncate"}, kind):
		if _, lost := out.(providers.Unknown); !lost {
			x.Errorf("%s: the outcome is known: %+v", p.label, out)
		}
	case kind == "late" && time.Since(began) < 100*time.Millisecond:
		x.Errorf("%s: it came at once", p.label)
	case kind == "duplicate" && counted && n != 1:
		x.Errorf("%s: done %d times", p.label, n)
	case slices.Contains([]string{"redirect", "http_500"}, kind) && isAccepted(out):
		x.Errorf("%s: it was accepted: %+v", p.label, out)
	}
	if strings.Contains(words(x.page().Selection), "Armed:") {
		x.Errorf("%s: it is still armed", p.label)
	}
}

// mode decides something after callbacks were ordered to come in a certain way, and counts them.
func (x *player) mode(p press) {
	x.Helper()
	ref, out := x.do(x.operations()[0])
	if !isAccepted(out) {
		x.Fatalf("%+v", out)
	}
	calls := x.hooked()
	x.post("/_sandbox/settle", url.Values{"reference": {ref}, "status": {"succeeded"}, "back": {"1"}})
	mode := p.form.Get("mode")
	if mode != "off" && mode != "reordered" {
		x.soon(p.label, func() bool {
			return x.hooked() >= calls+map[string]int{"twice": 2}[mode]+map[bool]int{true: 1}[mode != "twice"]
		})
	}
	if now := words(x.page().Selection); mode == "off" && x.hooked() != calls {
		x.Errorf("callbacks came although none were to be sent: %s", now)
	}
	x.post("/_sandbox/webhooks", url.Values{"mode": {"normal"}, "back": {"1"}})
}

// byItself looks whether something is decided by nobody.
func (x *player) byItself(p press) {
	x.Helper()
	outcome := p.form.Get("outcome")
	x.post("/_sandbox/autosettle", url.Values{"outcome": {outcome}, "after_ms": {"20"}, "back": {"1"}})
	ref, out := x.do(x.operations()[0])
	if !isAccepted(out) {
		x.Fatalf("%s: %+v", p.label, out)
	}
	first := x.row(ref)
	switch {
	case first == "":
		x.Errorf("%s does not stand on the page", ref)
	case outcome == "succeeded" && x.d.Has(providers.CanOrder):
		if !strings.Contains(first, "| out |") {
			x.Errorf("%s: %s", p.label, first)
		}
	case outcome == "succeeded":
		x.soon(p.label, func() bool {
			now := strings.ToLower(x.row(ref))
			return strings.Contains(now, "complete") || strings.Contains(now, "success")
		})
	}
	for i := 0; outcome == "mixed" && i < 200 && x.row(ref) == first; i++ { // decided either way, before anything else is pressed
		time.Sleep(10 * time.Millisecond)
	}
	x.post("/_sandbox/autosettle", url.Values{"outcome": {"off"}, "after_ms": {"20"}, "back": {"1"}})
}

// holdsStill switches off what happens by itself while something is about to: it does not happen any more.
func (x *player) holdsStill() {
	x.Helper()
	const soon = 400 * time.Millisecond
	x.post("/_sandbox/autosettle", url.Values{"outcome": {"succeeded"}, "after_ms": {strconv.Itoa(int(soon.Milliseconds()))}, "back": {"1"}})
	began := time.Now()
	ref, out := x.do(x.operations()[0])
	if !isAccepted(out) {
		x.Fatalf("%+v", out)
	}
	first := x.row(ref)
	x.post("/_sandbox/autosettle", url.Values{"outcome": {"off"}, "after_ms": {"20"}, "back": {"1"}})
	if time.Since(began) > soon/2 {
		x.Log("this machine is too busy to switch off in time")
		return
	}
	time.Sleep(soon)
	if now := x.row(ref); now != first {
		x.Errorf("it happened by itself after that was switched off: %s, before it %s", now, first)
	}
}
