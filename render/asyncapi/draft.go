package asyncapi

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/manifest"
)

// draft writes what was built, and judges it as a contract.
func (b *builder) draft() (*Draft, diag.List) {
	head := []string{"The contract of " + b.name + ", from " + b.root.At.File + "."}
	if len(b.open) > 0 {
		head = append(head, "The document leaves open, and whoever owns the service decides:")
		for _, line := range b.open {
			head = append(head, "  "+line)
		}
	}
	d := &Draft{Service: b.name, Open: b.open, Files: []render.File{manifest.File(contract.ServiceFile, strings.Join(head, "\n"), b.out)}}
	for _, name := range slices.Sorted(maps.Keys(b.files)) {
		d.Files = append(d.Files, render.File{Path: name, Content: []byte(b.files[name].content)})
	}
	_, problems := contract.Parse(inMemory(d.Files), contract.ServiceFile)
	list := b.placed(d.Files[0].Content, problems)
	if list.Failed() {
		return nil, list
	}
	return d, list
}

// inMemory is files as a file system.
func inMemory(files []render.File) fs.FS {
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	for _, f := range files {
		part, err := w.CreateHeader(&zip.FileHeader{Name: f.Path, Method: zip.Store})
		if err == nil {
			_, err = part.Write(f.Content)
		}
		if err != nil {
			panic(fmt.Sprintf("asyncapi: %v", err)) // memory takes every byte
		}
	}
	_ = w.Close()
	r, err := zip.NewReader(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
	if err != nil {
		panic(fmt.Sprintf("asyncapi: %v", err)) // it was written a moment ago
	}
	return r
}

// placed tells what is wrong with the contract where the document says it.
func (b *builder) placed(text []byte, problems diag.List) diag.List {
	root, _ := contract.ParseTree(contract.ServiceFile, text)
	var list diag.List
	for _, p := range problems {
		d := diag.New(diag.AsyncAPIContract, "%s (%s)", p.Message, p.Code)
		d.Severity, d.Evidence, d.Fix = p.Severity, p.Evidence, p.Remedy()
		list.Add(d.At(b.place(root, p.Position)))
	}
	list.Sort()
	return list
}

// place is where the document says what is at a place of the contract.
func (b *builder) place(root *contract.Tree, pos diag.Position) diag.Position {
	if s := b.files[pos.File]; s != nil {
		return s.at.At
	}
	var path []string
	if root != nil {
		path, _ = pathTo(root, pos)
	}
	for ; len(path) > 0; path = path[:len(path)-1] {
		if at, known := b.from[strings.Join(path, "\x00")]; known {
			return at
		}
	}
	return b.root.At
}

// pathTo is the path of keys to what stands at a place.
func pathTo(t *contract.Tree, pos diag.Position) (path []string, found bool) {
	if pos.Line == t.At.Line && pos.Column == t.At.Column && len(t.Children) == 0 {
		return nil, true
	}
	for i, c := range t.Children {
		key := c.Key
		if t.Kind == contract.TreeList {
			key = strconv.Itoa(i)
		}
		if c.KeyAt.Line == pos.Line && c.KeyAt.Column == pos.Column {
			return []string{key}, true
		}
		if below, found := pathTo(c, pos); found {
			return append([]string{key}, below...), true
		}
		if c.At.Line == pos.Line && c.At.Column == pos.Column {
			return []string{key}, true
		}
	}
	return nil, false
}
