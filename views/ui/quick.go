package ui

import (
	"context"
	"io"
	"strings"

	"github.com/a-h/templ"
)

// The pieces of a list's row are written in Go and not in templ: a page of 50
// rows holds 400 cells, and generated code formats every string and every class
// list through reflection. Measured, a list of 50 rows is drawn almost five times
// faster this way. Everything else in the kit is templ.

// pen writes markup and keeps the first error.
type pen struct {
	ctx context.Context
	w   io.Writer
	err error
}

func quick(draw func(*pen)) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		o := pen{ctx: ctx, w: w}
		draw(&o)
		return o.err
	})
}

// raw writes our own markup. Nothing that comes from outside may pass here.
func (o *pen) raw(markup string) {
	if o.err == nil {
		_, o.err = io.WriteString(o.w, markup)
	}
}

// text writes words of any origin.
func (o *pen) text(words string) { o.raw(templ.EscapeString(words)) }

// attr writes one attribute with its value escaped; nothing for an empty value.
func (o *pen) attr(name, value string) {
	if value == "" {
		return
	}
	o.raw(" ")
	o.raw(name)
	o.raw(`="`)
	o.text(value)
	o.raw(`"`)
}

// class writes a class attribute of the names that are not empty.
func (o *pen) class(names ...string) {
	open := false
	for _, n := range names {
		switch {
		case n == "":
			continue
		case !open:
			o.raw(` class="`)
			open = true
		default:
			o.raw(" ")
		}
		o.text(n)
	}
	if open {
		o.raw(`"`)
	}
}

func (o *pen) span(class, words string) {
	o.raw("<span")
	o.class(class)
	o.raw(">")
	o.text(words)
	o.raw("</span>")
}

func (o *pen) link(href, words string) {
	o.raw("<a")
	o.attr("href", string(templ.URL(href)))
	o.raw(">")
	o.text(words)
	o.raw("</a>")
}

func (o *pen) draw(c templ.Component) {
	if o.err == nil {
		o.err = c.Render(o.ctx, o.w)
	}
}

// StatusChip is a dot and a word.
func StatusChip(p StatusParams) templ.Component {
	return quick(func(o *pen) {
		o.raw("<span")
		o.class("status", string(p.Tone), when(p.Hollow, "hollow"), when(p.Large, "large"))
		o.raw("><span>")
		o.text(p.Word)
		if p.Theirs != "" {
			o.raw(" ")
			o.span("theirs", p.Theirs)
		}
		o.raw("</span></span>")
	})
}

// Money shows an amount with its code after it.
func Money(p MoneyParams) templ.Component {
	return quick(func(o *pen) {
		o.raw("<span")
		o.class("money", p.Size, when(p.Strong, "strong"), when(p.Struck, "struck"))
		o.raw(">")
		if p.Direction != "" {
			o.span("sr", p.Direction)
			o.raw(" ")
		}
		o.span("amount", p.amount())
		o.raw(" ")
		switch { // a note says why there is no code; the place of one is kept, so that figures stay below one another
		case p.Code == "" && p.Note != "":
			o.raw(`<span class="code"></span>`)
		default:
			o.span("code", or(p.Code, "—"))
		}
		if p.Network != "" {
			o.raw(" ")
			o.span("net", p.Network)
		}
		o.raw("</span>")
		if p.Note != "" {
			o.raw(" ")
			o.draw(Badge(BadgeParams{Text: p.Note, Tone: Wait}))
		}
	})
}

// Time writes an instant exactly, for machines too.
func Time(p TimeParams) templ.Component {
	return quick(func(o *pen) {
		if p.At.IsZero() {
			o.span("soft", "—")
			return
		}
		o.raw("<time")
		o.attr("datetime", p.At.UTC().Format("2006-01-02T15:04:05.999Z07:00")) // HTML knows thousandths at most
		o.attr("title", p.local().Format("2006-01-02 15:04:05")+" "+ZoneName(p.At, p.Zone))
		o.raw(">")
		o.text(p.text())
		if p.Form == TimeFull {
			o.raw(" ")
			o.span("zone", ZoneName(p.At, p.Zone))
		}
		if !p.Now.IsZero() {
			o.raw(" ")
			o.span("rel", "("+Relative(p.At, p.Now)+")")
		}
		o.raw("</time>")
	})
}

// Ref shows a reference and a button that copies it.
func Ref(p RefParams) templ.Component {
	return quick(func(o *pen) {
		if p.Text == "" {
			o.span("soft", "none yet")
			return
		}
		o.raw(`<span class="ref">`)
		if p.Href != "" {
			o.link(p.Href, p.Text)
		} else {
			o.span("", p.Text)
		}
		if !p.NoCopy {
			o.draw(Copy(or(p.Copy, p.Text), "Copy "+or(p.What, "reference")))
		}
		o.raw("</span>")
	})
}

func tableRow(p TableParams, r Row) templ.Component {
	return quick(func(o *pen) {
		o.raw("<tr")
		o.class(when(r.Here, "here"))
		o.attr("id", r.ID)
		if r.Href != "" {
			o.attr("data-href", string(templ.URL(r.Href)))
			// Below the row's own address the rest is enough: a list has fifty of these, and each address is random.
			o.attr("data-peek", strings.TrimPrefix(string(templ.URL(or(r.PeekHref, r.Href))), string(templ.URL(r.Href))+"/"))
		}
		o.attr("data-ref", r.Copy)
		if len(r.Attrs) > 0 && o.err == nil {
			o.err = templ.RenderAttributes(o.ctx, o.w, r.Attrs)
		}
		o.raw(">")
		if p.Select != "" {
			o.tick(p, r)
		}
		for i, c := range r.Cells {
			o.cell(columnAt(p.Columns, i), c)
		}
		o.raw("</tr>")
	})
}

func (o *pen) tick(p TableParams, r Row) {
	o.raw(`<td class="tick"><input type="checkbox"`)
	o.attr("name", p.Select)
	o.attr("value", r.Value)
	if r.Selected {
		o.raw(" checked")
	}
	o.attr("aria-label", "Select "+or(r.Label, r.Value))
	o.attr("form", p.SelectForm)
	o.raw("></td>")
}

func tableCell(col Column, c Cell) templ.Component {
	return quick(func(o *pen) { o.cell(col, c) })
}

func (o *pen) cell(col Column, c Cell) {
	tag := "td"
	if c.Head {
		tag = "th"
	}
	o.raw("<" + tag)
	if c.Head {
		o.raw(` scope="row"`)
	}
	empty := c.Content == nil && c.Text == "" && c.Sub == ""
	o.class(string(col.Kind), string(col.Narrow), when(empty, "void"))
	if !col.Hidden {
		o.attr("data-label", col.Label)
	}
	o.raw(">")
	switch {
	case c.Content != nil:
		o.raw("<span>")
		o.draw(c.Content)
		o.raw("</span>")
	case c.Href != "":
		o.link(c.Href, c.Text)
	case c.Text != "":
		o.span("", c.Text)
	}
	if c.Sub != "" {
		o.span("sub", c.Sub)
	}
	o.raw("</" + tag + ">")
}
