package web

import (
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

func levelOf(status int) slog.Level {
	if status >= 500 {
		return slog.LevelError
	}
	return slog.LevelInfo
}

func attrs(f *fiber.Ctx, id, route, user, ip string, status int, took time.Duration) []slog.Attr {
	return []slog.Attr{slog.String("request_id", id), slog.String("method", f.Method()), slog.String("route", route), slog.Int("status", status),
		slog.Int64("us", took.Microseconds()), slog.Int("bytes", bodySize(f)), slog.String("ip", ip), slog.String("user", user)}
}

// bodySize is the size of an answer, -1 for one that is streamed: asking Fiber for a stream's body would read all of it into memory.
func bodySize(f *fiber.Ctx) int {
	if f.Response().IsBodyStream() {
		return -1
	}
	return len(f.Response().Body())
}

// metrics are the figures of the HTTP edge. Others register theirs in the same registry.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

func newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "countinghouse_http_request_seconds", Help: "Time to answer, by route and class of status.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}}, []string{"route", "status"})}
	m.registry.MustRegister(m.requests, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) request(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, string(rune('0'+status/100))+"xx").Observe(took.Seconds())
}
