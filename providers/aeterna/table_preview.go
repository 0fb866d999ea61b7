package aeterna

import (
	"errors"
	"net/url"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// previewRequests writes out every request that the values would become, without any secret. The values of a method of one kind say
// nothing about how the other kind is created, so that one is left out.
func previewRequests(env models.Environment, values, settings map[string]string, r providers.SendRequest) ([]providers.RequestPreview, error) {
	t, err := tableOf(settings)
	if err != nil {
		return nil, err
	}
	base := "https://{host}"
	if b := values[fieldBaseURL]; b != "" {
		base = b
	}
	var out []providers.RequestPreview
	for _, name := range operationNames() {
		if !hasOperation(t, name) || otherKind(t, name, r.Method) {
			continue
		}
		p := providers.RequestPreview{Operation: name}
		if w, err := t.build(name, previewInput(t, env, settings, name, r)); err != nil {
			p.Problem = err.Error()
		} else {
			p.Text = t.preview(base, w)
		}
		out = append(out, p)
	}
	return out, nil
}

// otherKind reports whether an operation creates something of another kind than the chosen method.
func otherKind(t *Table, operation, method string) bool {
	for _, m := range t.Methods {
		if m.ID == method {
			return (operation == opDepositCreate || operation == opPayoutCreate) && operation != string(m.Kind)+".create"
		}
	}
	return false
}

// Preview writes out the exact request of one operation for given values, every secret and signature blanked: the same bytes that would
// be sent, made by the same function. The error is a sentence that says which value does not fit.
func Preview(t *Table, base, operation string, env models.Environment, settings map[string]string, r providers.SendRequest) (string, error) {
	if t == nil {
		return "", errors.New("there is no operation table")
	}
	w, err := t.build(operation, previewInput(t, env, settings, operation, r))
	if err != nil {
		return "", err
	}
	return t.preview(base, w), nil
}

// previewInput fills a request from the values of a form. Where the values do not name something that only the provider can give (an id),
// a made-up one of the right shape stands in, so that the shape can be seen.
func previewInput(t *Table, env models.Environment, settings map[string]string, operation string, r providers.SendRequest) input {
	kind := models.Kind(operation[:strings.IndexByte(operation, '.')])
	row, ok := t.method(r.Method, kind)
	if !ok { // a payout's values say nothing about a deposit: the first method of the kind shows the shape
		for _, m := range t.Methods {
			if m.Kind == kind {
				row = m
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
