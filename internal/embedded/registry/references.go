package registry

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/slipway-go/slipway/schema"
)

// maxReferences bounds what one schema builds on, directly and through others.
const maxReferences = 200

// source puts a schema together with the texts of what it refers to. A version
// that was deleted since still stands for what it was.
func (s *state) source(text string, references []schema.Reference) (schema.Source, error) {
	source := schema.Source{Schema: text}
	known := make(map[string]bool)
	for left := references; len(left) > 0; left = left[1:] {
		r := left[0]
		if known[r.Name] {
			continue
		}
		known[r.Name] = true
		p, err := s.referred(r)
		if err != nil {
			return source, err
		}
		if len(known) > maxReferences {
			return source, fmt.Errorf("it builds on more than %d schemas", maxReferences)
		}
		source.Imports = append(source.Imports, schema.Import{Name: r.Name, Schema: p.text, Subject: r.Subject, Version: r.Version})
		left = slices.Concat(left, p.references)
	}
	return source, nil
}

func (s *state) referred(r schema.Reference) (parsed, error) {
	versions := s.subjects[r.Subject]
	at := slices.IndexFunc(versions, func(v version) bool { return v.number == r.Version })
	if r.Name == "" || at < 0 {
		return parsed{}, fmt.Errorf("reference %q: there is no version %d of subject '%s'", r.Name, r.Version, r.Subject)
	}
	return s.schemas[versions[at].id], nil
}

// referrers are the ids of live schemas that refer to a version.
func (s *state) referrers(subject string, number int) []int {
	var ids []int
	for name := range s.subjects {
		for _, v := range s.live(name) {
			uses := slices.ContainsFunc(s.schemas[v.id].references, func(r schema.Reference) bool {
				return r.Subject == subject && r.Version == number
			})
			if uses && !slices.Contains(ids, v.id) {
				ids = append(ids, v.id)
			}
		}
	}
	slices.Sort(ids)
	return ids
}

// listReferrers answers who builds on a version.
func (r *Registry) listReferrers(req *http.Request) (any, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	subject := req.PathValue("subject")
	live, err := r.versions(subject)
	if err != nil {
		return nil, err
	}
	v, err := pick(subject, req.PathValue("v"), live)
	if err != nil {
		return nil, err
	}
	return append([]int{}, r.state.referrers(subject, v.number)...), nil
}

// unreferred refuses to delete what live schemas build on.
func (r *Registry) unreferred(subject string, vs []version) error {
	for _, v := range vs {
		if ids := r.state.referrers(subject, v.number); len(ids) > 0 {
			return invalid(42206, "One or more references exist to the schema: version %d of '%s' is referred to by schemas %v", v.number, subject, ids)
		}
	}
	return nil
}
