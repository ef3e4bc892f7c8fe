package principal

import "fmt"

// class reads brackets. Java nests them and intersects them, which is not done.
func (t *translation) class() error {
	start := t.pos
	t.pos++
	open := "["
	if t.is(0, '^') {
		open += "^"
		t.pos++
	}
	t.out.WriteString(open)
	first := t.pos
	for !t.is(0, ']') {
		if t.pos >= len(t.in) {
			t.pos = start
			return t.wrong("a bracket is not closed")
		}
		if err := t.member(); err != nil {
			return err
		}
	}
	if t.pos == first {
		return t.beyond("brackets that begin with ] are not done: write \\]")
	}
	t.put("]", 1)
	return nil
}

// is reports whether the character n places on is c.
func (t *translation) is(n int, c rune) bool { return t.pos+n < len(t.in) && t.in[t.pos+n] == c }

// member reads one character, range or set within brackets.
func (t *translation) member() error {
	low, set, err := t.single()
	if err != nil {
		return err
	}
	if set != "" {
		if t.is(0, '-') && !t.is(1, ']') {
			return t.beyond("a range that begins with a set is not done")
		}
		t.out.WriteString(set)
		return nil
	}
	if !t.is(0, '-') || t.is(1, ']') {
		t.out.WriteString(literal(low))
		return nil
	}
	t.pos++
	if t.pos >= len(t.in) {
		return t.wrong("a bracket is not closed")
	}
	high, set, err := t.single()
	switch {
	case err != nil:
		return err
	case set != "":
		return t.beyond("a range that ends with a set is not done")
	case high < low:
		return t.wrong(fmt.Sprintf("the range %c-%c runs backwards", low, high))
	}
	t.out.WriteString(literal(low) + "-" + literal(high))
	return nil
}

// single reads a character or a set within brackets.
func (t *translation) single() (rune, string, error) {
	switch c := t.in[t.pos]; {
	case c == '[', c == '&' && t.is(1, '&'):
		return 0, "", t.beyond("brackets within brackets and && are not done: write \\[ and \\&")
	case c == '\\':
		c, set, n, err := t.escaped()
		t.pos += n
		return c, set, err
	default:
		t.pos++
		return c, "", nil
	}
}
