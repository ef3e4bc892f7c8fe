package image

import (
	"archive/tar"
	"bytes"
	"cmp"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
)

// epoch is the time of everything in a layer.
var epoch = time.Unix(0, 0)

// A file is one in a layer. Directories have no data and a name that ends in a
// slash.
type file struct {
	name string
	mode int64
	data []byte
}

// user and users are whom the program runs as. 65532 is the user nonroot of
// distroless images, which policies know.
const (
	user     = "65532:65532"
	users    = "root:x:0:0:root:/nonexistent:/nonexistent\nnonroot:x:65532:65532:nonroot:/nonexistent:/nonexistent\n"
	groups   = "root:x:0:\nnonroot:x:65532:\n"
	zonesAt  = "usr/share/zoneinfo.zip"
	rootsAt  = "etc/ssl/certs/ca-certificates.crt"
	zonesEnv = "ZONEINFO=/" + zonesAt
)

// base is the layer that all services have in common.
func base(roots, zones []byte) []byte {
	return archive([]file{
		{"etc/group", 0o644, []byte(groups)},
		{"etc/passwd", 0o644, []byte(users)},
		{rootsAt, 0o644, roots},
		{zonesAt, 0o644, zones},
		{"tmp/", 0o1777, nil},
	})
}

// program is the layer with the program alone.
func program(name string, binary []byte) []byte {
	return archive([]file{{name, 0o755, binary}})
}

// archive is a tar of the files and the directories they are in, sorted.
func archive(files []file) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range withParents(files) {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: f.mode, Size: int64(len(f.data)), ModTime: epoch, Format: tar.FormatUSTAR}
		if strings.HasSuffix(f.name, "/") {
			h.Typeflag = tar.TypeDir
		}
		must(w.WriteHeader(h))
		_, err := w.Write(f.data)
		must(err)
	}
	must(w.Close())
	return b.Bytes()
}

func withParents(files []file) []file {
	all := slices.Clone(files)
	seen := map[string]bool{}
	for _, f := range files {
		seen[f.name] = true
	}
	for _, f := range files {
		for dir := path.Dir(path.Clean(f.name)); dir != "."; dir = path.Dir(dir) {
			if !seen[dir+"/"] {
				seen[dir+"/"] = true
				all = append(all, file{dir + "/", 0o755, nil})
			}
		}
	}
	slices.SortFunc(all, func(a, b file) int { return cmp.Compare(a.name, b.name) })
	return all
}

// compress makes what a registry keeps of a layer.
func compress(data []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	must(err)
	_, err = w.Write(data)
	must(err)
	must(w.Close())
	return b.Bytes()
}

// must holds for what is written to memory and cannot fail.
func must(err error) {
	if err != nil {
		panic("image: " + err.Error())
	}
}
