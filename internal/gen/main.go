package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli"
)

//go:generate go run . ../../docs/reference

// pages are the files, by name.
var pages = map[string]func() string{
	"cli.md":               cli.Reference,
	"configuration.md":     configurationPage,
	"contract.md":          contractPage,
	"contract.schema.json": func() string { return string(contract.JSONSchema()) },
	"errors.md":            errorsPage,
	"metrics.md":           metricsPage,
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gen DIR")
		os.Exit(64)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	for name, page := range pages {
		if err := root.WriteFile(name, []byte(page()), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// areas are the middle parts of codes, in the order a service meets them.
var areas = []struct{ area, title string }{
	{"CON", "One contract"},
	{"EST", "Contracts with each other"},
	{"CLU", "clusters.yaml"},
	{"PLT", "What clusters.yaml and contracts say of where services run"},
	{"CLI", "The command line"},
	{"KFK", "Reaching a cluster"},
	{"TLS", "TLS connections and the files they use"},
	{"PKI", "Certificates and authorities"},
	{"ACL", "Access rights"},
	{"PLN", "plan, apply and drift"},
	{"USR", "Users and their passwords"},
	{"CNT", "Connectors"},
	{"IMP", "Importing what is there"},
	{"SHR", "Contracts across repositories"},
	{"SCH", "Schemas and the registry"},
	{"CFG", "Configuration"},
	{"RUN", "The running service"},
	{"HLT", "Health and probes"},
	{"TEL", "Metrics, traces and logs"},
	{"PRD", "Producing"},
	{"SPL", "Records on disk while the cluster is away"},
	{"OBX", "Outbox and inbox"},
	{"SAG", "Sagas"},
	{"PGS", "Postgres on this machine"},
	{"TXN", "Handling in transactions"},
	{"DLQ", "Dead letters and redrive"},
	{"GRP", "Consumer groups"},
	{"LAG", "Exporting lag"},
	{"RND", "Rendering"},
	{"IMG", "Images of services"},
	{"UP", "slipway up"},
	{"EMB", "The embedded cluster"},
	{"DEV", "Kafka on this machine"},
}

func errorsPage() string {
	var b strings.Builder
	b.WriteString("# Diagnostic codes\n\nGenerated from the catalogue; run `make generate` after a change. `slipway explain CODE` prints the same.\n\n")
	b.WriteString("A code keeps its meaning for ever and is never used for another.\n")
	all := diag.Catalogue()
	for _, a := range areas {
		fmt.Fprintf(&b, "\n## %s\n", a.title)
		for _, e := range all {
			if e.Code.Area() == a.area {
				fmt.Fprintf(&b, "\n### %s: %s\n\n%s\n\n**Fix:** %s\n", e.Code, e.Title, e.Cause, e.Fix)
			}
		}
	}
	return b.String()
}

// files says which file a kind is, in the order they are shown.
var files = []struct{ kind, file string }{
	{"Service", contract.ServiceFile},
	{"Clusters", contract.ClustersFile},
	{"External", contract.ExternalFile},
	{"Estate", contract.EstateFile},
}

func contractPage() string {
	var b strings.Builder
	b.WriteString("# Keys of the contract\n\nGenerated from the tables that read the files; run `make generate` after a change. ")
	b.WriteString("The JSON Schema is [contract.schema.json](contract.schema.json).\n\n")
	b.WriteString("A key marked *fixed* is the same in every environment. A key without a default may be left out unless it is *required*.\n")
	for _, f := range files {
		fmt.Fprintf(&b, "\n## %s\n\n| key | type | default | meaning |\n|---|---|---|---|\n", f.file)
		for _, k := range contract.Keys() {
			if k.Kind == f.kind {
				fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", code(k.Path), kind(k), code(k.Default), meaning(k))
			}
		}
	}
	return b.String()
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(text, "|", `\|`) + "`"
}

func kind(k contract.KeyDoc) string {
	if k.Bounds == "" {
		return cell(k.Type)
	}
	return cell(k.Type + ", " + k.Bounds)
}

func meaning(k contract.KeyDoc) string {
	var marks []string
	if k.Required {
		marks = append(marks, "*required*")
	}
	if k.Fixed {
		marks = append(marks, "*fixed*")
	}
	return strings.Join(slices.Concat([]string{cell(k.Doc)}, marks), " ")
}

// cell escapes what would end a cell or begin a tag.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ").Replace(text)
}
