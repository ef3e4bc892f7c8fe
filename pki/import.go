package pki

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
)

// The bounds of an import. A derivation of at most [maxIterations] for each
// encrypted key keeps hostile files from burning minutes.
const (
	maxFiles     = 100
	maxBlocks    = 64
	maxEncrypted = 8
)

// Import takes over an authority that another program made, from its files by
// name: cfssl's (ca.pem and ca-key.pem, or the JSON that gencert prints),
// step's (certs/root_ca.crt, certs/intermediate_ca.crt, secrets/…_key), or any
// PEM. Which file holds what is found by looking, not by the name.
//
// The authority is the lowest one whose key is among the files, and the
// certificates above it up to the root must be there; the root's key need not
// be. Signing requests, configuration in JSON, and certificates that are no
// authority's are passed over. The passphrase opens every encrypted key; one
// that it does not open is refused, because the authority that is meant could
// be its. What an authority must be like is said at [ParseAuthority].
func Import(files map[string][]byte, passphrase secret.Secret) (*Authority, error) {
	if len(files) > maxFiles {
		return nil, fmt.Errorf("import authority: %w", diag.New(diag.PKIImport, "%d files, at most %d", len(files), maxFiles))
	}
	h := &haul{passphrase: passphrase}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(files)) {
		errs = append(errs, inFile(name, h.read(name, files[name])))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("import authority: %w", err)
	}
	a, err := h.authority()
	if err != nil {
		return nil, fmt.Errorf("import authority: %w", err)
	}
	return a, nil
}

// inFile says of every coded problem which file it was found in.
func inFile(name string, err error) error {
	list := diag.Of(err)
	for i := range list {
		list[i].Position = diag.Position{File: name}
	}
	return list.Err()
}
