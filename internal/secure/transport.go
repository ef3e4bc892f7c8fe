package secure

import (
	"crypto/tls"
	"net/http"
)

// Transport returns an HTTP transport of the caller's own: proxies and bounds
// as of [http.DefaultTransport], which is everybody's, and TLS as cfg says, or as
// [Client] with the authorities of the system if it is nil. The configuration is
// copied.
func Transport(cfg *tls.Config) *http.Transport {
	if cfg == nil {
		cfg = Client(nil)
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = cfg.Clone()
	return t
}
