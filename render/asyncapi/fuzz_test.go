package asyncapi_test

import (
	"path"
	"testing"
	"testing/fstest"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/asyncapi"
	"github.com/slipway-go/slipway/render/rendertest"
)

// Whatever a document says, it is refused with a code and a place in it, or becomes
// a contract that is valid, in files that stay below its directory.
func FuzzADocumentIsRefusedOrBecomesAValidContract(f *testing.F) {
	f.Add([]byte(foreign))
	f.Add([]byte(older))
	f.Add([]byte("asyncapi: 3.0.0\nchannels: {a: {$ref: '#/channels/a'}}\n"))
	f.Add([]byte("asyncapi: 3.0.0\ncomponents: {schemas: {s: {schema: {$ref: '#'}, x-slipway: {file: s.json}}}}\n"))
	for name, env := range goldens {
		for _, doc := range documents(f, rendertest.Estate(f, name), env) {
			f.Add(doc.Content)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		draft, problems := asyncapi.Parse("d.yaml", data)
		if (draft == nil) != problems.Failed() {
			t.Fatalf("draft %v with problems %v", draft, problems)
		}
		for _, p := range problems {
			if p.Code == "" || p.Position.File != "d.yaml" {
				t.Errorf("%v has no code, or no place in the document", p)
			}
		}
		if draft == nil {
			return
		}
		files := fstest.MapFS{}
		for _, file := range draft.Files {
			if path.IsAbs(file.Path) || path.Clean(file.Path) != file.Path || file.Path[0] == '.' && file.Path[:min(2, len(file.Path))] == ".." {
				t.Errorf("the file %q is elsewhere", file.Path)
			}
			files[file.Path] = &fstest.MapFile{Data: file.Content}
		}
		if _, problems := contract.Parse(files, contract.ServiceFile); problems.Failed() {
			t.Errorf("the contract is not valid: %v\n%s", problems, draft.Files[0].Content)
		}
	})
}
