package aeterna

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"countinghouse/models"
	"countinghouse/providers"
)

// operationTable is how pages read and change the table.
func operationTable() *providers.OperationTable {
	return &providers.OperationTable{Default: string(profileL), Read: readTable, Write: writeTable}
}

// readTable lays a table out for people, part by part. It takes only what ParseTable takes.
func readTable(text string) (providers.TableSheet, error) {
	whole := []byte(cmp.Or(strings.TrimSpace(text), string(profileL)))
	t, problems := ParseTable(whole)
	if len(problems) > 0 {
		return providers.TableSheet{}, models.FieldErrorf(settingTable, "The operation table cannot be used: %s", problems[0].Sentence)
	}
	out := providers.TableSheet{Title: t.Title, Note: t.Note, Mark: providers.Assumed, Parts: []providers.TablePart{t.pathsPart()}}
	for _, kind := range []string{"deposit", "payout", "dispute"} {
		if len(t.Statuses[kind]) > 0 {
			out.Parts = append(out.Parts, t.statusPart(kind, keysAt(whole, "statuses/"+kind)))
		}
	}
	for _, name := range operationNames() {
		if op, ok := t.Operations[name]; ok {
			if len(op.Fields) > 0 {
				out.Parts = append(out.Parts, op.fieldsPart(name))
			}
			if read := op.readPart(name); len(read.Rows) > 0 {
				out.Parts = append(out.Parts, read)
			}
		}
	}
	out.Parts = append(out.Parts, t.methodsPart(), t.rulesPart())
	if t.Callback != nil {
		out.Parts = append(out.Parts, t.Callback.part())
	}
	return out, nil
}

func (t *Table) pathsPart() providers.TablePart {
	p := providers.TablePart{ID: "paths", Title: "Paths", Item: "AET-L-1", Columns: []string{"Operation", "Method", "Path"}, Note: "below the base URL"}
	for _, name := range operationNames() {
		if op, ok := t.Operations[name]; ok {
			method := cmp.Or(op.Method, "POST")
			if op.Encoding == "form" {
				method += ", as a form"
			}
			p.Rows = append(p.Rows, []providers.TableCell{{Text: operationTitle(name)}, {Text: method}, {Text: op.Path, Key: "operations/" + name + "/path"}})
		}
	}
	return p
}

// operationTitle says an operation in Aeterna's words.
func operationTitle(name string) string {
	return map[string]string{opDepositCreate: "Create a PayIn", opDepositStatus: "Ask about a PayIn", opPayoutCreate: "Create a PayOut", opPayoutStatus: "Ask about a PayOut",
		opDisputeCreate: "Open a dispute", opDisputeStatus: "Ask about a dispute", opBalance: "Read the balance", opStatistics: "Read statistics"}[name]
}

func (t *Table) statusPart(kind string, words []string) providers.TablePart {
	p := providers.TablePart{ID: "statuses-" + kind, Title: "Statuses of a " + kind, Item: "AET-L-7", Columns: []string{"Their word", "What it means here"},
		Note: "any other word raises an alert", Pairs: "statuses/" + kind, Choices: statusChoices(kind)}
	for _, theirs := range words {
		p.Rows = append(p.Rows, []providers.TableCell{{Text: theirs}, {Text: t.Statuses[kind][theirs]}})
	}
	return p
}

func statusChoices(kind string) []providers.Option {
	var out []providers.Option
	for _, w := range statusWords()[kind] {
		label := models.State(w).Word()
		if kind == "dispute" {
			label = strings.ToUpper(w[:1]) + w[1:]
		}
		out = append(out, providers.Option{Value: w, Label: label})
	}
	return out
}

func (op Operation) fieldsPart(name string) providers.TablePart {
	p := providers.TablePart{ID: "fields-" + name, Title: operationTitle(name) + ": what is sent", Item: itemsOf(name)[2], Columns: []string{"Their name", "Filled with", "Rule"}}
	for i, f := range op.Fields {
		place := fmt.Sprintf("operations/%s/fields/%d/name", name, i)
		p.Rows = append(p.Rows, []providers.TableCell{{Text: f.Name, Key: place}, {Text: f.filledWith()}, {Text: f.rule()}})
	}
	return p
}

