package web

import (
	"io"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"countinghouse/handlers"
)

// uploadTime is how long a large body may take to come in; an ordinary form has the server's own thirty seconds.
const uploadTime = 10 * time.Minute

// patience gives slow lines time for large bodies. It is asked before a body is read.
func (a *App) patience(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	bytes, _ := a.limit(h)
	c := fasthttp.RequestConfig{MaxRequestBodySize: bytes}
	if bytes > handlers.FormLimit {
		c.ReadTimeout = uploadTime
	}
	return c
}

// takeBody reads a request's body into memory, up to the limit of its route. A route that streams reads its own, and is only held to an
// announced length that is not above the limit.
func (a *App) takeBody(f *fiber.Ctx) error {
	body := f.Context().RequestBodyStream()
	if body == nil {
		return nil
	}
	limit, stream := a.limit(&f.Request().Header)
	announced := f.Request().Header.ContentLength()
	switch {
	case announced > limit:
		return fiber.ErrRequestEntityTooLarge
	case stream && announced >= 0:
		return nil
	case stream: // without a length nobody could say before the end that it is too much
		return fiber.NewError(fiber.StatusLengthRequired)
	}
	all, err := io.ReadAll(io.LimitReader(body, int64(limit)+1))
	if err != nil {
		f.Context().SetConnectionClose()
		return fiber.ErrBadRequest
	}
	if len(all) > limit {
		return fiber.ErrRequestEntityTooLarge
	}
	f.Request().SetBodyRaw(all)
	return nil
}

// endBody reads what a handler left of a body, so that the browser hears the answer and not a broken line, and closes the connection where that
// would be too much.
func (a *App) endBody(f *fiber.Ctx) {
	body := f.Context().RequestBodyStream()
	if body == nil {
		return
	}
	limit, stream := a.limit(&f.Request().Header)
	if n := f.Request().Header.ContentLength(); !stream || n < 0 || n > limit {
		f.Context().SetConnectionClose()
		return
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(body, int64(limit))); err != nil {
		f.Context().SetConnectionClose()
	}
}
