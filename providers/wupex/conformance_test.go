package wupex

import (
	"testing"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/providers/providertest"
	"countinghouse/providers/wupex/sandbox"
)

func TestWUPEXConforms(t *testing.T) {
	providertest.Run(t, providertest.Subject{
		Provider:   Provider(),
		NewSandbox: func(o providers.SandboxOptions) providers.SandboxHandler { return sandbox.New(sandbox.Options(o)) },
		Values:     map[string]string{"merchant": "CH-1"},
		Secrets:    map[string]string{"api_key": canary},
		Settings:   map[string]string{"rate_cap": "100"},
		URLs:       map[string]string{"base_url": ""},
		Samples: []providertest.Sample{{Name: "two cards", Kind: models.Order, Request: func(reference string) providers.SendRequest {
			return usual(reference, 2)
		}}},
	})
}
