package registry

import (
	"net/http"
	"strings"
)

// levelBody is a level in answers to GET.
type levelBody struct {
	Level level `json:"compatibilityLevel"`
}

func (r *Registry) getLevel(req *http.Request) (any, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	subject := req.PathValue("subject")
	l, ok := r.state.levels[subject]
	switch {
	case ok:
		return levelBody{l}, nil
	case req.URL.Query().Get("defaultToGlobal") == "true":
		return levelBody{r.state.level(subject)}, nil
	default:
		return nil, &failure{http.StatusNotFound, 40408,
			"Subject '" + subject + "' does not have subject-level compatibility configured"}
	}
}

func (r *Registry) putLevel(req *http.Request) (any, error) {
	var in struct {
		Level level `json:"compatibility"`
	}
	if err := readBody(req, &in); err != nil {
		return nil, err
	}
	in.Level = level(strings.ToUpper(string(in.Level)))
	if !in.Level.valid() {
		return nil, invalid(42203, "Invalid compatibility level %q: want one of %v", in.Level, levels)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return in, r.commit(event{Op: opLevel, Subject: req.PathValue("subject"), Level: in.Level})
}

func (r *Registry) deleteLevel(req *http.Request) (any, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	subject := req.PathValue("subject")
	old, ok := r.state.levels[subject]
	if !ok {
		return nil, &failure{http.StatusNotFound, 40408,
			"Subject '" + subject + "' does not have subject-level compatibility configured"}
	}
	return levelBody{old}, r.commit(event{Op: opLevel, Subject: subject})
}

// verdict answers a check. Like Confluent's registry it gives the reasons only
// when asked to be verbose.
type verdict struct {
	Compatible bool     `json:"is_compatible"`
	Messages   []string `json:"messages,omitempty"`
}

// checkAll checks a schema as registering it would.
func (r *Registry) checkAll(req *http.Request) (any, error) {
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
	return newVerdict(req, r.state.breaks(subject, s)), nil
}

// checkOne checks a schema against one version at the subject's level.
func (r *Registry) checkOne(req *http.Request) (any, error) {
	s, err := r.readSchema(req)
	if err != nil {
		return nil, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	subject := req.PathValue("subject")
	v, err := pick(subject, req.PathValue("v"), r.state.live(subject))
	if err != nil {
		return nil, err
	}
	return newVerdict(req, r.state.breaksAny(subject, s, []version{v})), nil
}

func newVerdict(req *http.Request, reasons []string) verdict {
	v := verdict{Compatible: len(reasons) == 0}
	if req.URL.Query().Get("verbose") == "true" {
		v.Messages = reasons
	}
	return v
}
