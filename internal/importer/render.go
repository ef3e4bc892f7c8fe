package importer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/contract"
)

// What the report is called. It lies beside clusters.yaml, where an estate has
// no other file of that name.
const (
	ReportFile = "import-report.md"
	ReportJSON = "import-report.json"
)

// render writes the estate as text.
func (b *builder) render(e *estate) []File {
	var files []File
	for _, s := range e.services {
		files = append(files, File{folder(s.name) + "/" + contract.ServiceFile, []byte(b.contract(s))})
	}
	if x := b.external(e.external); x != "" {
		files = append(files, File{contract.ExternalFile, []byte(x)})
	}
	if !b.at.written {
		files = append(files, File{contract.ClustersFile, []byte(b.clusters(e))})
	}
	return files
}

// skipped are directories in which nobody looks for contracts.
var skipped = []string{"node_modules", "vendor", "testdata"}

func folder(name string) string {
	if slices.Contains(skipped, name) {
		return name + "-service"
	}
	return name
}

const header = "# Written by slipway import. What it could not express is in " + ReportFile + ".\napiVersion: " + contract.APIVersion + "\nkind: "

func (b *builder) contract(s *service) string {
	var w strings.Builder
	fmt.Fprintf(&w, "%sService\nmetadata: {name: %s, owner: %s}\nidentity: {auth: %s}\n", header, quote(s.name), quote(b.opt.Owner), s.auth)
	block(&w, "topics", s.owns, func(topic string) []string {
		sizes := b.sizes(topic)
		if more := s.writers[topic]; len(more) > 0 {
			sizes = append(sizes, "writers: "+list(more))
		}
		return sizes
	})
	block(&w, "produces", s.produces, func(topic string) []string { return b.producing(s, topic) })
	names := make([]string, len(s.readings))
	for i, r := range s.readings {
		names[i] = r.name
	}
	block(&w, "consumes", names, func(name string) []string {
		i := slices.IndexFunc(s.readings, func(r reading) bool { return r.name == name })
		return s.readings[i].policy()
	})
	if limits, _ := b.limits(s.user()); len(limits) > 0 {
		fmt.Fprintf(&w, "quotas: {%s}\n", strings.Join(limits, ", "))
	}
	if names := s.adopted(); len(names) > 0 {
		fmt.Fprintf(&w, "adopt: {%s}\n", strings.Join(names, ", "))
	}
	return w.String()
}

// block writes a mapping of names, each with its settings on one line.
func block(w *strings.Builder, key string, names []string, settings func(string) []string) {
	if len(names) == 0 {
		return
	}
	fmt.Fprintf(w, "%s:\n", key)
	for _, name := range names {
		fmt.Fprintf(w, "  %s: {%s}\n", quote(name), strings.Join(settings(name), ", "))
	}
}

func (b *builder) producing(s *service, topic string) []string {
	var out []string
	if s.txn != "" {
		out = append(out, "via: transaction")
	}
	if n := largest(b.in.Topics[b.at.prefix+topic]); n > 0 && n < 1<<20 {
		out = append(out, "max: "+contract.Bytes(n).String())
	}
	return out
}

// policy is what an entry says beside its name. A key is not known, so the
// order is that of the partition, as it has been.
func (r reading) policy() []string {
	var out []string
	if r.name != r.topic {
		out = append(out, "topic: "+quote(r.topic))
	}
	switch r.as {
	case contract.Table:
		return append(out, "as: table")
	case contract.Share:
		out = append(out, "as: share")
	default:
		out = append(out, "order: partition")
	}
	if r.suffix != "" {
		out = append(out, "group: "+quote(r.suffix))
	}
	if r.protocol != "" {
		out = append(out, "protocol: "+string(r.protocol))
	}
	switch {
	case r.letters:
	case r.retries:
		out = append(out, "retry: {backoff: {}, then: stop}")
	default:
		out = append(out, "retry: {then: stop}")
	}
	return out
}

// adopted are the names that are not the ones Slipway would give.
func (s *service) adopted() []string {
	var out []string
	if s.user() != s.identity {
		out = append(out, "principal: "+quote(s.user()))
	}
	grouped := slices.ContainsFunc(s.readings, func(r reading) bool { return r.as != contract.Table })
	if grouped && s.group != s.identity {
		out = append(out, "group: "+quote(s.group))
	}
	if s.txn != "" && s.txn != s.identity+"." {
		out = append(out, "transactionalPrefix: "+quote(s.txn))
	}
	return out
}

