package providers

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"countinghouse/models"
	"countinghouse/providers/httpx"
)

// Checked is what the harmless calls of a credential test showed, summed up.
type Checked struct {
	Results   []CheckResult
	Exchanges map[string]string // operation → id of the exchange that showed it
	Verdict   CheckVerdict      // the worst failure, otherwise what worked
	Sentence  string
}

// Passed reports whether the keys may come into use: nothing showed that they do not work. A product that is not switched on, and a provider
// that has no harmless call, do not stand in the way.
func (c Checked) Passed() bool { return c.Verdict.Passed() }

// Passed reports whether a verdict lets keys come into use.
func (v CheckVerdict) Passed() bool {
	return v == CheckOK || v == CheckSkipped || v == NotEnabled
}

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
	case f.Kind == Digits && strings.Trim(v, "0123456789") != "":
		return strings.TrimSpace(f.Label + " is made of digits only. " + f.PatternHelp)
	case utf8.RuneCountInString(v) > longest:
		return fmt.Sprintf("%s is longer than %d characters.", f.Label, longest)
	case len(f.Options) > 0 && !slices.ContainsFunc(f.Options, func(o Option) bool { return o.Value == v }):
		return "Choose one of the options for " + f.Label + "."
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

// SettingField is the name under which a problem of a setting is reported by CheckCredential.
func SettingField(name string) string { return "setting." + name }

// CheckCredential checks everything that an admin enters for a credential: fields, base URLs, settings. secrets holds the secret fields as
// typed; one that is named in kept may be empty.
func CheckCredential(d *Description, env models.Environment, values, secrets, settings map[string]string, kept []string) []models.Problem {
	var plain, hidden []Field
	for _, f := range d.Fields {
		if !f.Secret {
			plain = append(plain, f)
			continue
		}
		if f.Required = f.Required && !slices.Contains(kept, f.Name); f.MaxLen == 0 {
			f.MaxLen = 8192 // a private key in PEM fits
		}
		if f.Kind == "" {
			f.Kind = Area // such a key has several lines
		}
		hidden = append(hidden, f)
	}
	ps := append(CheckFields(plain, values), CheckFields(hidden, secrets)...)
	for _, s := range d.Sites {
		if s.Environment == env && values[s.Field] != "" && !slices.ContainsFunc(ps, func(p models.Problem) bool { return p.Field == s.Field }) {
			if sentence := s.refuse(values[s.Field]); sentence != "" {
				ps = append(ps, models.Problem{Field: s.Field, Sentence: sentence})
			}
		}
	}
	for _, p := range CheckSettings(d, settings) {
		ps = append(ps, models.Problem{Field: SettingField(p.Field), Sentence: p.Sentence})
	}
	return ps
}

// refuse says why a base URL may not be used at this site, or nothing. In live it is https at a pinned host; a provider without pinned hosts
// gets the host that is typed, which the second admin approves with the credential. In the sandbox any port of this machine will do as well.
func (s Site) refuse(base string) string {
	hosts := s.Hosts
	if len(hosts) == 0 {
		if u, err := url.Parse(base); err == nil {
			hosts = []string{u.Host}
		}
	}
	if _, err := httpx.New(httpx.Config{Name: "check", BaseURL: base, AllowedHosts: hosts, AllowLoopback: s.Environment == models.Sandbox}); err != nil {
		text := err.Error()
		return strings.ToUpper(text[:1]) + text[1:] + "."
	}
	u, err := url.Parse(base)
	if err != nil {
		return "This is no address."
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !ip.IsLoopback() {
		return "Write the provider's host name, not an address in numbers."
	}
	return ""
}

// WithProven adds to a credential's settings what has been proved and confirmed: "proven:<ITEM>" = "1" for an item that may be relied on,
// "confirmed:<ITEM>" = "1" for one that two admins have confirmed. It is what clients and Locks are given.
func WithProven(d *Description, cred models.Credential, standings map[string]models.ItemStanding) map[string]string {
	out := maps.Clone(cred.Settings)
	if out == nil {
		out = map[string]string{}
	}
	for id, st := range standings {
		item, known := d.Item(id)
		if !known {
			continue
		}
		if st.Proven(cred.Environment, item.Mark == Documented) {
			out["proven:"+id] = "1"
		}
		if st.Confirmed() {
			out["confirmed:"+id] = "1"
		}
	}
	return out
}
