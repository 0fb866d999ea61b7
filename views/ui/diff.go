package ui

import "strings"

// DiffLine is one line of a comparison.
type DiffLine struct {
	Kind DiffKind
	Text string
}

// DiffKind says what became of a line.
type DiffKind string

// The kinds.
const (
	DiffSame DiffKind = ""
	DiffGone DiffKind = "gone"
	DiffNew  DiffKind = "new"
	DiffSkip DiffKind = "skip" // lines that are the same and are left out
)

const (
	diffContext = 2    // lines that are the same before and after a change
	diffLongest = 1500 // lines of one side; longer texts are shown as gone and new
)

// Diff compares two texts line by line. Long stretches that are the same become one DiffSkip.
func Diff(before, after string) []DiffLine {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		start++
	}
	end := 0
	for end < len(a)-start && end < len(b)-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	var out []DiffLine
	for _, line := range a[:start] {
		out = append(out, DiffLine{DiffSame, line})
	}
	out = append(out, diffMiddle(a[start:len(a)-end], b[start:len(b)-end])...)
	for _, line := range a[len(a)-end:] {
		out = append(out, DiffLine{DiffSame, line})
	}
	return shorten(out)
}

// diffMiddle is the longest common subsequence, by a table of lengths.
func diffMiddle(a, b []string) []DiffLine {
	var out []DiffLine
	if len(a) > diffLongest || len(b) > diffLongest {
		for _, line := range a {
			out = append(out, DiffLine{DiffGone, line})
		}
		for _, line := range b {
			out = append(out, DiffLine{DiffNew, line})
		}
		return out
	}
	length := make([][]int32, len(a)+1)
	for i := range length {
		length[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(out, DiffLine{DiffSame, a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && length[i+1][j] >= length[i][j+1]:
			out = append(out, DiffLine{DiffGone, a[i]})
			i++
		default:
			out = append(out, DiffLine{DiffNew, b[j]})
			j++
		}
	}
	return out
}

// shorten leaves out what is far from any change.
func shorten(lines []DiffLine) []DiffLine {
	near := make([]bool, len(lines))
	for i, l := range lines {
		if l.Kind == DiffSame {
			continue
		}
		for j := max(0, i-diffContext); j <= min(len(lines)-1, i+diffContext); j++ {
			near[j] = true
		}
	}
	var out []DiffLine
	for i := 0; i < len(lines); {
		if near[i] {
			out = append(out, lines[i])
			i++
			continue
		}
		from := i
		for i < len(lines) && !near[i] {
			i++
		}
		out = append(out, DiffLine{DiffSkip, skipped(i - from)})
	}
	return out
}

func skipped(n int) string {
	if n == 1 {
		return "1 line is the same"
	}
	return Count(int64(n)) + " lines are the same"
}
