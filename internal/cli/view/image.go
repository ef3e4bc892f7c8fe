package view

import (
	"fmt"
	"io"

	"github.com/slipway-go/slipway/diag"
)

// An Image is what was built, and where it went.
type Image struct {
	Service  string         `json:"service"`
	Release  string         `json:"release"` // the service's version
	Revision string         `json:"revision,omitempty"`
	Created  string         `json:"created"`
	Digest   string         `json:"digest"` // of the whole image
	Variants []ImageVariant `json:"platforms"`
	Out      string         `json:"out,omitempty"`
	Push     *ImagePush     `json:"push,omitempty"`
}

// An ImageVariant is the image of one platform.
type ImageVariant struct {
	Platform   string `json:"platform"`
	Digest     string `json:"digest"`
	Compressed int64  `json:"compressed"` // bytes that are fetched
	Unpacked   int64  `json:"unpacked"`   // bytes that a machine keeps
	Materials  string `json:"sbom,omitempty"`
}

// An ImagePush is what became of a push.
type ImagePush struct {
	Reference string `json:"reference"`
	Pinned    string `json:"pinned"` // by which it is deployed
	Before    string `json:"before,omitempty"`
	Unchanged bool   `json:"unchanged,omitempty"`
}

type imageDocument struct {
	Header
	Image
}

// Image tells what was built.
func (v *View) Image(m Image) error {
	name := m.Digest
	if m.Push != nil {
		name = m.Push.Pinned
	}
	return v.answer(imageDocument{header("Image"), m}, func(w io.Writer) { v.imageText(w, m) }, []string{name})
}

func (v *View) imageText(w io.Writer, m Image) {
	fmt.Fprintf(w, "%s %s  %s\n", diag.Escape(m.Service), diag.Escape(m.Release), m.Digest)
	t := newTable(w, "PLATFORM", "COMPRESSED", "UNPACKED", "DIGEST")
	for _, p := range m.Variants {
		t.row(p.Platform, megabytes(p.Compressed), megabytes(p.Unpacked), p.Digest)
	}
	t.flush()
	if m.Out != "" {
		fmt.Fprintf(w, "wrote %s\n", diag.Escape(m.Out))
	}
	switch p := m.Push; {
	case p == nil:
	case p.Unchanged:
		fmt.Fprintf(w, "already pushed %s\n", diag.Escape(p.Reference))
	default:
		fmt.Fprintf(w, "pushed %s\n", diag.Escape(p.Reference))
		if p.Before != "" {
			fmt.Fprintf(w, "  it was %s\n", diag.Escape(p.Before))
		}
		fmt.Fprintf(w, "  deploy %s\n", diag.Escape(p.Pinned))
	}
}

// megabytes are a million bytes each, as registries count.
func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
