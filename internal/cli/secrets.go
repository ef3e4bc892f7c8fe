package cli

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/plan"
)

// secrets keeps the passwords of users that apply creates: a directory for
// each user with a file named password in it. Every password is in its file
// before the first change is made, so that a crash loses none, and one that is
// there is used again, so that an apply which was cut short goes on with it.
type secrets struct {
	root *os.Root
	of   map[string]secret.Secret // by user
}

const passwordFile = "password"

// newUsers are the users that a plan creates, sorted.
func newUsers(p *plan.Plan) []string {
	var users []string
	for _, c := range p.Changes {
		if c.Kind == plan.KindUser && c.Action == plan.Create {
			users = append(users, c.Name)
		}
	}
	slices.Sort(users)
	return slices.Compact(users)
}

// keepSecrets makes sure that each user has a password in dir.
func keepSecrets(dir string, users []string) (*secrets, error) {
	s := &secrets{of: map[string]secret.Secret{}}
	if len(users) == 0 {
		return s, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, secretsProblem(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, secretsProblem(err)
	}
	defer root.Close()
	s.root = root
	for _, user := range users {
		if s.of[user], err = s.keep(user); err != nil {
			return nil, secretsProblem(err)
		}
	}
	return s, nil
}

// password is what plan.Apply asks for.
func (s *secrets) password(user string) (secret.Secret, error) { return s.of[user], nil }

// keep returns the user's password, a new one if there is none.
func (s *secrets) keep(user string) (secret.Secret, error) {
	if user == "." || user == ".." || strings.ContainsAny(user, `/\`) {
		return secret.Secret{}, diag.New(diag.CommandSecretsDir, "user %s cannot be the name of a directory", user).
			WithFix("adopt a principal without slashes")
	}
	known, err := s.read(user)
	if !errors.Is(err, fs.ErrNotExist) {
		return known, err
	}
	fresh := secret.Generate()
	return fresh, s.write(user, fresh)
}

func (s *secrets) read(user string) (secret.Secret, error) {
	name := user + "/" + passwordFile
	info, err := s.root.Lstat(name)
	if err != nil {
		return secret.Secret{}, err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return secret.Secret{}, diag.New(diag.CommandSecretsDir, "%s is open to others, or no file", name)
	}
	text, err := s.root.ReadFile(name)
	return secret.New(strings.TrimRight(string(text), "\r\n")), err
}

// write puts the file there whole or not at all.
func (s *secrets) write(user string, password secret.Secret) error {
	if err := s.root.Mkdir(user, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	name := user + "/" + passwordFile
	fresh := name + ".new"
	if err := s.root.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := s.root.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(password.Reveal())
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return s.root.Rename(fresh, name)
}

// report tells where the passwords are.
func (s *secrets) report(v *view.View) {
	for _, user := range slices.Sorted(maps.Keys(s.of)) {
		v.Note("password of %s: %s/%s/%s", user, s.root.Name(), user, passwordFile)
	}
}

func secretsProblem(err error) error {
	if known := diag.Of(err); len(known) > 0 {
		return known
	}
	return diag.New(diag.CommandSecretsDir, "keep passwords: %v", err)
}
