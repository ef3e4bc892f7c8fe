package main

import (
	"fmt"
	"strings"

	"github.com/slipway-go/slipway/config"
)

func configurationPage() string {
	var b strings.Builder
	b.WriteString("# Keys of the configuration\n\nGenerated from the table that the loader reads by; run `make generate` after a change. `slipway explain KEY` prints a line of it, ")
	b.WriteString("`slipway config show` the values of a service. How they come together is in [configuration.md](../configuration.md).\n\n")
	b.WriteString("`<entry>` is the name of an entry below `consumes` of the contract. A service's own settings are declared below `config` there.\n")
	for _, part := range []struct {
		title string
		of    func(key string) bool
	}{
		{"Where a service runs", func(key string) bool { return !perEntry(key) && !forAll(key) }},
		{"How all entries are consumed", forAll},
		{"How one entry is consumed", perEntry},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n| key | type | default | variables | a change | meaning |\n|---|---|---|---|---|---|\n", part.title)
		for _, k := range config.Keys() {
			if part.of(k.Name) {
				fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", code(k.Name), valueOf(k), code(k.Default), codes(k.Variables), change(k), cell(k.Doc))
			}
		}
	}
	return b.String()
}

func forAll(key string) bool   { return strings.HasPrefix(key, "kafka.consumer.") }
func perEntry(key string) bool { return strings.HasPrefix(key, "consumes.") }

func valueOf(k config.Key) string {
	text := k.Type
	if k.Bounds != "" {
		text += ", " + k.Bounds
	}
	if k.Secret {
		text += ", *secret*"
	}
	return cell(text)
}

func change(k config.Key) string {
	if k.Live {
		return "live"
	}
	return "restart"
}

func codes(names []string) string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = code(n)
	}
	return strings.Join(all, " ")
}
