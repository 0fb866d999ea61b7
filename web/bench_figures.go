package web

import (
	"fmt"
	"strings"
)

// figure is one thing that was measured, beside what it is held against.
type figure struct {
	What   string  `json:"what"`
	Rows   int     `json:"rows,omitempty"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	P50    float64 `json:"p50_ms,omitempty"`
	P95    float64 `json:"p95_ms,omitempty"`
	Floor  float64 `json:"floor,omitempty"`
	Beside string  `json:"beside,omitempty"` // what the floor is
	Ratio  float64 `json:"ratio,omitempty"`  // value to floor
	Aim    string  `json:"aim,omitempty"`
	Met    *bool   `json:"met,omitempty"`
}

// beside holds a figure against a floor.
func (f figure) beside(floor float64, what string) figure {
	f.Floor, f.Beside = floor, what
	if floor > 0 {
		f.Ratio = f.Value / floor
	}
	return f
}

// atLeast and atMost say what the figure should be.
func (f figure) atLeast(have, want float64, words string) figure { return f.aim(have >= want, words) }

func (f figure) atMost(have, want float64, words string) figure { return f.aim(have <= want, words) }

func (f figure) aim(met bool, words string) figure {
	f.Aim, f.Met = words, &met
	return f
}

// note keeps a figure and prints its line at once, so that a long run shows where it is.
func (b *bench) note(f figure) {
	b.figures = append(b.figures, f)
	var s strings.Builder
	fmt.Fprintf(&s, "%-46s %11s  %12s", f.What, grouped(float64(f.Rows)), amountOf(f.Value)+" "+f.Unit)
	if f.P50 > 0 {
		fmt.Fprintf(&s, "  p50 %7.2f  p95 %7.2f ms", f.P50, f.P95)
	}
	if f.Floor > 0 {
		fmt.Fprintf(&s, "  %.2f × %s (%s)", f.Ratio, f.Beside, amountOf(f.Floor))
	}
	if f.Met != nil {
		word := "met"
		if !*f.Met {
			word = "MISSED"
		}
		fmt.Fprintf(&s, "  [%s: %s]", word, f.Aim)
	}
	b.say("%s\n", s.String())
}

func amountOf(v float64) string {
	if v < 100 {
		return fmt.Sprintf("%.2f", v)
	}
	return grouped(v)
}

// grouped writes a whole number with its thousands apart.
func grouped(v float64) string {
	s := fmt.Sprintf("%.0f", v)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
