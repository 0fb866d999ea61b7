package web

import "github.com/alecthomas/kong"

// ParseForTest parses an empty command line into a grammar with our resolver.
func ParseForTest(grammar any, value func() string) (string, error) {
	p, err := kong.New(grammar, kong.Resolvers(FromFiles()))
	if err != nil {
		return "", err
	}
	_, err = p.Parse(nil)
	return value(), err
}
