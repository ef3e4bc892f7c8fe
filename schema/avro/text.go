package avro

import (
	"fmt"

	"github.com/slipway-go/slipway/schema"
)

// JSON returns a value as JSON, under the schema that it was written with: for
// people who look at one record, whatever Go type it was meant for. A union is
// the value of its branch.
func JSON(writer schema.Source, data []byte) ([]byte, error) {
	s, err := parse(writer)
	if err != nil {
		return nil, err
	}
	if values := shapeOf(s); values != nil {
		if data, err = joined(values, data); err != nil {
			return nil, fmt.Errorf("decode avro: %w", err)
		}
	}
	var v any
	rest, err := s.Decode(data, &v)
	if err == nil && len(rest) > 0 {
		err = errTrailing
	}
	if err != nil {
		return nil, fmt.Errorf("decode avro: %w", err)
	}
	text, err := s.EncodeJSON(v)
	if err != nil {
		return nil, fmt.Errorf("write as JSON: %w", err)
	}
	return text, nil
}
