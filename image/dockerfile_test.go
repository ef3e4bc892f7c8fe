package image_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/image"
	"github.com/slipway-go/slipway/render"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const orders = `apiVersion: slipway.dev/v1
kind: Service
metadata:
  name: orders
  owner: team-shop
  description: Takes "orders" for $5 and up.
`

func dockerfiles(t *testing.T, files fstest.MapFS) []render.File {
	t.Helper()
	estate, problems := contract.Load(files, ".")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	got, err := image.Dockerfile().Files(render.Input{Estate: estate, Environment: "dev"})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestADockerfileFollowsFromTheContract(t *testing.T) {
	t.Parallel()
	got := dockerfiles(t, fstest.MapFS{"services/orders/slipway.yaml": {Data: []byte(orders)}})
	if len(got) != 1 || got[0].Path != "orders/Dockerfile" {
		t.Fatalf("files %v", got)
	}
	golden := filepath.Join("testdata", "Dockerfile.golden")
	if *update {
		if err := os.WriteFile(golden, got[0].Content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got[0].Content)); diff != "" {
		t.Errorf("Dockerfile (-want +got):\n%s", diff)
	}
}

// A digest that nobody looked up would be worse than a tag.
func TestADockerfileNamesNoDigestThatNobodyChecked(t *testing.T) {
	t.Parallel()
	got := dockerfiles(t, fstest.MapFS{"slipway.yaml": {Data: []byte(orders)}})
	for line := range strings.Lines(string(got[0].Content)) {
		if !strings.HasPrefix(line, "#") && strings.Contains(line, "sha256:") {
			t.Errorf("a digest: %s", line)
		}
	}
}
