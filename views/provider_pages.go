package views

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

// Where the pages about providers, their keys and what passes between us and them are.
const (
	ProvidersPath   = "/providers"
	CredentialsPath = "/credentials"
	ExchangesPath   = "/exchanges"
	WebhooksPath    = "/webhooks"
	BalancesPath    = "/balances"
	HooksPath       = "/hooks"
)

// CredentialPath is the page of one credential, or of something below it.
func CredentialPath(id string, below ...string) string {
	p := CredentialsPath + "/" + url.PathEscape(id)
	for _, b := range below {
		p += "/" + url.PathEscape(b)
	}
	return p
}

// ExchangePath is the page of one exchange.
func ExchangePath(id string) string { return ExchangesPath + "/" + url.PathEscape(id) }

// ExchangesOf is the list of the exchanges about one subject.
func ExchangesOf(kind, id string) string {
	return ExchangesPath + "?" + url.Values{"subject": {kind}, "id": {id}}.Encode()
}

// WebhookPath is the page of one delivery.
func WebhookPath(id string) string { return WebhooksPath + "/" + url.PathEscape(id) }

// HookAddress is what the provider is told to call.
func HookAddress(base, credentialID, topic string) string {
	return strings.TrimRight(base, "/") + HooksPath + "/" + url.PathEscape(credentialID) + "/" + url.PathEscape(topic)
}

func markOf(m providers.Mark) ui.Mark { return ui.Mark(m) }

func credentialStatus(c models.Credential) ui.StatusParams {
	return ui.StatusParams{Tone: ui.Tone(c.State.Tone()), Word: c.State.Word(), Hollow: c.State == models.CredentialSuspended || c.State == models.CredentialRevoked}
}

// verdictWord says a test's verdict as people read it.
func verdictWord(v string) (word string, tone ui.Tone) {
	switch providers.CheckVerdict(v) {
	case providers.CheckOK:
		return "Works", ui.Ok
	case providers.KeysRejected:
		return "Keys rejected", ui.Bad
	case providers.IPNotListed:
		return "Our address is not on their list", ui.Bad
	case providers.SignatureRefused:
		return "Signature refused", ui.Bad
	case providers.ClockOff:
		return "Clock off", ui.Bad
	case providers.Unreachable:
		return "Host unreachable", ui.Bad
	case providers.NotEnabled:
		return "Not switched on", ui.Wait
	case providers.Unreadable:
		return "Answer not understood", ui.Odd
	case providers.CheckSkipped:
		return "Skipped", ui.Idle
	}
	return "Never tested", ui.Idle
}

// rotationBadge says how urgent it is to replace the keys; nothing while they are fresh.
func rotationBadge(c models.Credential, now models.Micros) (ui.BadgeParams, bool) {
	age := c.Age(now)
	switch c.Rotation(now) {
	case models.RotationOverdue:
		return ui.BadgeParams{Text: fmt.Sprintf("overdue by %s", days(-c.DaysLeft(now))), Tone: ui.Bad, Filled: true, Icon: ui.IconTriangleAlert}, true
	case models.RotationDue:
		return ui.BadgeParams{Text: "replace within " + days(c.DaysLeft(now)+1), Tone: ui.Wait, Filled: true, Icon: ui.IconClock}, true
	case models.RotationAging:
		if age >= 0 {
			return ui.BadgeParams{Text: days(age) + " old", Tone: ui.Wait, Icon: ui.IconClock}, true
		}
		return ui.BadgeParams{Text: days(c.DaysLeft(now)) + " left", Tone: ui.Wait, Icon: ui.IconClock}, true
	}
	return ui.BadgeParams{}, false
}

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return strconv.Itoa(n) + " days"
}

// skewText says how far a provider's clock is from ours.
func skewText(secs int) string {
	switch {
	case secs == 0:
		return "none seen"
	case secs > 0:
		return fmt.Sprintf("their clock is %d s ahead of ours", secs)
	}
	return fmt.Sprintf("their clock is %d s behind ours", -secs)
}

// millis writes microseconds as milliseconds.
func millis(us int64) string {
	if us < 10_000 {
		return fmt.Sprintf("%d.%d ms", us/1000, us%1000/100)
	}
	return strconv.FormatInt(us/1000, 10) + " ms"
}

// share writes a part of a whole as a percentage with one digit, never rounding up to 100.
func share(part, whole int) string {
	if whole == 0 {
		return "—"
	}
	p := part * 1000 / whole
	return fmt.Sprintf("%d.%d %%", p/10, p%10)
}

