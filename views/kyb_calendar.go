package views

import (
	"strconv"
	"time"

	"countinghouse/models"
	"countinghouse/views/ui"
)

// KYBCalendarParams is one month of what ends and falls due.
type KYBCalendarParams struct {
	Page        Page
	Month       time.Time
	Day         models.Date // only this one; empty: the whole month
	Today       models.Date
	Days        map[models.Date]map[string]int64
	Rows        []models.Deadline
	More        bool
	Overdue     []models.Deadline
	MoreOverdue bool
	Providers   []ui.Option
	Clock       Clock
}

func (p KYBCalendarParams) month(by int) string {
	return KYBCalendarPath + "?month=" + p.Month.AddDate(0, by, 0).Format("2006-01")
}

// weeks are the days of the month in rows from Monday; days of other months are empty.
func (p KYBCalendarParams) weeks() [][]models.Date {
	var out [][]models.Date
	first := p.Month
	for first.Weekday() != time.Monday {
		first = first.AddDate(0, 0, -1)
	}
	for d := first; d.Before(p.Month.AddDate(0, 1, 0)); {
		week := make([]models.Date, 7)
		for i := range week {
			if d.Month() == p.Month.Month() {
				week[i] = models.Date(d.Format(time.DateOnly))
			}
			d = d.AddDate(0, 0, 1)
		}
		out = append(out, week)
	}
	return out
}

func (p KYBCalendarParams) dayPath(d models.Date) string {
	return KYBCalendarPath + "?month=" + p.Month.Format("2006-01") + "&day=" + string(d)
}

// marks are what stands on one day, in words and tones.
func (p KYBCalendarParams) marks(d models.Date) (out []dayMark) {
	for _, m := range []struct{ what, one, many, tone string }{{models.DeadlineBlocks, "block", "blocks", "bad"}, {models.DeadlineExpires, "end", "ends", "wait"}, {models.DeadlineDue, "due", "due", "info"}} {
		if n := p.Days[d][m.what]; n > 0 {
			word := m.one
			if n > 1 {
				word = m.many
			}
			out = append(out, dayMark{ui.Count(n), word, m.tone})
		}
	}
	return out
}

type dayMark struct{ count, word, tone string }

func deadlineTable(caption string, list []models.Deadline, today models.Date, providers []ui.Option, empty string) ui.TableParams {
	t := ui.TableParams{Caption: caption, Stacks: true, Keys: true, Columns: []ui.Column{{Label: "Day"}, {Label: "What", Narrow: ui.LeadWhenNarrow}, {Label: "Company"}, {Label: "Account"}, {Label: "In words"}},
		Empty: ui.EmptyParams{Icon: ui.IconCalendar, Title: empty}}
	for _, d := range list {
		status := map[string]ui.StatusParams{models.DeadlineExpires: {Tone: ui.Wait, Word: "Expires"}, models.DeadlineBlocks: {Tone: ui.Bad, Word: "Blocks"}, models.DeadlineDue: {Tone: ui.Info, Word: "Due", Hollow: true}}[d.What]
		account := ""
		if d.Account != "" {
			account = optionLabel(providers, d.Provider) + " " + d.Account
		}
		href := KYBCasePath(d.CaseID)
		if d.DocumentID != "" {
			href = KYBDocumentPath(d.DocumentID)
		}
		t.Rows = append(t.Rows, ui.Row{Href: href, Cells: []ui.Cell{{Content: dayWords(d.Day, today), Head: true}, ui.Is(ui.StatusChip(status)), {Text: d.Company, Href: KYBCasePath(d.CaseID)}, ui.Text(account), {Text: d.Sentence, Href: href}}})
	}
	return t
}

// daysAway says how far a day is from today.
func daysAway(d, today models.Date) string {
	n := today.DaysUntil(d)
	switch {
	case n == 0:
		return "today"
	case n == 1:
		return "tomorrow"
	case n == -1:
		return "yesterday"
	case n < 0:
		return strconv.Itoa(-n) + " days ago"
	}
	return "in " + strconv.Itoa(n) + " days"
}

func dayTone(d, today models.Date) string {
	switch n := today.DaysUntil(d); {
	case n < 0:
		return "bad tone"
	case n <= models.SoonExpiring:
		return "wait tone"
	}
	return ""
}
