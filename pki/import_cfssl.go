package pki

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"

	"github.com/slipway-go/slipway/diag"
)

// readJSON reads what cfssl gencert prints: an object of cert, key and csr,
// each a text of PEM. An object without is configuration and passed over: the
// key in it is a kind of key in cfssl's and the name of a file in step's.
func (h *haul) readJSON(file string, data []byte) error {
	fields, err := parseObject(data)
	if err != nil {
		return err
	}
	if fields["cert"] == nil && !bytes.HasPrefix(fields["key"], []byte(`"-----BEGIN`)) {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		switch name {
		case "cert", "key", "csr":
		default:
			return diag.New(diag.PKIFile, "key %q is none of cfssl's: want cert, key and csr", name)
		}
		var text string
		if json.Unmarshal(fields[name], &text) != nil || fields[name][0] != '"' {
			return diag.New(diag.PKIFile, "%s is not a text", name)
		}
		if name == "csr" {
			continue
		}
		if err := h.readPEM(file, []byte(text)); err != nil {
			return err
		}
	}
	return nil
}

// parseObject reads one JSON object and nothing behind it. A key that is
// given twice is refused: each of the two would be somebody's reading.
func parseObject(data []byte) (map[string]json.RawMessage, error) {
	damaged := diag.New(diag.PKIFile, "not a JSON object")
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, damaged
	}
	fields := map[string]json.RawMessage{}
	for dec.More() {
		t, err := dec.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, damaged
		}
		if _, twice := fields[name]; twice {
			return nil, diag.New(diag.PKIFile, "JSON key %q is given twice", name)
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return nil, damaged
		}
		fields[name] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, damaged
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, diag.New(diag.PKIFile, "something follows the JSON object")
	}
	return fields, nil
}
