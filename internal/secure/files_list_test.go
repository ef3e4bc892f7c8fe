package secure_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

// A deployment that is taken back brings the list of before with it.
func TestAnEarlierListAllowsNothingAgain(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	now := time.Now()
	at := func(number int64, signed time.Time, serials ...int64) []byte {
		var all []pki.Revoked
		for _, serial := range serials {
			all = append(all, pki.Revoked{Serial: big.NewInt(serial), At: signed, Reason: 1})
		}
		text, err := m.ca.RevocationList(number, all, signed, now.Add(24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	m.write("ca.crl", at(5, now, 7))
	f := m.open()
	for _, step := range []struct {
		what    string
		list    []byte
		number  string
		refused int64
	}{
		{"an earlier one", at(4, now.Add(-time.Minute)), "5", 1},
		{"a later one", at(6, now.Add(time.Minute), 7, 8), "6", 1},
		{"a restored authority's", at(3, now.Add(2*time.Minute), 7), "3", 1},
		{"the same number, earlier", at(3, now, 7, 9), "3", 1},
		{"a clock that went back", at(7, now.Add(-3*time.Minute), 7), "7", 1},
	} {
		m.write("ca.crl", step.list)
		s := f.Status()
		if len(s.Lists) != 1 || s.Lists[0].Number != step.number || s.Refused != step.refused {
			t.Errorf("%s: %+v, %d refused, want list %s and %d", step.what, s.Lists, s.Refused, step.number, step.refused)
		}
		if told := len(s.Faults) == 1 && errors.Is(s.Faults[0], diag.TLSListUnread) && strings.Contains(s.Faults[0].Error(), "list 4 of"); told != (step.what == "an earlier one") {
			t.Errorf("%s: the faults are %v", step.what, s.Faults)
		}
	}
}
