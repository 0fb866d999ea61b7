package web

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"countinghouse/models/store"
)

// Config is everything that an operator may say about the server. A mistake in it is one sentence, and exit code 2.
type Config struct {
	Data           string   // folder of database, keys and files
	Database       string   // postgres:// URL; empty: a SQLite file in Data
	Listen         string   // address and port of the pages
	PublicURL      string   // how browsers and providers reach us; empty: http:// and Listen
	MetricsListen  string   // Prometheus, loopback only; empty: none
	TrustedProxies []string // networks whose X-Forwarded-For is believed; nobody's when empty
	Merchant       string   // the merchant's name, as receipts say it; empty: they name nobody
	Zone           string   // in which times are shown to whoever has not chosen one
	VaultKey       string   // the key document itself, instead of vault.key in Data
	AuditKey       string   // base64 of the audit key's 32-byte seed, instead of audit.key in Data
	KeepExchanges  int      // days that requests to providers and their webhooks stay readable; zero: 400. What is evidence stays for ever
	EgressAddress  string   // the address that providers see us call from, for sentences and the health page; empty: not known
	Kit            bool     // serve the kit of the pages to admins; the demonstration always does
	S3             S3       // where documents lie; empty: the folder files in Data
	Clamd          string   // host:port or the path of a socket; empty: uploads are marked unscanned
	Demo           bool     // set by the demo command only; there is no flag for it
	GracePeriod    time.Duration
}

func (c Config) kit() bool { return c.Kit || c.Demo }

// S3 names the store of documents when it is not the data folder.
type S3 struct {
	Endpoint, Bucket, Region, Prefix, AccessKey, SecretKey string
	Insecure                                               bool // plain http, for a store on this machine
}

// ConfigError is a mistake in the configuration, as one sentence.
type ConfigError struct{ Sentence string }

func (e *ConfigError) Error() string { return e.Sentence }

func configErrorf(format string, args ...any) error {
	return &ConfigError{fmt.Sprintf(format, args...)}
}

// settings is a Config that was checked.
type settings struct {
	Config
	base    *url.URL // the public address
	https   bool
	proxies []netip.Prefix
	zone    *time.Location
	hosts   map[string]bool // Host headers we answer to
}

func (c Config) check() (s settings, err error) {
	s = settings{Config: c, hosts: map[string]bool{}}
	if s.GracePeriod == 0 {
		s.GracePeriod = 20 * time.Second
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return s, configErrorf("--listen %q is not an address with a port, such as 127.0.0.1:8080.", c.Listen)
	}
	if c.Database != "" && !store.IsPostgres(c.Database) {
		return s, configErrorf("The database address must begin with postgres://; leave it out for a SQLite file in the data folder.")
	}
	if c.KeepExchanges < 0 || c.KeepExchanges > 36500 {
		return s, configErrorf("--keep-exchanges %d is not a number of days from 1 to 36500; 0 means 400.", c.KeepExchanges)
	}
	if c.Data == "" {
		return s, configErrorf("Say where the data folder is with --data.")
	}
	if c.PublicURL == "" {
		if !loopback(host) {
			return s, configErrorf("--listen %s can be reached from other machines: say with --public-url how browsers reach it, for example https://pay.example.com.", c.Listen)
		}
		s.PublicURL = "http://" + net.JoinHostPort(host, port)
	}
	if s.base, err = url.Parse(strings.TrimSuffix(s.PublicURL, "/")); err != nil || s.base.Host == "" || s.base.Path != "" || s.base.RawQuery != "" || s.base.User != nil {
		return s, configErrorf("--public-url %q is not an address such as https://pay.example.com (no path).", c.PublicURL)
	}
	s.https = s.base.Scheme == "https"
	if !s.https && (s.base.Scheme != "http" || !loopback(s.base.Hostname())) {
		return s, configErrorf("--public-url %s must begin with https://: without it passwords would cross the network in the clear.", c.PublicURL)
	}
	s.hosts[strings.ToLower(s.base.Host)] = true
	if loopback(s.base.Hostname()) {
		for _, h := range []string{"127.0.0.1", "localhost", "::1"} {
			s.hosts[net.JoinHostPort(h, s.base.Port())] = true
		}
	}
	if c.MetricsListen != "" {
		if h, _, err := net.SplitHostPort(c.MetricsListen); err != nil || !loopback(h) {
			return s, configErrorf("--metrics-listen %q must be a loopback address with a port, such as 127.0.0.1:9090: the figures are for this machine only.", c.MetricsListen)
		}
	}
	for _, p := range c.TrustedProxies {
		prefix, err := parsePrefix(p)
		if err != nil {
			return s, configErrorf("--trusted-proxy %q is not a network such as 10.0.0.0/8.", p)
		}
		s.proxies = append(s.proxies, prefix)
	}
	if err := c.checkFiles(); err != nil {
		return s, err
	}
	if c.EgressAddress != "" {
		if addr, err := netip.ParseAddr(c.EgressAddress); err != nil || addr.Zone() != "" {
			return s, configErrorf("--egress-address %q is not an IP address such as 203.0.113.7.", c.EgressAddress)
		}
	}
	if s.zone, err = time.LoadLocation(or(c.Zone, "UTC")); err != nil || c.Zone == "Local" {
		return s, configErrorf("--zone %q is not a time zone such as America/Sao_Paulo.", c.Zone)
	}
	return s, nil
}

func parsePrefix(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	return netip.ParsePrefix(text)
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

func or(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}