func (b *builder) external(x external) string {
	if len(x.topics)+len(x.groups)+len(x.principals) == 0 {
		return ""
	}
	var w strings.Builder
	w.WriteString(header + "External\n")
	block(&w, "topics", x.topics, func(topic string) []string {
		if n := b.in.Topics[b.at.prefix+topic].Partitions; n > 0 {
			return []string{"partitions: " + strconv.Itoa(n)}
		}
		return nil
	})
	for _, names := range []struct {
		key string
		all []string
	}{{"groups", x.groups}, {"principals", x.principals}} {
		if len(names.all) > 0 {
			fmt.Fprintf(&w, "%s:\n", names.key)
			for _, name := range names.all {
				fmt.Fprintf(&w, "  - %s\n", quote(name))
			}
		}
	}
	return w.String()
}

// clusters is a clusters.yaml to be completed by the platform team.
func (b *builder) clusters(e *estate) string {
	var w strings.Builder
	id := b.in.ClusterID
	if !clusterID.MatchString(id) {
		id = "unknown"
	}
	fmt.Fprintf(&w, "%sClusters\nclusters:\n  %s:\n    id: %s\n    bootstrap:\n", header, quote(b.at.cluster), quote(id))
	for _, l := range b.listeners(e) {
		if l.address == "" {
			fmt.Fprintf(&w, "      %s: %s # not known: correct it\n", l.name, quote(unknownAddress))
			continue
		}
		fmt.Fprintf(&w, "      %s: %s\n", l.name, quote(l.address))
	}
	if b.opt.CA != "" {
		fmt.Fprintf(&w, "    ca: {file: %s}\n", quote(b.opt.CA))
	}
	d := b.at.defaults
	fmt.Fprintf(&w, "    defaults: {replicas: %d, min.insync.replicas: %d}\nenvironments:\n  %s: {default: %s}\n", d.Replicas, d.MinInsyncReplicas, quote(b.opt.Env), quote(b.at.cluster))
	if e.free {
		fmt.Fprintf(&w, "naming: {topic: %s}\n", quote(anyTopic))
	}
	return w.String()
}

var clusterID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

type listener struct{ name, address string }

// listeners are those that somebody needs or that are known.
func (b *builder) listeners(e *estate) []listener {
	uses := map[string]bool{}
	for _, s := range e.services {
		switch s.auth {
		case contract.MTLS:
			uses["mtls"] = true
		default:
			uses["scram"] = true
		}
	}
	var all []listener
	for _, l := range []listener{{"mtls", b.opt.Bootstrap.MTLS}, {"scram", b.opt.Bootstrap.SCRAM}, {"plain", b.opt.Bootstrap.Plain}} {
		if uses[l.name] || l.address != "" {
			all = append(all, l)
		}
	}
	return all
}

// unquoted are scalars that no reader of YAML takes for anything but the text they
// are; everything else is quoted.
var (
	unquoted = regexp.MustCompile(`^[a-z][a-z0-9]*([._-][a-z0-9]+)*$`)
	special  = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
)

// quote writes text so that YAML reads it back as it is. Go's escapes of a
// quoted string are YAML's too.
func quote(text string) string {
	if unquoted.MatchString(text) && !slices.Contains(special, text) {
		return text
	}
	return strconv.Quote(text)
}

func list(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = quote(n)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// reportJSON is the report for programs.
func reportJSON(d *Draft) []byte {
	text, err := json.MarshalIndent(struct {
		Kind    string   `json:"kind"`
		Version int      `json:"version"`
		Source  Source   `json:"source"`
		Items   []Item   `json:"items"`
		Changes []string `json:"changes,omitempty"`
	}{"ImportReport", 1, d.Source, d.Items, d.Changes}, "", "  ")
	if err != nil {
		panic("importer: a report is not JSON: " + err.Error())
	}
	return append(visible(text), '\n')
}

// visible writes characters that do not show, or move what does, as escapes.
// They can stand only within JSON's strings.
func visible(text []byte) []byte {
	if !bytes.ContainsFunc(text, unseen) {
		return text
	}
	var b bytes.Buffer
	for _, r := range string(text) {
		if unseen(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.Bytes()
}

func unseen(r rune) bool { return hidden(r) && r != '\n' }
