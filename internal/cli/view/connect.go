package view

import (
	"cmp"
	"fmt"
	"io"
	"strconv"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/connect"
)

// A Connector is one of Kafka Connect, with the service that declares it.
type Connector struct {
	connect.Connector
	Service string `json:"service,omitempty"`
}

type connectorsDocument struct {
	Header
	Connectors []Connector `json:"connectors"`
}

// Connectors writes a line for each connector.
func (v *View) Connectors(all []Connector) error {
	return v.connectors("Connectors", all, func(w io.Writer) {
		t := newTable(w, "CONNECTOR", "TYPE", "STATE", "TASKS", "SERVICE")
		for _, c := range all {
			t.row(c.Name, c.Type, c.State, fmt.Sprintf("%d of %d running", c.Count(connect.Running), len(c.Tasks)), cmp.Or(c.Service, "-"))
		}
		t.flush()
	})
}

// ConnectorStatus writes connectors with their tasks, and what these failed
// with.
func (v *View) ConnectorStatus(all []Connector) error {
	return v.connectors("ConnectorStatus", all, func(w io.Writer) {
		for i, c := range all {
			if i > 0 {
				fmt.Fprintln(w)
			}
			fmt.Fprintf(w, "%s  %s  (%s)\n", diag.Escape(c.Name), diag.Escape(c.State), diag.Escape(c.Type))
			if c.Trace != "" {
				fmt.Fprintf(w, "  %s\n", diag.Escape(c.Trace))
			}
			t := newTable(w, "  TASK", "STATE", "WORKER", "CAUSE")
			for _, task := range c.Tasks {
				t.row("  "+strconv.Itoa(task.ID), task.State, task.Worker, cmp.Or(task.Trace, "-"))
			}
			t.flush()
		}
	})
}

func (v *View) connectors(kind string, all []Connector, human func(io.Writer)) error {
	var names []string
	for _, c := range all {
		names = append(names, "connector/"+c.Name)
	}
	return v.answer(connectorsDocument{header(kind), all}, func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintln(w, "Kafka Connect runs no connector.")
			return
		}
		human(w)
	}, names)
}

type restartDocument struct {
	Header
	Connector string `json:"connector"`
	Extent    string `json:"extent"`
}

// Restarted writes that a connector begins anew.
func (v *View) Restarted(name string, extent connect.Extent) error {
	return v.answer(restartDocument{header("ConnectorRestart"), name, string(extent)}, func(w io.Writer) {
		what := "connector %s and its tasks begin anew.\n"
		if extent == connect.WhatFailed {
			what = "what has failed of connector %s begins anew.\n"
		}
		fmt.Fprintf(w, what, diag.Escape(name))
	}, []string{"connector/" + name})
}
