package registry

import (
	"fmt"
	"slices"

	"github.com/slipway-go/slipway/schema"
)

// The changes a registry knows.
const (
	opRegister = "register"
	opLevel    = "level"
	opDelete   = "delete"
)

// event is one change, as the journal keeps it.
type event struct {
	Op       string `json:"op"`
	Subject  string `json:"subject,omitempty"` // empty: the global level
	ID       int    `json:"id,omitempty"`
	Version  int    `json:"version,omitempty"`
	Type     string `json:"type,omitempty"`
	Schema   string `json:"schema,omitempty"`
	Level    level  `json:"level,omitempty"` // empty: back to the global one
	Versions []int  `json:"versions,omitempty"`

	References []schema.Reference `json:"references,omitempty"`
}

// version is one schema under a subject.
type version struct {
	number  int
	id      int
	deleted bool
}

// state is what the registry knows: a fold over events.
type state struct {
	schemas  map[int]parsed
	ids      map[string]int // by the schema's identity
	subjects map[string][]version
	levels   map[string]level // "" holds the global one
	lastID   int
}

func newState() *state {
	return &state{
		schemas:  make(map[int]parsed),
		ids:      make(map[string]int),
		subjects: make(map[string][]version),
		levels:   map[string]level{"": backward},
	}
}

// apply folds one event in.
func (s *state) apply(e event) error {
	switch e.Op {
	case opRegister:
		source, err := s.source(e.Schema, e.References)
		if err != nil {
			return fmt.Errorf("schema %d: %w", e.ID, err)
		}
		p, err := parse(e.Type, source, e.References)
		if err != nil {
			return fmt.Errorf("schema %d: %w", e.ID, err)
		}
		s.schemas[e.ID] = p
		s.ids[p.identity] = e.ID
		s.lastID = max(s.lastID, e.ID)
		s.subjects[e.Subject] = append(s.subjects[e.Subject], version{number: e.Version, id: e.ID})
	case opLevel:
		if e.Level == "" {
			delete(s.levels, e.Subject)
			return nil
		}
		s.levels[e.Subject] = e.Level
	case opDelete:
		for i, v := range s.subjects[e.Subject] {
			if slices.Contains(e.Versions, v.number) {
				s.subjects[e.Subject][i].deleted = true
			}
		}
	default:
		return fmt.Errorf("unknown change %q", e.Op)
	}
	return nil
}

// live returns the versions of a subject that are not deleted.
func (s *state) live(subject string) []version {
	return slices.DeleteFunc(slices.Clone(s.subjects[subject]), func(v version) bool { return v.deleted })
}

// find returns the version that holds a schema.
func (s *state) find(subject string, p parsed) (version, bool) {
	id := s.idOf(p)
	live := s.live(subject)
	at := slices.IndexFunc(live, func(v version) bool { return v.id == id })
	if at < 0 {
		return version{}, false
	}
	return live[at], true
}

// idOf returns the id of a schema, 0 if no subject ever held it.
func (s *state) idOf(p parsed) int { return s.ids[p.identity] }

func (s *state) lastVersion(subject string) int {
	all := s.subjects[subject]
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1].number
}

// level returns the level in force for a subject.
func (s *state) level(subject string) level {
	if l, ok := s.levels[subject]; ok {
		return l
	}
	return s.levels[""]
}

// breaks returns why a schema may not follow the versions of a subject.
func (s *state) breaks(subject string, p parsed) []string {
	live := s.live(subject)
	if l := s.level(subject); len(live) > 0 && !l.transitive() {
		live = live[len(live)-1:]
	}
	return s.breaksAny(subject, p, live)
}

// breaksAny checks a schema against given versions of a subject.
func (s *state) breaksAny(subject string, p parsed, against []version) []string {
	var reasons []string
	for _, v := range against {
		for _, r := range s.level(subject).check(s.schemas[v.id], p) {
			reasons = append(reasons, fmt.Sprintf("against version %d: %s", v.number, r))
		}
	}
	return reasons
}
