package connect

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
)

// A Fault is what a plugin has against one setting.
type Fault struct {
	Key     string // in Kafka Connect's words
	Message string // the plugin's words, where they cannot repeat a secret
}

// String is the fault in one line.
func (f Fault) String() string { return f.Key + ": " + f.Message }

// verdict is a plugin's answer.
type verdict struct {
	Configs []struct {
		Value struct {
			Name   string   `json:"name"`
			Errors []string `json:"errors"`
		} `json:"value"`
	} `json:"configs"`
}

// Validate asks the plugin of a connector's class what it has against the
// settings, sorted by key; nothing if it would take them. A class that no
// worker has is a fault of connector.class.
func (c *Client) Validate(ctx context.Context, config map[string]string) ([]Fault, error) {
	class := config[contract.ConnectorClass]
	if class == "" {
		return []Fault{{contract.ConnectorClass, "it is missing"}}, nil
	}
	var got verdict
	refused, err := c.patiently(ctx, call{
		op:     "validate connector " + config["name"],
		method: http.MethodPut,
		path:   []string{"connector-plugins", class, "config", "validate"},
		in:     config,
		out:    &got,
	})
	switch {
	case err != nil:
		return nil, err
	case refused != nil && strings.Contains(refused.message, "Failed to find any class"):
		return []Fault{{contract.ConnectorClass, "no worker has a plugin " + class}}, nil
	case refused != nil:
		return nil, c.diagnose(refused)
	}
	return got.faults(config), nil
}

func (v verdict) faults(config map[string]string) []Fault {
	all := map[string][]string{}
	for _, one := range v.Configs {
		all[one.Value.Name] = append(all[one.Value.Name], one.Value.Errors...)
	}
	var faults []Fault
	for _, key := range slices.Sorted(maps.Keys(all)) {
		for _, words := range all[key] {
			if strings.Contains(config[key], "${") || contract.SecretSetting(key) {
				words = withheld
			}
			faults = append(faults, Fault{key, redact(words, "", config)})
		}
	}
	return slices.Compact(faults) // withheld words are all the same
}
