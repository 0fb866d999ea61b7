package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// control serves what tests, the demo and people use: see providers.SandboxHandler for the paths. Further ones here:
//
//	GET  /_sandbox/requests   the record of requests
//	POST /_sandbox/set        form: name=…, value=…    a setting of Options, while running
//	POST /_sandbox/stock      form: sku=…, stock=N
//	POST /_sandbox/balance    form: balance=…, credit=…
func (s *Sandbox) control(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/_sandbox")
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		s.controlRead(w, path)
		return
	}
	if r.Method != http.MethodPost {
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	if said := s.act(path, r.PostForm.Get); said != "" {
		http.Error(w, said, http.StatusUnprocessableEntity)
		return
	}
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Redirect(w, r, "/_sandbox/", http.StatusSeeOther)
		return
	}
	writeJSON(w, map[string]any{"ok": true})
}

func (s *Sandbox) controlRead(w http.ResponseWriter, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch path {
	case "", "/":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_ = s.page.Execute(w, s.view())
	case "/executions":
		writeJSON(w, s.runs)
	case "/requests":
		writeJSON(w, s.log)
	default:
		http.Error(w, "no such control", http.StatusNotFound)
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// act carries out one control; a text says why it cannot.
func (s *Sandbox) act(path string, form func(string) string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch path {
	case "/fault":
		return s.addFault(form)
	case "/settle":
		return s.settle(form("reference"), form("status"))
	case "/webhooks": // WUPEX-WH-1: there are none, so every mode is already in force
		return ""
	case "/clock":
		n, err := strconv.Atoi(form("advance_seconds"))
		if err != nil || n < 0 {
			return "advance_seconds must be a number of seconds"
		}
		s.offset += time.Duration(n) * time.Second
		return ""
	case "/autosettle":
		n, err := strconv.Atoi(orZero(form("after_ms")))
		outcome := form("outcome")
		if err != nil || n < 0 || outcome != "mixed" && outcome != "succeeded" && outcome != "off" {
			return "after_ms must be a number and outcome mixed, succeeded or off"
		}
		s.auto = autosettle{after: time.Duration(n) * time.Millisecond, outcome: outcome}
		return ""
	}
	return s.arrange(path, form)
}

func orZero(v string) string {
	if v == "" {
		return "0"
	}
	return v
}

func (s *Sandbox) addFault(form func(string) string) string {
	times, err := strconv.Atoi(form("times"))
	if form("times") == "" {
		times, err = 1, nil
	}
	delay, err2 := strconv.Atoi(orZero(form("delay_ms")))
	if err != nil || err2 != nil || times < 0 || form("operation") == "" || form("kind") == "" {
		return "operation, kind and times are needed"
	}
	if delay == 0 {
		delay, err = strconv.Atoi(s.settings["late_ms"])
	}
	if delay == 0 || err != nil {
		delay = 2000
	}
	s.faults = slices.DeleteFunc(s.faults, func(f *fault) bool { return f.left <= 0 })
	s.faults = append(s.faults, &fault{path: pathOf(form("operation")), kind: form("kind"), left: times, delay: time.Duration(delay) * time.Millisecond})
	return ""
}

// settle releases the codes of an order: all of them, one too few (paid_short, partial) or one too many (surplus). WUPEX has no order
// that fails after it was taken.
func (s *Sandbox) settle(reference, status string) string {
	found := false
	for _, o := range s.orders {
		if o.reference != reference && o.name != reference {
			continue
		}
		found = true
		switch status {
		case "succeeded", "paid", "paid_late":
			o.missing, o.surplus = 0, 0
		case "paid_short", "partial":
			if o.missing == 0 && !o.ready.IsZero() && !s.now().Before(o.ready) {
				return "the codes of this order are out; none can be taken back"
			}
			o.missing, o.surplus = 1, 0
		case "surplus":
			o.missing, o.surplus = 0, 1
		default:
			return "an order at WUPEX cannot become " + status
		}
		o.ready = s.now()
	}
	if !found {
		return "no order with this reference"
	}
	return ""
}

func faultWords() map[string]string {
	return map[string]string{"lose_reply": "Lose the reply", "http_500": "Answer 500 after selling", "http_500_before": "Answer 500 before selling",
		"drop_before": "Drop the connection before selling", "late": "Answer late", "garbage": "Answer garbage", "html_403": "Block it like a firewall",
		"lie_amount": "Lie about the amount", "http_429": "Answer 429"}
}

func turnWords() map[string]string {
	return map[string]string{"succeeded": "Give all codes out", "partial": "Keep one back", "surplus": "Give one too many"}
}

// view is what the page shows.
type view struct {
	Balance, Credit string
	Products        []product
	Orders          []orderView
	Log             []logged
	Merchant        string
	Armed           []string
	Auto            string
}

type orderView struct {
	Name, Reference, Total, What, Codes string
	Times                               int
	Turns                               []string // what can still be done with its codes
}

func (s *Sandbox) view() view {
	v := view{Balance: s.balance.StringFixed(2), Credit: s.credit.StringFixed(2), Merchant: s.merchant, Auto: map[bool]string{true: "held back", false: "given out"}[s.auto.outcome == "off"]}
	for _, f := range s.faults {
		if f.left > 0 {
			v.Armed = append(v.Armed, faultWords()[f.kind])
		}
	}
	for _, p := range s.products {
		v.Products = append(v.Products, *p)
	}
	for i := len(s.orders) - 1; i >= 0 && len(v.Orders) < 50; i-- {
		o := s.orders[i]
		x := orderView{Name: o.name, Reference: o.reference, Total: o.total.String(), Codes: "out", Times: s.runs[o.reference]}
		x.Turns = []string{"succeeded", "partial", "surplus"}
		switch {
		case o.ready.IsZero() || s.now().Before(o.ready):
			x.Codes = "held back"
		case o.missing > 0:
			x.Codes, x.Turns = "one missing", []string{"succeeded", "surplus"}
		case o.surplus > 0:
			x.Codes, x.Turns = "one too many", nil // none can be taken back
		default:
			x.Turns = []string{"surplus"}
		}
		for _, l := range o.lines {
			x.What += strconv.Itoa(len(l.serials)) + " × " + l.product.Name + " "
		}
		v.Orders = append(v.Orders, x)
	}
	for i := len(s.log) - 1; i >= 0 && len(v.Log) < 30; i-- {
		v.Log = append(v.Log, s.log[i])
	}
	return v
}

const pageText = `<!doctype html><html lang="en"><meta charset="utf-8"><title>WUPEX stand-in</title>
<meta name="viewport" content="width=device-width"><style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1d2330}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #dde1e8;vertical-align:top}
form{display:inline}button{font:inherit;padding:.2rem .6rem;margin:.1rem}.n{text-align:right;font-variant-numeric:tabular-nums}</style>
<h1>WUPEX stand-in</h1><p>This plays WUPEX on this machine. No real stock, no real money. Merchant code: <b>{{.Merchant}}</b>.</p>
<p>Balance <b>{{.Balance}}</b>, credit <b>{{.Credit}}</b>. WUPEX does not state a currency, so neither does this page.</p>
<h2>What shall happen to the next order</h2>
{{range $k, $t := faults}}<form method="post" action="/_sandbox/fault"><input type="hidden" name="operation" value="order"><input type="hidden" name="kind" value="{{$k}}"><button>{{$t}}</button></form>{{end}}
{{range .Armed}}<p><b>Armed:</b> {{.}}</p>{{end}}
<p>Codes of new orders are <b>{{.Auto}}</b>. <form method="post" action="/_sandbox/autosettle"><input type="hidden" name="outcome" value="off"><button>Hold codes back from now on</button></form>
<form method="post" action="/_sandbox/autosettle"><input type="hidden" name="outcome" value="succeeded"><button>Give codes out at once</button></form>
WUPEX sends no webhooks, so there is none to send twice.</p>
<h2>Orders</h2><table><tr><th>Order<th>Reference<th>What<th class="n">Total<th>Codes<th class="n">Bought for this reference<th></tr>
{{range .Orders}}<tr><td>{{.Name}}<td>{{.Reference}}<td>{{.What}}<td class="n">{{.Total}}<td>{{.Codes}}<td class="n">{{.Times}}<td>
{{$n := .Name}}{{range .Turns}}<form method="post" action="/_sandbox/settle"><input type="hidden" name="reference" value="{{$n}}"><input type="hidden" name="status" value="{{.}}"><button>{{turn .}}</button></form>{{end}}
{{else}}<tr><td colspan="7">No orders yet.{{end}}</table>
<h2>Products</h2><table><tr><th>SKU<th>Name<th>Type<th class="n">Price<th class="n">Stock<th>Enabled</tr>
{{range .Products}}<tr><td>{{.Code}}<td>{{.Name}}<td>{{.Type}}<td class="n">{{.Price}}<td class="n">{{.Stock}}<td>{{.Enabled}}{{end}}</table>
<h2>Last requests</h2><table><tr><th>When<th>Call<th class="n">Answer</tr>{{range .Log}}<tr><td>{{.At}}<td>{{.Method}} {{.Path}}?{{.Query}}<td class="n">{{.Status}}{{else}}<tr><td colspan="3">None yet.{{end}}</table></html>`
