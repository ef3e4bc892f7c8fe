package connect

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// The states of connectors and tasks, in Kafka Connect's words.
const (
	Running    = "RUNNING"
	Paused     = "PAUSED"
	Stopped    = "STOPPED"
	Failed     = "FAILED"
	Unassigned = "UNASSIGNED"
	Restarting = "RESTARTING"
)

// A Connector is one that the workers run.
type Connector struct {
	Name   string            `json:"name"`
	Type   string            `json:"type"` // source | sink
	State  string            `json:"state"`
	Worker string            `json:"worker"` // who runs the connector itself
	Trace  string            `json:"trace,omitempty"`
	Tasks  []Task            `json:"tasks"` // by id
	Config map[string]string `json:"-"`     // settings as they were given, secrets included
}

// A Task does a part of a connector's work.
type Task struct {
	ID     int    `json:"id"`
	State  string `json:"state"`
	Worker string `json:"worker"`
	Trace  string `json:"trace,omitempty"` // of what it failed with
}

// Healthy reports whether neither the connector nor a task of it has failed or
// waits for a worker.
func (c Connector) Healthy() bool {
	return c.State != Failed && c.State != Unassigned &&
		!slices.ContainsFunc(c.Tasks, func(t Task) bool { return t.State == Failed || t.State == Unassigned })
}

// Count is how many tasks are in a state.
func (c Connector) Count(state string) int {
	n := 0
	for _, t := range c.Tasks {
		if t.State == state {
			n++
		}
	}
	return n
}

// Connectors returns every connector by its name.
func (c *Client) Connectors(ctx context.Context) (map[string]Connector, error) {
	var got map[string]expanded
	err := c.do(ctx, call{
		op: "list connectors", path: []string{"connectors"}, out: &got,
		query: url.Values{"expand": {"info", "status"}},
	})
	if err != nil {
		return nil, err
	}
	all := make(map[string]Connector, len(got))
	for name, e := range got {
		all[name] = e.connector(name)
	}
	return all, nil
}

// expanded is a connector as the worker tells it.
type expanded struct {
	Info struct {
		Config map[string]string `json:"config"`
		Type   string            `json:"type"`
	} `json:"info"`
	Status struct {
		Connector told   `json:"connector"`
		Tasks     []told `json:"tasks"`
		Type      string `json:"type"`
	} `json:"status"`
}

type told struct {
	ID     int    `json:"id"`
	State  string `json:"state"`
	Worker string `json:"worker_id"`
	Trace  string `json:"trace"`
}

func (e expanded) connector(name string) Connector {
	c := Connector{
		Name: name, Type: e.Info.Type, Config: e.Info.Config,
		State: e.Status.Connector.State, Worker: e.Status.Connector.Worker, Trace: cause(e.Status.Connector.Trace),
		Tasks: make([]Task, len(e.Status.Tasks)),
	}
	if c.Type == "" {
		c.Type = e.Status.Type
	}
	for i, t := range e.Status.Tasks {
		c.Tasks[i] = Task{t.ID, t.State, t.Worker, cause(t.Trace)}
	}
	slices.SortFunc(c.Tasks, func(a, b Task) int { return a.ID - b.ID })
	return c
}

// cause is the first line of a stack trace and the last of its causes: what
// failed, and why.
func cause(trace string) string {
	var first, last string
	for line := range strings.Lines(trace) {
		line = strings.TrimSpace(line)
		why, is := strings.CutPrefix(line, "Caused by: ")
		switch {
		case line == "":
		case first == "":
			first = line
		case is:
			last = why
		}
	}
	if last != "" {
		first += " (" + last + ")"
	}
	return redact(first, "", nil)
}

// Put creates a connector, or gives one that exists these settings and no
// others, with which its tasks begin anew. Doing it twice is doing it once.
func (c *Client) Put(ctx context.Context, name string, config map[string]string) error {
	return c.do(ctx, call{op: "set connector " + name, method: http.MethodPut, path: []string{"connectors", name, "config"}, in: config})
}

// Delete ends a connector. What it has committed, or read up to, the worker
// keeps. One that is not there is done.
func (c *Client) Delete(ctx context.Context, name string) error {
	err := c.do(ctx, call{op: "delete connector " + name, method: http.MethodDelete, path: []string{"connectors", name}})
	if errors.Is(err, diag.ConnectUnknown) {
		return nil
	}
	return err
}

// An Extent is what of a connector is restarted.
type Extent string

// The extents.
const (
	Everything Extent = "everything" // the connector and its tasks
	WhatFailed Extent = "failed"     // of these, those that have failed
)

// Restart makes the workers begin a connector anew with the settings it has.
// It returns when they know; what becomes of it [Client.Connectors] tells.
func (c *Client) Restart(ctx context.Context, name string, extent Extent) error {
	query := url.Values{"includeTasks": {"true"}, "onlyFailed": {"false"}}
	if extent == WhatFailed {
		query.Set("onlyFailed", "true")
	}
	return c.do(ctx, call{op: "restart connector " + name, method: http.MethodPost, path: []string{"connectors", name, "restart"}, query: query})
}
