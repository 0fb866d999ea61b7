package ui

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"

	"countinghouse/static"
)

func drawn(t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)>'` + "`\x00\u202e"

// hostileComponents is every piece of the kit with hostile text in every field a provider
// or a person can fill.
func hostileComponents() map[string]templ.Component {
	h := hostile
	link := "javascript:alert(1)"
	attrs := Attrs{"hx-get": h, "data-x": h}
	return map[string]templ.Component{
		"button":      Button(ButtonParams{Label: h, Name: h, Value: h, Form: h, ID: h, Attrs: attrs}),
		"link":        Button(ButtonParams{Label: h, Href: link}),
		"reason":      Button(ButtonParams{Label: h, Reason: h}),
		"post":        PostButton(PostButtonParams{Action: link, Hidden: []Hidden{{h, h}}, Button: ButtonParams{Label: h}}),
		"field":       Field(FieldParams{Name: h, Label: h, Help: h, Error: h, Value: h, Placeholder: h, Pattern: h, Prefix: h, Suffix: h}),
		"textarea":    Field(FieldParams{Name: h, Label: h, Value: "</textarea>" + h, Type: TextareaField}),
		"select":      Field(FieldParams{Name: h, Label: h, Type: SelectField, Options: []Option{{Value: h, Label: h, Group: h, Reason: h}}}),
		"radio":       Field(FieldParams{Name: h, Label: h, Type: RadioField, Options: []Option{{Value: h, Label: h, Help: h}}}),
		"checkbox":    Field(FieldParams{Name: h, Label: h, Type: CheckboxField, Value: h, Error: h}),
		"drop":        DropZone(FieldParams{Name: h, Label: h, Error: h}),
		"form":        Form(FormParams{Action: link, ID: h, Errors: []FieldError{{h, h}, {"", h}}}),
		"fieldset":    Fieldset(FieldsetParams{h, h}),
		"status":      StatusChip(StatusParams{Tone: Tone(h), Word: h, Theirs: h}),
		"badge":       Badge(BadgeParams{Text: h, Tone: Tone(h)}),
		"mark":        MarkBadge(Mark(h)),
		"diff":        DiffView(DiffParams{Label: h, Lines: []DiffLine{{DiffGone, h}, {DiffNew, h}, {DiffSame, h}, {DiffSkip, h}, {DiffKind(h), h}}}),
		"bare":        Bare(FieldParams{Name: h, Label: h, Value: h, Attrs: attrs}),
		"keys":        KeyHint(h),
		"money":       Money(MoneyParams{Amount: h, Code: h, Network: h, Direction: h, Note: h, Size: h}),
		"countdown":   Countdown(CountdownParams{Ended: h}),
		"ref":         Ref(RefParams{Text: h, Href: link, Copy: h, What: h}),
		"groups":      Groups4(GroupsParams{Text: h}),
		"card":        Card(CardParams{Title: h, ID: h, Note: h, Class: h, Attrs: attrs}),
		"section":     Section(SectionParams{Title: h, ID: h, Note: h}),
		"page head":   PageHead(PageHeadParams{Title: h, Note: h}),
		"headline":    Headline(HeadlineParams{Title: h, Money: MoneyParams{Amount: h}, Sentence: h, Strong: h, After: h}),
		"terms":       DefinitionList([]Term{{Label: h, Text: h, Sub: h}}),
		"todo":        TodoList([]TodoItem{{Text: h, Href: link, Note: h}, {Text: h}}),
		"sign":        SignatureLines([]string{h}),
		"table":       Table(TableParams{ID: h, Caption: h, Select: h, SelectForm: h, Columns: []Column{{Label: h, SortHref: link, Kind: ColumnKind(h)}}, Rows: []Row{{ID: h, Href: link, PeekHref: link, Copy: h, Value: h, Label: h, Cells: []Cell{{Text: h, Href: link, Sub: h, Head: true}, {Text: h}}}}}),
		"empty":       Empty(EmptyParams{Icon: IconName(h), Title: h, Text: h}),
		"selection":   Selection(SelectionParams{Text: h, AllText: h, AllHref: link}),
		"chips":       Chips(ChipsParams{Label: h, Note: h, ClearHref: link, Target: h, Chips: []Chip{{Name: h, Value: h, EditHref: link, RemoveHref: link}, {Name: h, Value: h}}}),
		"pager":       Pager(PagerParams{NewerHref: link, OlderHref: link, Shown: h}),
		"tabs":        Tabs(TabsParams{Label: h, Tabs: []Tab{{Label: h, Href: link, Count: h}}}),
		"stepper":     Stepper(StepperParams{Steps: []string{h}}),
		"breadcrumbs": Breadcrumbs([]Crumb{{h, link}, {h, ""}}),
		"notice":      Notice(NoticeParams{Tone: Tone(h), Title: h, Text: h, Role: h}),
		"flash":       Flash(FlashParams{Text: h}),
		"progress":    Progress(ProgressParams{ID: h, Label: h, Total: 3, Text: h, Detail: h, PollHref: h}),
		"menu":        Menu(MenuParams{Label: h, Icon: IconName(h), Items: []MenuItem{{Label: h, Href: link, End: h}, {Label: h, Action: link, Hidden: []Hidden{{h, h}}}, {Label: h, Reason: h}}}),
		"dialog":      Dialog(DialogParams{ID: h, Title: h}),
		"timeline":    Timeline([]TimelineItem{{Tone: Tone(h), Text: h, Detail: h}}),
		"evidence":    Evidence([]EvidenceItem{{Source: h, Says: h, Href: link}, {Source: h, Says: h, Tone: Odd}}),
		"code":        CodeBlock(CodeParams{Label: h, Text: "</pre>" + h}),
		"qr":          QR(QRParams{Text: h, Label: h, Modules: [][]bool{{true, false, true}}}),
		"history":     History(HistoryParams{Title: h, Code: h, Summary: h, LimitText: h, Limit: 1, Points: []Point{{h, 1, h}, {h, 2, h}}}),
		"flow":        Flow(FlowParams{Title: h, Code: h, Summary: h, Days: []Pair{{h, 1, 2, h, h}}}),
		"spark":       Spark(SparkParams{Title: h, Tone: Tone(h), Points: []Point{{h, 1, h}}}),
		"icon":        Icon(IconName(h)),
	}
}

