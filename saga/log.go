package saga

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// A Log is an operator's view of the sagas in a database, whatever service they
// belong to and whether it runs or not.
type Log struct{ db *sql.DB }

// OpenLog returns the log of a database, which it does not close. A database
// without the tables is an error with the code [diag.SagaTables].
func OpenLog(ctx context.Context, db *sql.DB) (*Log, error) {
	if err := new(store).open(ctx, db); err != nil {
		return nil, err
	}
	return &Log{db}, nil
}

// A Filter says which sagas to list; the zero Filter lists all.
type Filter struct {
	Name   string        // of this kind alone
	States []State       // in one of these states
	Idle   time.Duration // that have not moved for so long
	Limit  int           // at most so many, 0 for all
}

// A Summary is one line about a saga.
type Summary struct {
	Name    string    `json:"name"`
	ID      string    `json:"id"`
	Version int       `json:"version"` // of its definition
	State   State     `json:"state"`
	Step    string    `json:"step"`             // that it is at
	Reason  string    `json:"reason,omitempty"` // why it is stuck or had to be undone
	Started time.Time `json:"started"`
	Updated time.Time `json:"updated"` // when it moved last
	Due     time.Time `json:"due,omitzero"`
}

// A Detail is everything that is known of a saga.
type Detail struct {
	Summary
	Steps   []StepDetail    `json:"steps"`
	Data    json.RawMessage `json:"data"`
	History []Entry         `json:"history"`
	Orders  []Entry         `json:"orders"` // of operators, which are not carried out yet
}

// A StepDetail is where one step of a saga is.
type StepDetail struct {
	Name  string `json:"name"`
	State string `json:"state"`           // waiting, asked, done, failed, unsure, undoing, undone or kept
	Round int    `json:"round,omitempty"` // how often its command was refused
}

// An Entry is one line of a saga's timeline.
type Entry struct {
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"` // what happened
	Step   string    `json:"step,omitempty"`
	Detail string    `json:"detail,omitempty"`
	Actor  string    `json:"actor,omitempty"` // the operator, if one did it
}

// List returns sagas, those first that have not moved for longest.
func (l *Log) List(ctx context.Context, f Filter) ([]Summary, error) {
	var where []string
	var args []any
	bind := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	if f.Name != "" {
		where = append(where, "name = "+bind(f.Name))
	}
	if len(f.States) > 0 {
		var marks []string
		for _, s := range f.States {
			marks = append(marks, bind(string(s)))
		}
		where = append(where, "state IN ("+strings.Join(marks, ", ")+")")
	}
	if f.Idle > 0 {
		where = append(where, "updated <= "+bind(time.Now().Add(-f.Idle).UnixMicro()))
	}
	query := "SELECT " + summary + " FROM slipway_saga"
	if len(where) > 0 {
		query += " WHERE " + strings.Join(where, " AND ")
	}
	query += " ORDER BY updated, name, id"
	if f.Limit > 0 {
		query += " LIMIT " + bind(f.Limit)
	}
	return l.summaries(ctx, query, args...)
}

const summary = "name, id, version, state, step, reason, started, updated, due"

func (l *Log) summaries(ctx context.Context, query string, args ...any) ([]Summary, error) {
	var all []Summary
	err := l.each(ctx, func(rows *sql.Rows) error {
		var s Summary
		var started, updated int64
		var due sql.NullInt64
		if err := rows.Scan(&s.Name, &s.ID, &s.Version, &s.State, &s.Step, &s.Reason, &started, &updated, &due); err != nil {
			return err
		}
		s.Started, s.Updated = micros(started), micros(updated)
		if due.Valid {
			s.Due = micros(due.Int64)
		}
		all = append(all, s)
		return nil
	}, query, args...)
	return all, err
}

func micros(n int64) time.Time { return time.UnixMicro(n).UTC() }

// each calls fn for every row of a query.
func (l *Log) each(ctx context.Context, fn func(*sql.Rows) error, query string, args ...any) (err error) {
	rows, err := l.db.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("read sagas: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return fmt.Errorf("read sagas: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read sagas: %w", err)
	}
	return nil
}

// find returns the one saga of an id; the name may be left out where the id
// says enough.
func (l *Log) find(ctx context.Context, name, id string) (Summary, error) {
	all, err := l.summaries(ctx, "SELECT "+summary+" FROM slipway_saga WHERE id = $1 AND ($2 = '' OR name = $2) ORDER BY name", id, name)
	switch {
	case err != nil:
		return Summary{}, err
	case len(all) == 0:
		return Summary{}, diag.New(diag.SagaUnknown, "there is no saga %s", path(name, id))
	case len(all) > 1:
		var names []string
		for _, s := range all {
			names = append(names, path(s.Name, s.ID))
		}
		return Summary{}, diag.New(diag.SagaAmbiguous, "%d sagas have the id %s", len(all), id).WithFix("name one: %s", strings.Join(names, ", "))
	}
	return all[0], nil
}

func path(name, id string) string {
	if name == "" {
		return id
	}
	return name + "/" + id
}

// Show returns everything about a saga, with its timeline. The name may be
// empty where only one saga has the id.
func (l *Log) Show(ctx context.Context, name, id string) (*Detail, error) {
	found, err := l.find(ctx, name, id)
	if err != nil {
		return nil, err
	}
	d := &Detail{Summary: found, History: []Entry{}, Orders: []Entry{}}
	var p position
	err = l.each(ctx, func(rows *sql.Rows) error {
		var data, text string
		if err := rows.Scan(&data, &text); err != nil {
			return err
		}
		d.Data = json.RawMessage(data)
		return json.Unmarshal([]byte(text), &p)
	}, "SELECT data, position FROM slipway_saga WHERE name = $1 AND id = $2", found.Name, found.ID)
	for _, s := range p.Steps {
		d.Steps = append(d.Steps, StepDetail{s.Name, s.Phase.String(), s.Round})
	}
	err = errors.Join(err,
		l.entries(ctx, &d.History, "SELECT at, kind, step, detail, actor FROM slipway_saga_history WHERE name = $1 AND id = $2 ORDER BY nr", found.Name, found.ID),
		l.entries(ctx, &d.Orders, "SELECT at, verb, step, '', actor FROM slipway_saga_order WHERE name = $1 AND id = $2 ORDER BY nr", found.Name, found.ID))
	if err != nil {
		return nil, err
	}
	return d, nil
}

func (p phase) String() string {
	if p == idle {
		return "waiting"
	}
	return string(p)
}

func (l *Log) entries(ctx context.Context, to *[]Entry, query string, args ...any) error {
	return l.each(ctx, func(rows *sql.Rows) error {
		var e Entry
		var at int64
		if err := rows.Scan(&at, &e.Kind, &e.Step, &e.Detail, &e.Actor); err != nil {
			return err
		}
		e.At = micros(at)
		*to = append(*to, e)
		return nil
	}, query, args...)
}

// hasStep reports whether the saga has a step of this name.
func (d *Detail) hasStep(name string) bool {
	return slices.ContainsFunc(d.Steps, func(s StepDetail) bool { return s.Name == name })
}
