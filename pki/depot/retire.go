package depot

import (
	"slices"
	"time"

	"github.com/slipway-go/slipway/pki"
)

// retiring reports whether a generation is not needed any more and its issuer's
// key is still there.
func (s *session) retiring(g *generation) bool {
	return g.hasKey && !slices.Contains(s.st.kept(), g.number)
}

// retireKeys removes the issuers' keys that are not needed any more: nobody is
// to sign with them again. Where the root above one stays trusted, a last list
// says first that nothing it signed is good.
func (s *session) retireKeys() error {
	for _, g := range s.gens {
		if !s.retiring(g) {
			continue
		}
		if err := s.lastList(g); err != nil {
			return err
		}
		if err := s.remove(g.path(issuerKeyFile)); err != nil {
			return err
		}
		g.hasKey, g.authority = false, nil
	}
	return s.barrier()
}

func (s *session) lastList(g *generation) error {
	if !g.signed() || !g.valid(s.now) || !slices.ContainsFunc(s.trusted(s.st), g.shares) {
		return nil
	}
	lines := slices.Clone(g.list.lines)
	for _, e := range g.register {
		if s.now.Before(e.ends) && g.list.find(e.serial) < 0 {
			lines = append(lines, line(e.serial, s.now, Superseded))
		}
	}
	return s.relist(g, lines, g.chain[0].NotAfter)
}

// refreshLists signs again the lists that have used up half of their time.
func (s *session) refreshLists() error {
	for _, g := range s.trusted(s.st) {
		if g.list.stale(s.now) && g.valid(s.now) {
			if err := s.relist(g, g.list.lines, s.now.Add(listLife)); err != nil {
				return err
			}
		}
	}
	return nil
}

// relist replaces a generation's list by the one that follows it.
func (s *session) relist(g *generation, lines []pki.Revoked, next time.Time) error {
	a, err := s.authority(g)
	if err != nil {
		return err
	}
	l, err := signList(a, g.list.number+1, lines, s.now, next)
	if err != nil {
		return err
	}
	if err := s.replace(g.path(listFile), l.pem); err != nil {
		return err
	}
	g.list = l
	s.mark(g)
	return nil
}

// mark tells the leaves of a generation whether they are revoked now.
func (s *session) mark(g *generation) {
	for _, l := range s.leaves {
		if l.gen != g {
			continue
		}
		l.revoked = nil
		if i := g.list.find(l.entry.serial); i >= 0 {
			l.revoked = &g.list.lines[i]
		}
	}
}

// listsPEM are the lists that go with the roots that are trusted, those of
// retired issuers among them as long as something they signed could pass.
func (s *session) listsPEM() []byte {
	var out []byte
	for _, g := range s.gens {
		if g.signed() && (slices.Contains(s.st.trusted(), g.number) || g.valid(s.now) && slices.ContainsFunc(s.trusted(s.st), g.shares)) {
			out = append(out, g.list.pem...)
		}
	}
	return out
}

// valid reports whether the generation's certificates are all in their time.
func (g *generation) valid(now time.Time) bool {
	for _, cert := range append(slices.Clone(g.chain), g.root) {
		if now.Before(cert.NotBefore) || !now.Before(cert.NotAfter) {
			return false
		}
	}
	return true
}
