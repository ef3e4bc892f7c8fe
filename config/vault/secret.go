package vault

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/diag"
)

// A KV is a secret of KV version 2. Each of its keys is the key of a setting, with
// its dots; a value is text, a number, true or false, or a list of these.
type KV struct {
	Path string // below the mount, such as services/orders

	// Mount defaults to "secret".
	Mount string
}

// secret reads the newest version.
func (s *Source) secret(ctx context.Context, kv KV) ([]config.Given, error) {
	mount := cmp.Or(kv.Mount, "secret")
	path := mount + "/data/" + kv.Path
	a, err := s.ask(ctx, request{method: http.MethodGet, path: path})
	if err != nil {
		return nil, err
	}
	var body struct {
		Data map[string]any `json:"data"`
	}
	if err := read(s.client, path, a.Data, &body); err != nil {
		return nil, err
	}
	if body.Data == nil {
		return nil, diag.New(diag.ConfigSourceAnswer, "%s: %s: the answer is not one of KV version 2", s.cfg.Name, path)
	}
	at := diag.Position{File: mount + "/" + kv.Path}
	var all []config.Given
	for _, key := range slices.Sorted(maps.Keys(body.Data)) {
		given := config.Given{Key: key, At: at}
		if list, ok := body.Data[key].([]any); ok {
			for _, item := range list {
				text, ok := scalar(item)
				if !ok {
					return nil, s.strange(path, key)
				}
				given.Items = append(given.Items, text)
			}
		} else if given.Text, ok = scalar(body.Data[key]); !ok {
			return nil, s.strange(path, key)
		}
		all = append(all, given)
	}
	return all, nil
}

func (s *Source) strange(path, key string) error {
	return diag.New(diag.ConfigSourceAnswer, "%s: %s: the value of %s is neither text, a number, true, false, nor a list of these", s.cfg.Name, path, key)
}

func scalar(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case json.Number, bool:
		return fmt.Sprint(v), true
	}
	return "", false
}

// read takes apart what an answer holds; numbers stay as they are written.
func read(c *client, path string, data json.RawMessage, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return diag.New(diag.ConfigSourceAnswer, "%s: %s: the answer is not one of Vault", c.name, path)
	}
	return nil
}
