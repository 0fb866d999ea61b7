package sandbox

import (
	"bytes"
	"html/template"
	"net/http"
)

const pageTemplate = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Aeterna stand-in</title>
<meta name="viewport" content="width=device-width"><style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd}form{display:inline}button{font:inherit}
.n{text-align:right;font-variant-numeric:tabular-nums}</style></head><body>
<h1>Aeterna stand-in</h1><p>It plays Aeterna for tests and the demo. Signing and callbacks follow the documentation; paths, fields and statuses are profile L, a guess.</p>
<p>Available <strong>{{.Available}} USDT</strong>, on hold {{.Hold}} USDT. Callbacks: {{.Mode}}. Clock moved by {{.Offset}}.</p>
<h2>What goes wrong next</h2>
{{range .Faults}}<form method="post" action="/_sandbox/fault"><input type="hidden" name="operation" value="{{.Operation}}"><input type="hidden" name="kind" value="{{.Kind}}"><button>{{.Label}}</button></form> {{end}}
{{range .Armed}}<p><strong>Armed:</strong> {{.}}</p>{{end}}
{{range .Modes}}<form method="post" action="/_sandbox/webhooks"><input type="hidden" name="mode" value="{{.Kind}}"><button>{{.Label}}</button></form> {{end}}
<form method="post" action="/_sandbox/clock"><input type="hidden" name="advance_seconds" value="300"><button>Move the clock on by five minutes</button></form>
{{if .Back}}<form method="post" action="/_sandbox/clock"><input type="hidden" name="advance_seconds" value="{{.Back}}"><button>Put the clock right again</button></form>{{end}}
{{range .Endings}}<form method="post" action="/_sandbox/autosettle"><input type="hidden" name="outcome" value="{{.Kind}}"><button>{{.Label}}</button></form> {{end}}
<p>What nobody decides: {{.Ending}}.</p>
<h2>PayIns and PayOuts</h2><table><thead><tr><th>Kind</th><th>Reference</th><th>Number</th><th>To or from</th><th class="n">Amount</th><th>Status</th><th></th></tr></thead><tbody>
{{range .Orders}}<tr><td>{{.Kind}}</td><td>{{.Reference}}</td><td>{{.ID}}</td><td>{{.Who}}</td><td class="n">{{.Amount}} {{.Currency}}</td><td>{{.Status}}</td><td>
{{$ref := .Reference}}{{range .Actions}}<form method="post" action="/_sandbox/settle"><input type="hidden" name="reference" value="{{$ref}}"><input type="hidden" name="status" value="{{.Kind}}"><button>{{.Label}}</button></form> {{end}}
<form method="post" action="/_sandbox/again"><input type="hidden" name="reference" value="{{$ref}}"><button>Send its callback twice</button></form></td></tr>
{{else}}<tr><td colspan="7">Nothing was asked for yet.</td></tr>{{end}}</tbody></table></body></html>`

type button struct{ Operation, Kind, Label string }

type row struct {
	Kind, Reference, ID, Who, Amount, Currency, Status string
	Actions                                            []button
}

// page shows people what the stand-in holds, newest first, at most two hundred.
func (s *Sandbox) page(w http.ResponseWriter) {
	s.mu.Lock()
	v := map[string]any{"Available": s.available.text(), "Hold": s.hold.text(), "Mode": s.hooks.mode, "Offset": s.offset.String(), "Back": int(-s.offset.Seconds()),
		"Ending":  map[string]string{"off": "waits", "succeeded": "is paid", "mixed": "is mostly paid, sometimes fails or expires"}[s.settleAs],
		"Endings": []button{{"", "off", "From now on nothing is decided by itself"}, {"", "succeeded", "From now on all is paid by itself"}, {"", "mixed", "From now on some fail"}},
		"Faults": []button{{"deposit", "lose_reply", "Lose the reply to the next PayIn"}, {"payout", "lose_reply", "Lose the reply to the next PayOut"},
			{"payout", "drop_before", "Drop the next PayOut unread"}, {"payout", "late", "Answer the next PayOut late"}, {"payout", "lie_amount", "Lie about the next PayOut's amount"},
			{"dispute", "lose_reply", "Lose the reply to the next dispute"}, {"dispute", "drop_before", "Drop the next dispute unread"}},
		"Modes": []button{{"", "normal", "Send callbacks normally"}, {"", "twice", "Send every callback twice"}, {"", "forged", "Forge callbacks"}, {"", "off", "Send no callbacks"}}}
	var armed []string
	for _, f := range s.faults {
		armed = append(armed, f.operation+", "+f.kind)
	}
	v["Armed"] = armed
	var rows []row
	for i := len(s.list) - 1; i >= 0 && len(rows) < 200; i-- {
		o := s.list[i]
		rows = append(rows, row{o.kind, o.reference, o.id, o.who, o.amount.text(), o.currency, o.status, actions(o)})
	}
	s.mu.Unlock()
	v["Orders"] = rows
	t, err := template.New("page").Parse(pageTemplate)
	var b bytes.Buffer
	if err == nil {
		err = t.Execute(&b, v)
	}
	if err != nil {
		http.Error(w, "the page cannot be drawn", http.StatusInternalServerError)
		return
	}
	write(w, reply{200, "text/html; charset=utf-8", b.Bytes()})
}

// actions are the buttons that make sense for an order.
func actions(o *order) []button {
	switch {
	case o.kind == "payout" && o.status == "processing":
		return []button{{"", "succeeded", "Pay"}, {"", "failed", "Reject"}, {"", "cancelled", "Cancel"}}
	case o.kind == "payin" && o.status == "pending":
		return []button{{"", "paid", "Pay this deposit"}, {"", "paid_short", "Pay too little"}, {"", "expired", "Let it expire"}}
	case o.kind == "payin" && o.status == "dispute":
		return []button{{"", "paid", "Accept the dispute"}, {"", "cancelled", "Reject the dispute"}}
	case o.kind == "payin" && o.status == "expired":
		return []button{{"", "paid", "Pay it late"}}
	}
	return nil
}
