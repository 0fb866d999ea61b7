package handlers

import (
	"bufio"
	"context"
	"io"
	"log/slog"
)

// Stream answers with a body that is written while it is being made, so that it may be larger than memory. write runs after the handler has
// returned and must not use c. When it fails the connection is cut before the last chunk, so that nobody takes half a file for a whole one;
// what can be refused must be refused before.
func (c *Ctx) Stream(write func(ctx context.Context, w io.Writer) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context()), c.Route.Timeout)
	r, w := io.Pipe()
	name := c.Route.Name
	go func() {
		defer cancel()
		buf := bufio.NewWriterSize(w, 64<<10)
		err := write(ctx, buf)
		if err == nil {
			err = buf.Flush()
		}
		if err != nil {
			slog.Default().Error("a stream ended early", "route", name, "error", err)
		}
		_ = w.CloseWithError(err) // with nil this is the ordinary end
	}()
	c.Fiber.Context().SetBodyStream(r, -1)
	return nil
}
