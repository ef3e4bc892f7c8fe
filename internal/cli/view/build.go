package view

import (
	"fmt"
	"io"

	"github.com/slipway-go/slipway/diag"
)

// A Build is what a program knows of its making.
type Build struct {
	Slipway  string `json:"slipway"` // the version
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified,omitempty"` // the checkout had changes
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

type buildDocument struct {
	Header
	Build
}

// Build writes the version.
func (v *View) Build(b Build) error {
	return v.answer(buildDocument{header("Version"), b}, func(w io.Writer) {
		fmt.Fprintf(w, "slipway %s %s %s\n", diag.Escape(b.Slipway), b.Go, b.Platform)
		if b.Commit != "" {
			changed := ""
			if b.Modified {
				changed = " with changes"
			}
			fmt.Fprintf(w, "commit %s%s\n", diag.Escape(b.Commit), changed)
		}
	}, []string{b.Slipway})
}
