package secure

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	maxPEM  = 1 << 20  // of certificates and of a key
	maxCRL  = 32 << 20 // of revocation lists
	dataDir = "..data" // the link that Kubernetes swaps

	// recent is how long after a change the marks of a file may miss another one:
	// file systems keep time in ticks, and clocks of servers differ.
	recent = 2 * time.Second

	attempts = 10 // to read all files between two swaps
)

// A mark tells whether a file may have changed without reading it.
type mark struct {
	info fs.FileInfo // nil for a file that is not there
	link string      // of its directory
}

// marks looks at the files. It reports false if they have changed so recently
// that the marks cannot be relied on.
func (c FilesConfig) marks(now time.Time) (all []mark, settled bool) {
	settled = true
	links := make(map[string]string, 2)
	for _, file := range c.all() {
		dir := filepath.Dir(file)
		link, seen := links[dir]
		if !seen {
			link, _ = os.Readlink(filepath.Join(dir, dataDir))
			links[dir] = link
		}
		info, err := os.Stat(file)
		if err != nil {
			info = nil
		} else if now.Sub(info.ModTime()) < recent {
			settled = false
		}
		all = append(all, mark{info, link})
	}
	return all, settled
}

func same(a, b []mark) bool {
	return slices.EqualFunc(a, b, func(a, b mark) bool {
		if a.link != b.link || (a.info == nil) != (b.info == nil) {
			return false
		}
		return a.info == nil || os.SameFile(a.info, b.info) && a.info.Size() == b.info.Size() &&
			a.info.ModTime().Equal(b.info.ModTime()) && a.info.Mode() == b.info.Mode()
	})
}

func (c FilesConfig) all() []string {
	if c.Cert == "" {
		return []string{c.CA, c.CRL}
	}
	return []string{c.CA, c.Cert, c.Key, c.CRL}
}

// content is what a file holds, or why that is not known.
type content struct {
	file string // as it is configured
	data []byte
	err  error
}

type contents struct{ ca, cert, key, crl content }

// read reads all files. Kubernetes changes all files of a directory at once, by a
// link to another one; they are read from one of them, so that a certificate never
// meets the key of another time.
func (c FilesConfig) read() (got contents) {
	for range attempts {
		before := c.generations()
		got.ca, got.crl = before.read(c.CA, maxPEM), before.read(c.CRL, maxCRL)
		if c.Cert != "" {
			got.cert, got.key = before.read(c.Cert, maxPEM), before.read(c.Key, maxPEM)
			if got.key.err == nil {
				got.key = guarded(got.key)
			}
		}
		if after := c.generations(); before.equal(after) {
			break
		}
	}
	return got
}

// generations are the directories that the links of directories lead to.
type generations map[string]string

func (c FilesConfig) generations() generations {
	all := make(generations, 2)
	for _, file := range c.all() {
		dir := filepath.Dir(file)
		if to, err := filepath.EvalSymlinks(filepath.Join(dir, dataDir)); err == nil {
			all[dir] = to
		}
	}
	return all
}

func (g generations) equal(o generations) bool {
	if len(g) != len(o) {
		return false
	}
	for dir, to := range g {
		if o[dir] != to {
			return false
		}
	}
	return true
}

// read reads a file, from its generation if it is there.
func (g generations) read(file string, limit int64) content {
	if to, ok := g[filepath.Dir(file)]; ok {
		c := readFile(filepath.Join(to, filepath.Base(file)), limit)
		if !errors.Is(c.err, fs.ErrNotExist) {
			c.file = file
			return c
		}
	}
	return readFile(file, limit)
}

func readFile(file string, limit int64) content {
	c := content{file: file}
	c.data, c.err = func() ([]byte, error) {
		info, err := os.Stat(file)
		switch {
		case err != nil:
			return nil, err
		case !info.Mode().IsRegular():
			return nil, fmt.Errorf("%s is not a file", file)
		case info.Size() > limit:
			return nil, fmt.Errorf("%s has %d bytes, at most %d are read", file, info.Size(), limit)
		}
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return io.ReadAll(io.LimitReader(f, limit))
	}()
	if c.err == nil && len(c.data) == 0 {
		c.err = fmt.Errorf("%s is empty", file)
	}
	return c
}

// guarded refuses a key that anybody can replace. That others can read one is for
// whoever mounts it to judge: Kubernetes mounts secrets so, for a user of their own.
func guarded(key content) content {
	if info, err := os.Stat(key.file); err == nil && info.Mode().Perm()&0o002 != 0 {
		key.data, key.err = nil, fmt.Errorf("%s can be written by everybody (mode %04o)", key.file, info.Mode().Perm())
	}
	return key
}
