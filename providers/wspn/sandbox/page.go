package sandbox

import (
	"bytes"
	"html/template"
	"net/http"
	"slices"
)

const pageText = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>WSPN stand-in</title>
<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1c1c1a;background:#fbfaf7}
table{border-collapse:collapse;width:100%;margin:0 0 2rem}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd8cc;vertical-align:top}
td.n{text-align:right;font-variant-numeric:tabular-nums}form{display:inline}button{font:inherit}h2{margin-top:2rem}</style></head><body><main>
<h1>WSPN stand-in</h1><p>This plays WSPN. Nothing here is real money.</p>
<h2>Balances</h2><table><tr><th>Currency</th><th>Balance</th></tr>{{range .Balances}}<tr><td>{{.Name}}</td><td class="n">{{.Text}}</td></tr>{{end}}</table>
<h2>Misbehave</h2><p>
{{range .Faults}}<form method="post" action="/_sandbox/fault"><input type="hidden" name="operation" value="{{.Operation}}"><input type="hidden" name="kind" value="{{.Kind}}"><button>{{.Label}}</button></form> {{end}}
{{range .Modes}}<form method="post" action="/_sandbox/webhooks"><input type="hidden" name="mode" value="{{.}}"><button>Webhooks: {{.}}</button></form> {{end}}</p>
<p>Webhooks now: {{.Mode}}. Settling: {{.Outcome}} after {{.SettleMS}} ms. </p>
{{range .Armed}}<p><strong>Armed:</strong> {{.}}</p>{{end}}
{{range .Endings}}<form method="post" action="/_sandbox/autosettle"><input type="hidden" name="outcome" value="{{.Kind}}"><button>{{.Label}}</button></form> {{end}}
<form method="post" action="/_sandbox/chain-deposit">WUSD arrives on chain: <input name="amount" value="250.00"> on <select name="network"><option>Polygon</option><option>Ethereum</option><option>Viction</option></select> <button>Let it arrive</button></form>
<h2>Orders, newest first</h2><table><tr><th>Order</th><th>Kind</th><th>Reference</th><th>Amount</th><th>Status</th><th></th></tr>
{{range .Orders}}<tr><td>{{.ID}}</td><td>{{.Kind}}</td><td>{{.Reference}}</td><td class="n">{{.Amount}}</td><td>{{.Status}}</td><td>{{$r := .Reference}}
{{range .Buttons}}<form method="post" action="/_sandbox/settle"><input type="hidden" name="reference" value="{{$r}}"><input type="hidden" name="status" value="{{.Status}}"><button>{{.Label}}</button></form> {{end}}
{{if $r}}<form method="post" action="/_sandbox/resend"><input type="hidden" name="reference" value="{{$r}}"><button>Send the webhook twice</button></form>{{end}}</td></tr>{{else}}<tr><td colspan="6">Nothing yet.</td></tr>{{end}}</table>
<h2 id="clients">Clients and their KYB</h2><p>Verdict on files that come in: {{.Verdict}}.
{{range .Verdicts}}<form method="post" action="/_sandbox/kyb-verdict"><input type="hidden" name="outcome" value="{{.Status}}"><input type="hidden" name="after_ms" value="1500"><button>{{.Label}}</button></form> {{end}}</p>
<table><tr><th>Id</th><th>Company</th><th>Status</th><th>Files</th><th></th></tr>
{{range .Clients}}{{$id := .ID}}<tr><td>{{$id}}</td><td>{{.Name}}</td><td>{{.Status}}{{if .Remark}}: {{.Remark}}{{end}}</td><td class="n">{{.Files}}</td><td>
<form method="post" action="/_sandbox/kyb"><input type="hidden" name="client" value="{{$id}}"><input type="hidden" name="status" value="question"><label>Ask {{$id}}: <input name="remark" value="Please send the register of shareholders with the date of issue."></label> <button>Ask</button></form>
<form method="post" action="/_sandbox/kyb"><input type="hidden" name="client" value="{{$id}}"><input type="hidden" name="status" value="approved"><button>Approve {{$id}}</button></form>
<form method="post" action="/_sandbox/kyb"><input type="hidden" name="client" value="{{$id}}"><input type="hidden" name="status" value="rejected"><input type="hidden" name="remark" value="The passport cannot be read."><button>Reject {{$id}}</button></form></td></tr>{{else}}<tr><td colspan="5">None yet.</td></tr>{{end}}</table>
<h2>Bank accounts</h2><table><tr><th>Id</th><th>Currency</th><th>Name</th><th>Use</th></tr>{{range .Accounts}}<tr><td>{{.ID}}</td><td>{{.Currency}}</td><td>{{.Name}}</td><td>{{.Use}}</td></tr>{{end}}</table>
<h2>Whitelisted addresses</h2><table><tr><th>Id</th><th>Network</th><th>Address</th></tr>{{range .Addresses}}<tr><td>{{.ID}}</td><td>{{.Network}}</td><td>{{.Address}}</td></tr>{{end}}</table>
<h2>Last webhooks</h2><ol>{{range .Hooks}}<li>{{.}}</li>{{else}}<li>None yet.</li>{{end}}</ol></main></body></html>`

type pageButton struct{ Status, Label, Operation, Kind string }

type pageOrder struct {
	ID                              int64
	Kind, Reference, Amount, Status string
	Buttons                         []pageButton
}

// pageClients is how many clients the page lists: those that handed something over first, then the newest.
const pageClients = 60

type pageClient struct {
	ID                   int64
	Name, Status, Remark string
	Files                int
}

// clients are those of the page. The lock is held.
func (s *Sandbox) clients() (out []pageClient) {
	for _, handed := range []bool{true, false} {
		for _, m := range slices.Backward(s.members) {
			if (len(m.kyb) > 0) == handed && len(out) < pageClients {
				out = append(out, pageClient{m.id, m.name, m.status, m.remark, len(m.kyb)})
			}
		}
	}
	return out
}

// page shows what the stand-in holds, with buttons to play it.
func (s *Sandbox) page(w http.ResponseWriter) {
	var b bytes.Buffer
	t, err := template.New("page").Parse(pageText)
	if err == nil {
		err = t.Execute(&b, s.pageData())
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}

func (s *Sandbox) pageData() map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	type line struct{ Name, Text string }
	type account struct {
		ID                  int64
		Currency, Name, Use string
	}
	type address struct {
		ID               int64
		Network, Address string
	}
	var balances []line
	for _, c := range []string{"EUR", "JPY", "USD", "WUSD"} {
		balances = append(balances, line{c, figure(s.books[c], c)})
	}
	var accounts []account
	for _, a := range s.accounts {
		use := "pays out to it"
		if a.ours {
			use = "receives deposits"
		}
		accounts = append(accounts, account{a.id, a.currency, text(a.fields, "beneficiaryName"), use})
	}
	var addresses []address
	for _, a := range s.whitelist {
		addresses = append(addresses, address{a.id, a.network, a.address})
	}
	var orders []pageOrder
	for i := len(s.orders) - 1; i >= 0 && len(orders) < 100; i-- {
		o := s.orders[i]
		orders = append(orders, pageOrder{o.id, o.kind, o.requestID, figure(o.moved, o.currency) + " " + o.currency, o.status, buttonsOf(o)})
	}
	var armed []string
	for _, f := range s.faults {
		armed = append(armed, f.operation+", "+f.kind)
	}
	verdict := s.verdict
	if verdict == "" {
		verdict = "none by itself"
	}
	hooks := slices.Clone(s.hooks)
	slices.Reverse(hooks)
	return map[string]any{"Balances": balances, "Orders": orders, "Accounts": accounts, "Addresses": addresses, "Hooks": hooks, "Clients": s.clients(), "Verdict": verdict,
		"Verdicts": []pageButton{{Status: "approved", Label: "Approve by itself"}, {Status: "question", Label: "Ask by itself"}, {Status: "mixed", Label: "Now this, now that"}, {Status: "off", Label: "Wait for a button"}}, "Mode": s.hookMode,
		"Outcome": s.outcome, "SettleMS": s.settleMS, "Armed": armed,
		"Endings": []pageButton{{Kind: "off", Label: "From now on nothing is settled by itself"}, {Kind: "succeeded", Label: "From now on all is paid by itself"}, {Kind: "mixed", Label: "From now on some fail"}},
		"Modes":   []string{"normal", "twice", "reordered", "forged", "off"},
		"Faults": []pageButton{{Operation: "payout", Kind: "lose_reply", Label: "Lose the reply to the next payout"},
			{Operation: "convert", Kind: "lose_reply", Label: "Lose the reply to the next conversion"},
			{Operation: "deposit", Kind: "lose_reply", Label: "Lose the reply to the next deposit"},
			{Operation: "payout", Kind: "lie_amount", Label: "State a wrong amount for the next payout"}}}
}

func buttonsOf(o *order) []pageButton {
	switch {
	case o.kind == "fiat-in" && !o.booked:
		return []pageButton{{Status: "paid", Label: "Pay this deposit"}, {Status: "paid_short", Label: "Pay too little"}, {Status: "expired", Label: "Let it expire"}}
	case (o.kind == "fiat-out" || o.kind == "crypto-out") && o.status == "COMPLETED":
		return []pageButton{{Status: "returned", Label: "Return this payout"}}
	case (o.kind == "fiat-out" || o.kind == "crypto-out") && o.status != "FAILED" && o.status != "CANCELLED" && o.status != "RETURNED":
		buttons := []pageButton{{Status: "succeeded", Label: "Pay this payout"}, {Status: "failed", Label: "Reject this payout"}}
		if o.status != "ON_HOLD" {
			buttons = append(buttons, pageButton{Status: "held", Label: "Hold it"})
		}
		return buttons
	case o.kind == "mint" && o.status == "PROCESSING":
		return []pageButton{{Status: "succeeded", Label: "Complete"}, {Status: "failed", Label: "Fail"}}
	}
	return nil
}
