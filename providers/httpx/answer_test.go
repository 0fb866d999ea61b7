package httpx_test

import (
	"strings"
	"testing"

	"countinghouse/providers/httpx"
)

func TestAnAnswerThatCouldMeanTwoThingsIsUnreadable(t *testing.T) {
	for name, body := range map[string]string{
		"a key twice":         `{"amount":1,"amount":100}`,
		"a nested key twice":  `{"a":[{"b":1,"b":2}]}`,
		"an escaped twin":     `{"amount":1,"\u0061mount":100}`,
		"text after the end":  `{"ok":true}{"ok":false}`,
		"cut short":           `{"ok":true`,
		"nothing":             ``,
		"not JSON":            `<html>ok</html>`,
		"not UTF-8":           "{\"a\":\"\xff\"}",
		"too deep":            strings.Repeat("[", 40) + strings.Repeat("]", 40),
		"very deep":           strings.Repeat("[", 1<<20),
		"too many":            "[" + strings.Repeat("0,", 300_000) + "0]",
		"a trailing comma":    `{"a":1,}`,
		"a bare NUL":          "{\"a\":\"\x00\"}",
		"a number that isn't": `{"a":01}`,
	} {
		if _, err := httpx.ReadJSON([]byte(body)); err == nil {
			t.Errorf("%s: was read", name)
		} else if len(err.Error()) > 80 {
			t.Errorf("%s: the error quotes the body: %s", name, err)
		}
	}
}

func TestNumbersKeepTheirTextAndKeysTheirCase(t *testing.T) {
	v, err := httpx.ReadJSON([]byte(`{"n":12345678901234567890.10,"Ref":"a","s":"x","b":false,"l":[1,"2"],"o":{},"z":null}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Get("n").Number(); got != "12345678901234567890.10" {
		t.Errorf("number became %s", got)
	}
	if v.Get("ref").There() || v.Fold("REF").Text() != "a" || v.Get("z").There() || v.Get("none").Get("deeper").There() {
		t.Error("keys are not told apart")
	}
	if b, ok := v.Get("b").Bool(); b || !ok {
		t.Error("false was not read")
	}
	if _, ok := v.Get("s").Bool(); ok {
		t.Error("a string passed for a boolean")
	}
	if l := v.Get("l").List(); len(l) != 2 || l[0].Scalar() != "1" || l[1].Scalar() != "2" || l[0].Text() != "" {
		t.Error("the list was misread")
	}
	twins, _ := httpx.ReadJSON([]byte(`{"ref":"a","REF":"b"}`))
	if twins.Fold("Ref").There() {
		t.Error("one of two twins was chosen")
	}
}

func TestAProvidersTextIsMadeFitForASentence(t *testing.T) {
	for in, want := range map[string]string{
		"  two\r\n\tlines\x00 ": "two lines",
		"a\u202eb\u200bc":       "a b c",
		strings.Repeat("x", 20): "xxxxxxxxxx…",
		"":                      "",
	} {
		if got := httpx.Say(in, 10); got != want {
			t.Errorf("Say(%q) = %q, want %q", in, got, want)
		}
	}
}
