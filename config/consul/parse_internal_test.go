package consul

import (
	"strings"
	"testing"

	"github.com/slipway-go/slipway/diag"
)

func FuzzParse(f *testing.F) {
	f.Add([]byte(`[{"Key":"config/orders/log.level","Value":"aW5mbw=="}]`))
	f.Add([]byte(`[{"Key":"config/orders/a/b","Value":null},{"Key":"config/orders/a.b","Value":""}]`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		given, err := (&client{cfg: Config{Name: "consul"}, prefix: "config/orders/"}).parse(text)
		if err != nil && len(diag.Of(err)) == 0 {
			t.Errorf("an error without a code: %v", err)
		}
		seen := map[string]bool{}
		for _, g := range given {
			if g.Key == "" || strings.Contains(g.Key, "/") || seen[g.Key] {
				t.Errorf("key %q is none, or given twice", g.Key)
			}
			seen[g.Key] = true
		}
	})
}
