package contract_test

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// scattered is an estate whose services a and b are in other repositories, and
// were pulled.
func scattered(t *testing.T) fstest.MapFS {
	t.Helper()
	fsys := fstest.MapFS{"estate.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Estate
services:
  a: oci://registry.example.com/a:main
  b: {from: "git+https://git.example.com/b.git#main"}
`)}}
	lock := "apiVersion: slipway.dev/v1\nkind: EstateLock\nservices:\n"
	for name, from := range map[string]string{"a": "oci://registry.example.com/a:main", "b": "git+https://git.example.com/b.git#main"} {
		file := ".slipway/estate/" + name + "/slipway.yaml"
		fsys[file] = &fstest.MapFile{Data: []byte(strings.Replace(minimal, "name: a", "name: "+name, 1))}
		s, list := contract.Parse(fsys, file)
		if list.Failed() {
			t.Fatal(list)
		}
		lock += fmt.Sprintf("  %s:\n    from: %q\n    digest: \"sha256:%s\"\n    contract: %q\n", name, from, strings.Repeat("0", 64), s.Hash())
	}
	fsys["estate.lock"] = &fstest.MapFile{Data: []byte(lock)}
	return fsys
}

func TestPulledContractsBelongToTheEstate(t *testing.T) {
	t.Parallel()
	e, list := contract.Load(scattered(t), ".")
	if list != nil || len(e.Services) != 2 || e.Services[1].Name != "b" {
		t.Errorf("got %v, %v", e.Services, list)
	}
	// Without an estate.yaml the directory is hidden like any other.
	alone := scattered(t)
	delete(alone, "estate.yaml")
	if e, list := contract.Load(alone, "."); len(e.Services) != 0 || !hasCode(list, diag.EstateEmpty) {
		t.Errorf("got %v, %v", e.Services, list)
	}
}

func TestAPulledContractIsReadOnlyIfItIsTheLockedOne(t *testing.T) {
	t.Parallel()
	const a = ".slipway/estate/a/slipway.yaml"
	replace := func(file, old, replacement string) func(fstest.MapFS) {
		return func(fsys fstest.MapFS) {
			fsys[file] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(string(fsys[file].Data), old, replacement))}
		}
	}
	for name, tt := range map[string]struct {
		change func(fstest.MapFS)
		code   diag.Code
		file   string
	}{
		"it was edited":            {replace(a, "owner: ", "owner:  "), diag.ShareTampered, a},
		"it is not there":          {func(f fstest.MapFS) { delete(f, a) }, diag.ShareNotPulled, "estate.yaml"},
		"it is a link":             {func(f fstest.MapFS) { f[a] = &fstest.MapFile{Data: []byte("x"), Mode: 0o777 | fs.ModeSymlink} }, diag.ContractUnreadable, a},
		"it cannot be read":        {func(f fstest.MapFS) { f[a] = &fstest.MapFile{Data: []byte("[")} }, diag.ContractSyntax, a},
		"it was never pulled":      {func(f fstest.MapFS) { delete(f, "estate.lock") }, diag.ShareNotPulled, "estate.yaml"},
		"it comes from elsewhere":  {replace("estate.yaml", "a:main", "a:v2"), diag.ShareNotPulled, "estate.yaml"},
		"it is another service":    {func(f fstest.MapFS) { f[a] = f[".slipway/estate/b/slipway.yaml"] }, diag.ShareTampered, a},
		"the lock is no lock":      {replace("estate.lock", "EstateLock", "Estate"), diag.ContractVersion, "estate.lock"},
		"the lock has a bad hash":  {replace("estate.lock", "contract: \"", "contract: \"x"), diag.ContractValue, "estate.lock"},
		"the estate has more keys": {replace("estate.yaml", "services:", "more: x\nservices:"), diag.ContractUnknownKey, "estate.yaml"},
		"a service has a bad name": {replace("estate.yaml", "  a:", "  ../a:"), diag.ContractName, "estate.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := scattered(t)
			tt.change(fsys)
			e, list := contract.Load(fsys, ".")
			i := slices.IndexFunc(list, func(d diag.Diagnostic) bool { return d.Code == tt.code })
			if i < 0 || list[i].Position.File != tt.file || list[i].Severity != diag.Error {
				t.Errorf("got %v, want %s in %s", list, tt.code, tt.file)
			}
			if slices.ContainsFunc(e.Services, func(s *contract.Service) bool { return s.Name == "a" }) {
				t.Error("it was read all the same")
			}
		})
	}
}

// A problem a service would be fifty problems where fifty were never pulled.
func TestWhatIsNotPulledIsOneProblem(t *testing.T) {
	t.Parallel()
	fsys := scattered(t)
	delete(fsys, "estate.lock")
	_, list := contract.Load(fsys, ".")
	if len(list) != 1 || len(list[0].Evidence) != 2 || list[0].Position.Line != 4 {
		t.Errorf("got %v", list)
	}
}

// What is missing may own the topics that seem to have no owner.
func TestAnEstateThatIsNotPulledIsNotJudgedForWhatIsMissing(t *testing.T) {
	t.Parallel()
	fsys := scattered(t)
	maps.DeleteFunc(fsys, func(name string, _ *fstest.MapFile) bool { return strings.HasPrefix(name, ".slipway/") })
	fsys["c/slipway.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(minimal, "name: a", "name: c", 1) + "\nconsumes: {a.created.v1: {}}\n")}
	e, list := contract.Load(fsys, ".")
	list = append(list, e.Validate()...)
	if hasCode(list, diag.EstateUnownedTopic) || !hasCode(list, diag.ShareNotPulled) {
		t.Errorf("got %v", list)
	}
}

func FuzzParseLock(f *testing.F) {
	f.Add([]byte("apiVersion: slipway.dev/v1\nkind: EstateLock\nservices: {}\n"))
	f.Add([]byte("apiVersion: slipway.dev/v1\nkind: EstateLock\nservices:\n  a: {from: x, digest: \"" + strings.Repeat("a", 40) + "\", contract: \"" + strings.Repeat("b", 64) + "\"}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		fsys := fstest.MapFS{"estate.lock": {Data: data}}
		lock, list := contract.ParseLock(fsys, "estate.lock")
		if lock == nil && !list.Failed() {
			t.Error("no lock and no problem")
		}
		if lock == nil || list.Failed() {
			return
		}
		for name, l := range lock.Services {
			if l.Service != name || l.From == "" || l.Digest == "" || len(l.Contract) != 64 {
				t.Errorf("%q is taken as %+v", name, l)
			}
		}
	})
}
