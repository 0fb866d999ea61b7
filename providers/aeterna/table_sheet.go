package aeterna

import (
	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// rows turns a payload into a table of text.
func (s SheetRule) rows(v httpx.Value) (providers.Sheet, error) {
	out := providers.Sheet{}
	if s.List == "" {
		out.Columns = append(out.Columns, "")
	}
	for _, c := range s.Columns {
		out.Columns = append(out.Columns, c.Label)
	}
	line := func(label []string, v httpx.Value) bool {
		if !v.IsObject() {
			return false
		}
		for _, c := range s.Columns {
			label = append(label, httpx.Say(scalarText(at(v, c.Path)), 200))
		}
		out.Rows = append(out.Rows, label)
		return true
	}
	bad := models.Errorf(models.Unavailable, "The answer does not have the shape that the operation table says.")
	if s.List != "" {
		list := at(v, s.List)
		if !list.IsList() {
			return out, bad
		}
		for _, x := range list.List() {
			if !line(nil, x) {
				return out, bad
			}
		}
		return out, nil
	}
	for _, r := range s.Rows {
		if !line([]string{r.Label}, at(v, r.Path)) {
			return out, bad
		}
	}
	return out, nil
}

// balances reads balances. A figure that cannot be kept exactly makes the whole answer unusable: half a balance is worse than none.
func (t *Table) balances(b BalanceRule, v httpx.Value) ([]providers.Balance, error) {
	list := []httpx.Value{v}
	if b.List != "" {
		if !at(v, b.List).IsList() {
			return nil, models.Errorf(models.Unavailable, "The balance answer has no list where the operation table says.")
		}
		list = at(v, b.List).List()
	}
	var out []providers.Balance
	for _, x := range list {
		one, err := t.balance(b, x)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func (t *Table) balance(b BalanceRule, v httpx.Value) (providers.Balance, error) {
	out := providers.Balance{Account: b.Account, Mark: providers.Assumed, Text: at(v, b.Available).Scalar()}
	if b.Named != "" {
		out.Account = httpx.Say(at(v, b.Named).Scalar(), 60)
	}
	asset := models.Unstated
	if b.Currency != "" {
		asset = at(v, b.Currency).Text()
	}
	available, err := t.money(out.Text, asset)
	if err != nil {
		return out, models.Errorf(models.Unavailable, "The balance “%s %s” cannot be kept exactly: %s", clip(out.Text), clip(asset), err.Error())
	}
	out.Available = available
	switch {
	case b.Total != "":
		out.Total, err = t.money(at(v, b.Total).Scalar(), asset)
	case b.Held != "":
		var held models.Money
		if held, err = t.money(at(v, b.Held).Scalar(), asset); err == nil {
			out.Total, err = available.Add(held)
		}
	}
	if err != nil {
		return out, models.Errorf(models.Unavailable, "The held or total balance cannot be kept exactly: %s", err.Error())
	}
	return out, nil
}
