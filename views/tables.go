package views

import (
	"strconv"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

// TableParams is an operation table: the one in force, one that is being written, or one that was in force.
type TableParams struct {
	C          models.Credential
	D          *providers.Description
	Sheet      providers.TableSheet
	Force      string // the text of the table in force
	Text       string // the text that is being written or shown
	AsText     bool   // the form shows the text instead of single places
	Typed      map[string]string
	TypedPairs map[string][]providers.Pair
	Reason     string
	Waiting    []ui.DiffLine
	Requests   []providers.RequestPreview
	Versions   []models.CredentialChange
	Shown      *models.CredentialChange
	Errors     []ui.FieldError
	Me         models.Actor
	Clock      Clock
}

// TablePath is the page of a credential's operation table.
func TablePath(id string) string { return CredentialPath(id, "table") }

// CellField and PairField name the form fields of single places and of the two columns of a list.
func CellField(key string) string          { return "e." + key }
func PairField(list, column string) string { return "p." + list + "." + column } //nolint:revive // a pair with CellField

// TextOf is the text of the table under some settings.
func (s TableParams) TextOf(settings map[string]string) string {
	if t := strings.TrimSpace(settings[models.OperationTable]); t != "" {
		return t
	}
	return strings.TrimSpace(s.D.Table.Default)
}

// Same reports whether a text is the table in force.
func (s TableParams) Same(text string) bool { return strings.TrimSpace(text) == s.Force }

// With gives the credential's settings with another table; the provider's own table is kept as nothing.
func (s TableParams) With(text string) map[string]string {
	out := map[string]string{}
	for k, v := range s.C.Settings {
		if k != models.OperationTable {
			out[k] = v
		}
	}
	if text = strings.TrimSpace(text); text != strings.TrimSpace(s.D.Table.Default) {
		out[models.OperationTable] = text
	}
	return out
}

// ErrorField is the field that errors of the text lead to.
func (s TableParams) ErrorField() string {
	if s.AsText {
		return "text"
	}
	return ""
}

// Number names a version by its place in the list, newest first; the provider's own table is number 1.
func (s TableParams) Number(i int) string {
	return "number " + strconv.Itoa(len(s.Versions)-i+1)
}

// Compare shows two tables line by line.
func (s TableParams) Compare(now, then string) []ui.DiffLine { return ui.Diff(now, then) }

func (s TableParams) own() bool { return strings.TrimSpace(s.C.Settings[models.OperationTable]) != "" }

func (s TableParams) waits() *models.CredentialChange {
	if ch := s.C.Change; ch != nil && ch.Kind == models.ChangeTable {
		return ch
	}
	return nil
}

// summary says in one sentence what is in force and who can change it.
func (s TableParams) summary() string {
	out := "In force is the table that every credential of " + s.D.Short + " begins with: " + s.Sheet.Title + "."
	if s.own() {
		out = "In force is a table of this credential: " + s.Sheet.Title + "."
		if len(s.Versions) > 0 {
			out += " " + s.Versions[0].DecidedName + " agreed to it on " + s.Versions[0].DecidedAt.Time().In(zoneOf(s.Clock)).Format("2006-01-02 15:04") + "."
		}
	}
	return out
}

func (s TableParams) editReason() string {
	if s.C.State == models.CredentialRevoked {
		return "it is revoked"
	}
	return busyReason(s.C)
}

// tablePart draws a part for reading.
func tablePart(part providers.TablePart) ui.TableParams {
	t := ui.TableParams{Caption: part.Title, Stacks: true, Empty: ui.EmptyParams{Title: "Nothing"}}
	for _, c := range part.Columns {
		t.Columns = append(t.Columns, ui.Column{Label: c})
	}
	for _, row := range part.Rows {
		var cells []ui.Cell
		for i, cell := range row {
			text := visible(cell.Text)
			if i == 1 && part.Pairs != "" {
				text = choiceLabel(part, cell.Text)
			}
			cells = append(cells, ui.Cell{Text: text, Head: i == 0})
		}
		t.Rows = append(t.Rows, ui.Row{Cells: cells})
	}
	return t
}

// partGroups gathers parts that fit beside one another; one with more than three columns, or with sentences, stands alone.
func partGroups(parts []providers.TablePart) [][]providers.TablePart {
	var out [][]providers.TablePart
	open := false
	for _, part := range parts {
		wide := len(part.Columns) > 3 || part.ID == "rules"
		if wide || !open {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], part)
		open = !wide
	}
	return out
}

