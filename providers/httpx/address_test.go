package httpx_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"countinghouse/providers/httpx"
)

func TestOnlyPublicAddressesAreCalled(t *testing.T) {
	for _, s := range []string{"8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"} {
		if !httpx.PublicAddress(netip.MustParseAddr(s)) {
			t.Errorf("%s is public", s)
		}
	}
	for _, s := range []string{
		"0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255",
		"192.0.0.192", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "fe80::1",
		"fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "2002:7f00:1::", "2001::1",
	} {
		if httpx.PublicAddress(netip.MustParseAddr(s)) {
			t.Errorf("%s must not be called", s)
		}
	}
}

// nameServer answers every A question with ip, over one in-process connection per question.
func nameServer(ip [4]byte) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer func() { _ = far.Close() }()
			buf := make([]byte, 2048)
			n, err := far.Read(buf) // a pipe is a stream: two bytes of length first
			if err != nil || n < 2 {
				return
			}
			msg := buf[2:n]
			if n == 2 {
				if n, err = far.Read(buf); err != nil {
					return
				}
				msg = buf[:n]
			}
			var q dnsmessage.Message
			if q.Unpack(msg) != nil || len(q.Questions) == 0 {
				return
			}
			a := dnsmessage.Message{Header: dnsmessage.Header{ID: q.ID, Response: true, RecursionAvailable: true}, Questions: q.Questions}
			if q.Questions[0].Type == dnsmessage.TypeA {
				a.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 1},
					Body:   &dnsmessage.AResource{A: ip},
				}}
			}
			out, err := a.Pack()
			if err != nil {
				return
			}
			_, _ = far.Write(append([]byte{byte(len(out) >> 8), byte(len(out))}, out...))
		}()
		return near, nil
	}}
}

func TestAPinnedNameThatResolvesToThisMachineIsRefused(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached") }))
	defer srv.Close()
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	for _, ip := range [][4]byte{{127, 0, 0, 1}, {169, 254, 169, 254}, {10, 0, 0, 7}} {
		// AllowLoopback is on: it speaks of the base URL as written, never of where a name leads.
		c, b := newClient(t, "https://api.rebinding.test:"+port, func(cfg *httpx.Config) {
			cfg.AllowedHosts = []string{"api.rebinding.test:" + port}
		})
		c.UseResolver(nameServer(ip))
		_, err := c.Do(t.Context(), httpx.Request{Operation: "pay", Method: "POST", Path: "/", Body: []byte("x"), Timeout: 3 * time.Second})
		e := wantError(t, err, httpx.KindRefusedAddress, false)
		if !strings.Contains(e.Message, netip.AddrFrom4(ip).String()) || b.all()[0].Sent {
			t.Errorf("%v, %+v", e, b.all())
		}
	}
}

func TestALoopbackClientReachesThisMachineOnly(t *testing.T) {
	c, _ := newClient(t, "http://localhost:9", nil)
	c.UseResolver(nameServer([4]byte{8, 8, 8, 8}))
	_, err := c.Do(t.Context(), httpx.Request{Method: "GET", Path: "/"})
	// /etc/hosts usually wins and nobody listens there; a resolver that lies is refused. Neither sends.
	if !httpx.NotSent(err) {
		t.Errorf("error %v", err)
	}
}
