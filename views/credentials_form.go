package views

import (
	"slices"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

// formSettings are the settings that the credential's form asks for: all but the operation table, which two admins change on its own page.
func formSettings(d *providers.Description) []providers.Setting {
	return slices.DeleteFunc(slices.Clone(d.Settings), func(st providers.Setting) bool { return st.Name == models.OperationTable })
}

func formAction(s CredentialFormParams) string {
	if s.C == nil {
		return CredentialsPath
	}
	return CredentialPath(s.C.ID, "edit")
}

func formHidden(s CredentialFormParams) []ui.Hidden {
	if s.C == nil {
		return []ui.Hidden{{Name: "provider", Value: s.D.Name}, {Name: "environment", Value: string(s.Env)}}
	}
	return []ui.Hidden{{Name: "version", Value: versionText(*s.C)}}
}

func formBack(s CredentialFormParams) string {
	if s.C == nil {
		return ProvidersPath
	}
	return CredentialPath(s.C.ID)
}

func formVerb(s CredentialFormParams) string {
	switch {
	case s.C == nil:
		return "Write the credential down"
	case s.Env == models.Live:
		return "Ask a second admin to agree"
	}
	return "Save the changes"
}

// FormField and FormSetting are the names of form fields for a description's fields and settings.
func FormField(name string) string { return "f." + name }

func FormSetting(name string) string { return "s." + name } //nolint:revive // a pair with FormField

func valueField(f providers.Field, s CredentialFormParams) ui.FieldParams {
	p := describedField(f, FormField(f.Name), s.Values[f.Name], s.Errors)
	for _, site := range s.D.Sites {
		if site.Field != f.Name || site.Environment != s.Env {
			continue
		}
		switch {
		case s.Env == models.Sandbox:
			p.Help = strings.TrimSpace(p.Help + " Any address of this machine will do as well, for example http://127.0.0.1:9101.")
		case len(site.Hosts) > 0:
			p.Help = strings.TrimSpace(p.Help + " Only https at " + strings.Join(site.Hosts, " or ") + ".")
		default:
			p.Help = strings.TrimSpace(p.Help + " Only https; the second admin approves the host.")
		}
	}
	return p
}

// secretField asks for a secret. It is never filled: what is kept cannot be read back.
func secretField(f providers.Field, errs []ui.FieldError, keep bool) ui.FieldParams {
	name := FormField(f.Name)
	p := ui.FieldParams{Name: name, Label: f.Label, Help: f.Help, Type: ui.PasswordField, Required: f.Required && !keep, Optional: !f.Required || keep,
		Error: ui.ErrorFor(errs, name), Autocomplete: "off"}
	if f.Kind == providers.Area {
		p.Type, p.Rows = ui.TextareaField, 4
	}
	if keep {
		p.Help = strings.TrimSpace(p.Help + " Leave it empty to carry the present one over.")
	}
	return p
}

// wideSetting tells a setting that is a whole document, such as a table of operations.
func wideSetting(st providers.Setting, s CredentialFormParams) bool {
	return len(st.Options) == 0 && (len(st.Default) > 120 || len(s.Settings[st.Name]) > 120)
}

func settingParams(st providers.Setting, s CredentialFormParams) ui.FieldParams {
	name := FormSetting(st.Name)
	help := st.Help
	if it, ok := s.D.Item(st.Item); ok {
		help = strings.TrimSpace(help + " (" + it.ID + ", " + string(it.Mark) + ")")
	}
	p := ui.FieldParams{Name: name, Label: st.Label, Help: help, Value: s.Settings[st.Name], Required: st.Required, Error: ui.ErrorFor(s.Errors, name), Autocomplete: "off"}
	switch {
	case len(st.Options) > 0:
		p.Type = ui.SelectField
		empty := "not chosen"
		for _, o := range st.Options {
			if o.Value == st.Default && st.Default != "" {
				empty = "the default: " + o.Label
			}
		}
		p.Options = uiOptions(st.Options, empty)
	case wideSetting(st, s):
		p.Type, p.Rows = ui.TextareaField, 14
		if p.Value == "" {
			p.Value = st.Default
		}
	default:
		p.Type, p.Placeholder = ui.TextField, st.Default
	}
	return p
}
