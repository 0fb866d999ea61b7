package wupex

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/httpx"
)

// filter is one condition of a search; the value is always a string (section 5).
type filter struct {
	Column   string `json:"column"`
	Operator string `json:"operator"`
	Value    string `json:"value"`
}

// listBody is the body of both list calls; page and size are always sent (WUPEX-PROD-2).
type listBody struct {
	Page        int      `json:"page"`
	PageSize    int      `json:"pageSize"`
	OrderColumn string   `json:"orderColumn,omitempty"`
	Order       string   `json:"order,omitempty"`
	Search      []filter `json:"search,omitempty"`
}

func listCall(op, path string, b listBody) request {
	body, _ := json.Marshal(b) // plain strings and numbers: cannot fail
	return request{op: op, method: http.MethodPost, path: path, body: body}
}

func (c *client) productRequest(page int, productType string) request {
	b := listBody{Page: page, PageSize: c.set.pageSize}
	if productType != "" {
		b.Search = []filter{{"productType", "Equals", productType}}
	}
	return listCall("product.list", "/api/product/merchant/invited/list", b)
}

// listRequest asks for orders, of one reference if it is not empty; ReferenceId is spelled exactly so (WUPEX-IDEM-2).
func (c *client) listRequest(page int, reference, direction string) request {
	b := listBody{Page: page, PageSize: c.set.pageSize, OrderColumn: "orderDate", Order: direction}
	if reference != "" {
		b.Search = []filter{{"ReferenceId", "Equals", reference}}
	}
	return listCall("order.list", "/api/order/list", b)
}

// Products gives every product of the account, each once: there is no stable sort, so pages may overlap (section 5).
func (c *client) Products(ctx context.Context) ([]providers.Product, error) {
	var out []providers.Product
	seen := map[string]bool{}
	for page := 1; page <= maxPages; page++ {
		a, err := c.read(ctx, c.productRequest(page, ""))
		if err := c.failure("its products", a, err); err != nil {
			return nil, err
		}
		list := a.value.Get("data")
		if !list.IsList() {
			return nil, models.Errorf(models.Unavailable, "WUPEX's list of products is not a list.")
		}
		fresh := 0
		for _, v := range list.List() {
			p, ok := c.product(v)
			switch {
			case !ok:
				fresh++ // cannot be ordered; a page of such ends nothing
			case !seen[p.SKU]:
				seen[p.SKU] = true
				out = append(out, p)
				fresh++
			}
		}
		if fresh == 0 || lastPage(a, page) {
			return out, nil
		}
	}
	return nil, models.Errorf(models.Unavailable, "WUPEX's list of products does not end: more than %d pages came.", maxPages)
}

// lastPage reads pageInfo; a list without it has one page.
func lastPage(a answer, asked int) bool {
	total, err := strconv.Atoi(a.value.Get("pageInfo").Get("totalPage").Number())
	return err != nil || asked >= total
}

// product reads one item (WUPEX-PROD-1). An item without a usable SKU cannot be ordered and is left out.
func (c *client) product(v httpx.Value) (providers.Product, bool) {
	p := providers.Product{SKU: v.Get("productCode").Text(), Title: httpx.Say(v.Get("productName").Text(), 200), PriceText: v.Get("price").Number(), Stock: -1}
	if !validSKU(p.SKU) {
		return p, false
	}
	if p.Title == "" {
		p.Title = p.SKU
	}
	enabled, _ := v.Get("enabled").Bool()
	p.Stock = c.stock(v)
	p.Enabled = enabled && p.Stock != 0
	notes := c.productNotes(v)
	price, exact, err := c.money(p.PriceText, decimal.Decimal.RoundCeil)
	switch {
	case err != nil || price.Minor < 0:
		p.Enabled, p.Price = false, models.Money{Asset: c.set.currency}
		notes = append(notes, "the price cannot be read")
	case !exact:
		notes = append(notes, "price rounded up from "+p.PriceText)
	}
	if err == nil {
		p.Price = price
	}
	if !enabled {
		notes = append(notes, "not enabled by WUPEX")
	} else if p.Stock == 0 {
		notes = append(notes, "out of stock")
	}
	p.Note = strings.Join(notes, "; ")
	return p, true
}

// stock is what can be bought now by the chosen rule (WUPEX-PROD-4). balance counts units here, not money (WUPEX-PROD-1).
func (c *client) stock(v httpx.Value) int {
	available, balance := units(v.Get("available")), units(v.Get("balance"))
	switch {
	case c.set.buyable == "available" && available >= 0:
		return available
	case c.set.buyable == "balance" && balance >= 0:
		return balance
	case available < 0:
		return balance
	case balance < 0:
		return available
	}
	return min(available, balance)
}

// units reads a count; -1 when it is not stated. A count with decimals ("12.0") is cut, a negative one is zero.
func units(v httpx.Value) int {
	d, err := models.ParseDecimal(v.Number())
	if err != nil {
		return -1
	}
	return int(max(0, min(d.IntPart(), 1<<31-1)))
}

// productNotes are the figures that are shown raw and never computed with (section 13, 12).
func (c *client) productNotes(v httpx.Value) []string {
	var out []string
	add := func(label, key string) {
		if s := httpx.Say(v.Get(key).Scalar(), 60); s != "" {
			out = append(out, label+s)
		}
	}
	add("", "productType")
	add("limit ", "limit")
	add("redeemed ", "redeemed")
	add("discount rate ", "discountRate")
	if c.set.extraFields { // WUPEX-PROD-3
		add("product id ", "productId")
		add("retail price ", "retailPrice")
		if again, ok := v.Get("previouslyPurchased").Bool(); ok && again {
			out = append(out, "bought before")
		}
	}
	return out
}