// outside matches what hostile text becomes when it leaves its quotes: a tag or
// an attribute that nobody wrote.
var outside = regexp.MustCompile(`(?i)<script|<img|<[^>"]*("[^"]*"[^>"]*)*\son[a-z]+\s*=|\shref="javascript:|\saction="javascript:|\sdata-(href|peek)="javascript:`)

func TestHostileTextStaysTextInEveryPiece(t *testing.T) {
	for name, c := range hostileComponents() {
		if found := outside.FindString(drawn(t, c)); found != "" {
			t.Errorf("%s lets hostile text out: %q", name, found)
		}
	}
	if outside.FindString(`<p title="x" onclick="y">`) == "" || outside.FindString(`<p title="&#34; onclick=1">`) != "" {
		t.Error("the pattern of this test does not tell an attribute from text")
	}
}

func TestNoPieceWritesInlineStyleOrScript(t *testing.T) {
	inline := regexp.MustCompile(`(?i)<style|<script|\sstyle="|\sstyle=`)
	for name, c := range hostileComponents() {
		text := strings.ReplaceAll(drawn(t, c), templ.EscapeString(hostile), "")
		if found := inline.FindString(text); found != "" {
			t.Errorf("%s writes %q, which the content policy refuses", name, found)
		}
	}
}

func TestEverySymbolOfTheSpriteHasItsNameAndTheOtherWayRound(t *testing.T) {
	f, _, ok := static.Open(static.URL("icons.svg"))
	if !ok {
		t.Fatal("no sprite")
	}
	var sprite []IconName
	for _, m := range regexp.MustCompile(`<symbol id="([a-z0-9-]+)"`).FindAllStringSubmatch(string(f.Body), -1) {
		sprite = append(sprite, IconName(m[1]))
	}
	if diff := cmp.Diff(sprite, Icons()); diff != "" {
		t.Error(diff)
	}
}

