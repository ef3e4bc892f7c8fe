package contract_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

const minimal = "apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: a, owner: team-a}\n"

func parse(text string) (*contract.Service, diag.List) {
	return contract.Parse(fstest.MapFS{"slipway.yaml": {Data: []byte(text)}}, "slipway.yaml")
}

// TestBytesThatAReviewerCannotSeeAreRefused gives Parse what no editor shows.
func TestBytesThatAReviewerCannotSeeAreRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text string
		at   string
	}{
		"NUL":                         {"a: \x00\n", "slipway.yaml:4:4"},
		"escape":                      {"a: \x1b[31m\n", "slipway.yaml:4:4"},
		"C1 control":                  {"a: \u0085\n", "slipway.yaml:4:4"},
		"right-to-left override":      {"a: x\u202ey\n", "slipway.yaml:4:5"},
		"isolate in a comment":        {"# \u2066 x\n", "slipway.yaml:4:3"},
		"line separator":              {"a: x\u2028b: y\n", "slipway.yaml:4:5"},
		"invalid UTF-8":               {"a: é\xff\n", "slipway.yaml:4:5"},
		"byte order mark inside":      {"a: \ufeffx\n", "slipway.yaml:4:4"},
		"escaped override in a value": {"slo: {lag: \"1\\u202e\"}\n", "slipway.yaml:4:12"},
		"escaped NUL in a key":        {"\"a\\0\": 1\n", "slipway.yaml:4:1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, list := parse(minimal + tt.text)
			if !told(list, diag.ContractEncoding, tt.at) {
				t.Errorf("got %v, want %s at %s", list, diag.ContractEncoding, tt.at)
			}
		})
	}
	for name, text := range map[string]string{
		"byte order mark":   "\xef\xbb\xbf" + minimal,
		"UTF-16, little":    "\xff\xfea\x00",
		"UTF-16, big":       "\xfe\xff\x00a",
		"UTF-16, unmarked":  "a\x00p\x00i\x00",
		"UTF-32, big":       "\x00\x00\xfe\xff",
		"Latin-1 with care": "\xe9: 1\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, list := parse(text)
			if s != nil || len(list) == 0 || list[0].Code != diag.ContractEncoding || list[0].Position.Line != 1 {
				t.Errorf("got %v, %v, want %s in line 1", s, list, diag.ContractEncoding)
			}
		})
	}
}

// TestHostileFilesAreRefusedBeforeTheyCost bounds size, depth and number.
func TestHostileFilesAreRefusedBeforeTheyCost(t *testing.T) {
	t.Parallel()
	room := contract.MaxFileSize - len(minimal)
	for name, tt := range map[string]struct {
		text string
		want diag.Code
	}{
		"a byte too large":     {minimal + "#" + strings.Repeat("x", room), diag.ContractTooLarge},
		"100 MB":               {strings.Repeat("a", 100_000_000), diag.ContractTooLarge},
		"20,000 brackets":      {minimal + "slo: " + strings.Repeat("[", 20_000), diag.ContractTooLarge},
		"20,000 braces":        {minimal + "slo: " + strings.Repeat("{a: ", 20_000), diag.ContractTooLarge},
		"20,000 dashes":        {minimal + "slo:\n" + strings.Repeat("- ", 20_000), diag.ContractTooLarge},
		"101 levels":           {minimal + "slo: " + strings.Repeat("[", 101) + strings.Repeat("]", 101), diag.ContractTooLarge},
		"deep blocks":          {minimal + blocks(200), diag.ContractTooLarge},
		"a megabyte of keys":   {minimal + many("k%: 1\n", room), diag.ContractTooLarge},
		"a megabyte of items":  {minimal + "slo: [" + strings.Repeat("1,", room/2-10) + "1]", diag.ContractTooLarge},
		"a megabyte of quotes": {minimal + strings.Repeat("\"", room), diag.ContractTooLarge},
		"a megabyte of tabs":   {minimal + strings.Repeat("\txxxxxxxxxxxxxxx\n", room/17), diag.ContractSyntax},
		"a megabyte of words":  {minimal + strings.Repeat("x ", room/2), diag.ContractSyntax},
		"45,000 keys":          {minimal + many("k%: 1\n", 390_000), diag.ContractUnknownKey},
		"90,000 items":         {minimal + "slo: [" + strings.Repeat("1,", 90_000) + "1]", diag.ContractType},
		"90,000 anchors":       {minimal + "slo: [" + strings.Repeat("&a 1,", 90_000) + "1]", diag.ContractAnchor},
		"30,000 times one key": {minimal + strings.Repeat("slo: 1\n", 30_000), diag.ContractDuplicateKey},
		"90,000 documents":     {minimal + strings.Repeat("---\n", 90_000), diag.ContractDocuments},
		"30,000 empty texts":   {minimal + "slo: [" + strings.Repeat("\"\",", 30_000) + "1]", diag.ContractType},
		"a long word":          {minimal + strings.Repeat("a", room-1), diag.ContractSyntax},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, list := parse(tt.text)
			if !list.Failed() || !hasCode(list, tt.want) {
				t.Errorf("got %.300v, want %s", list, tt.want)
			}
			if len(list) > 110 {
				t.Errorf("%d problems were told", len(list))
			}
		})
	}
}

