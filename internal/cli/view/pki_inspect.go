package view

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/principal"
	"github.com/slipway-go/slipway/pki/inspect"
)

// An Inspection is what was seen at one place, and what is wrong with it.
type Inspection struct {
	Target string
	Report inspect.Report
	Judged bool // there were CAs to trust
	Rules  principal.Rules
	Now    time.Time
	Lists  []*x509.RevocationList
	Keys   int // private keys in the file
	Locked int // of them encrypted
}

// A Certificate is one as it is shown.
type Certificate struct {
	Subject     string    `json:"subject"`
	Issuer      string    `json:"issuer"`
	Principal   string    `json:"principal,omitempty"` // of a leaf, without User:
	Authority   bool      `json:"authority"`
	For         string    `json:"for,omitempty"` // what a leaf says that it is for
	Names       []string  `json:"names"`
	NotBefore   time.Time `json:"not_before"`
	NotAfter    time.Time `json:"not_after"`
	DaysLeft    int       `json:"days_left"` // whole ones; negative if it has ended
	Serial      string    `json:"serial"`
	Key         string    `json:"key"`
	Signature   string    `json:"signature"`
	Fingerprint string    `json:"fingerprint"` // SHA-256
}

type inspectedConnection struct {
	Address     string   `json:"address"`
	Version     string   `json:"version"`
	Suite       string   `json:"suite"`
	Kafka       bool     `json:"kafka"`
	Client      string   `json:"client_certificate"`
	Authorities []string `json:"client_authorities"`
	Accepted    bool     `json:"accepted"`
	Resumes     bool     `json:"resumes"`
	Old         []string `json:"old_versions"`
	Weak        []string `json:"weak_suites"`
}

type inspectedTarget struct {
	Target     string               `json:"target"`
	Connection *inspectedConnection `json:"connection,omitempty"`
	Trusted    *bool                `json:"trusted,omitempty"` // absent where nothing said whom to trust
	Chain      []Certificate        `json:"chain"`             // the leaf first
	Others     []Certificate        `json:"others"`            // that are not in the chain
	Findings   []diag.Diagnostic    `json:"findings"`
}

type inspectionDocument struct {
	Header
	Targets []inspectedTarget `json:"targets"`
}

// Inspections writes what was seen.
func (v *View) Inspections(all []Inspection) error {
	doc := inspectionDocument{Header: header("PKIInspection"), Targets: []inspectedTarget{}}
	var names []string
	for _, i := range all {
		doc.Targets = append(doc.Targets, v.inspected(i))
		names = append(names, i.Target)
	}
	return v.answer(doc, func(w io.Writer) {
		for n, i := range all {
			if n > 0 {
				fmt.Fprintln(w)
			}
			v.inspection(w, i)
		}
	}, names)
}

func (v *View) inspected(i Inspection) inspectedTarget {
	t := inspectedTarget{Target: i.Target, Chain: i.certificates(i.Report.Path), Others: i.certificates(i.Report.Others), Findings: v.resolved(i.Report.Findings)}
	if i.Judged && i.Report.Leaf != nil {
		t.Trusted = &i.Report.Trusted
	}
	if c := i.Report.Connection; c != nil {
		t.Connection = &inspectedConnection{c.Address, c.Version, c.Suite, c.Kafka, c.Client, some(c.Authorities), c.Accepted, c.Resumes, some(c.Old), some(c.Weak)}
	}
	return t
}

func (i Inspection) certificates(all []*x509.Certificate) []Certificate {
	out := []Certificate{}
	for _, c := range all {
		out = append(out, i.certificate(c))
	}
	return out
}

func (i Inspection) certificate(c *x509.Certificate) Certificate {
	sum := sha256.Sum256(c.Raw)
	shown := Certificate{
		Subject: distinguished(c.RawSubject, c.Subject.String()), Issuer: distinguished(c.RawIssuer, c.Issuer.String()),
		Authority: c.IsCA, Names: inspect.Names(c), NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
		DaysLeft: wholeDays(c.NotAfter.Sub(i.Now)), Serial: c.SerialNumber.Text(16), Key: inspect.Key(c),
		Signature: c.SignatureAlgorithm.String(), Fingerprint: hex.EncodeToString(sum[:]),
	}
	if !c.IsCA {
		shown.For = inspect.Usages(c)
		shown.Principal, _ = i.principal(c)
	}
	return shown
}

// distinguished is a distinguished name as Java writes it, which is how rules see it.
func distinguished(der []byte, other string) string {
	text, err := principal.Name(der)
	if err != nil {
		return other
	}
	return text
}

func (i Inspection) principal(c *x509.Certificate) (string, error) {
	name, err := principal.Name(c.RawSubject)
	if err != nil {
		return "", err
	}
	return i.Rules.Apply(name)
}

// wholeDays rounds towards the past: what ended an hour ago has -1 left.
func wholeDays(d time.Duration) int {
	whole := int(d / (24 * time.Hour))
	if d < 0 && d%(24*time.Hour) != 0 {
		whole--
	}
	return whole
}
