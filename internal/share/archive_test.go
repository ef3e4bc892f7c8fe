package share_test

import (
	"archive/tar"
	"bytes"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/slipway-go/slipway/internal/share"
)

func TestTheSameContractGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	files := service("orders")
	first := bundle(t, files).Pack()
	elsewhere := fstest.MapFS{} // other times and rights, and in another directory
	for name, f := range files {
		elsewhere["deep/er/"+name] = &fstest.MapFile{Data: f.Data, Mode: 0o777}
	}
	b, problems := share.Read(elsewhere, "deep/er")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, b.Pack()) {
		t.Error("the archives differ")
	}
	if other := bundle(t, edited(t, files, "team-a", "team-b")); bytes.Equal(first, other.Pack()) {
		t.Error("another contract gave the same archive")
	}
}

func TestWhatIsPackedIsUnpacked(t *testing.T) {
	t.Parallel()
	b := bundle(t, service("orders"))
	got, err := share.Unpack(b.Pack())
	if err != nil {
		t.Fatal(err)
	}
	if got.Service.Hash() != b.Service.Hash() || got.Service.Name != "orders" {
		t.Errorf("got %s %s, want %s", got.Service.Name, got.Service.Hash(), b.Service.Hash())
	}
	for name, text := range got.Service.Files() {
		if name != "schemas/event.avsc" || text != event {
			t.Errorf("got %s: %s", name, text)
		}
	}
}

// The settings of a connector are as much part of a contract as its schemas.
func TestTheConfigurationOfAConnectorTravelsAlong(t *testing.T) {
	t.Parallel()
	files := edited(t, service("orders"), "produces:", "connectors: {out: {file: connectors/out.json}}\nproduces:")
	files["connectors/out.json"] = &fstest.MapFile{Data: []byte(`{"connector.class":"org.example.Sink"}`)}
	b := bundle(t, files)
	got, err := share.Unpack(b.Pack())
	if err != nil {
		t.Fatal(err)
	}
	if names := maps.Collect(got.Service.Files()); len(names) != 2 || names["connectors/out.json"] == "" {
		t.Errorf("got %v", names)
	}
	files["connectors/out.json"] = &fstest.MapFile{Data: []byte(`{"connector.class":"org.example.Other"}`)}
	if bundle(t, files).Service.Hash() == b.Service.Hash() {
		t.Error("the hash does not tell the two apart")
	}
}

// member is one entry of an archive that somebody else made.
type member struct {
	tar.Header

	data string
}

