package web_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countinghouse/models"
	"countinghouse/providers"
	"countinghouse/web"
)

func TestTwoServersNeverWorkOnOneDataFolder(t *testing.T) {
	cfg := web.Config{Data: filepath.Join(t.TempDir(), "data"), GracePeriod: time.Second}
	_, _, stop := serveInBackground(t, cfg)
	second := cfg
	second.Listen = "127.0.0.1:0"
	serve := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		return web.Serve(ctx, second, slog.New(slog.DiscardHandler), io.Discard, providers.NewRegistry())
	}
	var said bytes.Buffer
	if code := web.ExitCode(serve(), &said); code != 2 || !strings.Contains(said.String(), "in use by another running countinghouse") {
		t.Errorf("a second server ends with %d and %q", code, said.String())
	}
	if err := web.InviteUser(t.Context(), second, slog.New(slog.DiscardHandler), &said, "ada@example.com", "Ada", []models.Role{models.Auditor}); err != nil {
		t.Errorf("a command beside the server: %v", err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // it starts and is told to stop at once
	if err := web.Serve(ctx, second, slog.New(slog.DiscardHandler), io.Discard, providers.NewRegistry()); err != nil && strings.Contains(err.Error(), "in use") {
		t.Errorf("after the first one ended: %v", err)
	}
}
