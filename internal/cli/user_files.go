package cli

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
)

// nextFile is the password that a rotation is about to put in force. The SDK
// looks for it beside the password.
const nextFile = passwordFile + ".next"

// userFiles are one user's passwords in the directory that apply --secrets
// keeps, DIR/<user>, which becomes a Kubernetes Secret as it is. Whatever
// changes there changes by one rename, so that a killed command leaves the
// state before or the state after, and nothing in between.
type userFiles struct {
	root *os.Root
	dir  string // as the user named it
	user string
}

func openUserFiles(dir, user string) (*userFiles, error) {
	if user == "" || user == "." || user == ".." || strings.ContainsAny(user, `/\`) {
		return nil, diag.New(diag.UserSecretsDir, "user %s cannot be the name of a directory", user).WithFix("adopt a principal without slashes")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, filesProblem(err)
	}
	return &userFiles{root, dir, user}, nil
}

func (f *userFiles) Close() { _ = f.root.Close() }

// path is a file as the user would name it.
func (f *userFiles) path(name string) string { return filepath.Join(f.dir, f.user, name) }

// maxSecret is the longest password that is read: what is longer is some other
// file.
const maxSecret = 4 << 10

// read returns a password; it is empty if there is none.
func (f *userFiles) read(name string) (secret.Secret, error) {
	at := f.user + "/" + name
	info, err := f.root.Lstat(at)
	if errors.Is(err, fs.ErrNotExist) {
		return secret.Secret{}, nil
	}
	if err != nil {
		return secret.Secret{}, filesProblem(err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return secret.Secret{}, diag.New(diag.UserSecretsDir, "%s is open to others, or no regular file", f.path(name)).WithFix("chmod 600 it, if nobody else could read it")
	}
	file, err := f.root.Open(at)
	if err != nil {
		return secret.Secret{}, filesProblem(err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	line := strings.TrimRight(string(text), "\r\n")
	switch {
	case err != nil:
		return secret.Secret{}, filesProblem(err)
	case line == "" || len(text) > maxSecret || strings.ContainsAny(line, "\r\n\x00"):
		return secret.Secret{}, diag.New(diag.UserSecretsDir, "%s does not hold one line with a password", f.path(name))
	}
	return secret.New(line), nil
}

// stage writes a fresh next password, and keeps one that is there. What is half
// written lies outside of the user's directory, and never becomes part of a
// Secret.
func (f *userFiles) stage() error {
	known, err := f.read(nextFile)
	if err != nil || !known.Empty() {
		return err
	}
	fresh := "." + f.user + "." + nextFile
	if err := f.root.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return filesProblem(err)
	}
	w, err := f.root.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return filesProblem(err)
	}
	_, err = w.WriteString(secret.Generate().Reveal())
	if err := errors.Join(err, w.Sync(), w.Close()); err != nil {
		return filesProblem(err)
	}
	return f.rename(fresh, f.user+"/"+nextFile)
}

// promote makes the next password the one in force.
func (f *userFiles) promote() error {
	return f.rename(f.user+"/"+nextFile, f.user+"/"+passwordFile)
}

// rename is not over before it is on the disk.
func (f *userFiles) rename(from, to string) error {
	if err := f.root.Rename(from, to); err != nil {
		return filesProblem(err)
	}
	dir, err := f.root.Open(f.user)
	if err != nil {
		return filesProblem(err)
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil {
		return filesProblem(err)
	}
	return nil
}

func filesProblem(err error) error {
	return diag.New(diag.UserSecretsDir, "keep passwords: %v", err)
}
