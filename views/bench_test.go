package views

import (
	"io"
	"testing"

	"countinghouse/views/ui"
)

// A list page of 50 rows, the hottest page there is: what drawing alone costs.
func BenchmarkDrawingAListOf50Rows(b *testing.B) {
	p := kitTable("")
	for len(p.Rows) < 50 {
		p.Rows = append(p.Rows, p.Rows[:min(12, 50-len(p.Rows))]...)
	}
	for b.Loop() {
		if err := ui.Table(p).Render(b.Context(), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
