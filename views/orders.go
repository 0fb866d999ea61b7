package views

import (
	"fmt"
	"net/url"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/views/ui"
)

// OrderParams is the way from the catalogue to an order: choose a product, say how many, review, confirm.
type OrderParams struct {
	MakeParams
	Products []providers.Product
	All      int    // products before the search
	Search   string // as typed
	Trouble  string // why the catalogue cannot be shown
	SKU      string
	Product  *providers.Product // the chosen one
	Quantity string             // as typed
	Count    int                // as read
	Rounded  bool               // the total was rounded up
}

// shelfShown is how many products one page shows; the search finds the others.
const shelfShown = 200

func (p OrderParams) shelfLink(sku string) string {
	q := url.Values{"credential": {p.Credential.ID}, "method": {p.Method.ID}}
	if sku != "" {
		q.Set("sku", sku)
		if p.Quantity != "" {
			q.Set("quantity", p.Quantity)
		}
	} else if p.Search != "" {
		q.Set("q", p.Search)
	}
	return "/orders/new?" + q.Encode()
}

func (p OrderParams) orderSteps(current int) ui.StepperParams {
	return ui.StepperParams{Steps: []string{"Product", "Quantity", "Review", "Approval"}, Current: current}
}

// priceOf writes a price; a currency that the provider does not state is said to be so.
func priceOf(m models.Money) ui.MoneyParams {
	out := ui.MoneyParams{Amount: m.Figure(), Code: code(m.Asset)}
	if m.Asset == models.Unstated {
		out.Note = "currency not stated"
	}
	return out
}

func stockText(n int) string {
	if n < 0 {
		return "not stated"
	}
	return ui.Count(int64(n))
}

func (p OrderParams) shelf() ui.TableParams {
	t := ui.TableParams{ID: "products", Caption: "Products", Stacks: true, Keys: true, Columns: []ui.Column{{Label: "Product", Narrow: ui.LeadWhenNarrow}, {Label: "Price", Kind: ui.NumberColumn, Narrow: ui.LeadWhenNarrow},
		{Label: "Stock", Kind: ui.NumberColumn}, {Label: "Can be ordered"}, {Label: "Said by " + p.Provider.Short, Kind: ui.WaitColumn}},
		Empty: ui.EmptyParams{Icon: ui.IconInbox, Title: "No product fits", Text: "Search by a part of the name or of the SKU, or clear the search."}}
	if p.All == 0 {
		t.Empty = ui.EmptyParams{Icon: ui.IconInbox, Title: "The catalogue is empty", Text: p.Provider.Short + " lists no product for this account."}
	}
	for i := range p.Products {
		if i == shelfShown {
			break
		}
		x := &p.Products[i]
		name := ui.Cell{Text: x.Title, Sub: x.SKU, Head: true}
		status := ui.StatusParams{Tone: ui.Ok, Word: "Enabled"}
		r := ui.Row{Copy: x.SKU, Label: x.Title}
		if why := x.WhyNot(1); why != "" || x.Price.Minor <= 0 {
			status = ui.StatusParams{Tone: ui.Idle, Word: orElse(why, "It has no price."), Hollow: true}
		} else {
			r.Href = p.shelfLink(x.SKU)
			name.Href = r.Href
		}
		price := ui.Is(ui.Money(priceOf(x.Price)))
		r.Cells = []ui.Cell{name, price, ui.Text(stockText(x.Stock)), ui.Is(ui.StatusChip(status)), ui.Text(x.Note)}
		t.Rows = append(t.Rows, r)
	}
	return t
}

func (p OrderParams) shown() string {
	n := len(p.Products)
	if n > shelfShown {
		return fmt.Sprintf("The first %d of %s products; search to see the others.", shelfShown, ui.Count(int64(n)))
	}
	if n < p.All {
		return fmt.Sprintf("%s of %s products fit the search.", ui.Count(int64(n)), ui.Count(int64(p.All)))
	}
	return ui.Count(int64(p.All)) + " products"
}

func (p OrderParams) article() []ui.Term {
	x := p.Product
	terms := []ui.Term{{Label: "Product", Text: x.Title}, {Label: "SKU", Content: ui.Ref(ui.RefParams{Text: x.SKU, What: "the SKU"})},
		{Label: "Price of one", Content: ui.Money(priceOf(x.Price)), Sub: p.priceSub()}, {Label: "In stock", Text: stockText(x.Stock)}}
	if x.Country != "" {
		terms = append(terms, ui.Term{Label: "Country", Text: x.Country})
	}
	if x.Note != "" {
		terms = append(terms, ui.Term{Label: "Said by " + p.Provider.Short, Text: x.Note})
	}
	return terms
}

// priceSub is the provider's own figure where it has more digits than the price.
func (p OrderParams) priceSub() string {
	if t := p.Product.PriceText; t != "" && t != p.Product.Price.Plain() {
		return p.Provider.Short + " says " + t
	}
	return ""
}

func (p OrderParams) orderFacts() []ui.Term {
	total := p.Amount.String()
	how := fmt.Sprintf("%s × %d", orElse(p.Product.PriceText, p.Product.Price.Plain()), p.Count)
	if p.Rounded {
		how += ", rounded up"
	}
	terms := []ui.Term{{Label: "By", Text: p.Credential.Name, Sub: p.Provider.Title}, {Label: "Quantity", Text: ui.Count(int64(p.Count))}, {Label: "Total", Text: total, Sub: how}}
	if p.Sub.ID != "" {
		terms = append(terms, ui.Term{Label: "Sub-account", Text: p.Sub.Name, Sub: p.Sub.Company})
	}
	if p.Before != "" {
		terms = append(terms, ui.Term{Label: "Balance now", Text: p.Before}, ui.Term{Label: "After this", Text: p.After})
	} else {
		terms = append(terms, ui.Term{Label: "Balance now", Text: "not known in this currency"})
	}
	terms = append(terms, ui.Term{Label: "Who must agree", Text: p.Policy.Sentence()})
	if f := p.Provider.Passport.Finality; f != "" {
		terms = append(terms, ui.Term{Label: "Finality", Text: f})
	}
	if p.Form.Note != "" {
		terms = append(terms, ui.Term{Label: "Comment", Text: p.Form.Note})
	}
	return terms
}

func (p OrderParams) orderHidden(review bool) []ui.Hidden {
	out := []ui.Hidden{{Name: "credential", Value: p.Credential.ID}, {Name: "method", Value: p.Method.ID}, {Name: "sku", Value: p.SKU}, p.hiddenSub()}
	if review {
		out = append(out, ui.Hidden{Name: "quantity", Value: p.Quantity}, ui.Hidden{Name: "note", Value: p.Form.Note}, ui.Hidden{Name: "token", Value: p.Token},
			ui.Hidden{Name: "amount", Value: p.Amount.Plain()}, ui.Hidden{Name: "asset", Value: p.Amount.Asset})
	}
	return out
}

func (p OrderParams) orderVerb() string {
	what := fmt.Sprintf("the order of %s × %d for %s", p.Product.Title, p.Count, p.Amount)
	if p.Policy.Approvers == 0 {
		return "Place " + what + " now"
	}
	return "Submit " + what + " for approval"
}
