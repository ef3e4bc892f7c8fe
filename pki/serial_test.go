package pki_test

import (
	"testing"

	"github.com/slipway-go/slipway/pki"
)

// A million draws of 128 bits collide with a chance of 1 in 10^27, so one
// collision means that fewer bits are random than are shown.
func TestAMillionSerialNumbersDiffer(t *testing.T) {
	t.Parallel()
	const n = 1_000_000
	seen := make(map[[16]byte]struct{}, n)
	longest := 0
	for range n {
		serial := pki.Serial()
		longest = max(longest, serial.BitLen())
		var b [16]byte
		serial.FillBytes(b[:])
		seen[b] = struct{}{}
	}
	if len(seen) != n || longest != 128 {
		t.Errorf("%d of %d serial numbers differ, the longest has %d bits, want all and 128", len(seen), n, longest)
	}
}

func TestACertificateTellsItsSerialNumberAsOthersDo(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "serials")
	for range 64 {
		c := issue(t, a, pki.Request{CommonName: "svc", Usage: pki.Client})
		want := c.Chain()[0].SerialNumber
		got := c.Serial()
		if len(got)%2 != 0 || got == "" {
			t.Errorf("serial number %q has half a byte", got)
		}
		if again, ok := want.SetString(got, 16); !ok || again.Cmp(c.Chain()[0].SerialNumber) != 0 {
			t.Errorf("serial number %q is not the certificate's", got)
		}
	}
}