func TestADisabledButtonAlwaysSaysWhy(t *testing.T) {
	text := drawn(t, Button(ButtonParams{Label: "Approve", Kind: Primary, Href: "/approve", Name: "a", Value: "b", Reason: "you created this payout"}))
	if !strings.Contains(text, " disabled") || !strings.Contains(text, "you created this payout") || strings.Contains(text, "/approve") || strings.Contains(text, `type="submit"`) {
		t.Error(text)
	}
}

func TestAPasswordIsNeverWrittenBackIntoThePage(t *testing.T) {
	for _, kind := range []FieldType{PasswordField, FileField} {
		if text := drawn(t, Field(FieldParams{Name: "secret", Type: kind, Value: "canary-4417"})); strings.Contains(text, "canary") {
			t.Errorf("%s: %s", kind, text)
		}
	}
}

func TestAFieldPointsToItsHelpAndItsError(t *testing.T) {
	text := drawn(t, Field(FieldParams{Name: "amount", Label: "Amount", Type: AmountField, Help: "Two digits", Error: "Three digits", Suffix: "BRL"}))
	for _, want := range []string{`for="f-amount"`, `id="f-amount"`, `aria-invalid="true"`, `aria-describedby="f-amount-error f-amount-help"`, `id="f-amount-help"`, `id="f-amount-error"`, `inputmode="decimal"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}

func TestMoneyHasATrueMinusAndIsNeverWithoutACode(t *testing.T) {
	text := drawn(t, Money(MoneyParams{Amount: "-1,840.00", Code: "BRL", Direction: "out"}))
	if !strings.Contains(text, "\u22121,840.00") || strings.Contains(text, "-1,840") || !strings.Contains(text, `<span class="sr">out</span> `) || !strings.Contains(text, "BRL") {
		t.Error(text)
	}
	if text := drawn(t, Money(MoneyParams{Amount: "980.00"})); !strings.Contains(text, ">—<") {
		t.Errorf("an amount whose currency is not known must show that: %s", text)
	}
}

func TestCountsAreWrittenWithThousandsSeparated(t *testing.T) {
	got := map[int64]string{}
	want := map[int64]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 1204: "1,204", 1234567: "1,234,567", -1840: "−1,840", -100: "−100", -9223372036854775808: "−9,223,372,036,854,775,808"}
	for n := range want {
		got[n] = Count(n)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestATimeNamesItsZoneAndKeepsTheExactInstant(t *testing.T) {
	at := time.Date(2026, 11, 22, 17, 5, 31, 204e6, time.UTC)
	zone := time.FixedZone("America/Sao_Paulo", -3*3600)
	text := drawn(t, Time(TimeParams{At: at, Zone: zone, Now: at.Add(41 * time.Minute)}))
	for _, want := range []string{`datetime="2026-11-22T17:05:31.204Z"`, "2026-11-22 14:05", "São Paulo (UTC−3)", "(41 min ago)"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if got := ZoneName(at, time.FixedZone("Asia/Kolkata", 5*3600+1800)); got != "Kolkata (UTC+5:30)" {
		t.Error(got)
	}
	if got := ZoneName(at, nil); got != "UTC" {
		t.Error(got)
	}
}

func TestRelativeTimeIsRoundedDownSoThatItNeverPromisesTooMuch(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		-30 * time.Second: "30 s ago", -119 * time.Second: "1 min ago", -41 * time.Minute: "41 min ago", -47 * time.Hour: "47 h ago", -72 * time.Hour: "3 days ago",
		90 * time.Second: "in 1 min", 72 * time.Hour: "in 3 days", 0: "0 s ago",
	} {
		if got := Relative(now.Add(d), now); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestADestinationIsCutIntoFoursAndCopiedWhole(t *testing.T) {
	text := drawn(t, Groups4(GroupsParams{Text: "DE89370400440532013000"}))
	if got := strings.Count(text, `class="g"`) + strings.Count(text, `class="g edge"`); got != 6 {
		t.Errorf("%d groups in %s", got, text)
	}
	if !strings.Contains(text, `data-copy="DE89370400440532013000"`) {
		t.Errorf("what is copied must have no spaces: %s", text)
	}
	if diff := cmp.Diff([]string{"João", " Sil", "va"}, groupsOf4("João Silva")); diff != "" {
		t.Error(diff)
	}
}

func TestAnEmptyTableSaysWhyAndAFullOneHasItsCells(t *testing.T) {
	p := TableParams{Caption: "Batches", Columns: []Column{{Label: "Name"}, {Label: "Rows", Kind: NumberColumn}}, Empty: EmptyParams{Title: "No batch yet"}}
	if text := drawn(t, Table(p)); !strings.Contains(text, "No batch yet") || strings.Contains(text, "<table") {
		t.Error(text)
	}
	p.Rows = []Row{{Href: "/batches/1", Copy: "BR-1", Cells: []Cell{LinkCell("/batches/1", "BR-1"), Text("12"), Text("one too many")}}}
	text := drawn(t, Table(p))
	for _, want := range []string{`data-href="/batches/1"`, `data-peek="/batches/1"`, `data-ref="BR-1"`, `class="n" data-label="Rows"`, "one too many"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}

func TestPicturesStayInsideTheirFrameWhateverTheFigures(t *testing.T) {
	big := int64(9_000_000_000_000_000_000)
	for name, points := range map[string][]Point{
		"nothing": nil, "one": {{"a", 5, "5"}}, "flat": {{"a", 5, "5"}, {"b", 5, "5"}}, "huge": {{"a", -big, "x"}, {"b", big, "y"}, {"c", 0, "0"}},
	} {
		path := areaPath(points, scaleOf(points, false), chartWide, chartHigh)
		for _, n := range regexp.MustCompile(`-?[0-9.]+|NaN|Inf`).FindAllString(path, -1) {
			if strings.HasPrefix(n, "-") || n == "NaN" || n == "Inf" {
				t.Errorf("%s: %s leaves the frame in %s", name, n, path)
			}
		}
	}
	bars, _ := barsOf([]Pair{{Label: "a", In: big, Out: big}, {Label: "b"}})
	if len(bars) != 2 {
		t.Errorf("a day without movement must draw no bar: %v", bars)
	}
}

func TestASwapKeepsThePlainAddress(t *testing.T) {
	want := Attrs{"hx-get": "/t?a=1", "hx-target": "#content", "hx-select": "#content", "hx-swap": "outerHTML show:none", "hx-push-url": "true"}
	if diff := cmp.Diff(want, Swap("/t?a=1", "#content")); diff != "" {
		t.Error(diff)
	}
	if Swap("/t", "") != nil || Swap("", "#content") != nil {
		t.Error("without target or address a link must stay a link")
	}
}

func TestAComparisonShowsWhatWasAddedTakenAwayAndKept(t *testing.T) {
	same := strings.Repeat("same\n", 9)
	for name, x := range map[string]struct{ before, after, want string }{
		"a changed line":   {same + "old\n" + same, same + "new\n" + same, "skip:7 lines are the same|:same|:same|gone:old|new:new|:same|:same|skip:8 lines are the same"},
		"nothing":          {"a\nb", "a\nb", "skip:2 lines are the same"},
		"everything":       {"a", "b", "gone:a|new:b"},
		"a line more":      {"a\nc", "a\nb\nc", ":a|new:b|:c"},
		"a line less":      {"a\nb\nc", "a\nc", ":a|gone:b|:c"},
		"lines that moved": {"a\nb\nc\nd", "b\na\nc\nd", "gone:a|:b|new:a|:c|:d"},
	} {
		var got []string
		for _, l := range Diff(x.before, x.after) {
			got = append(got, string(l.Kind)+":"+l.Text)
		}
		if strings.Join(got, "|") != x.want {
			t.Errorf("%s: %s", name, strings.Join(got, "|"))
		}
	}
	long := strings.Repeat("x\ny\n", diffLongest)
	if lines := Diff(long+"a", "b"+long); len(lines) < diffLongest {
		t.Errorf("two long texts give %d lines", len(lines))
	}
}
