package image

import (
	"encoding/json"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// A dockerImage is an image in docker's own list of an archive.
type dockerImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// docker is that list, with the first platform: the form has no others.
func (m *Image) docker(reference string) []byte {
	var only dockerImage
	for _, b := range m.Blobs {
		if b.Digest.String() != m.Variants[0].Digest {
			continue
		}
		var of ocispec.Manifest
		must(json.Unmarshal(b.Content, &of))
		only.Config = "blobs/sha256/" + of.Config.Digest.Encoded()
		for _, l := range of.Layers {
			only.Layers = append(only.Layers, "blobs/sha256/"+l.Digest.Encoded())
		}
	}
	if reference != "" {
		only.RepoTags = []string{reference}
	}
	return encode([]dockerImage{only})
}

// Tag is a version as a tag can hold it.
func Tag(version string) string { return strings.ReplaceAll(version, "+", "-") }
