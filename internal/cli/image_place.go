package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// places judges where the image and its bills of materials shall go: compiling takes
// minutes, and what cannot be written afterwards is known before.
func (args *imageArgs) places() error {
	if args.out != "" {
		judge := layoutPlace
		if strings.HasSuffix(args.out, ".tar") {
			judge = archivePlace
		}
		if err := judge(args.out); err != nil {
			return err
		}
	}
	if args.sbom == "" {
		return nil
	}
	if err := writable(args.sbom); err != nil {
		return badPlace("--sbom", args.sbom, err, "name a directory that is yours, or one that is not there and can be made")
	}
	return nil
}

// archivePlace is a file that is not there or may be replaced, in a directory that
// is there.
func archivePlace(name string) error {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return badPlace("--out", name, errors.New("it is a directory"), "name a file, or take .tar off the name of a directory for an OCI layout")
	}
	dir := filepath.Dir(name)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return badPlace("--out", name, errors.New("there is no directory "+dir), "make the directory, or name a file in one that is there")
	}
	if err := writable(dir); err != nil {
		return badPlace("--out", name, err, "name a file in a directory that is yours")
	}
	return nil
}

// layoutPlace is a directory that is not there, is empty or holds an image: it is
// replaced by a new one beside it.
func layoutPlace(dir string) error {
	const fix = "name a directory that is not there or holds an image alone, or a file that ends in .tar"
	entries, err := os.ReadDir(dir)
	_, lacks := os.Lstat(filepath.Join(dir, "oci-layout"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return badPlace("--out", dir, err, fix)
	case len(entries) > 0 && lacks != nil:
		return badPlace("--out", dir, errors.New("it holds something else than an image"), fix)
	}
	if err := writable(filepath.Dir(filepath.Clean(dir))); err != nil {
		return badPlace("--out", dir, err, "name a directory below one that is yours, or a file that ends in .tar")
	}
	return nil
}

// writable reports whether files can be made in a directory, which may have to be
// made first. It leaves nothing behind.
func writable(dir string) error {
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		probe, err := os.CreateTemp(at, ".slipway-")
		if err == nil {
			return errors.Join(probe.Close(), os.Remove(probe.Name()))
		}
		if !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			return err
		}
	}
}

func badPlace(flag, name string, err error, fix string) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		err = at.Err
	}
	return diag.New(diag.ImageOutput, "%s %s cannot be written: %v", flag, name, err).WithFix("%s", fix)
}