func (f WireField) filledWith() string {
	words := map[string]string{"reference": "our reference", "amount": "the amount", "currency": "the currency", "method": "their word for the way", "note": "the comment",
		"notify_url": "our callback address", "return_url": "where the payer comes back to", "provider_ref": "their number", "reason": "what is wrong",
		"evidence_link": "the address of the evidence", "evidence_base64": "the file of the evidence", "evidence_name": "its name", "evidence_type": "its type"}
	switch f.From {
	case "value":
		return "the form’s field “" + f.Key + "”"
	case "const":
		return "always " + string(f.Const)
	}
	return words[f.From]
}

func (f WireField) rule() string {
	var out []string
	if f.In != "" && f.In != "body" {
		out = append(out, "in the "+f.In)
	}
	switch {
	case f.Required:
		out = append(out, "always")
	case f.Group != "":
		out = append(out, "the first that is known of “"+f.Group+"”")
	default:
		out = append(out, "if there is one")
	}
	if f.Format != "" {
		out = append(out, "as "+strings.ReplaceAll(f.Format, "_", " "))
	}
	if f.Max > 0 {
		out = append(out, fmt.Sprintf("at most %d characters", f.Max))
	}
	if f.Sensitive {
		out = append(out, "blanked in records")
	}
	return strings.Join(out, ", ")
}

// readPart says where things stand in the answer of an operation, whichever way it is read.
func (op Operation) readPart(name string) providers.TablePart {
	p := providers.TablePart{ID: "answer-" + name, Title: operationTitle(name) + ": what is read", Item: itemsOf(name)[2], Columns: []string{"What", "Where it stands in the answer"}}
	add := func(what, path, place string) {
		if path != "" {
			p.Rows = append(p.Rows, []providers.TableCell{{Text: what}, {Text: path, Key: "operations/" + name + "/" + place}})
		}
	}
	if a := op.Answer; a != nil {
		for _, x := range [][3]string{{"id", "Their number", a.ID}, {"of", "What is disputed", a.Of}, {"reference", "Our reference", a.Reference}, {"status", "Status", a.Status},
			{"amount", "Amount", a.Amount}, {"currency", "Currency", a.Currency}, {"paid", "Really paid", a.Paid}, {"fee", "Fee", a.Fee}, {"reason", "Reason", a.Reason},
			{"bank_ref", "The bank’s number", a.BankRef}, {"expires", "Valid until", a.Expires}, {"redirect", "Payment page", a.Redirect}, {"qr", "QR code", a.QR}} {
			add(x[1], x[2], "answer/"+x[0])
		}
		for i, l := range a.Lines {
			add(l.Label+", for the payer", l.Path, fmt.Sprintf("answer/lines/%d/path", i))
		}
	}
	if b := op.Balances; b != nil {
		for _, x := range [][3]string{{"list", "List of accounts", b.List}, {"account_path", "Account", b.Named}, {"currency", "Currency", b.Currency}, {"available", "Available", b.Available},
			{"held", "On hold", b.Held}, {"total", "Total", b.Total}} {
			add(x[1], x[2], "balances/"+x[0])
		}
	}
	if s := op.Sheet; s != nil {
		for i, c := range s.Columns {
			add(c.Label, c.Path, fmt.Sprintf("sheet/columns/%d/path", i))
		}
	}
	return p
}

func (t *Table) methodsPart() providers.TablePart {
	p := providers.TablePart{ID: "methods", Title: "Ways", Item: "AET-L-2", Columns: []string{"Way", "Kind", "Their word", "Currencies", "The form asks for"}}
	for i, m := range t.Methods {
		var asks []string
		for _, f := range m.Fields {
			asks = append(asks, f.Label)
		}
		p.Rows = append(p.Rows, []providers.TableCell{{Text: m.Title}, {Text: string(m.Kind)}, {Text: m.Code, Key: fmt.Sprintf("methods/%d/code", i)},
			{Text: cmp.Or(strings.Join(m.Assets, ", "), "any")}, {Text: strings.Join(asks, ", ")}})
	}
	return p
}

