package registry

import (
	"cmp"
	"net/http"
	"sync"
	"sync/atomic"
)

// Config says who may use a registry and where it keeps its journal. The zero
// value is open to everyone and forgets everything.
type Config struct {
	// Admin and Reader are "user:password". Admin may do everything, Reader
	// may look. Without Admin everyone is admin.
	Admin, Reader string

	// Journal is the file that changes are written to. Empty keeps them in
	// memory only.
	Journal string
}

// A Registry is an [http.Handler]. It is safe for concurrent use.
type Registry struct {
	access access
	mux    *http.ServeMux
	fault  atomic.Pointer[Interceptor]

	mu      sync.RWMutex
	state   *state
	journal *journal
}

var _ http.Handler = (*Registry)(nil)

// Open returns a registry with what its journal holds. The caller sees to it
// that no other registry writes the same journal.
func Open(cfg Config) (*Registry, error) {
	r := &Registry{access: newAccess(cfg), state: newState()}
	if cfg.Journal != "" {
		j, err := openJournal(cfg.Journal, r.state.apply)
		if err != nil {
			return nil, err
		}
		r.journal = j
	}
	r.mux = r.routes()
	return r, nil
}

// Close closes the journal. Nothing is lost by not calling it.
func (r *Registry) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.journal == nil {
		return nil
	}
	return r.journal.close()
}

// An Interceptor answers a request in the registry's place, and reports
// whether it did.
type Interceptor func(http.ResponseWriter, *http.Request) bool

// Intercept asks f first from now on, for tests of a registry that is ill. Nil
// ends it.
func (r *Registry) Intercept(f Interceptor) {
	if f == nil {
		r.fault.Store(nil)
		return
	}
	r.fault.Store(&f)
}

// ServeHTTP answers one request.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if refused := r.access.check(req); refused != nil {
		refused.write(w)
		return
	}
	if f := r.fault.Load(); f != nil && (*f)(w, req) {
		return
	}
	req.Body = http.MaxBytesReader(w, req.Body, maxBody)
	r.mux.ServeHTTP(w, req)
}

// commit makes a change durable, then visible. The caller holds the lock.
func (r *Registry) commit(e event) error {
	if r.journal != nil {
		if err := r.journal.append(e); err != nil {
			return err
		}
	}
	return r.state.apply(e)
}

// register adds a schema to a subject unless it is there, and returns its id.
func (r *Registry) register(subject string, s parsed) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v, ok := r.state.find(subject, s); ok {
		return v.id, nil
	}
	if reasons := r.state.breaks(subject, s); len(reasons) > 0 {
		return 0, incompatible(subject, reasons)
	}
	e := event{
		Op:      opRegister,
		Subject: subject,
		ID:      cmp.Or(r.state.idOf(s), r.state.lastID+1),
		Version: r.state.lastVersion(subject) + 1,
		Type:    s.kind,
		Schema:  s.text,

		References: s.references,
	}
	return e.ID, r.commit(e)
}
