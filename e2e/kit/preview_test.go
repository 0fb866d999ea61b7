package kit

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/a-h/templ"

	"countinghouse/static"
	"countinghouse/views"
)

// contentPolicy is the one the web layer sends: nothing inline, nothing from elsewhere.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// samples serves the kit and the assets as the web layer does, without a framework.
type samples struct {
	*httptest.Server
	posts atomic.Int64 // forms that arrived at /kit/confirm
}

func (s *samples) handler() http.Handler {
	mux := http.NewServeMux()
	for path, view := range samplePages() {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { s.page(w, r, view) })
	}
	mux.HandleFunc("GET "+static.Prefix, serveAsset)
	mux.HandleFunc("GET /search", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"results":[{"label":"Payout CH-7Q2M-0412","href":"/kit/payout","kind":"Transactions","note":"−1,840.00 BRL"},`+
			`{"label":"<img src=x onerror=alert(1)>","href":"https://elsewhere.example/","kind":"<b>Found</b>"}]}`)
	})
	mux.HandleFunc("POST /kit/confirm", func(w http.ResponseWriter, r *http.Request) {
		s.posts.Add(1)
		http.Redirect(w, r, "/kit/payout", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /kit/broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	return mux
}

func (s *samples) page(w http.ResponseWriter, r *http.Request, view func(views.Page) templ.Component) {
	p := views.Page{Theme: cookie(r, "ch_theme"), Density: cookie(r, "ch_density"), Path: r.URL.Path, Env: r.FormValue("env"), Partial: r.Header.Get("HX-Request") == "true"}
	if t := r.FormValue("theme"); t != "" {
		p.Theme = t
	}
	w.Header().Set("Content-Security-Policy", contentPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if err := view(p).Render(r.Context(), w); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func serveAsset(w http.ResponseWriter, r *http.Request) {
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
}

func samplePages() map[string]func(views.Page) templ.Component {
	pages := map[string]func(views.Page) templ.Component{views.KitPath: views.Kit}
	for name, view := range views.KitSamples() {
		pages[views.KitPath+"/"+name] = view
	}
	return pages
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

func preview(t *testing.T) *samples {
	t.Helper()
	s := &samples{}
	s.Server = httptest.NewServer(s.handler())
	t.Cleanup(s.Close)
	return s
}

// Run by hand: UI_PREVIEW=127.0.0.1:9321 go test ./e2e/kit -run Preview -timeout 0
func TestPreviewServer(t *testing.T) {
	addr := os.Getenv("UI_PREVIEW")
	if addr == "" {
		t.Skip("set UI_PREVIEW to an address to look at the kit in a browser")
	}
	server := &http.Server{Addr: addr, Handler: (&samples{}).handler(), ReadHeaderTimeout: 5 * time.Second}
	if err := server.ListenAndServe(); err != nil {
		t.Fatal(err)
	}
}
