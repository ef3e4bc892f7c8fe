package share

import (
	"context"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"

	"github.com/slipway-go/slipway/diag"
)

// A Config is what publishing and pulling need to know of their surroundings.
type Config struct {
	// Getenv looks up a variable of the environment. Required.
	Getenv func(name string) string
}

// A Published is what became of a publication.
type Published struct {
	Service  string
	To       string
	Digest   string // of the OCI manifest, or the git commit
	Before   string // the digest that was there before; empty if there was none
	Contract string // [contract.Service.Hash]
	Files    []string

	// Unchanged tells that the very same contract was there, and nothing was
	// sent.
	Unchanged bool
}

// Publish puts a bundle where a reference says. What is there of the same
// service is replaced: who pulled it has its digest in a lock. It never writes
// over the contract of another service, nor over a commit that it has not seen.
func Publish(ctx context.Context, cfg Config, b *Bundle, to string) (Published, error) {
	ref, err := parseTarget(to)
	if err != nil {
		return Published{}, err
	}
	if ref.isOCI() {
		return cfg.publishOCI(ctx, ref, b)
	}
	return cfg.publishGit(ctx, ref, b)
}

// A fetched is a bundle from elsewhere with what pins it.
type fetched struct {
	*Bundle

	digest string // of the OCI manifest, or the git commit
	tree   string // of git
}

// Preview tells what [Publish] would publish, without looking at what is there.
// The digest of a commit depends on that; the one of an artifact does not.
func Preview(b *Bundle, to string) (Published, error) {
	ref, err := parseTarget(to)
	if err != nil {
		return Published{}, err
	}
	out := describe(ref, b)
	if ref.isOCI() {
		out.Digest = content.NewDescriptorFromBytes(ocispec.MediaTypeImageManifest, manifestOf(b, b.Pack())).Digest.String()
	}
	return out, nil
}

// parseTarget reads a place that can be published to: one that has a name.
func parseTarget(to string) (Reference, error) {
	ref, err := ParseReference(to)
	switch {
	case err != nil:
		return Reference{}, err
	case ref.isOCI() && !ref.tagged():
		return Reference{}, diag.New(diag.ShareReference, "%q cannot be published to: it names a digest", ref).WithFix("end it with a tag, such as :main")
	case commitHash.MatchString(ref.branch):
		return Reference{}, diag.New(diag.ShareReference, "%q cannot be published to: it names a commit", ref).WithFix("name a branch")
	}
	return ref, nil
}

func describe(ref Reference, b *Bundle) Published {
	return Published{Service: b.Service.Name, To: ref.text, Contract: b.Service.Hash(), Files: b.names()}
}
