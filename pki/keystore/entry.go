package keystore

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

const (
	maxChain = 10  // certificates above one another
	maxAlias = 128 // characters
)

// An Entry is a private key and the certificates that vouch for it. It shows its
// alias, and never its key, wherever it is printed, logged or encoded.
type Entry struct {
	// Alias names the entry in the store: letters, digits, dot, hyphen and
	// underscore, at most 128. Upper case becomes lower case.
	//
	// Defaults to the leaf's common name.
	Alias string

	// Key is an *ecdsa.PrivateKey or an *rsa.PrivateKey.
	Key crypto.PrivateKey

	// Chain is the key's own certificate first, and then each issuer in turn.
	// The root may be there and need not.
	Chain []*x509.Certificate
}

// String returns the alias.
func (e Entry) String() string { return "entry " + e.Alias }

// Format writes the alias for every verb.
func (e Entry) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.String()) }

// LogValue returns the alias.
func (e Entry) LogValue() slog.Value { return slog.StringValue(e.String()) }

// MarshalText returns the alias, for JSON and YAML.
func (e Entry) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// complete returns the entry with its alias, once everything in it fits together.
func (e Entry) complete() (Entry, error) {
	if len(e.Chain) == 0 || len(e.Chain) > maxChain {
		return e, diag.New(diag.KeystoreMismatch, "the chain has %d certificates, want 1 to %d", len(e.Chain), maxChain)
	}
	if err := checkKey(e.Key, e.Chain[0]); err != nil {
		return e, err
	}
	for i, cert := range e.Chain[:len(e.Chain)-1] {
		if err := cert.CheckSignatureFrom(e.Chain[i+1]); err != nil {
			return e, diag.New(diag.KeystoreMismatch, "%s is not signed by %s, which follows it: %v", cert.Subject, e.Chain[i+1].Subject, err)
		}
	}
	if e.Alias = strings.ToLower(e.Alias); e.Alias == "" {
		e.Alias = cmp.Or(slug(e.Chain[0].Subject.CommonName), "key")
	}
	if len(e.Alias) > maxAlias || strings.ContainsFunc(e.Alias, unfit) {
		return e, diag.New(diag.KeystoreMismatch, "alias %q is not letters, digits, dot, hyphen and underscore, at most %d", e.Alias, maxAlias).
			WithFix("give another alias, or none")
	}
	return e, nil
}

// checkKey reports whether the key is of a kind that is taken, and the
// certificate's.
func checkKey(key crypto.PrivateKey, leaf *x509.Certificate) error {
	if err := checkKind(key); err != nil {
		return err
	}
	public := key.(crypto.Signer).Public().(interface{ Equal(crypto.PublicKey) bool })
	if !public.Equal(leaf.PublicKey) {
		return diag.New(diag.KeystoreMismatch, "the key does not belong to the certificate of %s", leaf.Subject)
	}
	return nil
}

func checkKind(key crypto.PrivateKey) error {
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		if k != nil {
			return nil
		}
	case *rsa.PrivateKey:
		if k != nil {
			return nil
		}
	}
	return diag.New(diag.KeystoreMismatch, "a key of type %T is neither ECDSA nor RSA", key)
}

// rootAlias is the same for the same certificate, and another for another one of
// the same name.
func rootAlias(root *x509.Certificate) string {
	sum := sha256.Sum256(root.Raw)
	return cmp.Or(slug(root.Subject.CommonName), "root") + "-" + hex.EncodeToString(sum[:4])
}

// slug turns a name into an alias: "Shop CA" into shop-ca.
func slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case b.Len() >= maxAlias/2:
		case !unfit(r):
			b.WriteRune(r)
		case r == ' ':
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-.")
}

func unfit(r rune) bool {
	return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789._-", r)
}
