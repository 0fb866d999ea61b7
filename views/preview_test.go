package views

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/a-h/templ"

	"countinghouse/static"
)

// previewHandler serves the kit and the assets as the web layer does: strict
// content policy, no framework.
func previewHandler() http.Handler {
	mux := http.NewServeMux()
	page := func(path string, view func(Page) templ.Component) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			p := Page{Theme: cookie(r, "ch_theme"), Density: cookie(r, "ch_density"), Path: r.URL.Path, Env: r.FormValue("env")}
			if t := r.FormValue("theme"); t != "" {
				p.Theme = t
			}
			w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			if err := view(p).Render(r.Context(), w); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
	}
	for path, view := range samplePages() {
		page(path, view)
	}
	mux.HandleFunc("GET "+static.Prefix, func(w http.ResponseWriter, r *http.Request) {
		f, immutable, ok := static.Open(r.URL.Path)
		if !ok {
			http.NotFound(w, r)
			return
		}
		if immutable {
			w.Header().Set("Cache-Control", static.ImmutableCache)
		}
		body, encoding := f.Encoded(r.Header.Get("Accept-Encoding"))
		w.Header().Set("Content-Type", f.ContentType)
		w.Header().Set("Vary", "Accept-Encoding")
		if encoding != "" {
			w.Header().Set("Content-Encoding", encoding)
		}
		_, _ = w.Write(body)
	})
	mux.HandleFunc("GET /search", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"results":[{"label":"Payout CH-7Q2M-0412","href":"/kit/payout","kind":"Transactions","note":"−1,840.00 BRL"}]}`))
	})
	return mux
}

func samplePages() map[string]func(Page) templ.Component {
	return map[string]func(Page) templ.Component{
		"/kit/transactions": KitTransactions,
		"/kit/payout":       KitPayout,
		"/kit/home":         KitHome,
		"/kit":              Kit,
		"/kit/form":         KitForm,
		"/kit/review":       KitReview,
		"/kit/sign-in":      KitSignIn,
		"/kit/error":        KitError,
	}
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

func preview(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(previewHandler())
	t.Cleanup(s.Close)
	return s
}

// Run by hand: UI_PREVIEW=127.0.0.1:9321 go test ./views -run Preview -timeout 0
func TestPreviewServer(t *testing.T) {
	addr := os.Getenv("UI_PREVIEW")
	if addr == "" {
		t.Skip("set UI_PREVIEW to an address to look at the kit in a browser")
	}
	server := &http.Server{Addr: addr, Handler: previewHandler(), ReadHeaderTimeout: 5e9}
	if err := server.ListenAndServe(); err != nil {
		t.Fatal(err)
	}
}
