package sandbox

import (
	"html/template"
	"net/http"
	"slices"
	"sort"

	"github.com/shopspring/decimal"
)

// row is one object on the page.
type row struct {
	Kind, Reference, ID, Amount, Status string
	Moves                               []string
}

type view struct {
	Calls     int
	Balances  []string
	Rows      []row
	Sent      []string
	Faults    []string
	Mode      string
	Settling  string
	Kinds     []string
	Hooks     []string
	Operation []string
}

// page shows what the stand-in holds, with buttons for those who want to play the provider.
func (s *Sandbox) page(w http.ResponseWriter) {
	s.mu.Lock()
	v := view{Calls: s.calls, Mode: s.hooks.mode, Settling: s.autosettle, Kinds: faultKinds(), Sent: slices.Clone(s.sent),
		Hooks: []string{"normal", "off", "twice", "before_reply", "reordered", "forged"}, Operation: []string{"payout", "deposit", "refund", "transfer"}}
	for _, f := range s.faults {
		v.Faults = append(v.Faults, f.operation+": "+f.kind)
	}
	v.Balances = append(sums("", s.balances), sums("wallet ", s.wallet)...)
	v.Rows = s.rows()
	s.mu.Unlock()
	slices.Reverse(v.Sent)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	_ = template.Must(template.New("page").Parse(pageText)).Execute(w, v)
}

func sums(prefix string, m map[string]decimal.Decimal) []string {
	var out []string
	for k, d := range m {
		out = append(out, prefix+k+" "+d.StringFixed(2))
	}
	sort.Strings(out)
	return out
}

const pageText = `<!doctype html><html lang="en"><meta charset="utf-8"><title>OneKey, played</title><meta name="viewport" content="width=device-width">
<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1b1b1f;background:#fbfaf7}table{border-collapse:collapse;width:100%}
td,th{padding:.3rem .6rem;border-bottom:1px solid #ddd;text-align:left}form{display:inline}button{font:inherit;padding:.1rem .6rem;margin:.1rem}li{font-family:ui-monospace,monospace;font-size:13px}</style>
<h1>OneKey Payments, played</h1>
<p>A stand-in for OneKey. Nothing here is real money. It has answered {{.Calls}} calls.</p>
<p><b>Balances</b>: {{range .Balances}}{{.}} &nbsp; {{end}}</p>
<h2>Make something go wrong</h2>
<form method="post" action="/_sandbox/fault"><input type="hidden" name="back" value="1"><label>The next <select name="operation">{{range .Operation}}<option>{{.}}</option>{{end}}</select></label>
<label>shall <select name="kind">{{range .Kinds}}<option>{{.}}</option>{{end}}</select></label> <button>Arm</button></form>
{{range .Faults}}<p>Armed: {{.}}</p>{{end}}
<h2>Callbacks</h2>
<form method="post" action="/_sandbox/webhooks"><input type="hidden" name="back" value="1"><label>Mode <select name="mode">{{$m := .Mode}}{{range .Hooks}}<option{{if eq . $m}} selected{{end}}>{{.}}</option>{{end}}</select></label>
<label>Delay, ms <input name="delay_ms" value="0" size="6"></label> <button>Set</button></form>
<ul>{{range .Sent}}<li>{{.}}</li>{{end}}</ul>
<h2>What happens by itself</h2>
<form method="post" action="/_sandbox/autosettle"><input type="hidden" name="back" value="1"><label>Outcome <select name="outcome"><option selected>{{.Settling}}</option><option>succeeded</option><option>mixed</option><option>off</option></select></label>
<label>after, ms <input name="after_ms" value="1500" size="6"></label> <button>Set</button></form>
<h2>What it holds</h2>
<table><tr><th>Kind<th>Reference<th>Number<th>Amount<th>Status<th>Decide</tr>
{{range .Rows}}{{$r := .}}<tr><td>{{.Kind}}<td>{{.Reference}}<td>{{.ID}}<td>{{.Amount}}<td>{{.Status}}<td>
{{range .Moves}}<form method="post" action="/_sandbox/settle"><input type="hidden" name="back" value="1"><input type="hidden" name="reference" value="{{$r.ID}}"><button name="status" value="{{.}}">{{.}}</button></form>{{end}}
<form method="post" action="/_sandbox/resend"><input type="hidden" name="back" value="1"><input type="hidden" name="reference" value="{{.ID}}"><button>send the callback again</button></form></tr>{{end}}</table></html>
`

const payText = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Pay {{.Reference}}</title><meta name="viewport" content="width=device-width">
<style>body{font:16px/1.5 system-ui,sans-serif;margin:3rem auto;max-width:30rem;padding:0 1rem;color:#1b1b1f;background:#fbfaf7}button{font:inherit;padding:.4rem 1rem;margin:.2rem}</style>
<h1>{{.Amount}}</h1><p>OneKey's payment page, played. Reference {{.Reference}}, now {{.Status}}.</p>
<form method="post" action="/_sandbox/settle"><input type="hidden" name="back" value="1"><input type="hidden" name="reference" value="{{.ID}}">
<button name="status" value="paid">Pay</button><button name="status" value="paid_short">Pay too little</button><button name="status" value="cancelled">Cancel</button></form></html>
`

// payPage is where a payer is sent.
func (s *Sandbox) payPage(w http.ResponseWriter, id string) {
	_, d, _ := s.lookup(id)
	if d == nil {
		http.Error(w, "no such deposit", http.StatusNotFound)
		return
	}
	s.mu.Lock()
	r := row{Reference: d.invoice, ID: itoa(d.id), Amount: d.amount.StringFixed(2) + " " + d.currency, Status: d.status}
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	_ = template.Must(template.New("pay").Parse(payText)).Execute(w, r)
}
