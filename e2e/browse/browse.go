// Package browse drives Debian's Chromium for the tests that look at pages: e2e/kit, e2e/journeys and web. It is test support and in no program.
package browse

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Start starts a browser that ends with the test, or skips the test and says that it is not there. CI has it. The first tab is open.
func Start(t testing.TB) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("browser tests are left out of -short")
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("REQUIRE_BROWSER") != "" {
			t.Fatal("chromium is required here and not installed")
		}
		t.Skip("chromium is not installed: nobody looked at the pages")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.WSURLReadTimeout(time.Minute))
	alloc, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, stopBrowser := chromedp.NewContext(alloc)
	t.Cleanup(stopBrowser)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return ctx
}

// Between tells whether an error only says that one page was just giving way to the next: what was asked of the first has no answer, and may be asked
// of the second.
func Between(err error) bool {
	if err == nil {
		return false
	}
	text := err.Error()
	for _, sign := range []string{"Inspected target navigated or closed", "context was destroyed", "Cannot find context", "Cannot find default execution context",
		"Argument should belong to the same JavaScript world", "uniqueContextId not found"} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

// Ask evaluates a script on the page. When the page gives way to the next one meanwhile, the next one is asked, until the context ends. So a script
// either only looks, or changes nothing but the page that it stands on.
func Ask[T any](ctx context.Context, script string, options ...chromedp.EvaluateOption) (T, error) {
	for {
		answer, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, options...))
		if !Between(err) || ctx.Err() != nil {
			return answer, err
		}
		if chromedp.Do(ctx, chromedp.Sleep(30*time.Millisecond)) != nil {
			return answer, err
		}
	}
}

// Until asks until a script answers true. The error of the last question is given when the context ends first; nil then means "false".
func Until(ctx context.Context, script string) (bool, error) {
	for {
		yes, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`!!(`+script+`)`))
		if err == nil && yes {
			return true, nil
		}
		if ctx.Err() != nil || chromedp.Do(ctx, chromedp.Sleep(40*time.Millisecond)) != nil {
			return false, err
		}
	}
}
