package depot_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/pki/depot"
)

// Whoever was said to be gone is let in again by somebody who says so, not by a
// command that issues what is missing.
func TestWhoIsGoneIsIssuedNothingUnlessNamed(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	issue(t, p.Depot, client("svc-a"), client("svc-b"), client("svc-c"))
	must(t)(p.Revoke(t.Context(), depot.Ceased, "client/svc-a"))
	must(t)(p.Revoke(t.Context(), depot.KeyLeaked, "client/svc-b"))
	const want = "kept client/svc-a (revoked: cessationOfOperation); reissued client/svc-b (revoked: keyCompromise); kept client/svc-c"
	if got := actions(issue(t, p.Depot, client("svc-a"), client("svc-b"), client("svc-c"))); got != want {
		t.Errorf("all are issued:\n%s, want\n%s", got, want)
	}
	named := client("svc-a")
	named.Again = true
	if got := actions(issue(t, p.Depot, named)); got != "reissued client/svc-a (revoked: cessationOfOperation)" {
		t.Errorf("it is named: %s", got)
	}
	if got := actions(issue(t, p.Depot, client("svc-a"))); got != "kept client/svc-a" {
		t.Errorf("and is as others are then: %s", got)
	}
}

func TestAKeyThatOthersKnowIsNotCertifiedAgain(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	csr, _, err := pki.NewSigningRequest("svc-a", pki.ECDSAP256)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.IssueFrom(t.Context(), csr, client("svc-a")); err != nil {
		t.Fatal(err)
	}
	must(t)(p.Revoke(t.Context(), depot.KeyLeaked, "client/svc-a"))
	for _, name := range []string{"svc-a", "svc-b"} {
		if change, err := p.IssueFrom(t.Context(), csr, client(name)); !errors.Is(err, diag.DepotRevoked) {
			t.Errorf("%s has %s for it, %v", name, actions([]depot.Change{change}), err)
		}
	}
	other, _, err := pki.NewSigningRequest("svc-a", pki.ECDSAP256)
	if err != nil {
		t.Fatal(err)
	}
	if change, err := p.IssueFrom(t.Context(), other, client("svc-a")); err != nil || change.Action != depot.Reissued {
		t.Errorf("another key: %+v, %v", change, err)
	}
}

func TestASerialNumberIsTakenAsItIsWrittenAnywhere(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	serial := issue(t, p.Depot, client("svc-a"))[0].Serial
	colons := strings.ToUpper(serial)
	for at := len(colons) - 2; at > 0; at -= 2 {
		colons = colons[:at] + ":" + colons[at:]
	}
	want := "revoked client/svc-a"
	for _, text := range []string{strings.TrimLeft(serial, "0"), "0" + serial, "00" + serial, colons, strings.ToUpper(serial)} {
		if changes, err := p.Revoke(t.Context(), depot.Superseded, text); err != nil || actions(changes) != want {
			t.Errorf("%s: %s, %v, want %s", text, actions(changes), err, want)
		}
		want = "kept client/svc-a"
	}
	for _, text := range []string{"", ":", "+" + serial, "-" + serial, "0x" + serial, serial[1:] + "g", "0"} {
		if changes, err := p.Revoke(t.Context(), depot.Superseded, text); !errors.Is(err, diag.DepotUnknown) {
			t.Errorf("%q: %s, %v", text, actions(changes), err)
		}
	}
}
