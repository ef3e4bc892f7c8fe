package depot

import (
	"bytes"
	"fmt"
	"slices"
)

// The files of a depot. Those of a leaf are pki's.
const (
	stateFile      = "depot.yaml"
	trustFile      = "trust.crt"
	generationsDir = "generations"
	issuedDir      = "issued"

	rootFile      = "root.crt"
	rootKeyFile   = "root.key"
	issuerFile    = "issuer.crt"
	issuerKeyFile = "issuer.key"
	requestFile   = "request.csr"
	listFile      = "ca.crl"
	registerFile  = "issued"
)

// stateVersion is the version of depot.yaml that is written and read.
const stateVersion = 1

// A state is what depot.yaml says: how far things are meant to have come. The
// files may be behind it, never before it.
type state struct {
	cluster string
	phase   Phase

	// The generations by number; zero is none.
	current   int
	next      int
	requested int
	last      int // the highest that was ever used
}

// encode writes the state as parseState reads it.
func (st state) encode() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Slipway keeps this file. It says how far the replacement of an authority has come.\n")
	fmt.Fprintf(&b, "version: %d\ncluster: %q\nphase: %s\n", stateVersion, st.cluster, st.phase)
	for _, f := range []struct {
		key   string
		value int
	}{{"current", st.current}, {"next", st.next}, {"requested", st.requested}} {
		if f.value != 0 {
			fmt.Fprintf(&b, "%s: %d\n", f.key, f.value)
		}
	}
	fmt.Fprintf(&b, "last: %d\n", st.last)
	return b.Bytes()
}

// kept are the generations whose keys are needed still.
func (st state) kept() []int {
	all := []int{st.current, st.next, st.requested}
	if st.phase == Retire {
		all[0] = 0
	}
	return slices.DeleteFunc(all, func(n int) bool { return n == 0 })
}

// trusted are the generations whose leaves are good.
func (st state) trusted() []int {
	return slices.DeleteFunc(st.kept(), func(n int) bool { return n == st.requested })
}

// issuing is the generation that issues, zero if there is none yet.
func (st state) issuing() int {
	if st.phase == Reissue || st.phase == Retire {
		return st.next
	}
	return st.current
}

// role is what a generation is there for.
func (st state) role(number int) Role {
	switch {
	case number == st.requested:
		return Requested
	case !slices.Contains(st.trusted(), number):
		return Retired
	case number == st.next:
		return Next
	}
	return Current
}
