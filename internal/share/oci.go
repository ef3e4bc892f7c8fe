package share

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/errcode"
	"oras.land/oras-go/v2/registry/remote/retry"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
)

// What the artifact and its one layer are called, and the annotations that say
// whose contract it is.
const (
	artifactType      = "application/vnd.slipway.contract.v1"
	layerType         = "application/vnd.slipway.contract.v1.tar"
	serviceAnnotation = "dev.slipway.service"
	hashAnnotation    = "dev.slipway.contract"

	maxManifest = 64 << 10
	maxArchive  = maxBundle + (maxFiles+2)*1024 // the files with their headers
)

// errInsecure reports a request that would go over a network in the clear.
var errInsecure = errors.New("it wants to be spoken to without TLS, which only a registry on this machine may")

// sealed lets no request leave this machine in the clear, wherever a registry
// sends it.
type sealed struct{ http.RoundTripper }

func (s sealed) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && !loopback(r.URL.Host) {
		return nil, errInsecure
	}
	return s.RoundTripper.RoundTrip(r)
}

// repository is a client of an OCI repository with the credentials of docker.
func (c Config) repository(ref Reference) (*remote.Repository, error) {
	store, err := c.credentials()
	if err != nil {
		return nil, diag.New(diag.ShareRefused, "read docker's configuration: %v", err).
			WithFix("correct the file, or name another directory with DOCKER_CONFIG")
	}
	client := &auth.Client{
		Client:     &http.Client{Transport: sealed{retry.NewTransport(secure.Transport(nil))}},
		Cache:      auth.NewCache(),
		Credential: credentials.Credential(store),
	}
	client.SetUserAgent("slipway")
	return &remote.Repository{Reference: ref.oci, Client: client, PlainHTTP: loopback(ref.oci.Registry)}, nil
}

// credentials are what docker login, or a helper that it names, keeps.
func (c Config) credentials() (credentials.Store, error) {
	dir := c.Getenv("DOCKER_CONFIG")
	if home := c.Getenv("HOME"); dir == "" && home != "" {
		dir = filepath.Join(home, ".docker")
	}
	if dir == "" {
		return credentials.NewMemoryStore(), nil
	}
	return credentials.NewStore(filepath.Join(dir, "config.json"), credentials.StoreOptions{})
}

// fetchOCI gets the bundle of a reference, or the one of a digest.
func (c Config) fetchOCI(ctx context.Context, ref Reference, digest string) (fetched, error) {
	repo, err := c.repository(ref)
	if err != nil {
		return fetched{}, err
	}
	name := ref.oci.Reference
	if digest != "" {
		name = digest
	}
	desc, manifest, err := resolve(ctx, repo, name)
	if err != nil {
		return fetched{}, ociProblem(ctx, ref, err)
	}
	if err := judgeManifest(manifest); err != nil {
		return fetched{}, notBundle(ref, err)
	}
	archive, err := content.FetchAll(ctx, repo, manifest.Layers[0])
	if err != nil {
		return fetched{}, ociProblem(ctx, ref, err)
	}
	b, err := Unpack(archive)
	if err != nil {
		return fetched{}, notBundle(ref, err)
	}
	return fetched{Bundle: b, digest: desc.Digest.String()}, nil
}

// errManifest reports something else than a small manifest of an image.
var errManifest = errors.New("it is not one OCI manifest")

// resolve gets the manifest of a tag or a digest.
func resolve(ctx context.Context, repo *remote.Repository, name string) (ocispec.Descriptor, ocispec.Manifest, error) {
	var m ocispec.Manifest
	desc, err := repo.Resolve(ctx, name)
	if err != nil {
		return desc, m, err
	}
	if desc.MediaType != ocispec.MediaTypeImageManifest || desc.Size > maxManifest {
		return desc, m, errManifest
	}
	text, err := content.FetchAll(ctx, repo, desc)
	if err != nil {
		return desc, m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return desc, m, errManifest
	}
	return desc, m, nil
}

// judgeManifest refuses other artifacts before anything large is fetched.
func judgeManifest(m ocispec.Manifest) error {
	switch {
	case m.ArtifactType != artifactType:
		return fmt.Errorf("its artifact type is %.100q, want %s", m.ArtifactType, artifactType)
	case len(m.Layers) != 1 || m.Layers[0].MediaType != layerType:
		return errors.New("it does not have the one layer of a contract")
	case m.Layers[0].Size < 0 || m.Layers[0].Size > maxArchive:
		return fmt.Errorf("it is larger than %d bytes", maxArchive)
	case m.Layers[0].Digest.Validate() != nil:
		return errors.New("its layer has no digest")
	}
	return nil
}

