package providers_test

import (
	"strings"
	"testing"

	"countinghouse/providers"
)

// What is wrong with a field is said in the words that help: a number with dots in it is not "too long".
func TestAFieldSaysWhatItTakes(t *testing.T) {
	document := providers.Field{Name: "f", Label: "CPF", Kind: providers.Digits, MaxLen: 11, Required: true, Pattern: `^\d{11}$`, PatternHelp: "A CPF has 11 digits, without dots and dash."}
	name := providers.Field{Name: "f", Label: "Name", MaxLen: 5}
	for _, x := range []struct {
		field       providers.Field
		value, want string
	}{
		{document, "12345678909", ""},
		{document, "", "CPF is missing."},
		{document, "123.456.789-09", "CPF is made of digits only. A CPF has 11 digits, without dots and dash."},
		{document, "123456789091", "CPF is longer than 11 characters."},
		{document, "1234567890", document.PatternHelp},
		{document, "١٢٣٤٥٦٧٨٩٠٩", "CPF is made of digits only. A CPF has 11 digits, without dots and dash."}, // digits of another script
		{document, "1234567890\x00", "CPF contains characters that cannot be used."},
		{providers.Field{Name: "f", Label: "Number", Kind: providers.Digits}, "12a", "Number is made of digits only."},
		{name, "Zoë Lu", "Name is longer than 5 characters."},
		{name, "Zoë L", ""},
		{name, "", ""},
		{providers.Field{Name: "f", Label: "Kind", Options: []providers.Option{{Value: "a"}}}, "b", "Choose one of the options for Kind."},
	} {
		var got []string
		for _, p := range providers.CheckFields([]providers.Field{x.field}, map[string]string{"f": x.value}) {
			got = append(got, p.Sentence)
		}
		if strings.Join(got, " ") != x.want {
			t.Errorf("%q in %s: %q, want %q", x.value, x.field.Label, got, x.want)
		}
	}
}
