package secure_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
)

func TestABundleThatCannotBeReadLeavesTheRootsBefore(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*mount){
		"empty":         func(m *mount) { m.write("ca.crt", nil) },
		"only comments": func(m *mount) { m.write("ca.crt", []byte("# nobody\n")) },
		"half written":  func(m *mount) { m.write("ca.crt", m.ca.PEM()[:300]) },
		"the second half written": func(m *mount) {
			other := newAuthority(m.t, "other").PEM()
			m.write("ca.crt", append(m.ca.PEM(), other[:300]...))
		},
		"the first half written": func(m *mount) { m.write("ca.crt", append(m.ca.PEM()[:300:300], m.ca.PEM()...)) },
		"garbage in it":          func(m *mount) { m.write("ca.crt", append(m.ca.PEM(), encode("CERTIFICATE", []byte("x"))...)) },
		"gone":                   func(m *mount) { m.remove("ca.crt") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMount(t)
			f := m.open()
			before, _ := f.Material()
			change(m)
			for range 3 {
				if now, _ := f.Material(); !now.Roots.Equal(before.Roots) {
					t.Fatal("the roots have changed")
				}
			}
			if s := f.Status(); s.Refused != 1 || m.log.count(string(diag.TLSRootsUnread)) != 1 || len(s.Roots) != 1 {
				t.Errorf("%d refused, roots %d:\n%s", s.Refused, len(s.Roots), &m.log)
			}
			if _, err := secure.NewFiles(m.config()); !errors.Is(err, diag.TLSRootsUnread) {
				t.Errorf("NewFiles() = %v, want %s", err, diag.TLSRootsUnread)
			}
		})
	}
}

func TestABundleMayHoldTwoRootsAndComments(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	f := m.open()
	other := newAuthority(t, "the next one")
	m.write("ca.crt", slices.Concat([]byte("# the old root\n"), m.ca.PEM(), []byte("\n# the new root\n"), other.PEM(), []byte("# the end")))
	got, _ := f.Material()
	want := m.ca.Pool()
	want.AddCert(other.Root())
	if !got.Roots.Equal(want) {
		t.Error("the roots are not both")
	}
	if s := f.Status(); s.Refused != 0 || len(s.Roots) != 2 {
		t.Errorf("%d refused, %d roots, want 0 and 2", s.Refused, len(s.Roots))
	}
}
