package handlers

import (
	"net/url"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views"
	"countinghouse/views/ui"
)

// qrLimit is the longest text of a QR code that is passed on; the largest QR code holds 4,296 characters.
const qrLimit = 4296

// readers lists the credentials whose provider can read QR codes.
func (h *Make) readers(c *Ctx, all []views.MakeChoice) []ui.Option {
	var out []ui.Option
	for _, ch := range all {
		if p, ok := h.Providers.Get(ch.Credential.Provider); ok && p.Description.Has(providers.CanDecodeQR) {
			out = append(out, ui.Option{Value: ch.Credential.ID, Label: ch.Credential.Short + ": " + ch.Credential.Name})
		}
	}
	return out
}

// tryQR is the text of a code that somebody may try the reading with, in sandbox; empty if no provider names one.
func (h *Make) tryQR(c *Ctx, all []views.MakeChoice) string {
	for _, ch := range all {
		if p, ok := h.Providers.Get(ch.Credential.Provider); ok && c.Env == models.Sandbox && p.Description.Has(providers.CanDecodeQR) && p.Description.TryQR != "" {
			return p.Description.TryQR
		}
	}
	return ""
}

// decode asks the provider what a QR code says and opens the form of a payout with it filled in. Nothing of it is believed: the form is checked
// and reviewed like one that was typed.
func (h *Make) decode(c *Ctx, k models.Kind) error {
	text, id := strings.TrimSpace(c.Form("qr")), c.Form("credential")
	p, err := h.begin(c, k, "", "", "", "")
	if err != nil {
		return err
	}
	p.QRText = text
	again := func(sentence string) error {
		p.Errors = []ui.FieldError{{Field: "qr", Message: sentence}}
		p.Readers = h.readers(c, p.Choices)
		return h.showForm(c, 422, p)
	}
	switch {
	case text == "":
		return again("Paste the text of the QR code.")
	case len(text) > qrLimit || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }):
		return again("This is not the text of a QR code.")
	}
	known := false
	for _, o := range h.readers(c, p.Choices) {
		known = known || o.Value == id
	}
	if !known {
		return again("Choose whose provider reads it.")
	}
	method, values, amount, err := h.Ask.DecodeQR(c.Context(), id, text)
	if err != nil {
		if !models.Is(err, models.Invalid) && !models.Is(err, models.NotFound) && !models.Is(err, models.Conflict) && !models.Is(err, models.Unavailable) && !models.Is(err, models.Throttled) {
			return err
		}
		return again("The QR code cannot be used. " + sentence(err))
	}
	q := url.Values{"credential": {id}, "method": {method}}
	if amount != "" {
		q.Set("amount", amount)
	}
	for name, v := range values {
		q.Set("v."+name, v)
	}
	return c.Redirect("/payouts/new?" + q.Encode())
}
