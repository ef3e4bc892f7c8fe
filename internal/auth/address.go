package auth

import (
	"net"
	"net/netip"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// Addresses splits a comma-separated bootstrap list. Every part must be
// host:port; spaces around it are dropped.
func Addresses(bootstrap string) ([]string, error) {
	var addrs []string
	for part := range strings.SplitSeq(bootstrap, ",") {
		addr := strings.TrimSpace(part)
		host, port, err := net.SplitHostPort(addr)
		if err != nil || host == "" || port == "" {
			return nil, diag.New(diag.KafkaAddress, "bootstrap address %q is not host:port", addr)
		}
		addrs = append(addrs, addr)
	}
	return addrs, nil
}

// RequireTLS refuses a connection in the clear to anything but this machine.
// PLAIN is refused there too: it shows the password itself.
func RequireTLS(addrs []string, kind contract.Auth) error {
	if kind == contract.Plain {
		return diag.New(diag.KafkaPlaintext, "refused to log in with PLAIN at %s without TLS", strings.Join(addrs, ","))
	}
	for _, addr := range addrs {
		if !loopback(addr) {
			return diag.New(diag.KafkaPlaintext, "refused to talk to %s without TLS", addr)
		}
	}
	return nil
}

func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
