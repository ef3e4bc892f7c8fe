package plan_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/plan"
)

// record is an Avro schema with these fields, each "name type" or "name type
// default".
func record(fields ...string) string {
	parts := make([]string, len(fields))
	for i, f := range fields {
		words := strings.Fields(f)
		parts[i] = fmt.Sprintf(`{"name":%q,"type":%q}`, words[0], words[1])
		if len(words) > 2 {
			parts[i] = fmt.Sprintf(`{"name":%q,"type":%q,"default":%s}`, words[0], words[1], words[2])
		}
	}
	return `{"type":"record","name":"Created","fields":[` + strings.Join(parts, ",") + `]}`
}

// readWith is an estate in which b reads what a writes, each with a schema of its
// own.
func readWith(t *testing.T, extension, level, writer, reader string) *plan.Desired {
	t.Helper()
	return derive(t, estate(t, "dev", map[string]string{
		"a":                  fmt.Sprintf("topics: {a.created.v1: {key: id, schema: {file: s%s, compatibility: %s}}}\nproduces: {a.created.v1: {}}", extension, level),
		"a/s" + extension:    writer,
		"b":                  fmt.Sprintf("consumes: {a.created.v1: {schema: {file: need%s}}}", extension),
		"b/need" + extension: reader,
	}), contract.Embedded)
}

// registration is the change that registers the schema of a.created.v1.
func registration(t *testing.T, want *plan.Desired) plan.Change {
	t.Helper()
	have := settled(want)
	have.Subjects["a.created.v1-value"] = plan.SubjectState{Level: want.Subjects[0].Level}
	p := diff(t, want, have)
	if len(p.Changes) != 1 || p.Changes[0].Kind != plan.KindSchema {
		t.Fatalf("want one registration, got:\n%s", text(p))
	}
	return p.Changes[0]
}

func TestASchemaThatAReaderCouldNotReadIsNotRegistered(t *testing.T) {
	t.Parallel()
	const object = `{"type":"object","properties":{"id":{"type":"string"},"n":{"type":"integer"}},"required":["id","n"]}`
	for name, tt := range map[string]struct {
		extension, level, writer, reader string
		want                             []string // of the note; empty if it can be registered
	}{
		"the reader's own":              {".avsc", "backward", record("id string"), record("id string"), nil},
		"a field that nobody asked for": {".avsc", "backward", record("id string", "n int"), record("id string"), nil},
		"a wider number":                {".avsc", "backward", record("id string", "n int"), record("id string", "n long"), nil},
		"a field with a default":        {".avsc", "backward", record("id string"), record("id string", "n int 0"), nil},
		"a field that is gone":          {".avsc", "backward", record("id string"), record("id string", "n int"), []string{"b (b/slipway.yaml:", "field ", "n"}},
		"a narrower number":             {".avsc", "none", record("id string", "n long"), record("id string", "n int"), []string{"b (b/slipway.yaml:", "n", "long"}},
		// What a reader leaves out says nothing of what it writes: it writes
		// nothing. So a forward level asks no more of it.
		"a field without default, forward": {".avsc", "forward", record("id string", "n int"), record("id string"), nil},
		"the same in JSON":                 {".json", "backward", object, `{"type":"object","properties":{"id":{"type":"string"}},"required":["id"]}`, nil},
		"a property that may be missing":   {".json", "backward", strings.Replace(object, `"id","n"`, `"id"`, 1), object, []string{"b (b/slipway.yaml:", "field n: it is required to be read, and may be missing"}},
		"another type in JSON":             {".json", "backward", object, strings.Replace(object, "integer", "string", 1), []string{"field n: it is written as integer and read as string"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := registration(t, readWith(t, tt.extension, tt.level, tt.writer, tt.reader))
			if impossible := c.Class == plan.Impossible; impossible != (tt.want != nil) {
				t.Fatalf("got %v: %s", c, c.Note)
			}
			for _, want := range tt.want {
				if !strings.Contains(c.Note, want) {
					t.Errorf("the note %q lacks %q", c.Note, want)
				}
			}
		})
	}
}

func TestAnUnreadableSchemaIsRefusedBeforeAnythingIsTouched(t *testing.T) {
	t.Parallel()
	want := readWith(t, ".avsc", "backward", record("id string"), record("id string", "n int"))
	have := settled(want)
	have.Subjects["a.created.v1-value"] = plan.SubjectState{Level: contract.Backward}
	err := plan.Guard(diff(t, want, have), nil)
	if !errors.Is(err, plan.ErrRefused) || !errors.Is(err, diag.PlanImpossible) || !strings.Contains(diag.Of(err)[0].Fix, "b (b/slipway.yaml:") {
		t.Errorf("got %v", err)
	}
}

// A schema that is registered has been read for long, or has not: what a new
// reader needs is that reader's problem.
func TestARegisteredSchemaIsNotAskedAbout(t *testing.T) {
	t.Parallel()
	want := readWith(t, ".avsc", "backward", record("id string"), record("id string", "n int"))
	if p := diff(t, want, settled(want)); !p.Empty() {
		t.Errorf("got:\n%s", text(p))
	}
}

func TestReadersWithoutAContractAreAskedToo(t *testing.T) {
	t.Parallel()
	want := derive(t, estate(t, "dev", map[string]string{
		"a":        "topics: {a.created.v1: {key: id, schema: {file: s.avsc}}}\nproduces: {a.created.v1: {}}",
		"a/s.avsc": record("id string"),
		"external.yaml": "apiVersion: slipway.dev/v1\nkind: External\nreaders:\n" +
			"  lake: {topic: a.created.v1, schema: {file: lake.avsc}}\n  search: {topic: a.created.v1, schema: {file: search.avsc}}\n",
		"lake.avsc":   record("id string", "n int"),
		"search.avsc": record("id string"),
	}), contract.Embedded)
	c := registration(t, want)
	if c.Class != plan.Impossible || !strings.Contains(c.Note, "lake (external.yaml:4:") || strings.Contains(c.Note, "search") {
		t.Errorf("got %v: %s", c, c.Note)
	}
}

// Every reader is told, so that they can be asked at once.
func TestAllReadersThatCouldNotReadAreTold(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"a":        "topics: {a.created.v1: {key: id, schema: {file: s.avsc}}}\nproduces: {a.created.v1: {}}",
		"a/s.avsc": record("id string"),
	}
	for _, name := range []string{"b", "c", "d"} {
		files[name] = "consumes: {a.created.v1: {schema: {file: need.avsc}}}"
		files[name+"/need.avsc"] = record("id string", "n int")
	}
	files["d/need.avsc"] = record("id string")
	c := registration(t, derive(t, estate(t, "dev", files), contract.Embedded))
	if strings.Count(c.Note, "could not read it") != 2 || !strings.Contains(c.Note, "c (c/slipway.yaml:") {
		t.Errorf("got %s", c.Note)
	}
}