func archive(t testing.TB, members ...member) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, m := range members {
		if m.Typeflag == 0 {
			m.Typeflag = tar.TypeReg
		}
		if m.Typeflag == tar.TypeReg && m.Size == 0 {
			m.Size = int64(len(m.data))
		}
		if err := w.WriteHeader(&m.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(m.data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil && !strings.Contains(err.Error(), "missed writing") {
		t.Fatal(err)
	}
	return append(out.Bytes(), make([]byte, 1024)...)
}

func file(name, data string) member { return member{tar.Header{Name: name}, data} }

func TestAHostileArchiveIsNoBundle(t *testing.T) {
	t.Parallel()
	files := service("orders")
	contract := file("slipway.yaml", string(files["slipway.yaml"].Data))
	schema := file("schemas/event.avsc", event)
	if _, err := share.Unpack(archive(t, contract, schema)); err != nil {
		t.Fatalf("the harmless one: %v", err)
	}
	special := func(name string, kind byte, target string) member {
		return member{tar.Header{Name: name, Typeflag: kind, Linkname: target}, ""}
	}
	many := []member{contract, schema}
	for i := range 1000 {
		many = append(many, file(strings.Repeat("a", 1+i/100)+"/"+strings.Repeat("b", 1+i%100), ""))
	}
	huge := file("slipway.yaml", "")
	huge.Size = 2 << 20
	for name, tt := range map[string]struct {
		members []member
		want    string
	}{
		"nothing":                    {nil, "there is no slipway.yaml in it"},
		"no contract":                {[]member{schema}, "there is no slipway.yaml in it"},
		"no schema":                  {[]member{contract}, "its contract is not valid"},
		"a file too many":            {[]member{contract, schema, file("main.go", "x")}, `the contract does not name the file "main.go"`},
		"a way out":                  {[]member{contract, schema, file("../../.ssh/authorized_keys", "x")}, "is not a relative path"},
		"a way out in the middle":    {[]member{contract, schema, file("schemas/../../x", "x")}, "is not a relative path"},
		"an absolute path":           {[]member{contract, schema, file("/etc/passwd", "x")}, "is not a relative path"},
		"a path of another system":   {[]member{contract, schema, file(`schemas\..\x`, "x")}, `holds a \`},
		"a drive":                    {[]member{contract, schema, file("C:x", "x")}, `a : or`},
		"a terminal's command":       {[]member{contract, schema, file("a\x1b[2Jb", "x")}, "a control character"},
		"git's own directory":        {[]member{contract, schema, file(".GIT/config", "x")}, "belongs to git"},
		"a symbolic link":            {[]member{contract, special("schemas/event.avsc", tar.TypeSymlink, "/etc/passwd")}, "is a link"},
		"a hard link":                {[]member{contract, special("schemas/event.avsc", tar.TypeLink, "slipway.yaml")}, "is a link"},
		"a device":                   {[]member{contract, special("schemas/event.avsc", tar.TypeChar, "")}, "is a device"},
		"a pipe":                     {[]member{contract, special("schemas/event.avsc", tar.TypeFifo, "")}, "is a device"},
		"a directory":                {[]member{special("schemas/", tar.TypeDir, ""), contract, schema}, "is a directory"},
		"the same file twice":        {[]member{contract, schema, schema}, "twice"},
		"names that differ in case":  {[]member{contract, schema, file("SCHEMAS/EVENT.avsc", "x")}, "cannot tell"},
		"a file that is a directory": {[]member{contract, schema, file("schemas", "x")}, "is a file and a directory"},
		"a large file":               {[]member{huge}, "is larger than 1MiB"},
		"many files":                 {many, "more than 1000 files"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := share.Unpack(archive(t, tt.members...))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v; want %q", b, err, tt.want)
			}
		})
	}
}

// A few bytes can announce an archive that would fill the memory.
func TestAnArchiveIsBoundedAsAWhole(t *testing.T) {
	t.Parallel()
	var members []member
	for i := range 40 {
		members = append(members, file(strings.Repeat("a", i+1), strings.Repeat("x", 1<<20)))
	}
	if _, err := share.Unpack(archive(t, members...)); err == nil || !strings.Contains(err.Error(), "32MiB") {
		t.Errorf("got %v", err)
	}
	if _, err := share.Unpack([]byte("no archive")); err == nil || !strings.Contains(err.Error(), "it is no tar archive") {
		t.Errorf("got %v", err)
	}
}

func TestAContractThatIsNotValidIsNoBundle(t *testing.T) {
	t.Parallel()
	for name, old := range map[string]string{"a syntax error": "kind: Service", "an unknown key": "owner: team-a"} {
		files := edited(t, service("orders"), old, "x: [")
		if b, list := share.Read(files, "."); b != nil || !list.Failed() {
			t.Errorf("%s: got %v, %v", name, b, list)
		}
	}
	overlay := edited(t, service("orders"), "produces:", "environments: {dev: {topics: {orders.created.v1: {key: other}}}}\nproduces:")
	if b, list := share.Read(overlay, "."); b != nil || !list.Failed() {
		t.Errorf("an overlay that breaks it: got %v, %v", b, list)
	}
	missing := maps.Clone(service("orders"))
	delete(missing, "schemas/event.avsc")
	if b, list := share.Read(missing, "."); b != nil || !list.Failed() {
		t.Errorf("a schema that is not there: got %v, %v", b, list)
	}
}

func FuzzUnpack(f *testing.F) {
	files := service("orders")
	f.Add(archive(f, file("slipway.yaml", string(files["slipway.yaml"].Data)), file("schemas/event.avsc", event)))
	f.Add(archive(f, member{tar.Header{Name: "slipway.yaml", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}, ""}))
	f.Add([]byte("x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := share.Unpack(data)
		if err != nil {
			return
		}
		again, err := share.Unpack(b.Pack())
		if err != nil || again.Service.Hash() != b.Service.Hash() {
			t.Errorf("a bundle that was unpacked cannot be packed again: %v", err)
		}
	})
}
