package models_test

import (
	"testing"

	"countinghouse/models"
)

func TestDocumentsAndAccountsAreMaskedInLists(t *testing.T) {
	for text, want := range map[string]string{
		"Ana Souza 52998224725":                      "Ana Souza ···· 4725",
		"Ana Souza 529.982.247-25":                   "Ana Souza ···· 7-25",
		"52998224725":                                "···· 4725",
		"Loja 24 Horas":                              "Loja 24 Horas",
		"0x27b1fdb04752bbc536007a920d24acb045561c26": "0x27b1fdb04752bbc536007a920d24acb045561c26",
		"João 12345":                                 "João 12345",
		"":                                           "",
	} {
		if got := models.MaskNumbers(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}
