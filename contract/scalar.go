package contract

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// scalarOf is a value of one word. wants lists what YAML may take the word
// for; everything else is a wrong type before parse is asked.
func scalarOf[T any](s *shape, parse func(string) (T, error), wants ...scalarKind) typ[T] {
	return typ[T]{&kind{shape: s, read: func(d *decoder, n *node, into any) {
		if !slices.Contains(wants, n.scalar()) {
			d.wrongType(n, s.name, s.advice(n))
			return
		}
		v, err := parse(n.text)
		if err != nil {
			d.wrongValue(n, err)
			return
		}
		*into.(*T) = v
	}}}
}

// advice says what to write instead of a value of the wrong type.
func (s *shape) advice(n *node) string {
	switch {
	case s.schema["enum"] != nil || s.schema["type"] == "boolean":
		return "write one of " + s.name
	case s.like != "":
		return "write one such as " + s.like
	case n.kind == scalarNode:
		return fmt.Sprintf("put it in quotes: %q", n.text)
	default:
		return "write text"
	}
}

// unitOf is a value with a unit. Numbers without one are left to the parser,
// whose advice is better than "wrong type".
func unitOf[T any](name, like string, parse func(string) (T, error), types []string, pattern string) typ[T] {
	schema := map[string]any{"type": types, "pattern": pattern, "minLength": 1}
	if len(types) == 1 {
		schema["type"] = types[0]
	} else {
		schema["minimum"] = 0
	}
	return scalarOf(&shape{name: name, like: like, schema: schema}, parse, textScalar, integerScalar, floatScalar)
}

// between bounds a value.
func between[T cmp.Ordered](t typ[T], least, most T, format func(T) string) typ[T] {
	s := *t.shape
	s.bounds = format(least) + " to " + format(most)
	return typ[T]{&kind{shape: &s, read: func(d *decoder, n *node, into any) {
		before := len(d.list)
		var v T
		t.read(d, n, &v)
		if len(d.list) > before {
			return
		}
		if v < least || v > most {
			d.wrongValue(n, &valueError{cause: "is not between " + format(least) + " and " + format(most), fix: "write a value in these bounds"})
			return
		}
		*into.(*T) = v
	}}}
}

// text is any text without line breaks.
func text(most int) typ[string] {
	return matching("text", `^[^\r\n]*$`, most, "")
}

// matching is text of a form; the fix says what the form is.
func matching(name, form string, most int, fix string) typ[string] {
	re := regexp.MustCompile(form)
	schema := map[string]any{"type": "string", "pattern": form, "minLength": 1, "maxLength": most,
		"not": map[string]any{"pattern": `\$[{(]`}}
	return scalarOf(&shape{name: name, schema: schema, bounds: fmt.Sprintf("at most %d characters", most)}, func(s string) (string, error) {
		switch {
		case s == "":
			return "", &valueError{cause: "is empty", fix: "write something, or remove the key"}
		case len([]rune(s)) > most:
			return "", &valueError{cause: fmt.Sprintf("is longer than %d characters", most), fix: "shorten it"}
		case strings.Contains(s, "${") || strings.Contains(s, "$("):
			return "", &valueError{cause: "looks like something to be filled in, and contracts are taken as written", fix: "write the value itself"}
		case !re.MatchString(s):
			return "", &valueError{cause: "is not a " + name, fix: cmp.Or(fix, "write one line")}
		}
		return s, nil
	}, textScalar)
}

// oneOf is a word of a few.
func oneOf[T ~string](words ...T) typ[T] {
	known := make([]string, len(words))
	for i, w := range words {
		known[i] = string(w)
	}
	list := strings.Join(known, " | ")
	return scalarOf(&shape{name: list, schema: map[string]any{"enum": known}}, func(s string) (T, error) {
		if slices.Contains(known, s) {
			return T(s), nil
		}
		fix := "write one of " + list
		if near := nearest(s, known); near != "" {
			fix = fmt.Sprintf("did you mean %s? known: %s", near, list)
		}
		return "", &valueError{cause: "is not known here", fix: fix}
	}, textScalar)
}

// boolean is true or false; yes, on and 1 are not.
func boolean() typ[bool] {
	return scalarOf(&shape{name: "true | false", schema: map[string]any{"type": "boolean"}}, func(s string) (bool, error) {
		return strings.ToLower(s) == "true", nil
	}, boolScalar)
}

// integer is a whole number within bounds.
func integer(least, most int) typ[int] {
	s := &shape{name: "integer", like: "6", schema: map[string]any{"type": "integer", "minimum": least, "maximum": most}}
	return between(scalarOf(s, parseInteger, integerScalar), least, most, strconv.Itoa)
}

