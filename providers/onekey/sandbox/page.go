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
	Moves                               []move
}

// move is one button: what it does to an object, and how it reads.
type move struct{ Status, Label string }

// cashoutMoves are what can still become of a cashout, by its status.
func cashoutMoves(status int) []move {
	pay, reject := move{"succeeded", "Pay this cashout"}, move{"failed", "Reject this cashout"}
	switch status {
	case 0:
		return []move{pay, reject, {"held", "Hold it"}, {"cancelled", "Cancel it"}, {"delivered", "Hand it to the bank"}}
	case 4:
		return []move{pay, reject}
	case 5:
		return []move{pay, reject, {"cancelled", "Cancel it"}}
	case 1:
		return []move{{"returned", "Return it: the bank sends it back"}}
	}
	return nil
}

func depositMoves(d *deposit) []move {
	pay := []move{{"paid", "Pay this deposit"}, {"paid_short", "Pay too little"}}
	switch {
	case d.open():
		return append(pay, move{"paid_late", "Pay it after it expired"}, move{"expired", "Let it expire"}, move{"cancelled", "Cancel it"}, move{"failed", "Decline it"})
	case d.status == "EXPIRED":
		return append(pay, move{"cancelled", "Cancel it"})
	case d.status == "CANCELLED":
		return pay
	}
	return nil
}

func refundMoves(status string) []move {
	pay, reject := move{"succeeded", "Pay this refund"}, move{"failed", "Reject this refund"}
	switch status {
	case "PENDING":
		return []move{pay, reject, {"held", "Ask for better bank details"}, {"cancelled", "Cancel it"}, {"delivered", "Hand it to the bank"}}
	case "INCORRECT_DETAILS":
		return []move{pay, reject, {"cancelled", "Cancel it"}}
	case "DELIVERED":
		return []move{pay, reject}
	}
	return nil
}

// choice is one entry of a list to choose from.
type choice struct {
	Value, Label string
	On           bool
}

func faultWords() []choice {
	return []choice{{Value: "lose_reply", Label: "be carried out, and its reply lost"}, {Value: "drop_before", Label: "be dropped unread"}, {Value: "late", Label: "be answered late"},
		{Value: "http_500", Label: "be carried out and answered with 500"}, {Value: "garbage", Label: "be carried out and answered with garbage"},
		{Value: "truncate", Label: "be carried out and its reply cut off"}, {Value: "duplicate", Label: "reach OneKey twice"}, {Value: "lie_amount", Label: "be answered with another amount"},
		{Value: "redirect", Label: "be redirected elsewhere"}}
}

func operationWords() []choice {
	return []choice{{Value: "payout", Label: "cashout"}, {Value: "deposit", Label: "deposit"}, {Value: "refund", Label: "refund"}, {Value: "transfer", Label: "wallet transfer"}}
}

func wordOf(list []choice, value string) string {
	for _, c := range list {
		if c.Value == value {
			return c.Label
		}
	}
	return value
}

// marked are the choices with the one in force marked.
func marked(now string, list ...choice) []choice {
	for i := range list {
		list[i].On = list[i].Value == now
	}
	return list
}

type view struct {
	Calls     int
	Balances  []string
	Rows      []row
	Sent      []string
	Faults    []string
	Kinds     []choice
	Hooks     []choice
	Endings   []choice
	Operation []choice
}

