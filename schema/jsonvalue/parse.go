package jsonvalue

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Bounds on what is no event but an attack. A number is computed exactly when
// it is validated, so what it costs grows with its exponent and not with its
// text.
const (
	maxDepth    = 100
	maxDigits   = 100
	maxExponent = 400 // beyond what a float64 holds
)

// parse reads one JSON value into maps, slices and json.Number. Unlike
// encoding/json it refuses a name that appears twice in an object: readers
// disagree on which one counts.
func parse(data []byte) (any, error) {
	p := parser{json.NewDecoder(bytes.NewReader(data))}
	p.UseNumber()
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := p.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("data is left over behind the value")
	}
	return v, nil
}

type parser struct{ *json.Decoder }

func (p parser) value(depth int) (any, error) {
	t, err := p.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	if depth >= maxDepth {
		return nil, fmt.Errorf("value is nested deeper than %d", maxDepth)
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return p.object(depth)
		}
		return p.array(depth)
	case json.Number:
		return t, bounded(t.String())
	}
	return t, nil
}

// bounded refuses numbers that cost much to compute.
func bounded(number string) error {
	digits, exponent := number, ""
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		digits, exponent = number[:i], number[i+1:]
	}
	e, err := strconv.Atoi(cmp.Or(exponent, "0"))
	if err != nil || e < -maxExponent || e > maxExponent || len(digits) > maxDigits {
		return errors.New("number is out of range")
	}
	return nil
}

func (p parser) object(depth int) (any, error) {
	object := make(map[string]any)
	for p.More() {
		t, err := p.Token()
		if err != nil {
			return nil, err
		}
		name := t.(string) // the decoder lets nothing else stand here
		if _, twice := object[name]; twice {
			return nil, fmt.Errorf("property %q appears twice", name)
		}
		if object[name], err = p.value(depth + 1); err != nil {
			return nil, err
		}
	}
	_, err := p.Token()
	return object, err
}

func (p parser) array(depth int) (any, error) {
	array := []any{}
	for p.More() {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		array = append(array, v)
	}
	_, err := p.Token()
	return array, err
}
