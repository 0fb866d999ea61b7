package wspn

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"countinghouse/models"
	"countinghouse/providers"
)

// checkFields holds values against the fields that ask for them: required, length, pattern, options, no control characters.
func checkFields(fields []providers.Field, values map[string]string) []models.Problem {
	var ps []models.Problem
	for _, f := range fields {
		if s := fieldProblem(f, strings.TrimSpace(values[f.Name])); s != "" {
			ps = append(ps, models.Problem{Field: f.Name, Sentence: s})
		}
	}
	return ps
}

func fieldProblem(f providers.Field, v string) string {
	limit := f.MaxLen
	if limit == 0 {
		limit = 255
	}
	switch {
	case v == "" && f.Required:
		return f.Label + " is missing."
	case v == "":
		return ""
	case !utf8.ValidString(v) || strings.ContainsFunc(v, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }):
		return f.Label + " contains characters that cannot be sent."
	case utf8.RuneCountInString(v) > limit:
		return f.Label + " is too long."
	case len(f.Options) > 0 && f.Kind == providers.Select && !slices.ContainsFunc(f.Options, func(o providers.Option) bool { return o.Value == v }):
		return f.Label + " cannot be " + quote(v) + "."
	case f.Pattern != "" && !regexp.MustCompile(f.Pattern).MatchString(v):
		return orElse(f.PatternHelp, f.Label+" does not have the expected form.")
	}
	return ""
}
