package models

import (
	"fmt"
	"time"
)

// DriftKind is what has drifted.
type DriftKind string

// The kinds.
const (
	DriftAnswers  DriftKind = "answers"  // more calls fail than before
	DriftLatency  DriftKind = "latency"  // answers take much longer than before
	DriftWebhooks DriftKind = "webhooks" // transactions end and no webhook comes
	DriftClock    DriftKind = "clock"    // the provider's clock and ours part
)

// Drift is a credential that does worse than it did: a sentence for people, and since when.
type Drift struct {
	CredentialID string
	Credential   string // its name
	Provider     string
	Kind         DriftKind
	Sentence     string
	Grave        bool // money is or will be held up by it
	Since        Micros
}

// DriftFigures are what a credential's drift is judged by: the calls of the last DriftWindow against those before.
type DriftFigures struct {
	Recent, Before Health
	TakesWebhooks  bool // the provider sends any
	Unannounced    int  // transactions that ended more than DriftQuiet ago, and after the last webhook; bounded
}

// The thresholds of a drift. A few calls prove nothing, and a stand-in that answers in a millisecond may take three.
const (
	DriftWindow    = time.Hour
	DriftQuiet     = 30 * time.Minute
	driftCalls     = 10
	driftFailures  = 3
	driftBaseline  = 20
	driftTimes     = 3
	driftSlow      = 1_000_000 // microseconds
	driftUntold    = 3
	failsTooOften  = 10 // one call in so many
	failsGravely   = 2
	twiceAsOften   = 2
	driftWordsTime = "2006-01-02 15:04"
)

// Drift judges a credential. A revoked one no longer drifts.
func (c Credential) Drift(f DriftFigures) []Drift {
	if c.State == CredentialRevoked {
		return nil
	}
	var out []Drift
	add := func(kind DriftKind, grave bool, format string, args ...any) {
		out = append(out, Drift{CredentialID: c.ID, Credential: c.Name, Provider: c.Provider, Kind: kind, Grave: grave, Sentence: fmt.Sprintf(format, args...)})
	}
	now, before := f.Recent, f.Before
	if now.Calls >= driftCalls && now.Failed >= driftFailures && now.Failed*failsTooOften >= now.Calls && now.Failed*max(before.Calls, 1) >= twiceAsOften*before.Failed*now.Calls {
		add(DriftAnswers, now.Failed*failsGravely >= now.Calls, "%d of the last hour's %d calls were not answered, or with a failure of the provider's own; before it was %d of %d.",
			now.Failed, now.Calls, before.Failed, before.Calls)
	}
	if now.Calls-now.Failed >= driftCalls && before.Calls-before.Failed >= driftBaseline && now.P50 >= driftSlow && now.P50 >= driftTimes*before.P50 {
		add(DriftLatency, false, "Half of the last hour's answers took longer than %.1f s; before it was %.1f s.", float64(now.P50)/1e6, float64(before.P50)/1e6)
	}
	if f.TakesWebhooks && f.Unannounced >= driftUntold {
		last := "No webhook has ever come"
		if c.Use.WebhookAt > 0 {
			last = "The last webhook came at " + c.Use.WebhookAt.Time().UTC().Format(driftWordsTime) + " UTC"
		}
		add(DriftWebhooks, false, "%s, and %d transactions ended since without one. We ask instead, which is slower; look at the callback address at the provider.", last, f.Unannounced)
	}
	if skew := max(c.SkewSecs, -c.SkewSecs); skew >= skewWorries {
		add(DriftClock, skew >= skewIsGrave, "The provider's clock and ours are %d s apart. Signatures carry the time and may be refused; look at this machine's clock.", skew)
	}
	return out
}
