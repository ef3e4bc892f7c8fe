package view

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki/inspect"
)

func (v *View) inspection(w io.Writer, i Inspection) {
	r := i.Report
	fmt.Fprintln(w, diag.Escape(i.Target)+": "+i.summary())
	fields := func(rows ...[2]string) {
		for _, row := range rows {
			fmt.Fprintf(w, "  %-13s %s\n", row[0], diag.Escape(row[1]))
		}
	}
	if c := r.Connection; c != nil {
		fields(connectionRows(c)...)
	}
	if len(r.Path) > 0 {
		fmt.Fprintln(w)
		i.tree(w)
		fmt.Fprintln(w)
		fields(i.leafRows()...)
	}
	if len(r.Others) > 0 {
		fmt.Fprintln(w)
		for _, c := range r.Others {
			fmt.Fprintf(w, "  %s\n", diag.Escape(i.line(c)))
		}
	}
	for _, l := range i.Lists {
		fmt.Fprintf(w, "  revocation list of %s: %s, written on %s, the next is due on %s\n", diag.Escape(l.Issuer.String()),
			count(len(l.RevokedCertificateEntries), "certificate"), onDate(l.ThisUpdate), onDate(l.NextUpdate))
	}
	if len(r.Path)+len(r.Others) > 0 {
		v.findings(w, r.Findings)
	}
}

func (v *View) findings(w io.Writer, list diag.List) {
	var b strings.Builder
	for _, d := range list {
		b.WriteByte('\n')
		plain := *v
		plain.Color = false // that is Err's
		plain.problem(&b, d)
	}
	fmt.Fprint(w, b.String())
	errors, warnings := list.Count(diag.Error), list.Count(diag.Warning)
	if errors+warnings == 0 {
		fmt.Fprintln(w, "\nNothing is wrong with it.")
		return
	}
	fmt.Fprintf(w, "\n%s, %s.\n", count(errors, "error"), count(warnings, "warning"))
}

// summary says in one line what there is.
func (i Inspection) summary() string {
	r := i.Report
	switch {
	case r.Connection != nil && r.Connection.Kafka:
		return "a Kafka listener with " + r.Connection.Version
	case r.Connection != nil:
		return "a listener with " + r.Connection.Version
	case r.Leaf != nil && len(r.Path)+len(r.Others) > 1:
		return "a certificate with its chain" + i.keys()
	case r.Leaf != nil:
		return "a certificate" + i.keys()
	case len(r.Others) > 0:
		return count(len(r.Others), "certificate") + " of authorities" + i.keys()
	case len(i.Lists) > 0:
		return count(len(i.Lists), "revocation list")
	}
	return "a private key and no certificate"
}

func (i Inspection) keys() string {
	switch {
	case i.Keys == 0 && i.Locked == 0:
		return ""
	case i.Keys == 0:
		return ", and a private key that is encrypted"
	}
	return ", and a private key"
}

func connectionRows(c *inspect.Connection) [][2]string {
	resumes := "not offered"
	if c.Resumes {
		resumes = "can be resumed"
	}
	client := c.Client
	switch {
	case c.Accepted:
		client += "; the one that was shown is accepted"
	case c.Client == inspect.ClientAsked:
		client += "; without one the listener talks too"
	}
	rows := [][2]string{{"address", c.Address}, {"suite", c.Suite}, {"client", "a certificate is " + client}}
	if c.Client != inspect.ClientNotAsked {
		rows = append(rows, [2]string{"", "of " + cmp.Or(strings.Join(c.Authorities, "; "), "any authority, as far as it says")})
	}
	return append(rows, [2]string{"sessions", resumes})
}

// tree shows the chain from the root down, as people draw it.
func (i Inspection) tree(w io.Writer) {
	path := i.Report.Path
	depth := 0
	branch := func(text string) {
		if depth == 0 {
			fmt.Fprintf(w, "  %s\n", diag.Escape(text))
		} else {
			fmt.Fprintf(w, "  %s└─ %s\n", strings.Repeat("   ", depth-1), diag.Escape(text))
		}
		depth++
	}
	if top := path[len(path)-1]; !isRoot(top) {
		branch(distinguished(top.RawIssuer, top.Issuer.String()) + "   (is not here)")
	}
	for _, c := range slices.Backward(path) {
		branch(i.line(c))
	}
}

func isRoot(c *x509.Certificate) bool { return string(c.RawIssuer) == string(c.RawSubject) }

// line is a certificate in one line.
func (i Inspection) line(c *x509.Certificate) string {
	kind := "leaf"
	switch {
	case c.IsCA && isRoot(c):
		kind = "root"
	case c.IsCA:
		kind = "authority"
	}
	if i.Report.Trusted && c == i.Report.Path[len(i.Report.Path)-1] {
		kind = "trusted " + kind
	}
	left := c.NotAfter.Sub(i.Now)
	end := "ends on " + onDate(c.NotAfter) + ", in " + inspect.Span(left)
	if left < 0 {
		end = "ended on " + onDate(c.NotAfter)
	}
	return fmt.Sprintf("%s   (%s, %s)", distinguished(c.RawSubject, c.Subject.String()), kind, end)
}

func onDate(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func (i Inspection) leafRows() [][2]string {
	c := i.Report.Leaf
	who, err := i.principal(c)
	if who = "User:" + who; err != nil {
		who = "none: " + err.Error()
	}
	trust := "no: see below"
	switch {
	case !i.Judged:
		trust = "not looked at; name the CA with --ca or a cluster with -c"
	case i.Report.Trusted:
		trust = "yes"
	}
	return [][2]string{
		{"trusted", trust},
		{"for", inspect.Usages(c)},
		{"names", cmp.Or(strings.Join(inspect.Names(c), ", "), "none")},
		{"principal", who},
		{"valid", c.NotBefore.UTC().Format(time.RFC3339) + " to " + c.NotAfter.UTC().Format(time.RFC3339)},
		{"key", inspect.Key(c) + ", signed with " + c.SignatureAlgorithm.String()},
		{"serial", c.SerialNumber.Text(16)},
		{"fingerprint", "SHA-256 " + i.certificate(c).Fingerprint},
	}
}
