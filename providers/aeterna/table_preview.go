package aeterna

import (
	"net/url"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// previewInput fills a request from the values of a form. Where the values do not name something that only the provider can give (an id),
// a made-up one of the right shape stands in, so that the shape can be seen.
func previewInput(t *Table, env models.Environment, settings map[string]string, operation string, r providers.SendRequest) input {
	kind := models.Kind(operation[:strings.IndexByte(operation, '.')])
	row, ok := t.method(r.Method, kind)
	if !ok { // a payout's values say nothing about a deposit: the first method of the kind shows the shape
		for _, m := range t.Methods {
			if m.Kind == kind {
				row, ok = m, true
				break
			}
		}
	}
	in := inputOf(row, r)
	in.loopback = env == models.Sandbox
	in.cabinet = chosen(settings, settingCallback) == "cabinet"
	if in.reference == "" {
		in.reference = sampleReference
	}
	if strings.HasPrefix(operation, "dispute.") {
		in.providerRef, in.reason = r.OfProviderRef, r.Note
		if in.providerRef == "" {
			in.providerRef = "00000000-0000-4000-8000-000000000000"
		}
	}
	in.values = map[string]string{"id": "00000000-0000-4000-8000-000000000000", "from": "2025-01-01T00:00:00Z", "to": "2025-02-01T00:00:00Z"}
	for k, v := range r.Values {
		in.values[k] = v
	}
	return in
}

// preview writes a request as text.
func (t *Table) preview(base string, w wire) string {
	auth := documentedAuth()
	if t.Auth != nil {
		auth = t.Auth
	}
	address, host := strings.TrimRight(base, "/")+w.path, base
	if u, err := url.Parse(base); err == nil && u.Host != "" {
		host = u.Host
	}
	if w.query != "" {
		address += "?" + w.query
	}
	var b strings.Builder
	b.WriteString(w.method + " " + address + "\nHost: " + host + "\nAccept: " + acceptBoth + "\n")
	if w.contentType != "" {
		b.WriteString("Content-Type: " + w.contentType + "\n")
	}
	for _, h := range auth.Headers {
		b.WriteString(h.Name + ": " + httpx.Redacted + "\n")
	}
	for _, name := range sortedKeys(w.header) {
		b.WriteString(name + ": " + strings.Join(w.header[name], ", ") + "\n")
	}
	b.WriteString("\n")
	b.Write(w.body)
	return b.String()
}
