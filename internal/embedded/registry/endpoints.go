package registry

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
)

func (r *Registry) listSubjects(req *http.Request) (any, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	names := make([]string, 0, len(r.state.subjects))
	for _, name := range slices.Sorted(maps.Keys(r.state.subjects)) {
		if withDeleted(req) || len(r.state.live(name)) > 0 {
			names = append(names, name)
		}
	}
	return names, nil
}

func (r *Registry) listVersions(req *http.Request) (any, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	subject := req.PathValue("subject")
	all, err := r.versions(subject)
	if withDeleted(req) && len(r.state.subjects[subject]) > 0 {
		all, err = r.state.subjects[subject], nil
	}
	return numbers(all), err
}

func (r *Registry) getVersion(req *http.Request) (any, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	subject := req.PathValue("subject")
	live, err := r.versions(subject)
	if err != nil {
		return nil, err
	}
	v, err := pick(subject, req.PathValue("v"), live)
	return newSchemaBody(subject, v, r.state.schemas[v.id]), err
}

func (r *Registry) postVersion(req *http.Request) (any, error) {
	s, err := r.readSchema(req)
	if err != nil {
		return nil, err
	}
	id, err := r.register(req.PathValue("subject"), s)
	return schemaBody{ID: id}, err
}

func (r *Registry) lookUp(req *http.Request) (any, error) {
	s, err := r.readSchema(req)
	if err != nil {
		return nil, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	subject := req.PathValue("subject")
	if _, err := r.versions(subject); err != nil {
		return nil, err
	}
	v, ok := r.state.find(subject, s)
	if !ok {
		return nil, noSchema("subject '" + subject + "' does not hold it")
	}
	return newSchemaBody(subject, v, r.state.schemas[v.id]), nil
}

func (r *Registry) getSchema(req *http.Request) (any, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	s, _, err := r.byID(req)
	body := newSchemaBody("", version{}, s)
	return body, err
}

// getByGUID finds a schema by what records carry in their headers.
func (r *Registry) getByGUID(req *http.Request) (any, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	text := req.PathValue("guid")
	for _, p := range r.state.schemas {
		if p.guid().String() == text {
			return newSchemaBody("", version{}, p), nil
		}
	}
	return nil, noSchema("guid " + text)
}

// listUses returns the subjects and versions that hold an id.
func (r *Registry) listUses(req *http.Request) (any, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, id, err := r.byID(req)
	uses := []schemaBody{}
	for _, subject := range slices.Sorted(maps.Keys(r.state.subjects)) {
		for _, v := range r.state.live(subject) {
			if v.id == id {
				uses = append(uses, schemaBody{Subject: subject, Version: v.number})
			}
		}
	}
	return uses, err
}

func (r *Registry) byID(req *http.Request) (parsed, int, error) {
	text := req.PathValue("id")
	id, err := strconv.Atoi(text)
	s, ok := r.state.schemas[id]
	if err != nil || !ok {
		return s, 0, noSchema("id " + text)
	}
	return s, id, nil
}

// versions returns the live versions of a subject.
func (r *Registry) versions(subject string) ([]version, error) {
	live := r.state.live(subject)
	if len(live) == 0 {
		return nil, noSubject(subject)
	}
	return live, nil
}

func (r *Registry) deleteVersion(req *http.Request) (any, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	subject := req.PathValue("subject")
	live, err := r.versions(subject)
	if err != nil {
		return nil, err
	}
	v, err := pick(subject, req.PathValue("v"), live)
	if err != nil {
		return nil, err
	}
	if err := r.unreferred(subject, []version{v}); err != nil {
		return nil, err
	}
	return v.number, r.delete(req, subject, []version{v})
}

func (r *Registry) deleteSubject(req *http.Request) (any, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	subject := req.PathValue("subject")
	live, err := r.versions(subject)
	if err != nil {
		return nil, err
	}
	if err := r.unreferred(subject, live); err != nil {
		return nil, err
	}
	return numbers(live), r.delete(req, subject, live)
}

// delete hides versions. The caller holds the lock.
func (r *Registry) delete(req *http.Request, subject string, vs []version) error {
	if req.URL.Query().Get("permanent") == "true" {
		return invalid(42205, "Schemas are deleted softly only: ids in records must stay readable")
	}
	return r.commit(event{Op: opDelete, Subject: subject, Versions: numbers(vs)})
}

func withDeleted(req *http.Request) bool { return req.URL.Query().Get("deleted") == "true" }