// publishOCI puts the bundle under a tag. What is there already is not sent
// again.
func (c Config) publishOCI(ctx context.Context, ref Reference, b *Bundle) (Published, error) {
	repo, err := c.repository(ref)
	if err != nil {
		return Published{}, err
	}
	archive := b.Pack()
	text := manifestOf(b, archive)
	desc := content.NewDescriptorFromBytes(ocispec.MediaTypeImageManifest, text)
	out := describe(ref, b)
	out.Digest = desc.Digest.String()
	old, m, err := resolve(ctx, repo, ref.oci.Reference)
	switch {
	case errors.Is(err, errManifest):
		return Published{}, notBundle(ref, err)
	case err != nil && !errors.Is(err, errdef.ErrNotFound):
		return Published{}, ociProblem(ctx, ref, err)
	case err == nil && old.Digest == desc.Digest:
		out.Unchanged = true
		return out, nil
	case err == nil && (m.ArtifactType != artifactType || m.Annotations[serviceAnnotation] != b.Service.Name):
		return Published{}, foreign(ref, m.Annotations[serviceAnnotation])
	case err == nil:
		out.Before = old.Digest.String()
	}
	err = push(ctx, repo, ocispec.DescriptorEmptyJSON, ocispec.DescriptorEmptyJSON.Data)
	if err == nil {
		err = push(ctx, repo, content.NewDescriptorFromBytes(layerType, archive), archive)
	}
	if err == nil {
		err = repo.PushReference(ctx, desc, bytes.NewReader(text), ref.oci.Reference)
	}
	if err != nil {
		return Published{}, ociProblem(ctx, ref, err)
	}
	return out, nil
}

func push(ctx context.Context, repo *remote.Repository, desc ocispec.Descriptor, data []byte) error {
	if there, err := repo.Blobs().Exists(ctx, desc); there || err != nil {
		return err
	}
	return repo.Blobs().Push(ctx, desc, bytes.NewReader(data))
}

// manifestOf has no date in it, so that it is the same for the same contract.
func manifestOf(b *Bundle, archive []byte) []byte {
	text, err := json.Marshal(ocispec.Manifest{
		Versioned:    specs.Versioned{SchemaVersion: 2},
		MediaType:    ocispec.MediaTypeImageManifest,
		ArtifactType: artifactType,
		Config:       ocispec.DescriptorEmptyJSON,
		Layers:       []ocispec.Descriptor{content.NewDescriptorFromBytes(layerType, archive)},
		Annotations: map[string]string{
			ocispec.AnnotationTitle: b.Service.Name,
			serviceAnnotation:       b.Service.Name,
			hashAnnotation:          b.Service.Hash(),
		},
	})
	if err != nil {
		panic("share: a manifest is not JSON: " + err.Error())
	}
	return text
}

func notBundle(ref Reference, err error) error {
	return evidence(diag.New(diag.ShareArchive, "%s: %v", ref, err), err)
}

func foreign(ref Reference, service string) error {
	if service == "" {
		return diag.New(diag.ShareService, "%s holds something else than a contract", ref).
			WithFix("publish to a repository, or a directory, that is the contract's own")
	}
	return diag.New(diag.ShareService, "%s holds the contract of %.60s", ref, service)
}

// ociProblem tells what a registry's answer means for the user.
func ociProblem(ctx context.Context, ref Reference, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	code := diag.ShareUnreachable
	answer, answered := errors.AsType[*errcode.ErrorResponse](err)
	switch {
	case errors.Is(err, errManifest):
		return notBundle(ref, err)
	case errors.Is(err, errdef.ErrNotFound), answered && answer.StatusCode == http.StatusNotFound:
		code = diag.ShareMissing
	case errors.Is(err, auth.ErrBasicCredentialNotFound), answered && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden):
		code = diag.ShareRefused
	case errors.Is(err, content.ErrMismatchedDigest), errors.Is(err, content.ErrTrailingData), errors.Is(err, content.ErrInvalidDescriptorSize),
		strings.Contains(err.Error(), "mismatch"):
		code = diag.ShareChecksum
	}
	return diag.New(code, "%s: %.500v", ref, err)
}
