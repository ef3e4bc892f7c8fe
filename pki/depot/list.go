package depot

import (
	"cmp"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

// listLife is how long a CRL is good. It is signed again at half of that by
// any command that changes the depot.
const listLife = 30 * 24 * time.Hour

// A list is a generation's CRL.
type list struct {
	pem    []byte
	number int64
	signed time.Time
	next   time.Time
	lines  []pki.Revoked
}

// parseList reads a CRL that the issuer signed.
func parseList(file string, data []byte, issuer *x509.Certificate) (*list, error) {
	block, rest := pem.Decode(data)
	if block == nil || block.Type != "X509 CRL" || len(rest) > 0 {
		return nil, diag.New(diag.DepotDamaged, "%s is not one PEM block X509 CRL", file)
	}
	crl, err := x509.ParseRevocationList(block.Bytes)
	if err == nil {
		err = crl.CheckSignatureFrom(issuer)
	}
	if err != nil || crl.Number == nil || !crl.Number.IsInt64() {
		return nil, diag.New(diag.DepotDamaged, "%s is not a list of its issuer: %v", file, err)
	}
	l := &list{pem: data, number: crl.Number.Int64(), signed: crl.ThisUpdate, next: crl.NextUpdate}
	for _, e := range crl.RevokedCertificateEntries {
		l.lines = append(l.lines, pki.Revoked{Serial: e.SerialNumber, At: e.RevocationTime, Reason: e.ReasonCode})
	}
	return l, nil
}

// find returns the index of a serial number in the list, -1 if it is not there.
func (l *list) find(serial string) int {
	return slices.IndexFunc(l.lines, func(r pki.Revoked) bool { return hexSerial(r.Serial) == serial })
}

// stale reports whether the list is to be signed again.
func (l *list) stale(now time.Time) bool {
	return !now.Before(l.signed.Add(l.next.Sub(l.signed) / 2))
}

// signList signs a list as its generation's next one.
func signList(a *pki.Authority, number int64, lines []pki.Revoked, now, next time.Time) (*list, error) {
	// A clock that went back does not make a revocation one of the future.
	for _, r := range lines {
		if r.At.After(now) {
			now = r.At
		}
	}
	data, err := a.RevocationList(number, lines, now, next)
	if err != nil {
		return nil, err
	}
	return parseList(listFile, data, a.Chain()[0])
}

func hexSerial(n *big.Int) string { return hex.EncodeToString(n.Bytes()) }

// A Reason says why a certificate is revoked, as RFC 5280 numbers it.
type Reason int

// The reasons. Only a Hold can be lifted.
const (
	Unspecified Reason = 0
	KeyLeaked   Reason = 1 // keyCompromise
	Superseded  Reason = 4
	Ceased      Reason = 5 // cessationOfOperation: the service is gone, and gets another only by its name: see [Want]
	Hold        Reason = 6 // certificateHold: until it is known what happened
)

// Reasons are all of them.
var Reasons = []Reason{Unspecified, KeyLeaked, Superseded, Ceased, Hold}

var reasonNames = map[Reason]string{
	Unspecified: "unspecified",
	KeyLeaked:   "keyCompromise",
	Superseded:  "superseded",
	Ceased:      "cessationOfOperation",
	Hold:        "certificateHold",
}

// String returns the name that RFC 5280 has for the reason.
func (r Reason) String() string { return cmp.Or(reasonNames[r], fmt.Sprintf("reason %d", int(r))) }

// ParseReason reads a reason by the name that RFC 5280 has for it.
func ParseReason(s string) (Reason, error) {
	for _, r := range Reasons {
		if r.String() == s {
			return r, nil
		}
	}
	return 0, diag.New(diag.DepotRevoked, "%q is not a reason", s).WithFix("give one of %v", Reasons)
}
