package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// directoryName is where the files are, beside slipway.yaml.
const directoryName = "config"

const common = "common.yaml"

// A document is a file's content.
type document struct {
	name string // as messages call it
	data []byte
}

// embedded reads the files beside the contract, the environment's first. A
// directory without any YAML, such as a Go package of that name, is none.
func embedded(fsys fs.FS, env string) ([]document, diag.List) {
	if fsys == nil {
		return nil, nil
	}
	files, err := fs.ReadDir(fsys, directoryName)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, diag.List{unreadable(directoryName, err)}
	}
	for _, f := range files {
		if ext := filepath.Ext(f.Name()); ext == ".yaml" || ext == ".yml" {
			sub, err := fs.Sub(fsys, directoryName)
			if err != nil {
				return nil, diag.List{unreadable(directoryName, err)}
			}
			return read(sub, directoryName, env)
		}
	}
	return nil, nil
}

// mounted reads the files of a directory. Where Kubernetes has mounted it, its
// files are links through ..data to a directory of one generation, which is
// replaced as a whole: both files are read from the same one.
func mounted(dir, env string) ([]document, diag.List) {
	const attempts = 5 // the generation that was found may be gone before it is read
	var docs []document
	var list diag.List
	for range attempts {
		before := generation(dir)
		root, err := os.OpenRoot(before)
		if err != nil {
			list = diag.List{unreadable(dir, err)}
		} else {
			docs, list = read(root.FS(), dir, env)
			_ = root.Close()
		}
		if generation(dir) == before {
			break
		}
	}
	return docs, list
}

// generation is the directory that the files of a mount are in.
func generation(dir string) string {
	data := filepath.Join(dir, "..data")
	if target, err := os.Readlink(data); err == nil && filepath.IsLocal(target) {
		return filepath.Join(dir, target)
	}
	return dir
}

// read reads the environment's file, which must be there, and the common one.
func read(fsys fs.FS, dir, env string) (docs []document, list diag.List) {
	if env == "" {
		return nil, diag.List{diag.New(diag.ConfigEnvironment, "ENVIRONMENT is not set, and %s has a file for each environment", dir)}
	}
	for _, name := range []string{env + ".yaml", common} {
		shown := filepath.ToSlash(filepath.Join(dir, name))
		data, err := readSmall(fsys, name)
		switch {
		case err == nil:
			docs = append(docs, document{shown, data})
		case !errors.Is(err, fs.ErrNotExist):
			list.Add(unreadable(shown, err))
		case misspelt(fsys, name):
			list.Add(diag.New(diag.ConfigFileUnused, "%s is not read", strings.TrimSuffix(shown, ".yaml")+".yml").
				WithFix("rename it to %s", name))
		case name != common:
			list.Add(diag.New(diag.ConfigFileMissing, "%s does not exist, and the service is in environment %s", shown, env).
				At(diag.Position{File: shown}).WithFix("write %s; an empty one says that nothing differs from %s", shown, common))
		}
	}
	return docs, list
}

// misspelt reports whether a file is there under YAML's other ending.
func misspelt(fsys fs.FS, name string) bool {
	_, err := fs.Stat(fsys, strings.TrimSuffix(name, ".yaml")+".yml")
	return err == nil
}

// readSmall reads a regular file of at most a contract's size. What is no file
// is not opened: a pipe would block.
func readSmall(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, contract.MaxFileSize+1))
	if err == nil && len(data) > contract.MaxFileSize {
		err = fmt.Errorf("it is larger than %v", contract.Bytes(contract.MaxFileSize))
	}
	return data, err
}

func unreadable(name string, err error) diag.Diagnostic {
	return diag.New(diag.ConfigFileUnreadable, "read %s: %v", name, pathless(err)).At(diag.Position{File: name})
}

// A parsedFile is kept, so that only what has changed is parsed again.
type parsedFile struct {
	data  []byte
	given []Given
	list  diag.List
}

// files is a layer for each document, the highest first.
func (l *Loader) files(docs []document, list *diag.List) (layers []layer) {
	for _, d := range docs {
		p := l.parsed[d.name]
		if p == nil || !bytes.Equal(p.data, d.data) {
			p = &parsedFile{data: d.data}
			p.given, p.list = readFile(l.root, l.index, d.name, d.data)
			l.parsed[d.name] = p
		}
		*list = append(*list, p.list...)
		layers = append(layers, layer{LayerFile, "", p.given})
	}
	return layers
}
