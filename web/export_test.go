package web

import (
	"context"

	"github.com/alecthomas/kong"

	"countinghouse/handlers"
)

// With adds routes of a test to the table.
func (d Deps) With(more ...handlers.Route) Deps {
	d.more = more
	return d
}

// ParseForTest parses an empty command line into a grammar with our resolver.
func ParseForTest(grammar any, value func() string) (string, error) {
	p, err := kong.New(grammar, kong.Resolvers(FromFiles()))
	if err != nil {
		return "", err
	}
	_, err = p.Parse(nil)
	return value(), err
}

// RunForTest works beside the pages until ctx ends.
func (e *Engine) RunForTest(ctx context.Context) { e.run(ctx) }
