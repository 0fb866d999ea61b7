package kit

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Run by hand: UI_SHOTS=/tmp/shots go test ./e2e/kit -run OpenedThings
func TestOpenedThings(t *testing.T) {
	dir := os.Getenv("UI_SHOTS")
	if dir == "" {
		t.Skip("set UI_SHOTS to a folder to get pictures of menus, palette, peek and print")
	}
	ctx := browser(t)
	s := preview(t)
	for name, c := range map[string]struct {
		path   string
		wide   int64
		script string
		media  string
	}{
		"menu-narrow":   {"/kit/transactions", 390, `document.querySelector('.menu-open').click(); true`, ""},
		"user-menu":     {"/kit/home", 1280, `document.querySelector('.who summary').click(); true`, ""},
		"user-narrow":   {"/kit/home", 390, `document.querySelector('.who summary').click(); true`, ""},
		"palette":       {"/kit/transactions?theme=dark", 1280, `document.dispatchEvent(new KeyboardEvent('keydown', {key: 'k', ctrlKey: true})); true`, ""},
		"peek":          {"/kit/transactions", 1280, `document.querySelector('tr[data-peek] a').focus(); document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: ' ', bubbles: true})); true`, ""},
		"filter":        {"/kit/transactions", 1280, `document.querySelector('.chips .pop summary').click(); true`, ""},
		"keys":          {"/kit/home", 1280, `document.body.dispatchEvent(new KeyboardEvent('keydown', {key: '?', bubbles: true})); true`, ""},
		"print-payout":  {"/kit/payout?theme=dark", 760, `true`, "print"},
		"print-review":  {"/kit/review", 760, `true`, "print"},
		"print-list":    {"/kit/transactions", 1000, `true`, "print"},
		"wide":          {"/kit/transactions", 2560, `true`, ""},
		"compact-table": {"/kit/transactions", 1280, `document.documentElement.dataset.density = 'compact'; true`, ""},
	} {
		if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: c.media}); err != nil {
			t.Fatal(err)
		}
		screen(t, ctx, c.wide, 900, s.URL+c.path)
		ask[bool](t, ctx, c.script)
		if err := chromedp.Do(ctx, chromedp.Sleep(4e8)); err != nil {
			t.Fatal(err)
		}
		picture, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "open-"+name+".png"), picture.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
