package sandbox

func faultWords() map[string]string {
	return map[string]string{"lose_reply": "Lose the reply", "http_500": "Answer 500 after taking it", "http_500_before": "Answer 500 before",
		"drop_before": "Drop the connection before", "late": "Answer late", "garbage": "Answer garbage", "lie_amount": "Lie about the amount",
		"duplicate": "Call it a duplicate", "old_status": "Use an old status name"}
}

func turnWords() map[string]string {
	return map[string]string{"succeeded": "Pay it", "failed": "Fail it"}
}

func modeWords() map[string]string {
	return map[string]string{"normal": "Normally", "off": "Not at all", "twice": "Twice", "before_reply": "Before the reply", "reordered": "In the wrong order",
		"forged": "With a forged one first"}
}

// view is what the page shows.
type view struct {
	Business, Mode, Outcome, Target string
	Demo                            bool
	Sent                            int
	Wallets                         []walletView
	Payouts                         []payoutView
	People                          []personView
	Log                             []logged
	Armed                           []string
	Tokens                          int
}

type walletView struct{ Currency, Available, Holding, Pending string }

type payoutView struct {
	Reference, ID, To, Amount, Cost, Status string
	Times                                   int
	Open                                    bool
}

type personView struct{ Country, Kind, Number, Account, Name string }

func (s *Sandbox) view() view {
	v := view{Business: s.businessID, Mode: modeWords()[s.hooks.mode], Outcome: s.auto.outcome, Target: s.target(), Sent: s.hooks.sent,
		Demo: s.settings["payout_contract"] == "demo"}
	for _, f := range s.faults {
		if f.left > 0 {
			v.Armed = append(v.Armed, faultWords()[f.kind])
		}
	}
	v.Tokens = len(s.tokens)
	for _, c := range order() {
		if w := s.wallets[c]; w != nil {
			v.Wallets = append(v.Wallets, walletView{c, w.available.String(), w.holding.String(), w.pending.String()})
		}
	}
	for i := len(s.payouts) - 1; i >= 0 && len(v.Payouts) < 50; i-- {
		p := s.payouts[i]
		v.Payouts = append(v.Payouts, payoutView{Reference: p.ref, ID: p.id, To: p.kind + " " + p.country + " " + p.number + " " + p.account,
			Amount: p.amount.String() + " " + p.target, Cost: p.cost.String() + " " + p.source, Status: p.status, Times: s.runs[p.ref], Open: p.status == pending})
	}
	for _, p := range s.people {
		v.People = append(v.People, personView{p.country, p.kind, p.number, p.account, p.name})
	}
	for i := len(s.log) - 1; i >= 0 && len(v.Log) < 30; i-- {
		v.Log = append(v.Log, s.log[i])
	}
	return v
}

const pageText = `<!doctype html><html lang="en"><meta charset="utf-8"><title>WakaPay stand-in</title>
<meta name="viewport" content="width=device-width"><style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1d2330}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #dde1e8;vertical-align:top}
form{display:inline}button{font:inherit;padding:.2rem .6rem;margin:.1rem}.n{text-align:right;font-variant-numeric:tabular-nums}.w{background:#fff4d6;padding:.5rem .8rem}</style>
<h1>WakaPay stand-in</h1><p>This plays WakaPay on this machine. No real money. Business <b>{{.Business}}</b>.</p>
<p class="w">Payouts and transaction queries here have a shape that this project made up (WAKA-PAY-1): WakaPay's own pages on them are not known. {{if not .Demo}}They are switched off.{{end}}</p>
<h2>Wallets</h2><table><tr><th>Currency<th class="n">Available<th class="n">On hold<th class="n">Pending</tr>
{{range .Wallets}}<tr><td>{{.Currency}}<td class="n">{{.Available}}<td class="n">{{.Holding}}<td class="n">{{.Pending}}{{end}}</table>
<h2>What shall happen to the next payout</h2>
{{range $k, $t := faults}}<form method="post" action="/_sandbox/fault"><input type="hidden" name="operation" value="payout"><input type="hidden" name="kind" value="{{$k}}"><button>{{$t}}</button></form>{{end}}
{{range .Armed}}<p><b>Armed:</b> {{.}}</p>{{end}}
<p>Tokens in force: <b>{{.Tokens}}</b>. Payouts end by themselves: <b>{{.Outcome}}</b>.
{{range $k := outcomes}}<form method="post" action="/_sandbox/autosettle"><input type="hidden" name="after_ms" value="1500"><input type="hidden" name="outcome" value="{{$k}}"><button>{{$k}}</button></form>{{end}}
<form method="post" action="/_sandbox/tokens"><input type="hidden" name="action" value="revoke"><button>Revoke every token</button></form>
<h2>Webhooks</h2><p>Sent to {{if .Target}}{{.Target}}{{else}}nobody: no address is set{{end}}; {{.Sent}} so far. Now: <b>{{.Mode}}</b>.
{{range $k, $t := modes}}<form method="post" action="/_sandbox/webhooks"><input type="hidden" name="mode" value="{{$k}}"><button>{{$t}}</button></form>{{end}}
<h2>Payouts</h2><table><tr><th>Reference<th>WakaPay's<th>To<th class="n">Amount<th class="n">Cost<th>Status<th class="n">Paid for this reference<th></tr>
{{range .Payouts}}<tr><td>{{.Reference}}<td>{{.ID}}<td>{{.To}}<td class="n">{{.Amount}}<td class="n">{{.Cost}}<td>{{.Status}}<td class="n">{{.Times}}<td>
{{$r := .Reference}}{{if .Open}}{{range $k, $t := turns}}<form method="post" action="/_sandbox/settle"><input type="hidden" name="reference" value="{{$r}}"><input type="hidden" name="status" value="{{$k}}"><button>{{$t}}</button></form>{{end}}{{end}}
<form method="post" action="/_sandbox/again"><input type="hidden" name="reference" value="{{$r}}"><button>Send its webhook again</button></form>
{{else}}<tr><td colspan="8">No payouts yet.{{end}}</table>
<h2>Recipients it knows</h2><table><tr><th>Country<th>Kind<th>Number<th>Account<th>Name</tr>
{{range .People}}<tr><td>{{.Country}}<td>{{.Kind}}<td>{{.Number}}<td>{{.Account}}<td>{{.Name}}{{end}}</table>
<h2>Last requests</h2><table><tr><th>When<th>Call<th class="n">Answer<th>Violation</tr>{{range .Log}}<tr><td>{{.At}}<td>{{.Method}} {{.Path}}<td class="n">{{.Status}}<td>{{.Violation}}{{else}}<tr><td colspan="4">None yet.{{end}}</table></html>`
