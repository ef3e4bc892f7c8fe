package view

import (
	"fmt"
	"io"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// A Keystore is what an export has written, and how Kafka is told to use it.
type Keystore struct {
	Name     string
	Format   string
	NotAfter time.Time
	Files    []KeystoreFile

	// For is the file that Properties belong into.
	For        string
	Properties []string

	PasswordAt string // where Kafka reads the password
}

// A KeystoreFile is one file of an export.
type KeystoreFile struct {
	Path string `json:"path"`
	Kept bool   `json:"kept"` // it held the same already
}

type keystoreDocument struct {
	Header
	Name       string         `json:"name"`
	Format     string         `json:"format"`
	Ends       time.Time      `json:"ends"`
	Files      []KeystoreFile `json:"files"`
	For        string         `json:"for"`
	Properties []string       `json:"properties"`
}

// Keystore writes the properties, and tells people which files there are.
func (v *View) Keystore(k Keystore) error {
	names := make([]string, len(k.Files))
	for i, f := range k.Files {
		names[i] = f.Path
	}
	doc := keystoreDocument{header("Keystore"), k.Name, k.Format, k.NotAfter.UTC(), some(k.Files), k.For, list(k.Properties)}
	if v.ForPeople() {
		for _, f := range k.Files {
			word := "wrote"
			if f.Kept {
				word = "kept "
			}
			v.Note("%s  %s", word, f.Path)
		}
		v.Note("The certificate of %s ends on %s. For %s:\n", k.Name, k.NotAfter.UTC().Format(time.DateOnly), k.For)
	}
	return v.answer(doc, func(w io.Writer) {
		for _, line := range k.Properties {
			fmt.Fprintln(w, diag.Escape(line))
		}
	}, names)
}