func parseInteger(s string) (int, error) {
	switch {
	case len(s) > 1 && s[0] == '0' && strings.Trim(s, "01234567") == "":
		return 0, &valueError{cause: "is 8-based to some readers of YAML and 10-based to others", fix: "write " + strings.TrimLeft(s, "0") + ", or the number that is meant"}
	case strings.ContainsAny(s, "xo+"):
		return 0, &valueError{cause: "is not written in decimal digits", fix: "write digits alone"}
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, &valueError{cause: "is not a number that fits", fix: "write a smaller one"}
	}
	return n, nil
}

// decimal is a number within bounds that may have a point.
func decimal(least, most float64) typ[float64] {
	format := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
	s := &shape{name: "number", like: "1.5", schema: map[string]any{"type": "number", "minimum": least, "maximum": most}}
	return between(scalarOf(s, func(text string) (float64, error) {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) || strings.ContainsAny(text, "xo") {
			return 0, &valueError{cause: "is not a plain number", fix: "write digits, and a point if it needs one"}
		}
		return f, nil
	}, integerScalar, floatScalar), least, most, format)
}

// auto is an integer for which the word auto may stand, read as 0.
func auto(least, most int) typ[int] {
	number := integer(least, most)
	s := *number.shape
	s.name = "integer | auto"
	s.schema = map[string]any{"anyOf": []any{number.shape.schema, map[string]any{"const": "auto"}}}
	return typ[int]{&kind{shape: &s, read: func(d *decoder, n *node, into any) {
		if n.scalar() == textScalar && n.text == "auto" {
			*into.(*int) = 0
			return
		}
		number.read(d, n, into)
	}}}
}

const (
	someDigits      = `(0|[1-9][0-9]*)`
	durationPattern = `^(` + someDigits + `d)?(` + someDigits + `h)?(` + someDigits + `m)?(` + someDigits + `s)?(` + someDigits + `ms)?$`
)

func duration(least, most time.Duration) typ[time.Duration] {
	t := unitOf("duration", "30s", ParseDuration, []string{"string"}, durationPattern)
	return between(t, least, most, FormatDuration)
}

// retention is a duration, or the word forever.
func retention() typ[time.Duration] {
	t := duration(time.Minute, MaxDuration)
	s := *t.shape
	s.name = "duration | forever"
	s.schema = map[string]any{"type": "string", "anyOf": []any{t.shape.schema, map[string]any{"const": "forever"}}}
	return typ[time.Duration]{&kind{shape: &s, read: func(d *decoder, n *node, into any) {
		if n.scalar() == textScalar && n.text == "forever" {
			*into.(*time.Duration) = Forever
			return
		}
		t.read(d, n, into)
	}}}
}

func bytesBetween(least, most Bytes) typ[Bytes] {
	t := unitOf("bytes", "64KiB", ParseBytes, []string{"string", "integer"}, `^(0|[1-9][0-9]*)(KiB|MiB|GiB|TiB)?$`)
	return between(t, least, most, Bytes.String)
}

func memory() typ[Bytes] {
	t := unitOf("memory", "128Mi", ParseMemory, []string{"string", "integer"}, `^(0|[1-9][0-9]*)(Ki|Mi|Gi|Ti)?$`)
	return between(t, 1<<20, 1<<44, FormatMemory)
}

func cpu() typ[MilliCPU] {
	t := unitOf("cpu", "500m", ParseCPU, []string{"string", "integer"}, `^(0|[1-9][0-9]*)m?$`)
	return between(t, 1, 1_000_000, MilliCPU.String)
}

func count(least, most int64) typ[int64] {
	t := unitOf("count", "1000", ParseCount, []string{"string", "integer"}, `^(0|[1-9][0-9]*)(k|M)?$`)
	return between(t, least, most, FormatCount)
}

func rate() typ[Rate] {
	t := unitOf("rate", "2k/s", ParseRate, []string{"string"}, `^(0|[1-9][0-9]*)(k|M)?/s$`)
	return between(t, 1, 1_000_000_000, Rate.String)
}

func percent(least, most float64) typ[float64] {
	t := unitOf("percent", "99.95%", ParsePercent, []string{"string"}, `^(0|[1-9][0-9]{0,2})(\.[0-9]{1,4})?%$`)
	return between(t, least, most, FormatPercent)
}

// literal is a word that must be there as it is.
func literal(word string) typ[string] {
	t := oneOf(word)
	t.shape.name = word
	return t
}
