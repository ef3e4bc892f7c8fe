package pki

import (
	"bytes"
	"encoding/pem"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

const (
	maxPEM   = 64 << 10 // bytes of a PEM file
	maxChain = 4        // certificates in one
)

// decode returns 1 to limit PEM blocks, all of the kinds given. Anything else
// in the file, even a comment, is refused: what is not read cannot be mistaken
// for something that was.
func decode(data []byte, limit int, kinds ...string) ([]*pem.Block, error) {
	if len(data) > maxPEM {
		return nil, diag.New(diag.PKIFile, "PEM is %d bytes, at most %d", len(data), maxPEM)
	}
	want := strings.Join(kinds, " or ")
	var blocks []*pem.Block
	for rest := bytes.TrimSpace(data); len(rest) > 0; rest = bytes.TrimSpace(rest) {
		if !slices.ContainsFunc(kinds, func(kind string) bool { return bytes.HasPrefix(rest, []byte("-----BEGIN "+kind+"-----")) }) {
			return nil, diag.New(diag.PKIFile, "PEM block %d is not a %s", len(blocks)+1, want)
		}
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || !slices.Contains(kinds, block.Type) {
			return nil, diag.New(diag.PKIFile, "PEM block %d is damaged", len(blocks)+1)
		}
		if blocks = append(blocks, block); len(blocks) > limit {
			return nil, diag.New(diag.PKIFile, "more than %d PEM blocks", limit)
		}
	}
	if len(blocks) == 0 {
		return nil, diag.New(diag.PKIFile, "no PEM block %s", want)
	}
	return blocks, nil
}
