package views

import (
	"strconv"
	"time"

	"github.com/a-h/templ"

	"countinghouse/views/ui"
)

// The data of the kit page is made up and the same at every call, so that two
// pictures of it can be compared.

// KitPath is where the kit is, in development and in the demonstration.
const KitPath = "/kit"

// KitSamples are pages as they look with made-up data, by name.
func KitSamples() map[string]func(Page) templ.Component {
	return map[string]func(Page) templ.Component{"transactions": KitTransactions, "payout": KitPayout, "home": KitHome, "form": KitForm, "review": KitReview, "sign-in": KitSignIn, "error": KitError, "hostile": KitHostile}
}

func kitTime(clock string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05.000", "2026-11-22 "+clock)
	if err != nil {
		return time.Time{}
	}
	return t
}

// kitPage is the shell around the kit's samples.
func kitPage(p Page, title, section string) Page {
	p.Title, p.Section = title, section
	if len(p.Menu) == 0 {
		p.Menu = StandardMenu()
		p.Menu[2].Count, p.Menu[8].Count = "3", "2"
	}
	if p.User.Name == "" {
		p.User = User{Name: "Ada Okoye", RoleText: "finance", Initials: "AO"}
	}
	if p.Env == "" {
		p.Env = "sandbox"
	}
	if len(p.Envs) == 0 {
		p.Envs = []EnvLink{{"sandbox", "Sandbox", "?env=sandbox"}, {"live", "Live", "?env=live"}}
	}
	p.Zone = orElse(p.Zone, "São Paulo (UTC−3)")
	return p
}

type kitRow struct {
	at, kind, provider, ref, who, amount, code, net string
	tone                                            ui.Tone
	word                                            string
	hollow                                          bool
	waits                                           string
}

func kitRows() []kitRow {
	return []kitRow{
		{"14:05:31.204", "Payout", "OneKey", "CH-7Q2M-0412", "João S… · PIX ···· 725", "-1,840.00", "BRL", "", ui.Odd, "Outcome unknown", true, "asking again at 14:15"},
		{"14:02:10.000", "Deposit", "WSPN", "CH-7Q2K-9981", "Acme Trading Pte · bank", "25,000.00", "USD", "", ui.Wait, "Awaiting payment", false, "bank transfer, 2 files"},
		{"13:58:44.000", "Payout", "WakaPay", "CH-7Q2H-1140", "Amina M. · +254 ···· 001", "-12,400.00", "KES", "", ui.Wait, "Awaiting approval", false, "1 of 2, from finance"},
		{"13:41:02.000", "Payout", "OneKey", "CH-7Q2F-5520", "Comercial Sur · CL ···· 9034", "-3,200,000", "CLP", "", ui.Ok, "Succeeded", false, ""},
		{"13:37:55.000", "Conversion", "WSPN", "CH-7Q2E-0031", "USD → WUSD", "10,000.00", "WUSD", "", ui.Ok, "Succeeded", false, ""},
		{"13:20:19.000", "Order", "WUPEX", "CH-7Q2D-7745", "APPLE-USA-25USD × 40", "-980.00", "", "", ui.Bad, "Partial", false, "38 of 40 codes arrived"},
		{"13:04:47.000", "Payout", "Aeterna", "CH-7Q2C-6618", "Card ···· 4417", "-54,300.00", "RUB", "", ui.Bad, "Failed", false, "no requisites"},
		{"12:58:03.000", "Deposit", "OneKey", "CH-7Q2B-2209", "M. Pereira · PIX", "99.90", "BRL", "", ui.Ok, "Succeeded", false, ""},
		{"12:51:30.000", "Payout", "WSPN", "CH-7Q2A-8804", "0x3f5C…91aa", "-5,000.00", "WUSD", "Polygon", ui.Idle, "Held", true, "address usable 2026-11-23"},
		{"12:40:12.000", "Refund", "OneKey", "CH-7Q29-1187", "M. Pereira · PIX", "-45.00", "BRL", "", ui.Wait, "Pending", false, "with the bank"},
		{"12:33:08.000", "Deposit", "Aeterna", "CH-7Q28-3310", "Клиент 88213 · SBP", "7,500.00", "RUB", "", ui.Idle, "Expired", true, ""},
		{"12:21:51.000", "Payout", "OneKey", "CH-7Q27-9042", "L. Gómez · MX ···· 6642", "-18,250.00", "MXN", "", ui.Ok, "Succeeded", false, ""},
	}
}

