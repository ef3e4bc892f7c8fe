package principal

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A translation rewrites a regular expression of Java so that Go reads it
// alike, and refuses what it cannot rewrite.
type translation struct {
	in     []rune
	pos    int
	out    strings.Builder
	depth  int
	atom   bool // what stands before can be repeated
	anchor bool // it is an anchor, which Java repeats and nobody means
	dollar bool
}

var (
	opening = regexp.MustCompile(`^\((?:\?:|\?<[a-zA-Z][a-zA-Z0-9]*>)?`)
	repeat  = regexp.MustCompile(`^(?:[*+?]|\{(\d{1,3})(?:,(\d{0,3}))?\})\??`)
)

func (t *translation) run() error {
	for t.pos < len(t.in) {
		if err := t.next(); err != nil {
			return err
		}
	}
	if t.depth > 0 {
		return t.wrong("a parenthesis is not closed")
	}
	return nil
}

func (t *translation) rest() string { return string(t.in[t.pos:]) }

func (t *translation) wrong(what string) error {
	return refused("pattern %q: %s", string(t.in), what)
}

func (t *translation) beyond(what string) error {
	return unforeseen("pattern %q: %s", string(t.in), what)
}

// put writes an element that may be repeated, of n characters of the pattern.
func (t *translation) put(text string, n int) {
	t.out.WriteString(text)
	t.pos += n
	t.atom, t.anchor = true, false
}

// mark writes an anchor.
func (t *translation) mark(text string) {
	t.put(text, 1)
	t.atom, t.anchor = false, true
}

func (t *translation) next() error {
	switch c := t.in[t.pos]; c {
	case '(':
		return t.open()
	case ')':
		if t.depth--; t.depth < 0 {
			return t.wrong("a parenthesis is closed and was not opened")
		}
		t.put(")", 1)
	case '|':
		t.put("|", 1)
		t.atom = false
	case '^':
		t.mark(begin)
	case '$':
		t.dollar = true
		t.mark(`\z`)
	case '.':
		t.put(dot, 1)
	case '[':
		return t.class()
	case '\\':
		return t.escape()
	case '*', '+', '?', '{':
		return t.repeat()
	default:
		t.put(literal(c), 1)
	}
	return nil
}

func (t *translation) open() error {
	group := opening.FindString(t.rest())
	if strings.HasPrefix(t.rest()[len(group):], "?") {
		return t.beyond("what begins with " + t.rest()[:2] + " is not done: flags, looking ahead or back, and groups that do not give back")
	}
	t.out.WriteString(group)
	t.pos += len(group)
	t.depth++
	t.atom, t.anchor = false, false
	return nil
}

func (t *translation) repeat() error {
	m := repeat.FindStringSubmatch(t.rest())
	switch {
	case m == nil:
		return t.wrong("braces hold no number of repeats")
	case t.anchor:
		return t.beyond("repeating an anchor is not done")
	case !t.atom:
		return t.wrong("there is nothing to be repeated before " + m[0])
	case m[2] != "" && number(m[2]) < number(m[1]):
		return t.wrong("more repeats are asked for than allowed")
	case strings.HasPrefix(t.rest()[len(m[0]):], "+"):
		return t.beyond("repeats that do not give back (possessive ones) are not done")
	}
	t.out.WriteString(m[0])
	t.pos += len(m[0])
	t.atom = false
	return nil
}

func number(digits string) int {
	n, _ := strconv.Atoi(digits) // at most three of them
	return n
}

// sets are Java's classes of one letter, as ranges for within brackets.
var sets = map[rune]string{
	'd': `0-9`, 'D': `\x{0}-/:-\x{10FFFF}`,
	's': `\x{9}-\x{D}\x{20}`, 'S': `\x{0}-\x{8}\x{E}-\x{1F}\x{21}-\x{10FFFF}`,
	'w': `0-9A-Z_a-z`, 'W': `\x{0}-/:-@\x{5B}-\x{5E}\x{60}\x{7B}-\x{10FFFF}`,
}

// posix are the classes that \p{…} names in Java and that hold only ASCII.
var posix = map[string]string{
	"Lower": `a-z`, "Upper": `A-Z`, "Alpha": `A-Za-z`, "Digit": `0-9`, "Alnum": `0-9A-Za-z`, "ASCII": `\x{0}-\x{7F}`,
}

var property = regexp.MustCompile(`^\\p\{([A-Za-z]+)\}`)

// escape reads a backslash outside of brackets.
func (t *translation) escape() error {
	rest := t.rest()
	switch {
	case strings.HasPrefix(rest, `\Q`):
		quoted, _, _ := strings.Cut(rest[2:], `\E`)
		n := min(utf8.RuneCountInString(quoted)+4, len(t.in)-t.pos)
		for _, c := range quoted {
			t.put(literal(c), 0)
		}
		t.pos += n
		return nil
	case strings.HasPrefix(rest, `\A`):
		t.pos++
		t.mark(begin)
		return nil
	case strings.HasPrefix(rest, `\z`):
		t.pos++
		t.mark(`\z`)
		return nil
	}
	c, set, n, err := t.escaped()
	if err != nil {
		return err
	}
	if set == "" {
		set = literal(c)
	}
	t.put("["+set+"]", n)
	return nil
}

var (
	controls = map[rune]rune{'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f', 'a': '\a', 'e': 0x1B}
	coded    = regexp.MustCompile(`^\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]{1,6})\})`)
)

// escaped reads what a backslash makes within brackets and without: one
// character or a set, and how many characters of the pattern it takes.
func (t *translation) escaped() (c rune, set string, n int, err error) {
	rest := t.rest()
	if t.pos+1 == len(t.in) {
		return 0, "", 0, t.wrong("it ends with a backslash")
	}
	c = t.in[t.pos+1]
	if m := property.FindStringSubmatch(rest); m != nil && posix[m[1]] != "" {
		return 0, posix[m[1]], len(m[0]), nil
	}
	if m := coded.FindStringSubmatch(rest); m != nil {
		code, _ := strconv.ParseUint(m[1]+m[2]+m[3], 16, 32) // its form is checked
		if !utf8.ValidRune(rune(code)) || utf16.IsSurrogate(rune(code)) {
			return 0, "", 0, t.beyond(m[0] + " is half a character or none")
		}
		return rune(code), "", len(m[0]), nil
	}
	control, known := controls[c]
	switch {
	case known:
		return control, "", 2, nil
	case sets[c] != "":
		return 0, sets[c], 2, nil
	case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		return 0, "", 0, t.beyond(fmt.Sprintf("\\%c is not done", c))
	}
	return c, "", 2, nil
}

// literal writes one character so that it means itself anywhere.
func literal(c rune) string { return fmt.Sprintf(`\x{%X}`, c) }
