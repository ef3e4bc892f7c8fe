package plan

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/slipway-go/slipway/diag"
)

const (
	savedKind    = "SavedPlan"
	savedVersion = 1

	// MaxSavedSize is how large a plan file may be.
	MaxSavedSize = 64 << 20
)

// A Saved is a plan with what it was made against, for a file. It is believed
// in nothing: see [Check].
type Saved struct {
	Kind    string    `json:"kind"`
	Version int       `json:"version"`
	Created time.Time `json:"created"`

	// Services are those whose changes the plan is limited to; all if empty.
	Services []string `json:"services,omitempty"`

	// Allow is what was allowed when the plan was made.
	Allow []string `json:"allow,omitempty"`

	Contracts Fingerprint `json:"contracts"` // what they call for
	State     Fingerprint `json:"state"`     // what the cluster had of it

	Plan *Plan `json:"plan"`

	// Content is the hash of all of the above.
	Content string `json:"content"`
}

// NewSaved puts a plan together with what it was made against.
func NewSaved(want *Desired, have *Actual, p *Plan, services, allow []string, now time.Time) *Saved {
	s := &Saved{
		Kind: savedKind, Version: savedVersion, Created: now.UTC().Truncate(time.Second),
		Services: sorted(services), Allow: sorted(allow), Plan: p,
	}
	s.Contracts, s.State = prints(want, have, p, services)
	s.Content = s.content()
	return s
}

func sorted(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }

func (s *Saved) content() string {
	bare := *s
	bare.Content = ""
	sum := sha256.Sum256(bare.encode())
	return hex.EncodeToString(sum[:])
}

func (s *Saved) encode() []byte {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic("plan: a saved plan is not JSON: " + err.Error())
	}
	return append(text, '\n')
}

// Save writes a plan to a file that only its owner may read, all of it or
// nothing. A regular file that is there is replaced; anything else, a symbolic
// link included, is left alone and refused.
func Save(path string, s *Saved) error {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return fileProblem("write", path, errors.New("it is there and no regular file"))
	}
	if err := replace(path, s.encode()); err != nil {
		return fileProblem("write", path, err)
	}
	return nil
}

// replace writes beside the file and renames.
func replace(path string, text []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".slipway-plan-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Load reads a file that [Save] wrote. It refuses, as [ErrRefused], what is no
// regular file, what is larger than [MaxSavedSize], and what is in any byte
// not as it was written.
func Load(path string) (*Saved, error) {
	text, err := readRegular(path)
	if err != nil {
		return nil, fileProblem("read", path, err)
	}
	s, err := ParseSaved(text)
	if err != nil {
		return nil, refuse(diag.New(diag.PlanEdited, "plan file %s: %v", path, err))
	}
	return s, nil
}

func fileProblem(verb, path string, err error) error {
	if cause, ok := errors.AsType[*fs.PathError](err); ok {
		err = cause.Err
	}
	return refuse(diag.New(diag.PlanFile, "%s plan file %s: %v", verb, path, err))
}

// readRegular reads a file without following a link or waiting for a pipe.
func readRegular(path string) ([]byte, error) {
	seen, err := os.Lstat(path)
	switch {
	case err != nil:
		return nil, err
	case !seen.Mode().IsRegular():
		return nil, errors.New("it is no regular file")
	case seen.Size() > MaxSavedSize:
		return nil, errors.New("it is larger than 64 MiB")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if is, err := f.Stat(); err != nil || !os.SameFile(seen, is) {
		return nil, cmp.Or(err, errors.New("it was replaced while it was opened"))
	}
	text, err := io.ReadAll(io.LimitReader(f, MaxSavedSize+1))
	if err == nil && len(text) > MaxSavedSize {
		err = errors.New("it is larger than 64 MiB")
	}
	return text, err
}

// ParseSaved reads the bytes of a plan file. They must be exactly those that a
// plan is written as, and their hash the one they hold.
func ParseSaved(text []byte) (*Saved, error) {
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	var s Saved
	if err := in.Decode(&s); err != nil {
		return nil, err
	}
	switch {
	case s.Kind != savedKind:
		return nil, errors.New("it is no saved plan")
	case s.Version != savedVersion:
		return nil, errors.New("it is of a version that this slipway does not know")
	case s.Plan == nil:
		return nil, errors.New("it has no plan")
	case s.content() != s.Content || !bytes.Equal(s.encode(), text):
		return nil, errors.New("its content is not what was written")
	}
	return &s, nil
}
