package dlq

import (
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"

	"github.com/slipway-go/slipway/diag"
)

// The bounds of a filter.
const (
	maxExpression = 8 << 10
	maxFilterCost = 250_000 // of one letter, in CEL's units; looking through 1 MiB of text costs 100,000
)

// fields are what an expression can ask for, in the order of the help.
var fields = []struct {
	name string
	typ  *cel.Type
	of   func(*Letter) any
}{
	{"reason", cel.StringType, func(l *Letter) any { return l.Reason }},
	{"error", cel.StringType, func(l *Letter) any { return l.Error }},
	{"class", cel.StringType, func(l *Letter) any { return l.Class }},
	{"stack", cel.StringType, func(l *Letter) any { return l.Stack }},
	{"key", cel.StringType, func(l *Letter) any { return l.KeyText() }},
	{"value", cel.StringType, func(l *Letter) any { return strings.ToValidUTF8(string(l.Record.Value), "\uFFFD") }},
	{"size", cel.IntType, func(l *Letter) any { return int64(l.ValueSize) }},
	{"headers", cel.MapType(cel.StringType, cel.StringType), func(l *Letter) any { return l.headerMap() }},
	{"time", cel.TimestampType, func(l *Letter) any { return l.Time }},
	{"first", cel.TimestampType, func(l *Letter) any { return bounded(l.First) }},
	{"last", cel.TimestampType, func(l *Letter) any { return bounded(l.Last) }},
	{"attempts", cel.IntType, func(l *Letter) any { return int64(l.Attempts) }},
	{"redrives", cel.IntType, func(l *Letter) any { return int64(l.Redrives) }},
	{"parked", cel.BoolType, func(l *Letter) any { return l.Parked() }},
	{"topic", cel.StringType, func(l *Letter) any { return l.Topic }},
	{"partition", cel.IntType, func(l *Letter) any { return int64(l.Partition) }},
	{"offset", cel.IntType, func(l *Letter) any { return l.Offset }},
	{"origin.topic", cel.StringType, func(l *Letter) any { return l.Origin.Topic }},
	{"origin.partition", cel.IntType, func(l *Letter) any { return int64(l.Origin.Partition) }},
	{"origin.offset", cel.IntType, func(l *Letter) any { return l.Origin.Offset }},
	{"origin.group", cel.StringType, func(l *Letter) any { return l.Origin.Group }},
	{"dialect", cel.StringType, func(l *Letter) any { return string(l.Dialect) }},
}

// Fields are the names that a filter can use, beside now: the moment the
// command began.
func Fields() []string {
	list := make([]string, len(fields))
	for i, f := range fields {
		list[i] = f.name
	}
	return list
}

// A Filter is an expression in CEL that is true for some letters. It is safe
// for concurrent use.
type Filter struct {
	text    string
	program cel.Program
}

// NewFilter compiles an expression such as
//
//	reason == "exhausted" && error.contains("timeout") && now - time < duration("1h")
//
// An error is a list of diagnostics ([diag.DLQFilter]), one for each fault,
// with its line and column in the expression.
func NewFilter(text string) (*Filter, error) {
	if len(text) > maxExpression {
		return nil, diag.New(diag.DLQFilter, "the filter has %d bytes, which is more than %d", len(text), maxExpression)
	}
	options := []cel.EnvOption{cel.Variable("now", cel.TimestampType)}
	for _, f := range fields {
		options = append(options, cel.Variable(f.name, f.typ))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, diag.New(diag.DLQFilter, "%v", err)
	}
	tree, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, faults(text, issues.Errors())
	}
	if tree.OutputType() != cel.BoolType {
		return nil, diag.New(diag.DLQFilter, "the filter gives a %s, and not true or false", tree.OutputType()).
			WithEvidence("%s", text).WithFix(`compare it with something, as in reason == "exhausted"`)
	}
	program, err := env.Program(tree, cel.CostLimit(maxFilterCost), cel.EvalOptions(cel.OptOptimize))
	if err != nil { // a regular expression that is none is found here
		return nil, diag.New(diag.DLQFilter, "%v", err).WithEvidence("%s", text)
	}
	return &Filter{text, program}, nil
}

// String is the expression.
func (f *Filter) String() string { return f.text }

// Match judges a letter. An error means that the expression has no answer for
// it, such as a header that it asks for and the letter has not.
func (f *Filter) Match(l *Letter, now time.Time) (bool, error) {
	got, _, err := f.program.Eval(&activation{l, now, map[string]any{}})
	if err != nil {
		return false, err
	}
	return got.Value() == true, nil
}

// An activation gives the expression what it asks for, and no more: the value
// of a large letter is looked at only if the filter does, and once.
type activation struct {
	letter *Letter
	now    time.Time
	known  map[string]any
}

// ResolveName implements cel's Activation.
func (a *activation) ResolveName(name string) (any, bool) {
	if name == "now" {
		return a.now, true
	}
	if v, ok := a.known[name]; ok {
		return v, true
	}
	for _, f := range fields {
		if f.name == name {
			a.known[name] = f.of(a.letter)
			return a.known[name], true
		}
	}
	return nil, false
}

// Parent implements cel's Activation.
func (a *activation) Parent() cel.Activation { return nil }

// headerMap is the original record's headers; of several with one name the last.
func (l *Letter) headerMap() map[string]string {
	m := make(map[string]string, len(l.Headers))
	for _, h := range l.Headers {
		m[h.Key] = h.Value
	}
	return m
}

// faults are the compiler's findings with the place marked below the line.
func faults(text string, found []*common.Error) diag.List {
	lines := strings.Split(text, "\n")
	var list diag.List
	for _, e := range found {
		line, column := e.Location.Line(), e.Location.Column()
		message, _, _ := strings.Cut(e.Message, "\n")
		message = strings.TrimSuffix(message, " (in container '')")
		d := diag.New(diag.DLQFilter, "filter, line %d, column %d: %s", max(line, 1), column+1, message)
		if line >= 1 && line <= len(lines) && len(lines[line-1]) <= 160 {
			shown := diag.Escape(lines[line-1])
			runes := []rune(lines[line-1])
			before := diag.Escape(string(runes[:min(max(column, 0), len(runes))]))
			d = d.WithEvidence("%s", shown).WithEvidence("%s^", strings.Repeat(" ", len([]rune(before))))
		}
		if name, ok := strings.CutPrefix(message, "undeclared reference to '"); ok {
			name, _, _ = strings.Cut(name, "'")
			d = d.WithFix("there is no field %s; there are %s, now", name, strings.Join(Fields(), ", "))
		}
		list.Add(d)
	}
	return list
}
