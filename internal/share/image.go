package share

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/image"
)

// Move says what becomes of a tag that stands for another image.
type Move bool

// The choices. Keep is the zero value.
const (
	Keep  Move = false // refuse to push
	Moved Move = true  // let it stand for the new image
)

// A Pushed is what became of an image.
type Pushed struct {
	Reference string // registry/path:tag
	Pinned    string // registry/path@digest, by which it is deployed
	Before    string // the digest that the tag stood for; empty if there was none
	Unchanged bool   // the tag stood for the very same image
}

// CheckImage reads the name of an image without speaking to a registry. A name
// without a tag gets the version.
func CheckImage(to, version string) (string, error) {
	ref, err := imageReference(to, version)
	if err != nil {
		return "", err
	}
	return ref.String(), nil
}

// PushImage pushes an image with its bills of materials to a registry. What is
// there already is not sent again. The tag comes last, so it never stands for an
// image that is there in part.
func PushImage(ctx context.Context, cfg Config, m *image.Image, to string, move Move) (Pushed, error) {
	ref, err := imageReference(to, m.Version)
	if err != nil {
		return Pushed{}, err
	}
	repo, err := cfg.repository(Reference{oci: ref})
	if err != nil {
		return Pushed{}, err
	}
	out := Pushed{Reference: ref.String(), Pinned: ref.Registry + "/" + ref.Repository + "@" + m.Digest()}
	there, err := repo.Resolve(ctx, ref.Reference)
	switch {
	case err != nil && !errors.Is(err, errdef.ErrNotFound):
		return Pushed{}, imageProblem(ctx, ref, err)
	case err == nil && there.Digest == m.Index.Digest:
		out.Unchanged = true
	case err == nil && move == Keep:
		return Pushed{}, diag.New(diag.ImageTaken, "%s is %s, not %s", ref, there.Digest, m.Digest())
	case err == nil:
		out.Before = there.Digest.String()
	}
	for _, b := range m.Blobs {
		if err := pushPart(ctx, repo, b); err != nil {
			return Pushed{}, imageProblem(ctx, ref, err)
		}
	}
	if !out.Unchanged {
		if err := repo.PushReference(ctx, m.Index.Descriptor, bytes.NewReader(m.Index.Content), ref.Reference); err != nil {
			return Pushed{}, imageProblem(ctx, ref, err)
		}
	}
	return out, nil
}

func pushPart(ctx context.Context, repo *remote.Repository, b image.Blob) error {
	if !b.Manifest {
		return push(ctx, repo, b.Descriptor, b.Content)
	}
	if there, err := repo.Manifests().Exists(ctx, b.Descriptor); there || err != nil {
		return err
	}
	return repo.Manifests().Push(ctx, b.Descriptor, bytes.NewReader(b.Content))
}

// imageReference reads the name of an image as engines write it.
func imageReference(to, version string) (registry.Reference, error) {
	ref, err := registry.ParseReference(strings.TrimPrefix(to, ociScheme))
	if err != nil {
		return registry.Reference{}, diag.New(diag.ImageReference, "%.200q cannot be pushed to: %v", credential.ReplaceAllString(to, "://***@"), err)
	}
	if ref.Reference == "" {
		ref.Reference = image.Tag(version)
	}
	switch {
	case ref.Reference == "":
		return registry.Reference{}, diag.New(diag.ImageReference, "%s has no tag, and the service no version that could be one", to).
			WithFix("end it with a tag; a version comes from a git tag, or from --version")
	case ref.ValidateReferenceAsTag() != nil:
		return registry.Reference{}, diag.New(diag.ImageReference, "%q cannot be pushed to: %q is no tag", to, ref.Reference)
	}
	return ref, nil
}

// imageProblem tells what a registry's answer means for who pushes.
func imageProblem(ctx context.Context, ref registry.Reference, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	code := diag.ImageRegistry
	answer, answered := errors.AsType[*errcode.ErrorResponse](err)
	if errors.Is(err, auth.ErrBasicCredentialNotFound) || answered && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden) {
		code = diag.ImageRefused
	}
	return diag.New(code, "push to %s: %.500v", ref, err)
}
