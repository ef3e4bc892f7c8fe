package config

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-go/slipway/contract"
)

// A kind is a type of values with its bounds: how text becomes one, and how it
// is written again.
type kind struct {
	name   string
	bounds string
	like   string              // an example of it
	yaml   []contract.TreeKind // what YAML may take it for; others are a wrong type
	parse  func(string) (any, error)
	format func(any) string
	list   bool
	only   []string // what the items of a list may be; nil means anything
	none   any      // what the typed methods return where nothing gives a value
}

// refusal is why text is no value of a kind, told as the rest of a sentence
// that begins with the text, and what to write instead.
type refusal struct{ cause, fix string }

func (r *refusal) Error() string { return r.cause }

func text() *kind {
	return &kind{
		name: "string", like: "text", none: "", yaml: []contract.TreeKind{contract.TreeText},
		parse: func(s string) (any, error) {
			if strings.ContainsAny(s, "\r\n") {
				return nil, &refusal{"has more than one line", "write one line"}
			}
			return s, nil
		},
		format: func(v any) string { return v.(string) },
	}
}

// words is text of a few.
func words(known ...string) *kind {
	k := text()
	k.name = strings.Join(known, " | ")
	k.like = known[0]
	k.parse = func(s string) (any, error) {
		if slices.Contains(known, s) {
			return s, nil
		}
		fix := "write one of " + strings.Join(known, ", ")
		if near := contract.Nearest(s, known); near != "" {
			fix = fmt.Sprintf("did you mean %s? known: %s", near, strings.Join(known, ", "))
		}
		return nil, &refusal{"is not one of " + strings.Join(known, ", "), fix}
	}
	return k
}

// list is text several times. Where there is only text, commas divide it.
func list(known ...string) *kind {
	return &kind{
		name: "list", like: "a,b", none: []string(nil), yaml: []contract.TreeKind{contract.TreeList}, list: true, only: known,
		bounds: strings.Join(known, " | "),
		parse: func(s string) (any, error) {
			var items []string
			for item := range strings.SplitSeq(s, ",") {
				if item = strings.TrimSpace(item); item != "" {
					items = append(items, item)
				}
			}
			return items, amongAll(items, known)
		},
		format: func(v any) string { return strings.Join(v.([]string), ",") },
	}
}

func amongAll(items, known []string) error {
	for _, item := range items {
		if known != nil && !slices.Contains(known, item) {
			return &refusal{"has an item that is not one of " + strings.Join(known, ", "), "write only " + strings.Join(known, ", ")}
		}
	}
	return nil
}

func boolean() *kind {
	return &kind{
		name: "boolean", like: "true", none: false, yaml: []contract.TreeKind{contract.TreeBoolean},
		parse: func(s string) (any, error) {
			switch strings.ToLower(s) {
			case "true":
				return true, nil
			case "false":
				return false, nil
			}
			return nil, &refusal{"is neither true nor false", "write true or false"}
		},
		format: func(v any) string { return strconv.FormatBool(v.(bool)) },
	}
}

func integer(least, most int64) *kind {
	k := &kind{
		name: "integer", like: "4", none: int64(0), yaml: []contract.TreeKind{contract.TreeInteger},
		parse: func(s string) (any, error) {
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil || strconv.FormatInt(n, 10) != s {
				return nil, &refusal{"is not a whole number", "write digits alone, without leading zeros"}
			}
			return n, nil
		},
		format: func(v any) string { return strconv.FormatInt(v.(int64), 10) },
	}
	return between(k, least, most)
}

func number(least, most float64) *kind {
	k := &kind{
		name: "number", like: "1.5", none: float64(0), yaml: []contract.TreeKind{contract.TreeInteger, contract.TreeDecimal},
		parse: func(s string) (any, error) {
			f, err := strconv.ParseFloat(s, 64)
			if err != nil || math.IsInf(f, 0) || math.IsNaN(f) || strings.ContainsAny(s, "xXpP_") {
				return nil, &refusal{"is not a plain number", "write digits, and a point if it needs one"}
			}
			return f, nil
		},
		format: func(v any) string { return strconv.FormatFloat(v.(float64), 'f', -1, 64) },
	}
	return between(k, least, most)
}

// united are the kinds that YAML takes for text or a number. The parser's
// advice on a number without a unit is better than "wrong type".
var united = []contract.TreeKind{contract.TreeText, contract.TreeInteger, contract.TreeDecimal}

func duration(least, most time.Duration) *kind {
	return between(&kind{
		name: "duration", like: "30s", none: time.Duration(0), yaml: united,
		parse:  func(s string) (any, error) { return parsed(contract.ParseDuration(s)) },
		format: func(v any) string { return contract.FormatDuration(v.(time.Duration)) },
	}, least, most)
}

func size(least, most contract.Bytes) *kind {
	return between(&kind{
		name: "bytes", like: "64KiB", none: contract.Bytes(0), yaml: united,
		parse:  func(s string) (any, error) { return parsed(contract.ParseBytes(s)) },
		format: func(v any) string { return v.(contract.Bytes).String() },
	}, least, most)
}

// rate is records a second; 0/s is no bound.
func rate(most float64) *kind {
	return between(&kind{
		name: "rate", like: "2k/s", none: float64(0), yaml: united,
		parse: func(s string) (any, error) {
			r, err := contract.ParseRate(s)
			return parsed(float64(r), err)
		},
		format: func(v any) string { return contract.Rate(v.(float64)).String() },
	}, 0, most)
}

// parsed takes the advice out of what one of the contract's parsers says.
func parsed[T any](v T, err error) (any, error) {
	if err == nil {
		return v, nil
	}
	if inner := errors.Unwrap(err); inner != nil {
		err = inner
	}
	cause, fix, _ := strings.Cut(err.Error(), "; ")
	return nil, &refusal{"cannot be read: " + cause, fix}
}

// between bounds a kind.
func between[T cmp.Ordered](k *kind, least, most T) *kind {
	bounded := *k
	bounded.bounds = k.format(least) + " to " + k.format(most)
	bounded.parse = func(s string) (any, error) {
		v, err := k.parse(s)
		if err != nil {
			return nil, err
		}
		if n := v.(T); n < least || n > most {
			return nil, &refusal{"is out of bounds, want " + bounded.bounds, "write a value in these bounds"}
		}
		return v, nil
	}
	return &bounded
}
