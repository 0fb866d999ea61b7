package views

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"countinghouse/models"
	"countinghouse/views/ui"
)

// GuardParams is the page of the guard.
type GuardParams struct {
	Page    Page
	Guard   models.DestinationGuard
	Env     models.Environment
	Raw     []RawChoice
	Changes []models.Change
	Me      models.Actor
	Clock   Clock
	Errors  []ui.FieldError
	Typed   string
	Reason  string
}

// RawChoice is whether payouts by a credential may go to what is no destination.
type RawChoice struct {
	ID, Name, Provider string
	Allowed            bool
}

// GuardChange reports whether a change that waits is about the guard of destinations.
func GuardChange(c models.Change) bool {
	return strings.HasPrefix(c.Kind, "destination_guard.") || strings.HasPrefix(c.Kind, "raw_payouts.")
}

func (p GuardParams) now() models.Micros { return models.At(p.Clock.Now) }

func (p GuardParams) facts() []ui.Term {
	g := p.Guard
	at := func(m models.Micros) templ.Component {
		return ui.Time(ui.TimeParams{At: m.Time(), Zone: p.Clock.Zone, Form: ui.TimeMinute, Now: p.Clock.Now})
	}
	state := ui.StatusParams{Tone: ui.Ok, Word: "On"}
	if g.Off(p.now()) {
		state = ui.StatusParams{Tone: ui.Bad, Word: "Off"}
	}
	terms := []ui.Term{{Label: "Waiting time", Content: ui.StatusChip(state)}, {Label: "A new destination waits", Text: hoursText(g.Waits(p.now())), Sub: "after its approval, before its first payout"}}
	if g.OffFrom != 0 {
		label := "Goes off"
		if g.Off(p.now()) {
			label = "Off since"
		}
		terms = append(terms, ui.Term{Label: label, Content: at(g.OffFrom)})
	}
	if g.NextFrom > p.now() {
		terms = append(terms, ui.Term{Label: "Then it waits", Text: hoursText(g.NextWait), Content: at(g.NextFrom)})
	}
	terms = append(terms, ui.Term{Label: "Second person", Text: "always", Sub: "whoever adds a destination never approves it"})
	if g.ChangedAt != 0 {
		terms = append(terms, ui.Term{Label: "Last changed by", Text: g.ChangedBy, Content: nil, Sub: g.ChangedAt.Time().In(zoneOf(p.Clock)).Format("2006-01-02 15:04")})
	}
	return terms
}

func (p GuardParams) typed() string {
	return cmp.Or(p.Typed, strconv.Itoa(int(p.Guard.Waits(p.now())/time.Hour)))
}

func (p GuardParams) hoursHelp() string {
	if p.Env == models.Sandbox {
		return "Between 0 and 720. A second admin must agree."
	}
	return "Between 1 and 720. A second admin must agree; a shorter time begins 48 hours after that."
}

// GuardBand is what stands on every page while the guard is off or about to be.
func GuardBand(g models.DestinationGuard, now models.Micros, zone *time.Location) []ui.NoticeParams {
	if g.OffFrom == 0 {
		return nil
	}
	if zone == nil {
		zone = time.UTC
	}
	if g.Off(now) {
		return []ui.NoticeParams{{Tone: ui.Bad, Title: "The waiting time of new destinations is off in " + string(g.Environment),
			Text: "A new account can be paid as soon as a second person agrees to it. An admin switches the guard on under Destinations, Guard."}}
	}
	return []ui.NoticeParams{{Tone: ui.Wait, Title: "The waiting time of new destinations goes off in " + string(g.Environment),
		Text: "From " + g.OffFrom.Time().In(zone).Format("2006-01-02 15:04") + " on. Any admin can stop it until then, under Destinations, Guard."}}
}
