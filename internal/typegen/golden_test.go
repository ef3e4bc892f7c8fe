package typegen_test

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/typegen"
)

var update = flag.Bool("update", false, "rewrite the generated packages in testdata")

func load(t *testing.T, service string) typegen.Contract {
	t.Helper()
	estate, problems := contract.Load(os.DirFS(filepath.Join("testdata", "estate")), ".")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(estate.Services, func(s *contract.Service) bool { return s.Name == service })
	c, err := typegen.From(estate, estate.Services[i])
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The packages below testdata are compiled with this one: that what is
// generated compiles is shown by this test being there at all.
func TestTheSameContractGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	for _, service := range []string{"shop", "pay"} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			got, err := typegen.Generate(service, load(t, service))
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				again, err := typegen.Generate(service, load(t, service))
				if err != nil || !maps.EqualFunc(got, again, slices.Equal) {
					t.Fatalf("generated again, it is another: %v", err)
				}
			}
			for name, text := range got {
				file := filepath.Join("testdata", service, name)
				if *update {
					if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(file, text, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), string(text)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", file, diff)
				}
			}
		})
	}
}
