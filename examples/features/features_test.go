package features_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/slipway-go/slipway/contract"
)

// features are the folders, each an estate, and how many services it has.
var features = map[string]int{
	"producing": 1, "protobuf": 1, "jsonschema": 1, "away": 1, "outbox": 1, "saga": 2, "generated": 1,
	"configuration": 1, "observability": 1, "health": 1,
}

func TestEveryContractIsValid(t *testing.T) {
	t.Parallel()
	for dir, services := range features {
		estate, faults := contract.Load(os.DirFS(dir), ".")
		if len(faults) > 0 {
			t.Fatalf("%s: load:\n%v", dir, faults)
		}
		if faults := estate.Validate(); len(faults) > 0 {
			t.Errorf("%s: validate:\n%v", dir, faults)
		}
		if got := len(estate.Services); got != services {
			t.Errorf("%s has %d services, want %d", dir, got, services)
		}
	}
}

func TestGeneratedCodeFollowsItsContract(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the command slipway")
	}
	slipway := filepath.Join(t.TempDir(), "slipway")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-C", "../..", "-o", slipway, "./cmd/slipway").CombinedOutput(); err != nil {
		t.Fatalf("build slipway: %v\n%s", err, out)
	}
	for _, dir := range []string{"generated", "protobuf"} {
		out, err := exec.CommandContext(t.Context(), slipway, "schema", "gen", dir, "--out", dir+"/gen", "--check").CombinedOutput()
		if err != nil {
			t.Errorf("run go generate ./%s: %v\n%s", dir, err, out)
		}
	}
}
