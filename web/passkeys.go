package web

import (
	"net"
	"net/netip"

	"countinghouse/models"
)

// passkeys is the name and address that people's passkeys are bound to: the public address. Browsers bind passkeys to names only, so a server
// on a loopback address has them under localhost, and one that is reached under another bare address has none.
func (s *settings) passkeys() models.PasskeySite {
	host, origin := s.base.Hostname(), s.base.Scheme+"://"+s.base.Host
	if _, err := netip.ParseAddr(host); err == nil {
		if !loopback(host) {
			return models.PasskeySite{Why: "Passkeys need a name: this server is reached under a bare address, and browsers bind passkeys to names only."}
		}
		host, origin = "localhost", s.base.Scheme+"://localhost"
		if port := s.base.Port(); port != "" {
			origin = s.base.Scheme + "://" + net.JoinHostPort("localhost", port)
		}
	}
	return models.PasskeySite{Name: host, Origin: origin}
}
