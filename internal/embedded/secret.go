package embedded

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// secret is what a cluster's passwords are derived from: one file to keep
// instead of one for each user.
type secret [sha256.Size]byte

func newSecret() secret {
	var s secret
	rand.Read(s[:])
	return s
}

// parseSecret reads what text wrote.
func parseSecret(b []byte) (s secret, ok bool) {
	n, err := hex.Decode(s[:], b[:min(len(b), 2*len(s))])
	return s, err == nil && n == len(s)
}

func (s secret) text() []byte { return hex.AppendEncode(nil, s[:]) }

// password is the password of a user: 32 characters, 192 bits.
func (s secret) password(kind, user string) string {
	return base64.RawURLEncoding.EncodeToString(s.derive("password " + kind + " " + user)[:24])
}

// clusterID is a cluster id as Kafka writes them: 16 bytes in base64.
func (s secret) clusterID() string {
	return base64.RawURLEncoding.EncodeToString(s.derive("cluster id")[:16])
}

func (s secret) derive(purpose string) []byte {
	mac := hmac.New(sha256.New, s[:])
	mac.Write([]byte(purpose))
	return mac.Sum(nil)
}

// credential is a registry user as "user:password".
func (s secret) credential(user string) string { return user + ":" + s.password("registry", user) }
