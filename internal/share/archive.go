package share

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/slipway-go/slipway/contract"
)

// Pack returns the bundle as a tar archive: the files sorted by name, without
// owners, times and rights of their own. The same contract gives the same
// bytes.
func (b *Bundle) Pack() []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range b.names() {
		data := b.files[name]
		err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(data))})
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			panic("share: an archive in memory cannot be written: " + err.Error())
		}
	}
	if err := w.Close(); err != nil {
		panic("share: an archive in memory cannot be written: " + err.Error())
	}
	return out.Bytes()
}

// Unpack reads an archive from anywhere, in memory. The error says why it is
// not the archive of a bundle.
func Unpack(archive []byte) (*Bundle, error) {
	files := map[string][]byte{}
	total := 0
	r := tar.NewReader(bytes.NewReader(archive))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return newBundle(files)
		}
		if err != nil {
			return nil, fmt.Errorf("it is no tar archive: %w", err)
		}
		data, err := member(r, h)
		if err != nil {
			return nil, err
		}
		if _, twice := files[h.Name]; twice {
			return nil, fmt.Errorf("it holds %.100q twice", h.Name)
		}
		files[h.Name] = data
		if total += len(data); len(files) > maxFiles || total > maxBundle {
			return nil, fmt.Errorf("it holds more than %d files or %v", maxFiles, contract.Bytes(maxBundle))
		}
	}
}

// member reads one file of an archive. Directories need no entry: they follow
// from the names.
func member(r io.Reader, h *tar.Header) ([]byte, error) {
	if h.Typeflag != tar.TypeReg {
		return nil, fmt.Errorf("%.100q is a %s", h.Name, kindOf(h.Typeflag))
	}
	if err := checkName(h.Name); err != nil {
		return nil, fmt.Errorf("the file name %.100q %w", h.Name, err)
	}
	if h.Size < 0 || h.Size > contract.MaxFileSize {
		return nil, fmt.Errorf("%.100q is larger than %v", h.Name, contract.Bytes(contract.MaxFileSize))
	}
	data, err := io.ReadAll(io.LimitReader(r, h.Size))
	if err != nil {
		return nil, fmt.Errorf("it is no tar archive: %w", err)
	}
	return data, nil
}

func kindOf(flag byte) string {
	switch flag {
	case tar.TypeSymlink, tar.TypeLink:
		return "link"
	case tar.TypeDir:
		return "directory"
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return "device"
	}
	return "file of a kind that contracts have no use for"
}
