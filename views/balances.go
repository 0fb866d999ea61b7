package views

import (
	"fmt"
	"strconv"

	"countinghouse/models"
	"countinghouse/views/ui"
)

// BalanceDays are the lengths of history to choose from.
func BalanceDays() []int { return []int{7, 30, 90, 365} }

func daysTabs(chosen int) []ui.Tab {
	var tabs []ui.Tab
	for _, d := range BalanceDays() {
		tabs = append(tabs, ui.Tab{Label: days(d), Href: BalancesPath + "?days=" + strconv.Itoa(d), Active: d == chosen})
	}
	return tabs
}

// balanceMoney writes a balance. A figure whose provider does not say the currency says so instead of a code.
func balanceMoney(f models.BalanceFigure) ui.MoneyParams {
	m := ui.MoneyParams{Amount: f.Available.Figure(), Code: f.Available.Asset, Size: "medium", Note: f.Note}
	if f.Available.Asset == models.Unstated {
		m.Code = ""
		if m.Note == "" {
			m.Note = "currency not stated"
		}
	}
	return m
}

func stale(f models.BalanceFigure, c Clock) bool {
	return models.At(c.Now)-f.ReadAt > models.StaleAfter
}

func runwayText(f models.BalanceFigure) string {
	left, ok := models.Runway(f.Points, f.Available.Minor)
	if !ok {
		return ""
	}
	return "lasts " + lasts(left) + " at the pace of the time shown"
}

func balanceNone(g BalanceGroup) string {
	switch {
	case g.Read.At == 0:
		return "Not asked yet."
	case g.Read.Error != "":
		return "No figure is known."
	}
	return g.Description.Short + " reports no balance."
}

// maxPoints bounds how many points a chart draws; what lies between is left out, the last one never.
const maxPoints = 180

func balanceHistory(f models.BalanceFigure, g BalanceGroup, s BalancesParams) ui.HistoryParams {
	h := ui.HistoryParams{Title: fmt.Sprintf("%s, %s, %s, %s", g.Description.Short, g.Credential.Name, f.Account, days(s.Days)), Code: code(f.Available.Asset)}
	if len(f.Points) == 0 {
		return h
	}
	low := f.Points[0]
	step := (len(f.Points) + maxPoints - 1) / maxPoints
	layout := "2 Jan"
	if s.Days <= 7 {
		layout = "2 Jan 15:04"
	}
	for i, p := range f.Points {
		if p.Minor < low.Minor {
			low = p
		}
		if i%step == 0 || i == len(f.Points)-1 {
			h.Points = append(h.Points, ui.Point{Label: p.At.Time().In(zoneOf(s.Clock)).Format(layout), Value: p.Minor, Text: models.Money{Minor: p.Minor, Asset: f.Asset}.Figure()})
		}
	}
	h.Summary = "lowest " + models.Money{Minor: low.Minor, Asset: f.Asset}.Figure() + " on " + low.At.Time().In(zoneOf(s.Clock)).Format("2 Jan")
	return h
}