// page shows what the stand-in holds, with buttons for those who want to play the provider.
func (s *Sandbox) page(w http.ResponseWriter) {
	s.mu.Lock()
	v := view{Calls: s.calls, Kinds: faultWords(), Sent: slices.Clone(s.sent), Operation: operationWords(),
		Hooks: marked(s.hooks.mode, choice{"normal", "once", false}, choice{"off", "not at all", false}, choice{"twice", "twice", false}, choice{"before_reply", "before the reply", false},
			choice{"reordered", "in the wrong order", false}, choice{"forged", "forged", false}),
		Endings: marked(s.autosettle, choice{"off", "nothing, until you decide", false}, choice{"succeeded", "all is paid", false}, choice{"mixed", "most is paid, some fails", false})}
	for _, f := range s.faults {
		v.Faults = append(v.Faults, "the next "+wordOf(operationWords(), f.operation)+" shall "+wordOf(faultWords(), f.kind))
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
<form method="post" action="/_sandbox/fault"><input type="hidden" name="back" value="1"><label>The next <select name="operation">{{range .Operation}}<option value="{{.Value}}">{{.Label}}</option>{{end}}</select></label>
<label>shall <select name="kind">{{range .Kinds}}<option value="{{.Value}}">{{.Label}}</option>{{end}}</select></label> <button>Arm</button></form>
{{range .Operation}}<form method="post" action="/_sandbox/fault"><input type="hidden" name="back" value="1"><input type="hidden" name="operation" value="{{.Value}}"><input type="hidden" name="kind" value="lose_reply"><button>Lose the reply to the next {{.Label}}</button></form> {{end}}
{{range .Faults}}<p>Armed: {{.}}</p>{{end}}
<h2>Callbacks</h2>
<form method="post" action="/_sandbox/webhooks"><input type="hidden" name="back" value="1"><label>Send them <select name="mode">{{range .Hooks}}<option value="{{.Value}}"{{if .On}} selected{{end}}>{{.Label}}</option>{{end}}</select></label>
<label>Delay, ms <input name="delay_ms" value="0" size="6"></label> <button>Set</button></form>
<ul>{{range .Sent}}<li>{{.}}</li>{{end}}</ul>
<h2>What happens by itself</h2>
<form method="post" action="/_sandbox/autosettle"><input type="hidden" name="back" value="1"><label>What happens <select name="outcome">{{range .Endings}}<option value="{{.Value}}"{{if .On}} selected{{end}}>{{.Label}}</option>{{end}}</select></label>
<label>after, ms <input name="after_ms" value="1500" size="6"></label> <button>Set</button></form>
<h2>What it holds</h2>
<table><tr><th>Kind<th>Reference<th>Number<th>Amount<th>Status<th></tr>
{{range .Rows}}{{$r := .}}<tr><td>{{.Kind}}<td>{{.Reference}}<td>{{.ID}}<td>{{.Amount}}<td>{{.Status}}<td>
{{range .Moves}}<form method="post" action="/_sandbox/settle"><input type="hidden" name="back" value="1"><input type="hidden" name="reference" value="{{$r.ID}}"><button name="status" value="{{.Status}}">{{.Label}}</button></form>{{end}}
<form method="post" action="/_sandbox/resend"><input type="hidden" name="back" value="1"><input type="hidden" name="reference" value="{{.ID}}"><button>Send its callback again</button></form></tr>{{else}}<tr><td colspan="6">Nothing was asked for yet.</td></tr>{{end}}</table></html>
`

const payText = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Pay {{.Reference}}</title><meta name="viewport" content="width=device-width">
<style>body{font:16px/1.5 system-ui,sans-serif;margin:3rem auto;max-width:30rem;padding:0 1rem;color:#1b1b1f;background:#fbfaf7}button{font:inherit;padding:.4rem 1rem;margin:.2rem}</style>
<h1>{{.Amount}}</h1><p>OneKey's payment page, played. Reference {{.Reference}}, now {{.Status}}.</p>
<form method="post" action="/_sandbox/settle"><input type="hidden" name="back" value="1"><input type="hidden" name="reference" value="{{.ID}}">
{{range .Moves}}<button name="status" value="{{.Status}}">{{.Label}}</button>{{else}}There is nothing left to do here.{{end}}</form></html>
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
	for _, m := range depositMoves(d) {
		if m.Status == "paid" || m.Status == "paid_short" || m.Status == "cancelled" {
			r.Moves = append(r.Moves, m)
		}
	}
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	_ = template.Must(template.New("pay").Parse(payText)).Execute(w, r)
}
