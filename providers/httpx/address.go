package httpx

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
)

// refusedAddress is a look-up that ended at an address which no provider has: DNS rebinding, a metadata service, the
// merchant's own network.
type refusedAddress struct{ addr string }

func (e *refusedAddress) Error() string {
	return fmt.Sprintf("the host resolves to %s, which is not a public address", e.addr)
}

// controlAddress runs after the name was resolved and before the connection is made, for every address tried, so that a
// name cannot change its mind in between. With loopback it admits this machine and nothing else.
func controlAddress(loopback bool) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return &refusedAddress{addr: address}
		}
		ip := ap.Addr().Unmap().WithZone("")
		if loopback && ip.IsLoopback() || !loopback && publicAddress(ip) {
			return nil
		}
		return &refusedAddress{addr: ip.String()}
	}
}

// publicAddress is false for every range that the IANA special-purpose registries keep off the public internet
// (RFC 6890 and its successors), and for the IPv6 ranges that embed an IPv4 address which is.
func publicAddress(ip netip.Addr) bool {
	ip = ip.Unmap()
	if !ip.IsValid() || ip.IsUnspecified() || ip.IsLoopback() || ip.IsPrivate() || ip.IsMulticast() ||
		ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast() || ip.IsInterfaceLocalMulticast() {
		return false
	}
	for _, p := range specialRanges() {
		if p.Contains(ip) {
			return false
		}
	}
	if nat64 := netip.MustParsePrefix("64:ff9b::/96"); nat64.Contains(ip) {
		b := ip.As16()
		return publicAddress(netip.AddrFrom4([4]byte(b[12:16])))
	}
	return true
}

func specialRanges() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
		"198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16",
		"fec0::/10",
	} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// isLoopbackHost reports whether a base URL names this machine literally. Any other name that merely resolves to it is
// refused when connecting.
func isLoopbackHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