func blocks(depth int) string {
	var b strings.Builder
	for i := range depth {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// many repeats a line with a number in it up to a size.
func many(line string, size int) string {
	var b bytes.Buffer
	for i := 0; b.Len()+len(line)+8 < size; i++ {
		b.WriteString(strings.ReplaceAll(line, "%", string(rune('a'+i%26))+string(rune('a'+i/26%26))+string(rune('a'+i/676%26))+string(rune('a'+i/17576%26))))
	}
	return b.String()
}

func TestDepthWithinTheLimitIsReadable(t *testing.T) {
	t.Parallel()
	_, list := parse(minimal + "slo: " + strings.Repeat("[", 90) + strings.Repeat("]", 90) + "\n")
	if hasCode(list, diag.ContractTooLarge) || !hasCode(list, diag.ContractType) {
		t.Errorf("got %v, want %s alone", list, diag.ContractType)
	}
}

// TestOnlyRegularFilesOfTheDirectoryAreRead offers links, pipes and
// directories in the place of a contract and of a schema.
func TestOnlyRegularFilesOfTheDirectoryAreRead(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "secret.avsc")
	if err := os.WriteFile(outside, []byte(`"string"`), 0o600); err != nil {
		t.Fatal(err)
	}
	owned := func(file string) string {
		return minimal + "topics: {x.y.v1: {key: id, schema: {format: avro, file: " + file + "}}}\nproduces: {x.y.v1: {}}\n"
	}
	for name, tt := range map[string]struct {
		contract string
		prepare  func(dir string) error
		want     diag.Code
	}{
		"a link to a schema outside": {owned("s.avsc"), func(dir string) error { return os.Symlink(outside, filepath.Join(dir, "s.avsc")) }, diag.ContractFile},
		"a link to a directory":      {owned("schemas/secret.avsc"), func(dir string) error { return os.Symlink(filepath.Dir(outside), filepath.Join(dir, "schemas")) }, diag.ContractFile},
		"a pipe":                     {owned("s.avsc"), func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, "s.avsc"), 0o600) }, diag.ContractFile},
		"a directory":                {owned("s.avsc"), func(dir string) error { return os.Mkdir(filepath.Join(dir, "s.avsc"), 0o700) }, diag.ContractFile},
		"a schema that is too large": {owned("s.avsc"), func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "s.avsc"), make([]byte, contract.MaxFileSize+1), 0o600)
		}, diag.ContractFile},
		"a contract that is a link": {"", func(dir string) error {
			return os.Symlink(outside, filepath.Join(dir, "slipway.yaml"))
		}, diag.ContractUnreadable},
		"a contract that is a pipe":    {"", func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, "slipway.yaml"), 0o600) }, diag.ContractUnreadable},
		"a contract that is not there": {"", func(string) error { return nil }, diag.ContractMissing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if tt.contract != "" {
				if err := os.WriteFile(filepath.Join(dir, "slipway.yaml"), []byte(tt.contract), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := tt.prepare(dir); err != nil {
				t.Fatal(err)
			}
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			_, list := contract.Parse(root.FS(), "slipway.yaml")
			if !hasCode(list, tt.want) {
				t.Errorf("got %v, want %s", list, tt.want)
			}
		})
	}
}

func told(list diag.List, code diag.Code, at string) bool {
	for _, d := range list {
		if d.Code == code && d.Position.String() == at {
			return true
		}
	}
	return false
}

func hasCode(list diag.List, code diag.Code) bool {
	for _, d := range list {
		if d.Code == code {
			return true
		}
	}
	return false
}

// FuzzParse holds Parse to: it ends, it does not panic, every fault has a
// place in the file, and what is taken can be laid over and hashed.
func FuzzParse(f *testing.F) {
	f.Add([]byte(minimal))
	f.Add([]byte(full))
	files, _ := filepath.Glob("testdata/estate/*/slipway.yaml")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, s := range []string{"\t", "a: &x [*x]", "? [a]\n: b", "%YAML 1.1\n---\n", "a: !!binary x", "<<: {}", "- - - -", "{a: {b: {c: }}}", "\xff\xfe", "kind: Service\nenvironments: {dev: {topics: {x: }}}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fsys := fstest.MapFS{"slipway.yaml": {Data: data}}
		s, list := contract.Parse(fsys, "slipway.yaml")
		for _, d := range list {
			if d.Position.File != "slipway.yaml" || d.Remedy() == "" || d.Message == "" {
				t.Errorf("incomplete: %#v", d)
			}
			if d.Position.Line > bytes.Count(data, []byte("\n"))+bytes.Count(data, []byte("\r"))+1 {
				t.Errorf("%v is behind the end of the file", d)
			}
		}
		if s == nil {
			if !list.Failed() {
				t.Error("neither a service nor an error")
			}
			return
		}
		if len(s.Hash()) != 64 {
			t.Errorf("hash %q", s.Hash())
		}
		for _, env := range append(s.Environments, "dev") {
			if in, _ := s.In(env); in == nil || in.Env != env {
				t.Errorf("In(%s): %v", env, in)
			}
		}
		e, _ := contract.Load(fsys, ".")
		e.Validate()
	})
}
