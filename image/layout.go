package image

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/slipway-go/slipway/diag"
)

// files are the image as an OCI layout. A reference is the name by which an engine
// that loads it will know it; it may be empty.
func (m *Image) files(reference string) []file {
	all := []file{
		{"blobs/", 0o755, nil}, {"blobs/sha256/", 0o755, nil},
		{ocispec.ImageLayoutFile, 0o644, encode(ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion})},
	}
	named := m.Index.Descriptor
	named.Annotations = map[string]string{ocispec.AnnotationRefName: Tag(m.Version)}
	if reference != "" {
		named.Annotations["io.containerd.image.name"] = reference
	}
	index := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{named}}
	for _, b := range append(m.Blobs, m.Index) {
		all = append(all, file{"blobs/sha256/" + b.Digest.Encoded(), 0o644, b.Content})
		if artifact, ok := m.artifact(b); ok {
			index.Manifests = append(index.Manifests, artifact)
		}
	}
	return append(all, file{ocispec.ImageIndexFile, 0o644, encode(index)})
}

// artifact is how the index of a layout lists a bill of materials, which is found
// there by whoever looks for what refers to an image.
func (m *Image) artifact(b Blob) (ocispec.Descriptor, bool) {
	if !b.Manifest || b.MediaType != ocispec.MediaTypeImageManifest {
		return ocispec.Descriptor{}, false
	}
	for _, v := range m.Variants {
		if v.Digest == b.Digest.String() {
			return ocispec.Descriptor{}, false
		}
	}
	d := b.Descriptor
	d.ArtifactType = materialsType
	return d, true
}

// WriteLayout makes a directory an OCI layout with the image in it. One that is
// there is replaced, any other directory is left as it is.
func (m *Image) WriteLayout(dir, reference string) error {
	dir = filepath.Clean(dir)
	fresh := filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+".new")
	if err := replaceable(dir); err != nil {
		return err
	}
	err := os.RemoveAll(fresh)
	if err == nil {
		err = m.unroll(fresh, reference)
	}
	if err == nil {
		err = os.RemoveAll(dir)
	}
	if err == nil {
		err = os.Rename(fresh, dir)
	}
	if err != nil {
		_ = os.RemoveAll(fresh) // the first error tells more
		return unwritable(dir, err)
	}
	return nil
}

// unroll writes the layout's files into a new directory.
func (m *Image) unroll(dir, reference string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	for _, f := range m.files(reference) {
		at := filepath.Join(dir, filepath.FromSlash(f.name))
		var err error
		if f.data == nil {
			err = os.Mkdir(at, fs.FileMode(f.mode))
		} else {
			err = os.WriteFile(at, f.data, fs.FileMode(f.mode))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// replaceable reports whether there is nothing at a place that would be lost.
func replaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return unwritable(dir, err)
	}
	if _, err := os.Lstat(filepath.Join(dir, ocispec.ImageLayoutFile)); err != nil {
		return diag.New(diag.ImageOutput, "write %s: it holds something else than an image", dir)
	}
	for _, e := range entries {
		switch e.Name() {
		case ocispec.ImageLayoutFile, ocispec.ImageIndexFile, ocispec.ImageBlobsDir:
		default:
			return diag.New(diag.ImageOutput, "write %s: beside an image it holds %.100q", dir, e.Name())
		}
	}
	return nil
}

// WriteArchive writes the OCI layout as a tar archive, which podman, containerd
// and docker load. For those that know docker's own form alone it describes the
// first platform in that form too.
func (m *Image) WriteArchive(w io.Writer, reference string) error {
	all := append(m.files(reference), file{"manifest.json", 0o644, m.docker(reference)})
	if _, err := w.Write(archive(all)); err != nil {
		return fmt.Errorf("write an image: %w", err)
	}
	return nil
}

// WriteArchiveFile writes the archive to a file that appears whole or not at all.
func (m *Image) WriteArchiveFile(name, reference string) error {
	fresh, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".new-")
	if err != nil {
		return unwritable(name, err)
	}
	defer func() { _ = os.Remove(fresh.Name()) }() // it is gone where all went well
	err = m.WriteArchive(fresh, reference)
	err = errors.Join(err, fresh.Chmod(0o644), fresh.Close())
	if err == nil {
		err = os.Rename(fresh.Name(), name)
	}
	if err != nil {
		return unwritable(name, err)
	}
	return nil
}

func unwritable(name string, err error) error {
	return diag.New(diag.ImageOutput, "write %s: %v", name, cause(err))
}
