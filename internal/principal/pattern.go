package principal

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// dot is what . takes in Java: all but what ends a line.
const dot = `[^\n\r\x{85}\x{2028}\x{2029}]`

// begin stands for the beginning of the text until it is known which of two
// expressions it is written into.
const begin = "\x00"

// A pattern is a regular expression of Java that Go can judge alike.
type pattern struct {
	whole  *regexp.Regexp // matches if the whole text does
	first  *regexp.Regexp // finds a match from the beginning on
	later  *regexp.Regexp // finds one in what is left, where ^ matches nothing
	groups int
	dollar bool
}

func parsePattern(java string) (*pattern, error) {
	t := translation{in: []rune(java)}
	if err := t.run(); err != nil {
		return nil, err
	}
	expr := t.out.String()
	tree, err := syntax.Parse(strings.ReplaceAll(expr, begin, `\A`), syntax.Perl)
	if err != nil {
		return nil, unforeseen("pattern %q cannot be judged: %v", java, err)
	}
	if repeatsNothing(tree) {
		return nil, unforeseen("pattern %q repeats something that may be empty", java)
	}
	p := &pattern{groups: tree.MaxCap(), dollar: t.dollar}
	for _, way := range []struct {
		to   **regexp.Regexp
		form string
		at   string
	}{
		{&p.whole, `\A(?:` + expr + `)\z`, `\A`},
		{&p.first, expr, `\A`},
		{&p.later, expr, `[^\x00-\x{10FFFF}]`},
	} {
		if *way.to, err = regexp.Compile(strings.ReplaceAll(way.form, begin, way.at)); err != nil {
			return nil, unforeseen("pattern %q cannot be judged: %v", java, err)
		}
	}
	return p, nil
}

// repeatsNothing reports whether an expression repeats one that may be empty,
// of which Java and Go keep different matches.
func repeatsNothing(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		if mayBeEmpty(re.Sub[0]) {
			return true
		}
	}
	return slices.ContainsFunc(re.Sub, repeatsNothing)
}

func mayBeEmpty(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpNoMatch, syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return false
	case syntax.OpLiteral:
		return len(re.Rune) == 0
	case syntax.OpCapture, syntax.OpPlus:
		return mayBeEmpty(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min == 0 || mayBeEmpty(re.Sub[0])
	case syntax.OpConcat:
		return !slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return !mayBeEmpty(sub) })
	case syntax.OpAlternate:
		return slices.ContainsFunc(re.Sub, mayBeEmpty)
	}
	return true
}

// replaceAll replaces every match, one after the other. Unlike Go's, Java's
// takes an empty match right behind another match. It is not ok where Java looks
// for the next one in the middle of a character, of those it keeps as two.
func (p *pattern) replaceAll(text string, to replacement) (string, bool) {
	var b strings.Builder
	done, from := 0, 0
	for from <= len(text) {
		match := p.find(text, from)
		if match == nil {
			break
		}
		b.WriteString(text[done:match[0]])
		to.appendTo(&b, text, match)
		done = match[1]
		if from = done; match[0] == match[1] {
			r, width := utf8.DecodeRuneInString(text[from:])
			if utf16.RuneLen(r) > 1 {
				return "", false
			}
			from += max(1, width)
		}
	}
	b.WriteString(text[done:])
	return b.String(), true
}

// find returns the first match at from or later.
func (p *pattern) find(text string, from int) []int {
	if from == 0 {
		return p.first.FindStringSubmatchIndex(text)
	}
	match := p.later.FindStringSubmatchIndex(text[from:])
	for i := range match {
		if match[i] >= 0 {
			match[i] += from
		}
	}
	return match
}
