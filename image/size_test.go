package image_test

import (
	"cmp"
	"debug/elf"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// heaviest is how many bytes the program of a minimal service may have: what was
// measured, and one in a hundred for newer versions of what it is made of.
const heaviest = 16_980_000

// unused are packages that a minimal service has no use for, with those below
// them, and what brings them. Nothing of them may be in its program, apart from
// what their variables take that are made at start.
var unused = map[string]string{
	"database/sql":                        "an outbox",
	"github.com/prometheus/client_golang": "telemetry/prometheus",
	"github.com/twmb/avro":                "schema/avro",
	"go.opentelemetry.io/otel/exporters":  "telemetry/otlp",
	"go.opentelemetry.io/otel/sdk/metric": "an exporter",
	"google.golang.org/grpc":              "serve/rpc",
	"google.golang.org/protobuf":          "schema/proto",
	"html/template":                       "nobody: it keeps every exported method of every type",
	"net/http/pprof":                      "serve/profile",
	"runtime/pprof":                       "serve/profile",
	"text/template":                       "nobody: it keeps every exported method of every type",
	"github.com/slipway-go/slipway/acl":   "the command line",
	"github.com/slipway-go/slipway/plan":  "the command line",
	"github.com/slipway-go/slipway/pki":   "the command line",
	"github.com/twmb/franz-go/pkg/kadm":   "the command line",
}

// variables is how much of an unused package may be code, in bytes.
const variables = 4 << 10

// With -v it prints what the program is made of.
func TestAMinimalServiceHoldsNothingThatItDoesNotUse(t *testing.T) {
	if testing.Short() || runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("a program for linux/amd64 is linked")
	}
	t.Parallel()
	p := linked(t, "./testdata/minimal")
	if p.size > heaviest {
		t.Errorf("the program has %d bytes, at most %d are allowed", p.size, heaviest)
	}
	for pkg, with := range unused {
		if n := p.below(pkg); n > variables {
			t.Errorf("%s is in the program with %d bytes of code, and it belongs to %s", pkg, n, with)
		}
	}
	t.Log(p)
}

// A program is what one is made of.
type program struct {
	size     uint64            // without the table of symbols
	sections map[string]uint64 // bytes by section
	code     map[string]uint64 // bytes of functions by package
}

// below is the code of a package and of those below it.
func (p program) below(pkg string) (n uint64) {
	for name, size := range p.code {
		if name == pkg || strings.HasPrefix(name, pkg+"/") {
			n += size
		}
	}
	return n
}

// linked links a package as an image has it, but with a table of symbols. It
// compiles nothing that the tests have not compiled.
func linked(t *testing.T, dir string) program {
	t.Helper()
	file := filepath.Join(t.TempDir(), "program")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-w -buildid=", "-o", file, dir)
	build.Env = append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return weigh(t, file)
}

func weigh(t *testing.T, file string) program {
	t.Helper()
	f, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	p := program{size: uint64(info.Size()), sections: map[string]uint64{}, code: map[string]uint64{}}
	for _, s := range f.Sections {
		switch {
		case s.Name == ".symtab" || s.Name == ".strtab":
			p.size -= s.Size
		case s.Type != elf.SHT_NOBITS:
			p.sections[s.Name] = s.Size
		}
	}
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range symbols {
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC {
			p.code[packageOf(s.Name)] += s.Size
		}
	}
	return p
}

// packageOf is the package of a symbol: what stands in front of the first dot
// behind the last slash, before any type arguments.
func packageOf(symbol string) string {
	if strings.HasPrefix(symbol, "type:") {
		return "comparing and hashing"
	}
	name, _, _ := strings.Cut(symbol, "[")
	name, _, _ = strings.Cut(name, "(")
	slash := strings.LastIndex(name, "/") + 1
	local, _, _ := strings.Cut(name[slash:], ".")
	return name[:slash] + local
}

// String lists the sections and the packages, the largest first.
func (p program) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d bytes\n", p.size)
	for _, of := range []map[string]uint64{p.sections, p.code} {
		for _, name := range slices.SortedFunc(maps.Keys(of), func(x, y string) int { return cmp.Compare(of[y], of[x]) }) {
			fmt.Fprintf(&b, "%10d %s\n", of[name], name)
		}
	}
	return b.String()
}
