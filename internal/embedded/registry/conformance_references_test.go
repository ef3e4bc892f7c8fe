package registry_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/internal/embedded/registry"
	"github.com/slipway-go/slipway/schema"
)

// file is a .proto file of the suite with one message of the given body.
func file(body string) string {
	return `syntax = "proto3"; package shop.v1; message Order { ` + body + ` }`
}

// protobufs is what becomes of versions of a .proto file under a level.
func protobufs(p peer) {
	const before = "string id = 1; int64 total = 2;"
	for name, tt := range map[string]struct {
		level, old, new string
		compatible      bool
		embedded        string // why only the embedded registry is held to it
	}{
		"a new field":                   {"BACKWARD", before, before + " string note = 3;", true, ""},
		"a new field, full":             {"FULL", before, before + " string note = 3;", true, ""},
		"a field less":                  {"BACKWARD", before, "string id = 1;", false, ""},
		"another type":                  {"BACKWARD", before, "string id = 1; string total = 2;", false, ""},
		"another type, forward":         {"FORWARD", before, "string id = 1; string total = 2;", false, ""},
		"another name":                  {"BACKWARD", before, "string id = 1; int64 sum = 2;", false, ""},
		"another number":                {"BACKWARD", before, "string id = 1; int64 total = 3;", false, ""},
		"a list where one value was":    {"FORWARD", before, "string id = 1; repeated int64 total = 2;", false, ""},
		"a reservation used":            {"BACKWARD", "reserved 2; string id = 1;", "string id = 1; int64 x = 2;", false, ""},
		"a reservation dropped":         {"BACKWARD", "reserved 2; string id = 1;", "string id = 1;", false, ""},
		"a field less, reserved":        {"BACKWARD", before, `reserved 2; reserved "total"; string id = 1;`, true, "Apicurio refuses every field that goes"},
		"a field less, forward":         {"FORWARD", before, "string id = 1;", false, "Apicurio looks from the new version to the old one, and lets a number go"},
		"a new field, forward":          {"FORWARD", before, before + " string note = 3;", true, "old readers skip what they do not know; Apicurio refuses it, but not under FULL"},
		"a type that is read as before": {"BACKWARD", before, "string id = 1; int32 total = 2;", true, "Protobuf reads it; Apicurio refuses any other type"},
		"anything under none":           {"NONE", before, "bytes x = 2;", true, ""},
	} {
		if tt.embedded != "" && !p.embedded {
			continue
		}
		s := p.subject(strings.ReplaceAll(strings.ReplaceAll(name, ",", ""), " ", "-"))
		p.level(s, tt.level)
		p.register(s, "PROTOBUF", file(tt.old))
		got := p.post("/compatibility/subjects/"+s+"/versions?verbose=true", "PROTOBUF", file(tt.new))
		if got.status != 200 || got.compatible() != tt.compatible {
			p.Errorf("%s: %d %s, want compatible: %v", name, got.status, got.body, tt.compatible)
		}
		status := map[bool]int{true: 200, false: 409}[tt.compatible]
		if got := p.post("/subjects/"+s+"/versions", "PROTOBUF", file(tt.new)); got.status != status {
			p.Errorf("%s: registering = %d %s, want %d", name, got.status, got.body, status)
		}
	}
	s := p.subject("proto-value")
	id := p.register(s, "PROTOBUF", file(before))
	p.wantSchema(p.get("/subjects/"+s+"/versions/1"), answer{Schema: file(before), Type: "PROTOBUF", Subject: p.plain(s), ID: id, Version: 1})
	p.refuses(p.post("/subjects/"+s+"/versions", "PROTOBUF", "message {"), 422, 42201)
}

