package auth

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/slipway-go/slipway/internal/secret"
)

// nextSuffix is what the file of the next password is called beside the current
// one's.
const nextSuffix = ".next"

// maxPassword is the longest password that is taken: what is longer is some
// other file.
const maxPassword = 4 << 10

// A mount is what the two files hold, and held: content that cannot be read is
// as it was.
type mount struct {
	current, next       secret.Secret
	currentErr, nextErr error // why the content is that of an earlier time
}

// read reads both files. Kubernetes changes all files of a secret at once, by a
// link to another directory; both are read from one of them, so that a password
// that is promoted is never missed between the two.
func (m mount) read(file string) mount {
	dir, name := filepath.Split(file)
	if generation, err := filepath.EvalSymlinks(filepath.Join(dir, "..data")); err == nil {
		got := m.from(filepath.Join(generation, name))
		if again, err := filepath.EvalSymlinks(filepath.Join(dir, "..data")); err == nil && again == generation {
			return got
		}
	}
	return m.from(file)
}

func (m mount) from(file string) mount {
	if s, err := readSecret(file); err != nil {
		m.currentErr = err
	} else {
		m.current, m.currentErr = s, nil
	}
	switch s, err := readSecret(file + nextSuffix); {
	case errors.Is(err, fs.ErrNotExist): // there need not be any
		m.next, m.nextErr = secret.Secret{}, nil
	case err != nil:
		m.nextErr = err
	default:
		m.next, m.nextErr = s, nil
	}
	return m
}

// readSecret reads a file that holds one password, without its line end.
func readSecret(file string) (secret.Secret, error) {
	info, err := os.Stat(file)
	if err != nil {
		return secret.Secret{}, err
	}
	if info.Size() > maxPassword {
		return secret.Secret{}, fmt.Errorf("%s has %d bytes, want a password of at most %d", file, info.Size(), maxPassword)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return secret.Secret{}, err
	}
	text := strings.TrimRight(string(b), "\r\n")
	if text == "" {
		return secret.Secret{}, fmt.Errorf("%s is empty", file)
	}
	return secret.New(text), nil
}
