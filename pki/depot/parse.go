package depot

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/diag"
)

const (
	maxState      = 64 << 10  // bytes of depot.yaml
	maxGeneration = 1_000_000 // the highest number
)

var clusterName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$`)

// stateKeys are the keys of depot.yaml, with what reads their value.
var stateKeys = map[string]func(*state, string) error{
	"version": func(*state, string) error { return nil }, // read before all others
	"cluster": func(st *state, s string) error {
		st.cluster = s
		return checkCluster(s)
	},
	"phase": func(st *state, s string) error {
		st.phase = Phase(s)
		if !slices.Contains([]Phase{Pending, Steady, Trust, Reissue, Retire}, st.phase) {
			return fmt.Errorf("%q is not a phase", s)
		}
		return nil
	},
	"current":   func(st *state, s string) error { return number(&st.current, s) },
	"next":      func(st *state, s string) error { return number(&st.next, s) },
	"requested": func(st *state, s string) error { return number(&st.requested, s) },
	"last":      func(st *state, s string) error { return number(&st.last, s) },
}

// parseState reads depot.yaml: exactly what [state.encode] writes, and
// comments. All faults are reported at once, with their places.
func parseState(data []byte) (state, error) {
	doc, err := parseDocument(data)
	if err != nil {
		return state{}, err
	}
	if err := checkVersion(doc); err != nil {
		return state{}, err
	}
	var (
		st   state
		list diag.List
		seen = map[string]bool{}
	)
	for i := 0; i+1 < len(doc.Content); i += 2 {
		key, value := doc.Content[i], doc.Content[i+1]
		read, known := stateKeys[key.Value]
		switch {
		case !known:
			list.Add(fault(key, "%q is not a key of this file", key.Value))
		case seen[key.Value]:
			list.Add(fault(key, "%s is here twice", key.Value))
		case plain(value) != nil:
			list.Add(fault(value, "%s: %v", key.Value, plain(value)))
		default:
			if err := read(&st, value.Value); err != nil {
				list.Add(fault(value, "%s: %v", key.Value, err))
			}
		}
		seen[key.Value] = true
	}
	if list.Failed() {
		return state{}, list
	}
	if err := st.check(); err != nil {
		return state{}, diag.New(diag.DepotFile, "%v", err).At(diag.Position{File: stateFile})
	}
	return st, nil
}

func parseDocument(data []byte) (*yaml.Node, error) {
	whole := diag.Position{File: stateFile}
	if len(data) > maxState {
		return nil, diag.New(diag.DepotFile, "the file is %d bytes, at most %d", len(data), maxState).At(whole)
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithPlugin(flat{}))
	if err != nil {
		return nil, diag.New(diag.DepotFile, "%v", err).At(whole)
	}
	var doc, second yaml.Node
	if err := loader.Load(&doc); errors.Is(err, io.EOF) {
		return nil, diag.New(diag.DepotFile, "the file is empty").At(whole)
	} else if err != nil {
		return nil, syntax(err)
	}
	if err := loader.Load(&second); err == nil {
		return nil, fault(&second, "a second document begins here")
	} else if !errors.Is(err, io.EOF) {
		return nil, syntax(err)
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode || root.Anchor != "" || root.Style&yaml.TaggedStyle != 0 {
		return nil, fault(root, "the file is not a plain mapping of keys")
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key := root.Content[i]
		if err := plain(key); err != nil {
			return nil, fault(key, "%v", err)
		}
	}
	return root, nil
}

// flat keeps the parser from nesting deeper than the file does.
type flat struct{}

func (flat) CheckDepth(depth int, _ *yaml.DepthContext) error {
	if depth > 4 {
		return errors.New("nested too deep")
	}
	return nil
}

func (flat) CheckAlias(int, int) error { return nil }

// checkVersion comes before all other checks: a newer file may have keys that
// this program does not know.
func checkVersion(doc *yaml.Node) error {
	for i := 0; i+1 < len(doc.Content); i += 2 {
		value := doc.Content[i+1]
		switch {
		case doc.Content[i].Value != "version":
			continue
		case value.Value == strconv.Itoa(stateVersion):
			return nil
		}
		return diag.New(diag.DepotVersion, "version %q, and this program knows %d", value.Value, stateVersion).At(position(value))
	}
	return fault(doc, "the version is missing")
}

// check holds the numbers against the phase.
func (st state) check() error {
	want := map[Phase][]bool{ // current, next; requested is free, except where nothing else is there
		Pending: {false, false},
		Steady:  {true, false},
		Trust:   {true, true},
		Reissue: {true, true},
		Retire:  {true, true},
	}[st.phase]
	switch {
	case st.cluster == "" || want == nil || st.last == 0:
		return errors.New("version, cluster, phase and last must all be there")
	case (st.current != 0) != want[0] || (st.next != 0) != want[1]:
		return fmt.Errorf("current %d and next %d do not go with phase %s", st.current, st.next, st.phase)
	case st.phase == Pending && st.requested == 0, st.requested != 0 && st.next != 0:
		return fmt.Errorf("requested %d does not go with phase %s", st.requested, st.phase)
	case max(st.current, st.next, st.requested) > st.last:
		return fmt.Errorf("last is %d, and there is a generation above it", st.last)
	case st.current != 0 && (st.current == st.next || st.current == st.requested):
		return fmt.Errorf("generation %d is there twice", st.current)
	}
	return nil
}

func checkCluster(s string) error {
	if !clusterName.MatchString(s) {
		return fmt.Errorf("%q is not the name of a cluster: letters, digits, dots, hyphens and underscores, at most 50", s)
	}
	return nil
}

func number(to *int, s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxGeneration || strconv.Itoa(n) != s {
		return fmt.Errorf("%q is not a number from 1 to %d", s, maxGeneration)
	}
	*to = n
	return nil
}

func plain(n *yaml.Node) error {
	switch {
	case n.Kind != yaml.ScalarNode:
		return errors.New("not a single word")
	case n.Anchor != "" || n.Style&yaml.TaggedStyle != 0:
		return errors.New("anchors and tags have no place here")
	}
	return nil
}

func fault(n *yaml.Node, format string, args ...any) diag.Diagnostic {
	return diag.New(diag.DepotFile, format, args...).At(position(n))
}

func position(n *yaml.Node) diag.Position {
	return diag.Position{File: stateFile, Line: n.Line, Column: n.Column}
}

func syntax(err error) error {
	pos, message := diag.Position{File: stateFile}, err.Error()
	if le, ok := errors.AsType[*yaml.LoadError](err); ok {
		pos.Line, pos.Column, message = le.Mark.Line, le.Mark.Column, le.Message
	}
	return diag.New(diag.DepotFile, "%s", strings.TrimSpace(message)).At(pos)
}
