package schema

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// An Admin is a [Client] that also writes. Only apply holds a credential that
// lets it.
type Admin struct{ *Client }

// NewAdmin returns the writing side of a registry.
func NewAdmin(cfg ClientConfig) (*Admin, error) {
	c, err := NewClient(cfg)
	if err != nil {
		return nil, err
	}
	return &Admin{c}, nil
}

// Register adds a schema to a subject and returns its id. Registering a schema
// that the subject holds changes nothing and returns the id it has, so a
// repeated call is harmless. A schema that breaks the subject's level is
// [ErrIncompatible].
func (a *Admin) Register(ctx context.Context, subject string, text Text) (int, error) {
	held, err := a.find(ctx, subject, text)
	if err == nil || !errors.Is(err, ErrNotFound) {
		return held.ID, err
	}
	got, err := a.ask(ctx, holdsID, call{
		op:     "register a schema of subject " + subject,
		method: http.MethodPost,
		path:   []string{"subjects", subject, "versions"},
		in:     body(text),
	})
	return got.ID, err
}

// RegisterSource adds a schema to a subject, and before it the files that it
// builds on to theirs.
func (a *Admin) RegisterSource(ctx context.Context, subject, format string, s Source) (int, error) {
	text, err := s.Pin(ctx, registrar{a}, format)
	if err != nil {
		return 0, err
	}
	return a.Register(ctx, subject, text)
}

// A registrar finds every schema, because it registers what is not there.
type registrar struct{ *Admin }

func (r registrar) Find(ctx context.Context, subject string, text Text) (Version, error) {
	if _, err := r.Register(ctx, subject, text); err != nil {
		return Version{}, err
	}
	return r.Admin.Find(ctx, subject, text)
}

// Check asks whether a schema could be registered under the subject's level.
// The reasons are the registry's words; they are empty if it is compatible. A
// subject without versions is compatible with everything.
func (a *Admin) Check(ctx context.Context, subject string, text Text) (reasons []string, err error) {
	var got compatibilityBody
	err = a.do(ctx, call{
		op:     "check a schema of subject " + subject,
		method: http.MethodPost,
		path:   []string{"compatibility", "subjects", subject, "versions"},
		query:  "verbose=true",
		in:     body(text),
		out:    &got,
	})
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil || got.Compatible {
		return nil, err
	}
	return got.reasons(), nil
}

// Compatibility returns the level that a subject has of its own, as the
// contract spells it ("backward_transitive"), or "" if it follows the
// registry's global level.
func (a *Admin) Compatibility(ctx context.Context, subject string) (string, error) {
	var got struct {
		Level string `json:"compatibilityLevel"`
	}
	err := a.do(ctx, call{
		op:   "read the compatibility of subject " + subject,
		path: []string{"config", subject},
		out:  &got,
	})
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	return strings.ToLower(got.Level), err
}

// SetCompatibility gives a subject a level of its own.
func (a *Admin) SetCompatibility(ctx context.Context, subject, level string) error {
	return a.do(ctx, call{
		op:     "set the compatibility of subject " + subject,
		method: http.MethodPut,
		path:   []string{"config", subject},
		in:     map[string]string{"compatibility": strings.ToUpper(level)},
	})
}

// Subjects returns the names of all subjects, sorted.
func (a *Admin) Subjects(ctx context.Context) ([]string, error) {
	var got []string
	err := a.do(ctx, call{op: "list subjects", path: []string{"subjects"}, out: &got})
	slices.Sort(got)
	return got, err
}

// Versions returns the version numbers of a subject, ascending; none if there
// is no such subject.
func (a *Admin) Versions(ctx context.Context, subject string) ([]int, error) {
	var got []int
	err := a.do(ctx, call{
		op:   "list versions of subject " + subject,
		path: []string{"subjects", subject, "versions"},
		out:  &got,
	})
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	slices.Sort(got)
	return got, err
}

// Incompatible is the diagnostic for what [Admin.Check] found.
func Incompatible(subject string, reasons []string) diag.Diagnostic {
	d := diag.New(diag.SchemaIncompatible, "the new schema of subject %s breaks its compatibility level", subject)
	for _, r := range reasons {
		d = d.WithEvidence("%s", r)
	}
	return d
}

// compatibilityBody is the registry's verdict. Confluent's registry answers
// with messages, Apicurio with one reason.
type compatibilityBody struct {
	Compatible bool     `json:"is_compatible"`
	Messages   []string `json:"messages"`
	Reason     string   `json:"reason"`
}

func (b compatibilityBody) reasons() []string {
	all := b.Messages
	if b.Reason != "" {
		all = append(all, b.Reason)
	}
	if len(all) == 0 {
		return []string{"the registry gave no reason"}
	}
	for i, r := range all {
		all[i] = clip(r, maxMessage)
	}
	return all
}
