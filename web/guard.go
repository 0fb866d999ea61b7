package web

import (
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"countinghouse/models"
)

// csp allows this origin's files and nothing else: no inline script or style, no eval, no frame, no foreign host.
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// secure writes the headers that every answer carries, also errors and files.
func (s *settings) secure(c *fiber.Ctx) {
	h := &c.Response().Header
	h.Set(fiber.HeaderContentSecurityPolicy, csp)
	h.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	h.Set(fiber.HeaderXFrameOptions, "DENY")
	// Not no-referrer: with it browsers send "Origin: null" with our own forms.
	h.Set(fiber.HeaderReferrerPolicy, "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set(fiber.HeaderPermissionsPolicy, "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()")
	if s.https {
		h.Set(fiber.HeaderStrictTransportSecurity, "max-age=63072000; includeSubDomains")
	}
}

var errHost = models.Errorf(models.NotFound, "This server does not answer under that name. Use the address it was set up with.")

// knownHost refuses requests under another name: a foreign page that points its own name at our address (DNS rebinding) is stopped here.
func (s *settings) knownHost(c *fiber.Ctx) error {
	if s.hosts[string(c.Request().Header.Host())] {
		return nil
	}
	return errHost
}

var errCrossOrigin = &models.Error{Code: models.Forbidden, Sentence: "This request came from another site, or from a browser that does not say where it came from. " +
	"Open the page here and try again."}

// crossOrigin refuses unsafe requests that another site caused. The standard library decides over what browsers say in Sec-Fetch-Site and Origin;
// it lets a request with neither through, as a program may send it. With our session cookie it is not a program, so that is refused as well.
type crossOrigin struct{ std *http.CrossOriginProtection }

func newCrossOrigin(base *url.URL) (crossOrigin, error) {
	g := crossOrigin{http.NewCrossOriginProtection()}
	// Behind a proxy the Host header may differ from what the browser's address bar shows.
	return g, g.std.AddTrustedOrigin(base.Scheme + "://" + base.Host)
}

func (g crossOrigin) check(c *fiber.Ctx, cookie string) error {
	method := c.Method()
	if method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions {
		return nil
	}
	site, origin := c.Get("Sec-Fetch-Site"), c.Get(fiber.HeaderOrigin)
	if site == "" && origin == "" {
		if c.Cookies(cookie) != "" {
			return errCrossOrigin
		}
		return nil
	}
	r := &http.Request{Method: method, Host: string(c.Request().Header.Host()), URL: &url.URL{Path: c.Path()}, Header: http.Header{}}
	if site != "" {
		r.Header.Set("Sec-Fetch-Site", site)
	}
	if origin != "" {
		r.Header.Set(fiber.HeaderOrigin, origin)
	}
	if err := g.std.Check(r); err != nil {
		return errCrossOrigin
	}
	return nil
}