// referring is a schema of each format that builds on another subject.
func referring(p peer) {
	for kind, tt := range map[string]struct{ name, used, user, plain string }{
		"AVRO": {
			"shop.Money", `{"type":"record","name":"Money","namespace":"shop","fields":[{"name":"minor","type":"long"}]}`,
			`{"type":"record","name":"Order","fields":[{"name":"total","type":"shop.Money"},{"name":"paid","type":"shop.Money"}]}`,
			`{"type":"record","name":"Order","fields":[{"name":"total","type":"long"}]}`,
		},
		"JSON": {
			"money.json", `{"type":"object","properties":{"minor":{"type":"integer"}}}`,
			`{"type":"object","properties":{"total":{"$ref":"money.json"}}}`, `{"type":"object"}`,
		},
		"PROTOBUF": {
			"shop/money.proto", `syntax = "proto3"; package shop; message Money { int64 minor = 1; }`,
			`syntax = "proto3"; package shop.v1; import "shop/money.proto"; message Order { shop.Money total = 1; }`, file("string id = 1;"),
		},
	} {
		used, user := p.subject("used-"+kind), p.subject(kind+"-value")
		p.register(used, kind, tt.used)
		reference := schema.Reference{Name: tt.name, Subject: p.plain(used), Version: 1}
		in := referringBody(kind, tt.user, reference)
		got := p.send("POST", "/subjects/"+user+"/versions", in)
		if got.status != 200 {
			p.Errorf("%s: register = %d %s", kind, got.status, got.body)
			continue
		}
		for _, held := range []reply{p.get("/subjects/" + user + "/versions/1"), p.send("POST", "/subjects/"+user, in)} {
			var a struct {
				Schema     string             `json:"schema"`
				References []schema.Reference `json:"references"`
			}
			if err := json.Unmarshal([]byte(held.body), &a); err != nil || a.Schema != tt.user || len(a.References) != 1 || a.References[0] != reference {
				p.Errorf("%s: %s = %d %s, want reference %+v", kind, held.what, held.status, held.body, reference)
			}
		}
		if got := p.get("/subjects/" + used + "/versions/1/referencedby"); len(got.list()) != 1 {
			p.Errorf("%s: %s = %s, want one id", kind, got.what, got.body)
		}
		p.refuses(p.send("DELETE", "/subjects/"+used+"/versions/1", ""), 422, 42206)
		if p.embedded {
			// Apicurio finds out when the schema is used.
			nowhere := referringBody(kind, tt.user, schema.Reference{Name: tt.name, Subject: p.plain(used), Version: 7})
			p.refuses(p.send("POST", "/subjects/"+user+"/versions", nowhere), 422, 42201)
			p.refuses(p.post("/subjects/"+p.subject("bare-"+kind)+"/versions", kind, tt.user), 422, 42201)
		}
	}
}

func referringBody(kind, text string, references ...schema.Reference) string {
	in, err := json.Marshal(map[string]any{"schemaType": kind, "schema": text, "references": references})
	if err != nil {
		panic(err)
	}
	return string(in)
}

// TestReferencesAndGUIDsSurviveARestart reads the journal back.
func TestReferencesAndGUIDsSurviveARestart(t *testing.T) {
	t.Parallel()
	journal := t.TempDir() + "/journal"
	var first []string
	for range 2 {
		r := open(t, registry.Config{Journal: journal})
		admin := adminOf(t, r)
		text := schema.Text{Format: "protobuf", Schema: file("string id = 1;"), References: nil}
		if _, err := admin.Register(t.Context(), "used", text); err != nil {
			t.Fatal(err)
		}
		user := schema.Text{
			Format: "protobuf", Schema: `syntax = "proto3"; import "used.proto"; message User { shop.v1.Order o = 1; }`,
			References: []schema.Reference{{Name: "used.proto", Subject: "used", Version: 1}},
		}
		if _, err := admin.Register(t.Context(), "user", user); err != nil {
			t.Fatal(err)
		}
		v, err := admin.Find(t.Context(), "user", user)
		if err != nil || v.GUID == (schema.GUID{}) {
			t.Fatalf("Find = %+v, %v, want a GUID", v, err)
		}
		got, err := admin.TextOf(t.Context(), v.GUID)
		if err != nil || !got.Equal(user) {
			t.Errorf("TextOf = %+v, %v, want %+v", got, err, user)
		}
		source, err := schema.Resolve(t.Context(), admin, got)
		if err != nil || len(source.Imports) != 1 || !strings.Contains(source.Imports[0].Schema, "message Order") {
			t.Errorf("Resolve = %+v, %v", source, err)
		}
		first = append(first, v.GUID.String())
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if first[0] != first[1] {
		t.Errorf("the GUID was %s and is %s", first[0], first[1])
	}
}
