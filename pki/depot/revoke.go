package depot

import (
	"context"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

// Revoke puts certificates on their generation's CRL: the present one of each
// KIND/NAME, or the one of each serial number that a trusted generation issued.
// The CRL beside every leaf is the new one then. Brokers do not read CRLs; what
// they accept is for the caller to take care of.
//
// What is revoked already stays as it is, except that a hold becomes final.
func (d *Depot) Revoke(ctx context.Context, reason Reason, targets ...string) ([]Change, error) {
	if reasonNames[reason] == "" {
		return nil, diag.New(diag.DepotRevoked, "%s is none that is given here", reason).WithFix("give one of %v", Reasons)
	}
	return d.relist(ctx, "revoke", targets, func(lines []pki.Revoked, at int, serial string, now time.Time) ([]pki.Revoked, Action, error) {
		switch {
		case at < 0:
			return append(lines, line(serial, now, reason)), Revoked, nil
		case Reason(lines[at].Reason) == Hold && reason != Hold:
			lines[at].Reason = int(reason)
			return lines, Revoked, nil
		}
		return lines, Kept, nil
	})
}

// Unrevoke takes certificates that were on hold off the CRL. It fails with
// [diag.DepotRevoked] for any other reason: those are final.
func (d *Depot) Unrevoke(ctx context.Context, targets ...string) ([]Change, error) {
	return d.relist(ctx, "lift hold", targets, func(lines []pki.Revoked, at int, serial string, _ time.Time) ([]pki.Revoked, Action, error) {
		switch {
		case at < 0:
			return lines, Kept, nil
		case Reason(lines[at].Reason) != Hold:
			return nil, "", diag.New(diag.DepotRevoked, "%s is revoked for good: %s", serial, Reason(lines[at].Reason))
		}
		return slices.Delete(lines, at, at+1), Restored, nil
	})
}

// An edit changes a list's lines about one certificate, whose place is at.
type edit func(lines []pki.Revoked, at int, serial string, now time.Time) ([]pki.Revoked, Action, error)

func (d *Depot) relist(ctx context.Context, what string, targets []string, e edit) ([]Change, error) {
	var changes []Change
	err := d.change(what, func(s *session) error {
		found, err := s.find(targets)
		if err != nil {
			return err
		}
		if changes, err = s.edit(found, e); err != nil {
			return err
		}
		_, err = s.settle(ctx)
		return err
	})
	return changes, err
}

// A target is a certificate that somebody named.
type target struct {
	gen   *generation
	entry entry
}

func (s *session) find(names []string) ([]target, error) {
	var (
		found []target
		list  diag.List
	)
	for _, name := range names {
		t, ok := s.target(name)
		switch {
		case !ok:
			list.Add(diag.New(diag.DepotUnknown, "there is no certificate %q", name))
		case !slices.Contains(s.st.trusted(), t.gen.number):
			list.Add(diag.New(diag.DepotUnknown, "%s is of generation %d, which was replaced: nothing of it is good any more", name, t.gen.number))
		default:
			found = append(found, t)
		}
	}
	return found, list.Err()
}

func (s *session) target(name string) (target, bool) {
	if id, err := ParseID(name); err == nil {
		l := s.leaf(id)
		if l == nil {
			return target{}, false
		}
		return target{l.gen, l.entry}, true
	}
	serial, _ := ParseSerial(name)
	for _, g := range s.gens {
		if e, ok := g.entry(serial); ok {
			return target{g, e}, true
		}
	}
	return target{}, false
}

// ParseSerial reads a serial number as it is written anywhere: with colons or
// capitals as openssl does, with zeros in front or without. It returns it as
// [Leaf] has it, and false for what is none.
func ParseSerial(text string) (string, bool) {
	digits := strings.ReplaceAll(text, ":", "")
	n, ok := new(big.Int).SetString(digits, 16)
	if !ok || n.Sign() <= 0 || digits[0] == '+' {
		return "", false
	}
	return hexSerial(n), true
}

// edit changes the lists, each once.
func (s *session) edit(targets []target, e edit) ([]Change, error) {
	lines := map[*generation][]pki.Revoked{}
	var changes []Change
	for _, t := range targets {
		all, touched := lines[t.gen]
		if !touched {
			all = slices.Clone(t.gen.list.lines)
		}
		at := slices.IndexFunc(all, func(r pki.Revoked) bool { return hexSerial(r.Serial) == t.entry.serial })
		all, action, err := e(all, at, t.entry.serial, s.now)
		if err != nil {
			return nil, err
		}
		kind, name, _ := strings.Cut(t.entry.subject, "/")
		changes = append(changes, Change{ID: ID{Kind(kind), name}, Action: action, Serial: t.entry.serial, Ends: t.entry.ends})
		if action != Kept {
			lines[t.gen] = all
		}
	}
	for _, g := range s.gens {
		if all, touched := lines[g]; touched {
			if err := s.relist(g, all, s.now.Add(listLife)); err != nil {
				return nil, err
			}
		}
	}
	return changes, nil
}

func line(serial string, now time.Time, reason Reason) pki.Revoked {
	n, _ := new(big.Int).SetString(serial, 16) // hexadecimal, as the register is read
	return pki.Revoked{Serial: n, At: now.UTC().Truncate(time.Second), Reason: int(reason)}
}
