package web

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/gofiber/fiber/v2"
	"github.com/gorilla/sessions"

	"countinghouse/models"
	"countinghouse/models/store"
)

// sessionStore is gorilla/sessions over our own table. The cookie carries 256 random bits, the table their SHA-256; there is nothing in the
// cookie to sign or to encrypt. Sessions are started by the store when a password was right, never by a visit, so there is none to fixate.
type sessionStore struct {
	store  *store.Store
	cookie string
	secure bool
}

// Cookie names: __Host- makes browsers insist on https, this host and no domain; on loopback without https they would drop it.
const (
	cookieSecure = "__Host-countinghouse"
	cookiePlain  = "countinghouse"
)

func newSessionStore(s *store.Store, https bool) *sessionStore {
	st := &sessionStore{store: s, cookie: cookiePlain, secure: https}
	if https {
		st.cookie = cookieSecure
	}
	return st
}

// Keys of what a session holds.
const (
	keySigned = "signed" // store.Signed
	keyTone   = "tone"   // of the notice for the next page
	keyText   = "text"
)

// fromKey carries where a request comes from, in the context of the request that gorilla/sessions sees.
type fromKey struct{}

// Get implements sessions.Store.
func (st *sessionStore) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(st, name)
}

// New implements sessions.Store: the session behind the request's cookie, or an empty one. An error means that nobody could be asked.
func (st *sessionStore) New(r *http.Request, name string) (*sessions.Session, error) {
	se := sessions.NewSession(st, name)
	se.IsNew = true
	se.Options = &sessions.Options{Path: "/", HttpOnly: true, Secure: st.secure, SameSite: http.SameSiteLaxMode}
	ck, err := r.Cookie(name)
	if err != nil {
		return se, nil //nolint:nilerr // no cookie is not a failure
	}
	from, _ := r.Context().Value(fromKey{}).(models.From)
	signed, err := st.store.SessionByToken(r.Context(), ck.Value, from)
	if models.Is(err, models.Unsigned) {
		return se, nil
	}
	if err != nil {
		return se, err
	}
	se.ID, se.IsNew = ck.Value, false
	se.Values[keySigned] = signed
	var kept map[string]string
	if signed.Session.Data != "" && json.Unmarshal([]byte(signed.Session.Data), &kept) == nil {
		se.Values[keyTone], se.Values[keyText] = kept[keyTone], kept[keyText]
	}
	return se, nil
}

// Save implements sessions.Store: it writes the cookie when the token changed, takes it away when MaxAge is negative, and keeps the notice.
func (st *sessionStore) Save(r *http.Request, w http.ResponseWriter, se *sessions.Session) error {
	ck := sessions.NewCookie(se.Name(), se.ID, se.Options) //nolint:gosec // New sets Secure, HttpOnly and SameSite in the options
	if se.Options.MaxAge < 0 {
		ck.Value = ""
		http.SetCookie(w, ck)
		return nil
	}
	if se.IsNew {
		http.SetCookie(w, ck)
		return nil
	}
	signed, ok := se.Values[keySigned].(store.Signed)
	if !ok {
		return nil
	}
	data := ""
	if text, _ := se.Values[keyText].(string); text != "" {
		tone, _ := se.Values[keyTone].(string)
		b, err := json.Marshal(map[string]string{keyTone: tone, keyText: text})
		if err != nil {
			return err
		}
		data = string(b)
	}
	if data == signed.Session.Data {
		return nil
	}
	return st.store.SaveSessionData(r.Context(), signed.Session.ID, data)
}

// seat is one request's session: it bridges between Fiber's request and the net/http request that gorilla/sessions wants. It implements
// handlers.Seat and handlers.Notes.
type seat struct {
	fiber *fiber.Ctx
	store *sessionStore
	r     *http.Request
	se    *sessions.Session
}

// openSeat reads the session of a request. The net/http request holds the cookie header and nothing else.
func (st *sessionStore) openSeat(ctx context.Context, c *fiber.Ctx, from models.From) (*seat, error) {
	r := (&http.Request{Method: http.MethodGet, Header: http.Header{}}).WithContext(context.WithValue(ctx, fromKey{}, from))
	if v := c.Get(fiber.HeaderCookie); v != "" {
		r.Header.Set("Cookie", v)
	}
	se, err := st.Get(r, st.cookie)
	if err != nil {
		return nil, err
	}
	return &seat{fiber: c, store: st, r: r, se: se}, nil
}

func (s *seat) signed() store.Signed {
	signed, _ := s.se.Values[keySigned].(store.Signed)
	return signed
}

// Token is the cookie's token, empty when there is no session.
func (s *seat) Token() string { return s.se.ID }

// Set puts another token into the cookie.
func (s *seat) Set(token string) error {
	s.se.ID, s.se.IsNew = token, true
	return s.se.Save(s.r, headerWriter{s.fiber})
}

// Clear takes the cookie away.
func (s *seat) Clear() error {
	s.se.Options.MaxAge = -1
	return s.se.Save(s.r, headerWriter{s.fiber})
}

// Add keeps a notice for the next page. Without a session there is no next page to show it on.
func (s *seat) Add(tone, text string) error {
	if s.se.IsNew {
		return nil
	}
	s.se.Values[keyTone], s.se.Values[keyText] = tone, text
	return s.se.Save(s.r, headerWriter{s.fiber})
}

// Take gives the notice and forgets it. When that cannot be written down the notice is shown once more, which harms nobody.
func (s *seat) Take() (tone, text string) {
	tone, _ = s.se.Values[keyTone].(string)
	text, _ = s.se.Values[keyText].(string)
	if text != "" {
		delete(s.se.Values, keyText)
		_ = s.se.Save(s.r, headerWriter{s.fiber})
	}
	return tone, text
}

// headerWriter lets net/http write cookies into Fiber's answer.
type headerWriter struct{ c *fiber.Ctx }

// Header gives a map that is copied on WriteHeader; http.SetCookie only adds to it, so the copy is made here.
func (w headerWriter) Header() http.Header { return cookieHeader(w.c) }

func (w headerWriter) Write(b []byte) (int, error) { return len(b), nil }

func (w headerWriter) WriteHeader(int) {}

// cookieHeader is not possible as a view of Fiber's headers, so Set-Cookie goes through a one-key map that is flushed by setCookies.
func cookieHeader(c *fiber.Ctx) http.Header {
	h, ok := c.Locals("set-cookie").(http.Header)
	if !ok {
		h = http.Header{}
		c.Locals("set-cookie", h)
	}
	return h
}

// flushCookies writes what gorilla/sessions wanted into the answer; the last word on a cookie wins.
func flushCookies(c *fiber.Ctx) {
	h, ok := c.Locals("set-cookie").(http.Header)
	if !ok {
		return
	}
	if all := h.Values("Set-Cookie"); len(all) > 0 {
		c.Response().Header.Add(fiber.HeaderSetCookie, all[len(all)-1])
	}
}
