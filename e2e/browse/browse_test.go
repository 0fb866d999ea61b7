package browse_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"countinghouse/e2e/browse"
)

// A page that goes on to the next one every few milliseconds is asked a question that only the last one answers, which stays.
func TestAQuestionOutlivesThePageThatItWasPutTo(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		n := len(r.URL.Path)
		if n > 6 {
			_, _ = fmt.Fprint(w, "<!doctype html><title>last</title><p>here")
			return
		}
		_, _ = fmt.Fprintf(w, "<!doctype html><title>%d</title><script>setTimeout(() => location.assign(location.pathname + 'x'), 60)</script>", n)
	}))
	defer server.Close()
	ctx, stop := context.WithTimeout(browse.Start(t), time.Minute)
	defer stop()
	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/")); err != nil {
		t.Fatal(err)
	}
	slow := `new Promise((done) => setInterval(() => { if (document.title === 'last') done(document.title) }, 20))`
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[string](slow, chromedp.EvalAwaitPromise)); !browse.Between(err) {
		t.Errorf("a page that goes on says %v, and that is not known as going on", err) // else what follows proves nothing
	}
	title, err := browse.Ask[string](ctx, slow, chromedp.EvalAwaitPromise)
	if err != nil || title != "last" {
		t.Errorf("the answer is %q, %v", title, err)
	}
	if yes, err := browse.Until(ctx, `document.body.innerText.includes('here')`); !yes || err != nil {
		t.Errorf("the last page: %v, %v", yes, err)
	}
	if _, err := browse.Ask[string](ctx, `nothing.at.all`); err == nil || browse.Between(err) {
		t.Errorf("a script that fails says %v", err)
	}
}
