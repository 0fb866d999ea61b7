package views

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

// line is one value with its name, of something that people agree to.
type line struct{ label, value string }

// comparison is one value before and after.
type comparison struct {
	label, before, after string
}

func (c comparison) changed() bool { return c.before != c.after }

// compare puts two lists of lines beside each other, in the order of the second, what is gone at the end.
func compare(before, after []line) []comparison {
	var out []comparison
	at := map[string]int{}
	for _, a := range after {
		at[a.label] = len(out)
		out = append(out, comparison{label: a.label, after: a.value})
	}
	for _, b := range before {
		i, ok := at[b.label]
		if !ok {
			out = append(out, comparison{label: b.label, before: b.value})
			continue
		}
		out[i].before = b.value
	}
	return out
}

func onlyChanged(in []comparison) []comparison {
	return slices.DeleteFunc(slices.Clone(in), func(c comparison) bool { return !c.changed() })
}

func comparisonTable(caption string, list []comparison) ui.TableParams {
	t := ui.TableParams{Caption: caption, Stacks: true, Columns: []ui.Column{{Label: "What"}, {Label: "Before"}, {Label: "After"}}}
	for _, c := range list {
		after := ui.Text(orElse(c.after, "—"))
		if c.changed() {
			after = ui.Is(changedValue(orElse(c.after, "gone")))
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: c.label, Head: true}, ui.Text(orElse(c.before, "—")), after}})
	}
	return t
}

// payloadLines writes out the payload of a transaction as JSON keeps it. What cannot be read is shown as it is.
func payloadLines(raw string, d *providers.Description) []line {
	var p models.Payload
	if err := json.Unmarshal([]byte(raw), &p); err != nil || p.Reference == "" {
		return anyLines(raw)
	}
	out := []line{{"Amount", models.Money{Minor: p.Minor, Asset: p.Asset}.String()}, {"Reference", p.Reference}, {"Environment", string(p.Environment)},
		{"Provider", p.Provider}, {"Credential", p.CredentialID}, {"Version of the credential", strconv.FormatInt(p.CredentialVersion, 10)}}
	add := func(label, value string) {
		if value != "" {
			out = append(out, line{label, value})
		}
	}
	m, _ := d.Method(p.Method)
	add("Way", orElse(m.Title, p.Method))
	seen := map[string]bool{}
	for _, f := range m.Fields {
		seen[f.Name] = true
		add(f.Label, p.Values[f.Name])
	}
	for _, k := range sortedKeys(p.Values) {
		if !seen[k] {
			add(k, p.Values[k])
		}
	}
	add("Comment", p.Note)
	if p.Hold {
		add("Hold", "yes")
	}
	add("From", p.From)
	add("To", p.To)
	add("Article", p.SKU)
	if p.Quantity > 0 {
		add("Quantity", strconv.Itoa(p.Quantity))
	}
	add("Into", p.Counter)
	return out
}

func sortedKeys(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// anyComparison shows a change of which only its JSON is known: with "before" and "after" beside each other, otherwise as it will be.
func anyComparison(raw string) []comparison {
	var both struct {
		Before json.RawMessage `json:"before"`
		After  json.RawMessage `json:"after"`
	}
	if err := json.Unmarshal([]byte(raw), &both); err == nil && (len(both.Before) > 0 || len(both.After) > 0) {
		return compare(anyLines(string(both.Before)), anyLines(string(both.After)))
	}
	return compare(nil, anyLines(raw))
}

// anyLines flattens JSON into named values.
func anyLines(raw string) []line {
	if strings.TrimSpace(raw) == "" || raw == "null" {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(raw))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return []line{{"Text", cutText(raw, 2000)}}
	}
	var out []line
	flatten("", tree, &out)
	return out
}

// maxLines keeps a page a page, whatever the payload.
const maxLines = 500

func flatten(name string, v any, out *[]line) {
	if len(*out) >= maxLines {
		return
	}
	under := func(k string) string {
		if name == "" {
			return k
		}
		return name + ", " + k
	}
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			flatten(under(strings.ReplaceAll(k, "_", " ")), v[k], out)
		}
	case []any:
		for i, x := range v {
			flatten(under(strconv.Itoa(i+1)), x, out)
		}
	case nil:
	default:
		*out = append(*out, line{orElse(name, "Value"), cutText(fmt.Sprint(v), 2000)})
	}
}

// policyLines writes out a rule.
func policyLines(p *models.Policy) []line {
	if p == nil {
		return nil
	}
	limit := func(minor int64) string {
		if minor == 0 {
			return "no limit"
		}
		return models.Money{Minor: minor, Asset: p.Asset}.String()
	}
	yes := "no"
	if p.NewParty {
		yes = "yes"
	}
	return []line{{"Position", strconv.Itoa(p.Position)}, {"Name", p.Name}, {"Environment", orElse(string(p.Environment), "both")}, {"Kind", orElse(string(p.Kind), "every kind")},
		{"Provider", orElse(p.Provider, "every provider")}, {"Currency", orElse(p.Asset, "every currency")}, {"From", limit(p.MinMinor)}, {"Up to", limit(p.MaxMinor)},
		{"Above, per person in 24 hours", limit(p.DayPerson)}, {"Above, per destination in 24 hours", limit(p.DayParty)}, {"Only destinations never paid before", yes},
		{"People who must agree", strconv.Itoa(p.Approvers)}, {"Their role", string(p.Role)}, {"Time to decide", span(p.TTL)}}
}

// span writes a whole duration: "24 hours", "90 minutes".
func span(d time.Duration) string {
	switch {
	case d == 0:
		return "—"
	case d%(24*time.Hour) == 0 && d > 24*time.Hour:
		return strconv.Itoa(int(d/(24*time.Hour))) + " days"
	case d == time.Hour:
		return "1 hour"
	case d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + " hours"
	}
	return strconv.Itoa(int(d/time.Minute)) + " minutes"
}

// change is what the request would write, beside what there is.
func (p ApprovalParams) change() []comparison {
	if c := p.Sheet.Policy; c != nil {
		if c.Delete {
			return compare(policyLines(p.Sheet.PolicyNow), nil)
		}
		return compare(policyLines(p.Sheet.PolicyNow), policyLines(&c.Policy))
	}
	return anyComparison(p.r().Payload)
}

// difference is what changed since an earlier approval, which is void for it.
func (p ApprovalParams) difference() []comparison {
	if p.Sheet.Voided == nil {
		return nil
	}
	d := p.Provider
	if d == nil {
		d = &providers.Description{}
	}
	return onlyChanged(compare(payloadLines(p.Sheet.Voided.Payload, d), payloadLines(p.r().Payload, d)))
}
