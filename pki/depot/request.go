package depot

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

// request makes the key and the signing request of a generation's issuer, or
// returns the request that is there.
func (s *session) request(number int, p Policy) ([]byte, error) {
	g := &generation{number: number}
	csr, err := s.read(g.path(requestFile), readable)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return csr, err
	}
	if s.exists(generationDir(number)) {
		return nil, diag.New(diag.DepotForeign, "%s lies there and holds no request", generationDir(number))
	}
	csr, key, err := pki.NewSigningRequest(s.issuerName(number), p.withDefaults().Key)
	if err != nil {
		return nil, err
	}
	return csr, s.writeDir(generationDir(number), map[string][]byte{requestFile: csr, issuerKeyFile: key})
}

// answered takes the answer to the request, and returns the state that follows.
func (s *session) answered(chain []byte) (state, error) {
	st := s.st
	if st.requested == 0 {
		if s.completed(chain) {
			return st, nil
		}
		return st, diag.New(diag.DepotPhase, "there is no request that waits to be signed")
	}
	if err := s.complete(s.generation(st.requested), chain); err != nil {
		return st, err
	}
	if st.current == 0 {
		st.phase, st.current = Steady, st.requested
	} else {
		st.phase, st.next = Trust, st.requested
	}
	st.requested = 0
	return st, nil
}

// completed reports whether the answer is the one that was given last.
func (s *session) completed(chain []byte) bool {
	certs, err := parseCertificates(chain)
	g := s.generation(s.st.last)
	return err == nil && g != nil && g.signed() && certs[0].Equal(g.chain[0])
}

// complete writes the files of a generation whose key is there already. Until
// the state says so they mean nothing.
func (s *session) complete(g *generation, chain []byte) error {
	key, err := s.read(g.path(issuerKeyFile), fileMode)
	if err != nil {
		return damaged(generationDir(g.number), err)
	}
	a, err := pki.ParseAuthority(chain, key)
	if err != nil {
		return fmt.Errorf("%w: %w", diag.New(diag.DepotSigned, "this does not go with the request of generation %d", g.number), err)
	}
	certs := a.Chain()
	if len(certs) < 2 {
		return diag.New(diag.DepotSigned, "the issuer has signed itself; an authority above it is to do that")
	}
	list, err := signList(a, 1, nil, s.now, s.now.Add(listLife))
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		data []byte
	}{
		{rootFile, encodeCertificates(a.Root())},
		{listFile, list.pem},
		{registerFile, []byte(registerHead)},
		{issuerFile, encodeCertificates(certs[:len(certs)-1]...)}, // last: with it the generation counts as signed
	} {
		if err := s.replace(g.path(f.name), f.data); err != nil {
			return err
		}
	}
	return nil
}