// lasts says a runway in words.
func lasts(d time.Duration) string {
	h := int(d / time.Hour)
	switch {
	case h < 1:
		return "less than an hour"
	case h < 48:
		return strconv.Itoa(h) + " hours"
	case h < 24*60:
		return strconv.Itoa(h/24) + " days"
	}
	return "more than 60 days"
}

const (
	shownBody = 64 << 10 // bytes of a body on a page
	niceDepth = 40       // deeper JSON is shown as it came: indenting it would write a page of spaces
)

// bodyText makes a body fit for a page: JSON indented, everything else as it came; what cannot be seen is written as a sign. The text is
// escaped where it is shown.
func bodyText(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	cut := len(b) > shownBody
	if cut {
		b = b[:shownBody]
	}
	var nice bytes.Buffer
	if !cut && jsonDepth(b) <= niceDepth && json.Valid(b) && json.Indent(&nice, bytes.TrimSpace(b), "", "  ") == nil && nice.Len() <= 4*shownBody {
		b = nice.Bytes()
	}
	text := visible(string(b))
	if cut {
		text += "\n… the rest is not shown here"
	}
	return text
}

// jsonDepth counts nesting without parsing; brackets in strings count too, which only keeps such a body from being indented.
func jsonDepth(b []byte) (deepest int) {
	depth := 0
	for _, c := range b {
		switch c {
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		}
	}
	return deepest
}

// visible writes control characters, characters that turn the direction of text, and bytes that are no text as signs.
func visible(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case r == '\r':
			if !strings.HasPrefix(s[n:], "\n") {
				b.WriteString("␍")
			}
		case r < 0x20:
			b.WriteRune(0x2400 + r)
		case unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.Cc, r) || r == '\u200b' || r == '\ufeff':
			fmt.Fprintf(&b, "<U+%04X>", r)
		default:
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// headerText writes headers one per line, sorted.
func headerText(h map[string][]string) string {
	var lines []string
	for name, values := range h {
		for _, v := range values {
			lines = append(lines, visible(name)+": "+visible(v))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// fieldType chooses the control for a field of a description.
func fieldType(f providers.Field) ui.FieldType {
	switch f.Kind {
	case providers.Select:
		return ui.SelectField
	case providers.Email:
		return ui.EmailField
	case providers.URL:
		return ui.URLField
	case providers.Date:
		return ui.DateField
	case providers.Checkbox:
		return ui.CheckboxField
	case providers.Area:
		return ui.TextareaField
	}
	return ui.TextField
}

func uiOptions(list []providers.Option, empty string) []ui.Option {
	var out []ui.Option
	if empty != "" {
		out = append(out, ui.Option{Value: "", Label: empty})
	}
	for _, o := range list {
		out = append(out, ui.Option{Value: o.Value, Label: o.Label})
	}
	return out
}

// describedField draws a field of a description.
func describedField(f providers.Field, name, value string, errs []ui.FieldError) ui.FieldParams {
	p := ui.FieldParams{Name: name, Label: f.Label, Help: f.Help, Type: fieldType(f), Value: value, Required: f.Required, Optional: !f.Required,
		MaxLength: f.MaxLen, Error: ui.ErrorFor(errs, name), Autocomplete: "off"}
	if len(f.Options) > 0 {
		p.Type = ui.SelectField
		p.Options = uiOptions(f.Options, map[bool]string{true: "", false: "not set"}[f.Required])
	}
	if f.Kind == providers.Checkbox {
		p.Value, p.Checked = "1", value == "1"
	}
	if f.Kind == providers.Digits {
		p.InputMode = "numeric"
	}
	return p
}

// itemTone is how much an item's standing should catch the eye.
func standingWord(st models.ItemStanding, env models.Environment, documented bool) (string, ui.Tone) {
	switch {
	case st.Confirmed():
		return "Confirmed by two admins", ui.Ok
	case st.Latest != nil && st.Latest.Verdict == models.Refuted:
		return "Refuted", ui.Bad
	case st.Latest != nil && st.Proven(env, documented):
		return "Proved", ui.Ok
	case st.Latest != nil && len(st.Confirmations) == 1:
		return "Proved, one admin more needed", ui.Wait
	case st.Latest != nil:
		return "Proved, needs two admins in live", ui.Wait
	case len(st.Confirmations) == 1:
		return "One admin more needed", ui.Wait
	case st.Stale:
		return "Seen with other settings only", ui.Odd
	}
	return "Nothing seen yet", ui.Idle
}

func zoneOf(c Clock) *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}
