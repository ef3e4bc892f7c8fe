package principal

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/slipway-go/slipway/diag"
)

// Default is the rule of a broker that has none: the whole name.
const Default = "DEFAULT"

// maxRules is the longest text of rules that is read, in bytes.
const maxRules = 16 << 10

// Kafka finds rules with one expression, which takes whatever it does not
// understand as a rule too, and judges each with another.
var (
	rule     = `(DEFAULT)|RULE:((?:\\.|[^\\/])*)/((?:\\.|[^\\/])*)/([LU]?).*?|(.*?)`
	splitter = regexp.MustCompile(`[ \t\n\v\f\r]*(?P<rule>` + rule + `)[ \t\n\v\f\r]*(?:,[ \t\n\v\f\r]*|$)`)
	judge    = regexp.MustCompile(`\A(?:` + rule + `)`)
)

// Rules make principals of names, the first that applies. They are immutable.
type Rules struct{ rules []mapping }

// A mapping is one rule. Without a pattern it takes the name as it is.
type mapping struct {
	text    string
	pattern *pattern
	to      replacement
	upper   bool
	lower   bool
}

// Parse reads rules as they stand in ssl.principal.mapping.rules. It reports all
// that a broker would not start with, all that would end every login, and all
// that cannot be foretold, each with its code.
func Parse(text string) (Rules, error) {
	if len(text) > maxRules {
		return Rules{}, refused("the rules are %d bytes long, at most %d are read", len(text), maxRules)
	}
	text = strings.TrimFunc(text, func(r rune) bool { return r <= ' ' })
	if endsLine(text) {
		return Rules{}, unforeseen("the rules hold a line break")
	}
	var r Rules
	var problems diag.List
	for _, m := range splitter.FindAllStringSubmatch(text, -1) {
		one, err := parseRule(m[splitter.SubexpIndex("rule")])
		switch {
		case err != nil:
			problems = append(problems, diag.Of(err)...)
		case one != nil:
			r.rules = append(r.rules, *one)
		}
	}
	return r, problems.Err()
}

// parseRule reads one rule; an empty one is none.
func parseRule(text string) (*mapping, error) {
	m := judge.FindStringSubmatchIndex(text)
	if m[1] != len(text) {
		return nil, refused("rule %q cannot be read from %q on", text, text[m[1]:]).
			WithFix("write it as RULE:pattern/replacement/ with L or U behind the last slash if letters are to change; a slash within is written \\/")
	}
	part := func(group int) string {
		if m[2*group] < 0 {
			return ""
		}
		return text[m[2*group]:m[2*group+1]]
	}
	switch {
	case m[2] >= 0:
		return &mapping{text: text}, nil
	case m[4] < 0:
		return nil, nil //nolint:nilnil // nothing stands between two commas, which Kafka takes for no rule
	}
	p, err := parsePattern(part(2))
	if err != nil {
		return nil, inRule(text, err)
	}
	to, err := parseReplacement(part(3), p)
	if err != nil {
		return nil, inRule(text, err)
	}
	return &mapping{text: text, pattern: p, to: to, lower: part(4) == "L", upper: part(4) == "U"}, nil
}

func inRule(text string, err error) diag.List {
	list := diag.Of(err)
	for i := range list {
		list[i] = list[i].WithEvidence("rule %s", text)
	}
	return list
}

// Apply makes a principal, without User:, of a name that [Name] wrote.
func (r Rules) Apply(name string) (string, error) {
	for _, m := range r.rules {
		got, ok, err := m.apply(name)
		if err != nil || ok {
			return got, err
		}
	}
	d := diag.New(diag.PrincipalNone, "no rule makes a principal of %q", name)
	for _, m := range r.rules {
		d = d.WithEvidence("rule %s", m.text)
	}
	return "", d
}

func (m mapping) apply(name string) (string, bool, error) {
	if m.pattern == nil {
		return name, true, nil
	}
	if last, _ := utf8.DecodeLastRuneInString(name); m.pattern.dollar && endsLine(string(last)) {
		return "", false, unforeseen("the name %q ends with a line break, and rule %s has a $", name, m.text)
	}
	if !m.pattern.whole.MatchString(name) {
		return "", false, nil
	}
	text, ok := m.pattern.replaceAll(name, m.to)
	if !ok {
		return "", false, unforeseen("rule %s matches nothing at all beside a character of the name %q that Java keeps as two", m.text, name)
	}
	switch {
	case m.lower:
		text, ok = toLower(text)
	case m.upper:
		text, ok = toUpper(text)
	}
	if !ok {
		return "", false, unforeseen("the name %q has letters whose upper or lower case depends on the version of Java", name)
	}
	return text, true, nil
}

// Distinct reports every two names of which the rules make one principal: what
// one may do, the other may do too. It is silent about names that no rule takes.
func (r Rules) Distinct(names ...string) error {
	var problems diag.List
	first := map[string]string{}
	for _, name := range names {
		p, err := r.Apply(name)
		if err != nil {
			continue
		}
		other, taken := first[p]
		switch {
		case !taken:
			first[p] = name
		case other != name:
			problems.Add(diag.New(diag.PrincipalClash, "%q and %q are both the principal User:%s", other, name, p))
		}
	}
	return problems.Err()
}

// endsLine reports whether text has a character that ends a line for Java.
func endsLine(text string) bool { return strings.ContainsAny(text, "\n\r\u0085\u2028\u2029") }

func refused(format string, args ...any) diag.Diagnostic {
	return diag.New(diag.PrincipalRule, format, args...)
}
