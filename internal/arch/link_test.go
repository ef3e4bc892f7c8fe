package arch_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// sdk are the packages that end up in every service. sdkModules are all they
// may link besides the standard library: franz-go with the compressors it
// needs, the OpenTelemetry API with what it needs, and YAML. An entry more
// needs a decision record.
var (
	sdk = []string{
		".", "config", "contract", "diag", "schema",
		"internal/auth", "internal/frontier", "internal/lag", "internal/lane", "internal/parking", "internal/protect",
		"internal/record", "internal/retrylog", "internal/secret", "internal/secure", "internal/spill",
	}
	sdkModules = []string{
		"github.com/twmb/franz-go", "github.com/twmb/franz-go/pkg/kmsg", "github.com/twmb/franz-go/pkg/sr",
		"github.com/klauspost/compress", "github.com/pierrec/lz4/v4",
		"go.opentelemetry.io/otel", "go.opentelemetry.io/otel/log", "go.opentelemetry.io/otel/metric", "go.opentelemetry.io/otel/trace",
		"go.opentelemetry.io/auto/sdk", "github.com/go-logr/logr", "github.com/go-logr/stdr", "github.com/cespare/xxhash/v2",
		"go.yaml.in/yaml/v4", "golang.org/x/time",
	}
)

func TestAServiceLinksTheSDKAndLittleElse(t *testing.T) {
	t.Parallel()
	for _, pkg := range goList(t, sdk...) {
		switch {
		case pkg.Standard:
		case within(pkg.ImportPath, module):
			dir := "." + strings.TrimPrefix(pkg.ImportPath, module)
			if !slices.Contains(sdk, strings.TrimPrefix(dir, "./")) {
				t.Errorf("the SDK links %s, which is no part of it", pkg.ImportPath)
			}
		case pkg.Module == nil || !slices.Contains(sdkModules, pkg.Module.Path):
			t.Errorf("the SDK links %s; it may link only %s", pkg.ImportPath, strings.Join(sdkModules, ", "))
		}
	}
}

// The size is told and not judged: it depends on the compiler, and the list of
// modules above is what keeps it small.
func TestSizeOfAServiceThatUsesTheSDKAlone(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("links a program")
	}
	out := filepath.Join(t.TempDir(), "service")
	cmd := goTool("build", "-ldflags=-s -w", "-o", out, "./internal/arch/testdata/service")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, text)
	}
	info, err := os.Stat(out)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a service with one handler: %.1f MB (%s, %s/%s, stripped)",
		float64(info.Size())/1e6, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// A listed package is what go list says of one.
type listed struct {
	ImportPath string
	Standard   bool
	Module     *struct{ Path string }
}

func goList(t *testing.T, dirs ...string) []listed {
	t.Helper()
	args := []string{"list", "-deps", "-json=ImportPath,Standard,Module"}
	for _, dir := range dirs {
		args = append(args, "./"+dir)
	}
	out, err := goTool(args...).Output()
	if err != nil {
		var exit *exec.ExitError
		errors.As(err, &exit)
		t.Fatalf("go list: %v\n%s", err, exit.Stderr)
	}
	var all []listed
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var pkg listed
		err := dec.Decode(&pkg)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		all = append(all, pkg)
	}
}

// goTool runs the go command, of which go test puts its own first in PATH, in
// the root of the module and outside of any workspace around it.
func goTool(args ...string) *exec.Cmd {
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOWORK=off")
	return cmd
}