func choiceLabel(part providers.TablePart, value string) string {
	for _, o := range part.Choices {
		if o.Value == value {
			return o.Label
		}
	}
	return value
}

// editable reports whether a part has anything that can be typed.
func editable(part providers.TablePart) bool {
	if part.Pairs != "" {
		return true
	}
	for _, row := range part.Rows {
		for _, cell := range row {
			if cell.Key != "" {
				return true
			}
		}
	}
	return false
}

// spareRows are empty lines at the end of a list, for words that are not there yet.
const spareRows = 2

// editPart draws a part with its places as fields.
func (s TableParams) editPart(part providers.TablePart) ui.TableParams {
	t := tablePart(part)
	if part.Pairs != "" {
		t.Rows = s.pairRows(part)
		return t
	}
	for i, row := range part.Rows {
		for j, cell := range row {
			if cell.Key == "" {
				continue
			}
			value, typed := s.Typed[cell.Key]
			if !typed {
				value = cell.Text
			}
			t.Rows[i].Cells[j] = ui.Is(ui.Bare(ui.FieldParams{Name: CellField(cell.Key), Label: part.Columns[j] + ", " + row[0].Text, Value: value, MaxLength: 300, Autocomplete: "off"}))
		}
	}
	return t
}

func (s TableParams) pairRows(part providers.TablePart) []ui.Row {
	list, typed := s.TypedPairs[part.Pairs]
	if !typed {
		for _, row := range part.Rows {
			list = append(list, providers.Pair{Theirs: row[0].Text, Ours: row[1].Text})
		}
	}
	for range spareRows {
		list = append(list, providers.Pair{})
	}
	var rows []ui.Row
	for i, p := range list {
		id := "f-" + strings.ReplaceAll(part.Pairs, "/", "-") + "-" + strconv.Itoa(i)
		what := orElse(p.Theirs, "a new line")
		var options []ui.Option
		for _, o := range part.Choices {
			options = append(options, ui.Option{Value: o.Value, Label: o.Label})
		}
		rows = append(rows, ui.Row{Cells: []ui.Cell{
			ui.Is(ui.Bare(ui.FieldParams{Name: PairField(part.Pairs, "theirs"), ID: id, Label: part.Columns[0] + ", " + what, Value: p.Theirs, MaxLength: 60, Autocomplete: "off"})),
			ui.Is(ui.Bare(ui.FieldParams{Name: PairField(part.Pairs, "ours"), ID: id + "-ours", Label: part.Columns[1] + ", " + what, Type: ui.SelectField, Value: p.Ours, Options: options}))}})
	}
	return rows
}

func (s TableParams) versionRows() []ui.Row {
	var rows []ui.Row
	for i, ch := range s.Versions {
		href := CredentialPath(s.C.ID, "table", "versions", ch.ID)
		title := s.Number(i)
		if i == 0 {
			title += ", in force"
		}
		rows = append(rows, ui.Row{Href: href, Cells: []ui.Cell{{Text: title, Href: href, Sub: ch.Reason, Head: true}, ui.Text(ch.AskedName), ui.Text(ch.DecidedName), ui.Is(ui.Time(s.Clock.at(ch.DecidedAt)))}})
	}
	title := "number 1"
	if len(s.Versions) == 0 {
		title += ", in force"
	}
	return append(rows, ui.Row{Cells: []ui.Cell{{Text: title, Sub: "what every credential of " + s.D.Short + " begins with", Head: true}, ui.Text("the program"), {}, ui.Is(ui.Time(s.Clock.at(s.C.CreatedAt)))}})
}

// changed gives the requests that would change, or those that would not.
func (s TableParams) changed(yes bool) []providers.RequestPreview {
	var out []providers.RequestPreview
	for _, r := range s.Requests {
		if (strings.HasSuffix(r.Operation, ", changed") || strings.HasSuffix(r.Operation, ", new")) == yes {
			out = append(out, r)
		}
	}
	return out
}

func (s TableParams) hidden(as string) []ui.Hidden {
	return []ui.Hidden{{Name: "version", Value: versionText(s.C)}, {Name: "as", Value: as}}
}
