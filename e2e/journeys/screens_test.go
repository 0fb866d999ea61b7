package journeys

import (
	"bytes"
	"cmp"
	"context"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"countinghouse/e2e/browse"
)

// screens is where the README's pictures are.
var screens = filepath.Join("..", "..", "docs", "screens")

// Run by hand when pages have changed: UPDATE_SCREENS=1 go test ./e2e/journeys -run Screens
func TestScreens(t *testing.T) {
	if os.Getenv("UPDATE_SCREENS") == "" {
		t.Skip("set UPDATE_SCREENS=1 to take the README's pictures anew")
	}
	ctx := browse.Start(t)
	h := open(t)
	w := &walk{house: h, browser: ctx}
	w.tomas, w.ada, w.marta = arrive(t, ctx, h, "Tomás Vega"), arrive(t, ctx, h, "Ada Okoye"), arrive(t, ctx, h, "Marta Lind")
	if err := os.MkdirAll(screens, 0o750); err != nil {
		t.Fatal(err)
	}
	w.addsACredential(t)
	w.onekey.tell(t, "fault", "operation", "payout", "kind", "lose_reply", "times", "1")
	w.onekey.tell(t, "fault", "operation", "/v3/cashout/status", "kind", "http_500", "times", "50")
	w.makesPayout(w.ada, "1840.00", "1,840.00 BRL")
	unknown := w.ada.path()
	w.marta.approves(w.ada.reference(), "1,840.00 BRL")
	w.ada.sees("Outcome unknown")
	w.makesPayout(w.ada, "2310.00", "2,310.00 BRL")
	ref := w.ada.reference()

	w.marta.open("/")
	w.marta.picture("home", 1280)
	w.marta.open("/transactions")
	w.marta.picture("transactions", 1280)
	w.marta.theme("dark")
	w.marta.picture("transactions-dark", 1280)
	w.marta.theme("light")
	w.marta.picture("transactions-390", 390)
	w.marta.open(unknown)
	w.marta.picture("payout-unknown", 1280)
	w.marta.open("/approvals")
	w.marta.press("Payout", true, `tr[data-ref="`+ref+`"]`)
	w.marta.sees("Destination, in full", ref)
	w.marta.picture("approval", 1280)
}

func (p *person) theme(name string) {
	p.t.Helper()
	ask[bool](p, `document.documentElement.dataset.theme = '`+name+`'; true`)
}

// picture saves what stands on the screen, at most 150 kB of it.
func (p *person) picture(name string, width int64) {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, patience)
	defer stop()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 800)); err != nil {
		p.t.Fatal(err)
	}
	ask[bool](p, `scrollTo(0, 0); document.activeElement?.blur(); document.querySelector('#toasts')?.replaceChildren(); document.fonts.ready.then(() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(() => r(true)))))`, awaited)
	shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	full, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		p.t.Fatal(err)
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&out, fewColours(full)); err != nil {
		p.t.Fatal(err)
	}
	if out.Len() > 150_000 {
		p.t.Errorf("%s has %d bytes, allowed are 150,000", name, out.Len())
	}
	if err := os.WriteFile(filepath.Join(screens, name+".png"), out.Bytes(), 0o600); err != nil {
		p.t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 800)); err != nil {
		p.t.Fatal(err)
	}
}

// fewColours keeps the 256 most frequent colours: a page has few, and the edges of letters can be had from near ones.
func fewColours(full image.Image) image.Image {
	count := map[color.RGBA]int{}
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(full.At(x, y)).(color.RGBA) } //nolint:forcetypeassert // what the model gives
	b := full.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			count[at(x, y)]++
		}
	}
	list := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int { return cmp.Compare(count[b], count[a]) })
	palette := color.Palette{}
	for _, c := range list[:min(256, len(list))] {
		palette = append(palette, c)
	}
	small, nearest := image.NewPaletted(b, palette), map[color.RGBA]uint8{}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := at(x, y)
			i, known := nearest[c]
			if !known {
				i = uint8(palette.Index(c)) //nolint:gosec // below 256
				nearest[c] = i
			}
			small.SetColorIndex(x, y, i)
		}
	}
	return small
}
