package providers

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"countinghouse/models"
)

// CheckFields checks typed values against the fields of a form. Values must be trimmed already; a value of a field that the form does not have
// is a problem too, so that nothing is kept or sent that nobody saw.
func CheckFields(fields []Field, values map[string]string) []models.Problem {
	var ps []models.Problem
	known := map[string]bool{}
	for _, f := range fields {
		known[f.Name] = true
		if p := f.check(values[f.Name]); p != "" {
			ps = append(ps, models.Problem{Field: f.Name, Sentence: p})
		}
	}
	for name, v := range values {
		if !known[name] && v != "" {
			ps = append(ps, models.Problem{Field: name, Sentence: "This form has no such field."})
		}
	}
	slices.SortStableFunc(ps, func(a, b models.Problem) int { return fieldIndex(fields, a.Field) - fieldIndex(fields, b.Field) })
	return ps
}

func fieldIndex(fields []Field, name string) int {
	if i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == name }); i >= 0 {
		return i
	}
	return len(fields)
}

// check says what is wrong with a value, or nothing.
func (f Field) check(v string) string {
	if v == "" {
		if f.Required {
			return f.Label + " is missing."
		}
		return ""
	}
	longest := f.MaxLen
	if longest == 0 {
		longest = 255
	}
	switch {
	case !utf8.ValidString(v) || strings.ContainsFunc(v, func(r rune) bool {
		return unicode.IsControl(r) && (f.Kind != Area || r != '\n' && r != '\r' && r != '\t')
	}):
		return f.Label + " contains characters that cannot be used."
	case utf8.RuneCountInString(v) > longest:
		return fmt.Sprintf("%s is longer than %d characters.", f.Label, longest)
	case len(f.Options) > 0 && !slices.ContainsFunc(f.Options, func(o Option) bool { return o.Value == v }):
		return "Choose one of the options for " + f.Label + "."
	case f.Kind == Digits && strings.Trim(v, "0123456789") != "":
		return f.Label + " is made of digits only."
	}
	if f.Pattern == "" {
		return ""
	}
	if re, err := regexp.Compile(`^(?:` + f.Pattern + `)$`); err == nil && re.MatchString(v) {
		return ""
	}
	if f.PatternHelp != "" {
		return f.PatternHelp
	}
	return f.Label + " does not look right."
}

// CheckSettings checks chosen settings against the description, its own rule included. An empty value means the default.
func CheckSettings(d *Description, settings map[string]string) []models.Problem {
	var fields []Field
	for _, s := range d.Settings {
		longest := 255
		if len(s.Options) == 0 {
			longest = 64 << 10 // a whole operation table may be a setting; a pattern says what is shorter
		}
		fields = append(fields, Field{Name: s.Name, Label: s.Label, Kind: Area, Options: s.Options, Pattern: s.Pattern, Required: s.Required, MaxLen: longest})
	}
	ps := CheckFields(fields, settings)
	if len(ps) == 0 && d.CheckSettings != nil {
		ps = d.CheckSettings(settings)
	}
	return ps
}