func kitTable(choose string) ui.TableParams {
	p := ui.TableParams{
		ID: "kit-transactions" + choose, Caption: "Transactions of today", Stacks: true, Sticky: true, Keys: true, Select: choose,
		Columns: []ui.Column{
			{Label: "Created", Kind: ui.TimeColumn, SortHref: "?sort=created", Sorted: "descending"},
			{Label: "Kind"}, {Label: "Provider"}, {Label: "Reference", Kind: ui.QuietColumn},
			{Label: "To or from", Kind: ui.CutColumn}, {Label: "Amount", Kind: ui.NumberColumn, Narrow: ui.LeadWhenNarrow}, {Label: "Status", Narrow: ui.LeadWhenNarrow},
			{Label: "Waits for", Kind: ui.WaitColumn},
		},
	}
	for i, r := range kitRows() {
		href := "/kit/payout?ref=" + r.ref
		direction := "in"
		if r.amount[0] == '-' {
			direction = "out"
		}
		p.Rows = append(p.Rows, ui.Row{
			Href: href, Copy: r.ref, Here: i == 0, Value: r.ref, Label: r.kind + " " + r.ref, Selected: choose != "" && i > 0 && i < 4,
			Cells: []ui.Cell{
				ui.Is(ui.Time(ui.TimeParams{At: kitTime(r.at), Form: ui.TimeClock})),
				ui.Text(r.kind), ui.Text(r.provider),
				ui.Is(ui.Ref(ui.RefParams{Text: r.ref, Href: href, NoCopy: true})),
				ui.Text(r.who),
				ui.Is(ui.Money(ui.MoneyParams{Amount: r.amount, Code: r.code, Network: r.net, Direction: direction})),
				ui.Is(ui.StatusChip(ui.StatusParams{Tone: r.tone, Word: r.word, Hollow: r.hollow})),
				{Text: r.waits},
			},
		})
	}
	return p
}

// kitWave makes a believable line: a sum of two rhythms, in whole numbers.
func kitWave(seed, n int, from, step int64) []ui.Point {
	rhythm := []int64{3, 5, -2, 4, -6, 1, 7, -4, -1, 2, -8, 3, 6}
	out := make([]ui.Point, 0, n)
	value := from
	first := kitTime("00:00:00.000").AddDate(0, 0, 1-n)
	for i := range n {
		value += rhythm[(i*seed+seed)%len(rhythm)] * step
		day := first.AddDate(0, 0, i)
		out = append(out, ui.Point{Label: day.Format("2 Jan"), Value: value, Text: ui.Count(value/100) + "." + two(value%100)})
	}
	return out
}

func kitFlow() []ui.Pair {
	in, out := kitWave(3, 30, 4_015_170_00/100, 210_000), kitWave(7, 30, 3_026_430_00/100, 190_000)
	days := make([]ui.Pair, len(in))
	for i := range in {
		a, b := abs(in[i].Value), abs(out[i].Value)
		days[i] = ui.Pair{Label: in[i].Label, In: a, Out: b, InText: ui.Count(a / 100), OutText: ui.Count(b / 100)}
	}
	return days
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

func two(n int64) string {
	n = abs(n)
	if n < 10 {
		return "0" + strconv.FormatInt(n, 10)
	}
	return strconv.FormatInt(n, 10)
}

// kitQR is a pattern that looks like a code and says nothing.
func kitQR() [][]bool {
	const side = 25
	m := make([][]bool, side)
	for y := range m {
		m[y] = make([]bool, side)
		for x := range m[y] {
			m[y][x] = (x*7+y*13+x*y)%5 < 2
		}
	}
	for _, corner := range [][2]int{{0, 0}, {side - 7, 0}, {0, side - 7}} {
		for y := -1; y <= 7; y++ {
			for x := -1; x <= 7; x++ {
				px, py := corner[0]+x, corner[1]+y
				if px < 0 || py < 0 || px >= side || py >= side {
					continue
				}
				edge := max(abs(int64(x-3)), abs(int64(y-3)))
				m[py][px] = edge == 3 || edge <= 1
			}
		}
	}
	return m
}
