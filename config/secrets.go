package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// Directory is a [Source] of a directory in which every file is named after a
// key and holds its value, as Kubernetes mounts a Secret. Files whose name
// begins with a dot are passed over, and so is a line end behind a value. All
// files are read from one generation of the mount.
//
// A loader has one for the directory that SECRETS_PATH names, above all other
// sources.
func Directory(dir string) Source { return directory(dir) }

type directory string

func (d directory) Name() string { return string(d) }

func (d directory) Load(context.Context) (given []Given, err error) {
	const attempts = 5 // the generation that was found may be gone before it is read
	for range attempts {
		before := generation(string(d))
		given, err = d.read(before)
		if generation(string(d)) == before {
			break
		}
	}
	return given, err
}

func (d directory) read(generation string) ([]Given, error) {
	root, err := os.OpenRoot(generation)
	if err != nil {
		return nil, pathless(err)
	}
	defer func() { _ = root.Close() }()
	files, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, pathless(err)
	}
	var given []Given
	for _, f := range files {
		if strings.HasPrefix(f.Name(), ".") {
			continue
		}
		data, err := readSmall(root.FS(), f.Name())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), pathless(err))
		}
		given = append(given, Given{
			Key: f.Name(), Text: strings.TrimRight(string(data), "\r\n"),
			At: diag.Position{File: filepath.ToSlash(filepath.Join(string(d), f.Name()))},
		})
	}
	return given, nil
}

// pathless takes the path out of an error; a generation's name means nothing to
// people.
func pathless(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
