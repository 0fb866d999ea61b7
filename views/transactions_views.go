package views

import (
	"strings"

	"countinghouse/views/ui"
)

// tabs lead between the lists by kind, keeping the other filters.
func (p TransactionsParams) tabs() []ui.Tab {
	q := p.Filter.Query()
	q.Del("kind")
	tail := ""
	if len(q) > 0 {
		tail = "?" + q.Encode()
	}
	out := []ui.Tab{}
	for _, t := range []struct{ label, path string }{{"All", "/transactions"}, {"Payouts", "/payouts"}, {"Deposits", "/deposits"}, {"Refunds", "/refunds"}, {"Conversions", "/conversions"}, {"Orders", "/orders"}} {
		out = append(out, ui.Tab{Label: t.label, Href: t.path + tail, Active: p.Base == t.path})
	}
	return out
}

// viewName names the saved view that is shown, if it is one.
func (p TransactionsParams) viewName() string {
	for _, v := range p.Views {
		if v.Base == p.Base && v.Query == p.ownQuery() {
			return "View: " + v.Name + " · "
		}
	}
	return ""
}

// ownQuery is the filter as a view keeps it.
func (p TransactionsParams) ownQuery() string {
	_, q, _ := strings.Cut(p.query(nil), "?")
	return q
}

// viewItems are the saved views, and what removes one's own.
func (p TransactionsParams) viewItems() []ui.MenuItem {
	var out []ui.MenuItem
	for _, v := range p.Views {
		href := v.Base
		if v.Query != "" {
			href += "?" + v.Query
		}
		end := ""
		if v.Shared && !v.Mine {
			end = "by " + v.By
		} else if v.Shared {
			end = "shared"
		}
		out = append(out, ui.MenuItem{Label: v.Name, Href: href, Icon: ui.IconBookmark, End: end, Active: v.Base == p.Base && v.Query == p.ownQuery()})
	}
	line := len(out) > 0
	for _, v := range p.Views {
		if v.Mine {
			out = append(out, ui.MenuItem{Label: "Remove “" + v.Name + "”", Action: "/views/" + v.ID + "/delete", Hidden: []ui.Hidden{{Name: "back", Value: p.query(nil)}}, Icon: ui.IconTrash2, Line: line})
			line = false
		}
	}
	return out
}

func (p TransactionsParams) columnOptions() []ui.Option {
	if len(p.Columns) == 0 {
		p.Columns = DefaultColumns
	}
	var out []ui.Option
	for _, c := range TransactionColumns {
		out = append(out, ui.Option{Value: c[0], Label: c[1], Selected: p.shows(c[0])})
	}
	return out
}
