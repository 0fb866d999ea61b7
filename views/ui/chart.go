package ui

import (
	"strconv"
	"strings"
)

// Point is one value of a picture. Value draws it; Text is the exact figure as
// the domain wrote it, and stands in the table beside the picture.
type Point struct {
	Label string // "22 Nov"
	Value int64  // minor units; used for the height only
	Text  string // "84,210.55"
}

// Pair is one day of money in and out.
type Pair struct {
	Label   string
	In, Out int64
	InText  string
	OutText string
}

const (
	chartWide = 600 // units of the view box; the picture scales to its place
	chartHigh = 150
)

// Pixels are floats; amounts never are: they come in as whole minor units and
// only their proportion is drawn.
type scale struct{ low, high int64 }

func (s scale) y(v int64, height float64) float64 {
	if s.high == s.low {
		return height / 2
	}
	return height - (float64(v)-float64(s.low))/(float64(s.high)-float64(s.low))*height
}

func scaleOf(points []Point, fromZero bool) scale {
	if len(points) == 0 {
		return scale{}
	}
	s := scale{points[0].Value, points[0].Value}
	for _, p := range points {
		s.low, s.high = min(s.low, p.Value), max(s.high, p.Value)
	}
	if fromZero {
		s.low, s.high = min(s.low, 0), max(s.high, 0)
	}
	return s
}

func px(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

func linePath(points []Point, s scale, width, height float64) string {
	var b strings.Builder
	step := 0.0
	if len(points) > 1 {
		step = width / float64(len(points)-1)
	}
	for i, p := range points {
		if i == 0 {
			b.WriteString("M")
		} else {
			b.WriteString("L")
		}
		b.WriteString(px(float64(i)*step) + " " + px(1+s.y(p.Value, height-2)))
	}
	if len(points) == 1 {
		b.WriteString("H" + px(width))
	}
	return b.String()
}

func areaPath(points []Point, s scale, width, height float64) string {
	if len(points) == 0 {
		return ""
	}
	return linePath(points, s, width, height) + "V" + px(height) + "H0Z"
}

// levelY is where a line at this value stands, or "" when it is outside.
func levelY(value int64, s scale, height float64) string {
	if value < s.low || value > s.high || s.low == s.high {
		return ""
	}
	return px(1 + s.y(value, height-2))
}

type bar struct{ x, y, width, height, class, title string }

// barsOf draws each pair as a bar above the middle line and one below; both
// share one scale, so heights compare.
func barsOf(pairs []Pair) (list []bar, middle string) {
	var highIn, highOut int64
	for _, p := range pairs {
		highIn, highOut = max(highIn, p.In), max(highOut, p.Out)
	}
	total := float64(highIn) + float64(highOut)
	if total == 0 || len(pairs) == 0 {
		return nil, px(chartHigh / 2)
	}
	zero := float64(highIn) / total * (chartHigh - 2)
	slot := float64(chartWide) / float64(len(pairs))
	width := px(slot * .84)
	for i, p := range pairs {
		x := px(float64(i)*slot + slot*.08)
		up, down := float64(p.In)/total*(chartHigh-2), float64(p.Out)/total*(chartHigh-2)
		title := p.Label + ": in " + p.InText + ", out " + p.OutText
		if p.In > 0 {
			list = append(list, bar{x, px(zero - up), width, px(max(up, 1)), "in", title})
		}
		if p.Out > 0 {
			list = append(list, bar{x, px(zero + 1), width, px(max(down, 1)), "out", title})
		}
	}
	return list, px(zero + .5)
}
