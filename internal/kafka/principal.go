package kafka

import (
	"crypto/tls"
	"crypto/x509"
)

// Principals are the names that the cluster may know this client by, as ACLs
// write them: the SCRAM user, or what brokers make of a certificate, its common
// name or its whole subject. The protocol has no way to ask.
func (c *Cluster) Principals() []string { return c.principals }

func (c Config) principals() []string {
	var names []string
	if c.User != "" {
		names = append(names, "User:"+c.User)
	}
	if c.TLS == nil {
		return names
	}
	for _, certificate := range c.TLS.Certificates {
		leaf := leafOf(certificate)
		if leaf == nil {
			continue
		}
		names = append(names, "User:"+leaf.Subject.String())
		if leaf.Subject.CommonName != "" {
			names = append(names, "User:"+leaf.Subject.CommonName)
		}
	}
	return names
}

func leafOf(c tls.Certificate) *x509.Certificate {
	if c.Leaf != nil || len(c.Certificate) == 0 {
		return c.Leaf
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		return nil
	}
	return leaf
}