func (t *Table) rulesPart() providers.TablePart {
	p := providers.TablePart{ID: "rules", Title: "Success and refusals", Item: "AET-L-9", Columns: []string{"Answer", "What follows"}, Note: "anything else means that the outcome is unknown"}
	add := func(answer, follows string) {
		p.Rows = append(p.Rows, []providers.TableCell{{Text: answer}, {Text: follows}})
	}
	success := "HTTP " + strings.Trim(strings.ReplaceAll(fmt.Sprint(t.Success.HTTP), " ", ", "), "[]")
	if len(t.Success.Absent) > 0 {
		success += ", without " + strings.Join(t.Success.Absent, ", ")
	}
	for _, path := range sortedKeys(t.Success.Equals) {
		success += fmt.Sprintf(", %s is %s", path, t.Success.Equals[path])
	}
	add(success, "a success; the answer stands in "+cmp.Or(t.Success.Data, "the whole body"))
	for _, rules := range []struct {
		list    []ErrorRule
		follows string
	}{{t.Errors.Refusals, "refused: nothing was created"}, {t.Errors.Exists, "something with this reference is there already: it is asked about"}, {t.Errors.NotFound, "no such thing"}} {
		for _, r := range rules.list {
			add(strings.TrimSpace(fmt.Sprintf("HTTP %d %s", r.HTTP, r.Code)), strings.TrimSuffix(rules.follows+". "+r.Sentence, ". "))
		}
	}
	add("money", map[string]string{"text": "text in major units", "number": "a number in major units", "minor": "a whole number of minor units"}[t.Amount.As]+
		fmt.Sprintf(", at most %d decimals", t.Amount.Decimals))
	return p
}

func (c *Callback) part() providers.TablePart {
	p := providers.TablePart{ID: "callback", Title: "Callbacks", Item: "AET-L-8", Columns: []string{"What", "Where it stands"}}
	for _, x := range [][3]string{{"kind", "What it is about", c.Kind}, {"id", "Their number", c.ID}, {"reference", "Our reference", c.Reference}, {"status", "Status", c.Status}} {
		if x[2] != "" {
			p.Rows = append(p.Rows, []providers.TableCell{{Text: x[1]}, {Text: x[2], Key: "callback/" + x[0]}})
		}
	}
	for _, theirs := range sortedKeys(c.Kinds) {
		p.Rows = append(p.Rows, []providers.TableCell{{Text: "“" + theirs + "” in its kind"}, {Text: c.Kinds[theirs]}})
	}
	return p
}

// writeTable changes single places of a table's text. Every other byte stays, so that a comparison shows what was changed and nothing else.
func writeTable(text string, cells map[string]string, pairs map[string][]providers.Pair) (string, error) {
	out := []byte(strings.TrimSpace(cmp.Or(strings.TrimSpace(text), string(profileL))))
	for _, key := range sortedKeys(cells) {
		value, err := quoted(cells[key])
		if err != nil {
			return "", err
		}
		if out, err = replaceAt(out, key, []byte(value)); err != nil {
			return "", err
		}
	}
	for _, key := range sortedKeys(pairs) {
		object, err := pairsObject(pairs[key])
		if err != nil {
			return "", err
		}
		if out, err = replaceAt(out, key, object); err != nil {
			return "", err
		}
	}
	return string(out), nil
}

// pairsObject writes pairs as one JSON object in their order. Their words must differ.
func pairsObject(list []providers.Pair) ([]byte, error) {
	var parts []string
	var seen []string
	for _, p := range list {
		if p.Theirs == "" {
			continue
		}
		if slices.Contains(seen, p.Theirs) {
			return nil, models.Errorf(models.Invalid, "The word “%s” is there twice.", clip(p.Theirs))
		}
		seen = append(seen, p.Theirs)
		theirs, err := quoted(p.Theirs)
		if err != nil {
			return nil, err
		}
		ours, err := quoted(p.Ours)
		if err != nil {
			return nil, err
		}
		parts = append(parts, theirs+": "+ours)
	}
	return []byte("{" + strings.Join(parts, ", ") + "}"), nil
}
