package view

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/slipway-go/slipway/config"
)

// A Configuration is what a service has in one environment.
type Configuration struct {
	Service     string         `json:"service"`
	Environment string         `json:"environment"`
	Hash        string         `json:"hash"`
	Values      []config.Value `json:"values"`
	Sources     bool           `json:"-"` // the table tells where values are from
}

type configurationDocument struct {
	Header
	Configuration
}

// Configuration writes what a service is configured with.
func (v *View) Configuration(c Configuration) error {
	c.Values = some(c.Values)
	names := make([]string, len(c.Values))
	for i, one := range c.Values {
		names[i] = one.Key
	}
	return v.answer(configurationDocument{header("Configuration"), c}, func(w io.Writer) {
		if len(c.Values) == 0 {
			fmt.Fprintln(w, "Everything is as by default.")
			return
		}
		head := []string{"KEY", "VALUE"}
		if c.Sources || v.Format == Wide {
			head = append(head, "SOURCE")
		}
		if v.Format == Wide {
			head = append(head, "CHANGES")
		}
		t := newTable(w, head...)
		for _, one := range c.Values {
			row := []string{one.Key, cmp.Or(one.Text, "-"), one.Source, takesEffect(one.Live)}
			t.row(row[:len(head)]...)
		}
		t.flush()
	}, names)
}

// takesEffect tells when a changed value counts.
func takesEffect(live bool) string {
	if live {
		return "live"
	}
	return "at a restart"
}

// A ConfigurationDiff is what two environments configure differently.
type ConfigurationDiff struct {
	Service string          `json:"service"`
	From    string          `json:"from"`
	To      string          `json:"to"`
	Changes []config.Change `json:"changes"`
}

type configurationDiffDocument struct {
	Header
	ConfigurationDiff
}

// ConfigurationDiff writes what differs.
func (v *View) ConfigurationDiff(d ConfigurationDiff) error {
	d.Changes = some(d.Changes)
	names := make([]string, len(d.Changes))
	for i, c := range d.Changes {
		names[i] = c.Key
	}
	return v.answer(configurationDiffDocument{header("ConfigurationDiff"), d}, func(w io.Writer) {
		if len(d.Changes) == 0 {
			fmt.Fprintf(w, "%s is configured alike in %s and %s.\n", d.Service, d.From, d.To)
			return
		}
		t := newTable(w, "KEY", strings.ToUpper(d.From), strings.ToUpper(d.To))
		for _, c := range d.Changes {
			t.row(c.Key, cmp.Or(c.Old, "-"), cmp.Or(c.New, "-"))
		}
		t.flush()
	}, names)
}

type configKeyDocument struct {
	Header
	Key       string   `json:"key"`
	Type      string   `json:"type"`
	Bounds    string   `json:"bounds,omitempty"`
	Default   string   `json:"default,omitempty"`
	Variables []string `json:"variables"`
	Live      bool     `json:"live"`
	Secret    bool     `json:"secret"`
	Doc       string   `json:"doc"`
}

// ConfigKey writes one line of the table of what can be configured.
func (v *View) ConfigKey(k config.Key) error {
	doc := configKeyDocument{header("ConfigKey"), k.Name, k.Type, k.Bounds, k.Default, k.Variables, k.Live, k.Secret, k.Doc}
	return v.answer(doc, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %s\n\n", k.Name, cmp.Or(k.Doc, "a setting of the service's own"))
		rows := [][2]string{
			{"type", k.Type}, {"bounds", k.Bounds}, {"default", k.Default}, {"variables", strings.Join(k.Variables, ", ")}, {"changes", takesEffect(k.Live)},
		}
		if k.Secret {
			rows = append(rows, [2]string{"secret", "its value is shown nowhere"})
		}
		for _, r := range rows {
			fmt.Fprintf(w, "  %-10s %s\n", r[0]+":", cmp.Or(r[1], "none"))
		}
	}, []string{k.Name})
}
