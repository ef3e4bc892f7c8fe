package registry_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/internal/embedded/registry"
)

// envRegistry names the base address of another registry to hold to the same
// suite: Apicurio's Confluent API, for example.
const envRegistry = "SLIPWAY_TEST_REGISTRY_URL"

// TestConformance is the contract of the registry's API. It runs on the
// embedded registry always and on the one that SLIPWAY_TEST_REGISTRY_URL names
// if it is set. Where the two are meant to differ, a case says so and why.
func TestConformance(t *testing.T) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewServer(open(t, registry.Config{}))
		t.Cleanup(server.Close)
		conform(t, peer{base: server.URL, embedded: true})
	})
	t.Run("other", func(t *testing.T) {
		t.Parallel()
		base := os.Getenv(envRegistry)
		if base == "" {
			t.Skip(envRegistry + " is not set")
		}
		conform(t, peer{base: base})
	})
}

// The schemas of the suite. The numbers are versions of one event.
const (
	order1  = `{"type":"record","name":"Order","fields":[{"name":"id","type":"string"}]}`
	order2  = `{"type":"record","name":"Order","fields":[{"name":"id","type":"string"},{"name":"total","type":"long","default":0}]}`
	order3  = `{"type":"record","name":"Order","fields":[{"name":"id","type":"string"},{"name":"total","type":"long"}]}`
	orderNo = `{"type":"record","name":"Order","fields":[{"name":"id","type":"int"},{"name":"total","type":"long"}]}`

	closed1 = `{"type":"object","properties":{"id":{"type":"string"}},"required":["id"],"additionalProperties":false}`
	closed2 = `{"type":"object","properties":{"id":{"type":"string"},"total":{"type":"integer"}},"required":["id"],"additionalProperties":false}`
	closed3 = `{"type":"object","properties":{"id":{"type":"string"},"total":{"type":"integer"}},"required":["id","total"],"additionalProperties":false}`
	open1   = `{"type":"object","properties":{"id":{"type":"string"}},"required":["id"]}`
	open2   = `{"type":"object","properties":{"id":{"type":"string"},"total":{"type":"integer"}},"required":["id"]}`
)

func conform(t *testing.T, p peer) {
	t.Run("registering", func(t *testing.T) { t.Parallel(); registering(p.in(t)) })
	t.Run("reading", func(t *testing.T) { t.Parallel(); reading(p.in(t)) })
	t.Run("missing", func(t *testing.T) { t.Parallel(); missing(p.in(t)) })
	t.Run("refusing", func(t *testing.T) { t.Parallel(); refusing(p.in(t)) })
	t.Run("levels", func(t *testing.T) { t.Parallel(); settingLevels(p.in(t)) })
	t.Run("checking", func(t *testing.T) { t.Parallel(); checking(p.in(t)) })
	t.Run("transitive", func(t *testing.T) { t.Parallel(); transitive(p.in(t)) })
	t.Run("deleting", func(t *testing.T) { t.Parallel(); deleting(p.in(t)) })
	t.Run("avro levels", func(t *testing.T) { t.Parallel(); avroLevels(p.in(t)) })
	t.Run("protobuf", func(t *testing.T) { t.Parallel(); protobufs(p.in(t)) })
	t.Run("references", func(t *testing.T) { t.Parallel(); referring(p.in(t)) })
	t.Run("json levels", func(t *testing.T) { t.Parallel(); jsonLevels(p.in(t)) })
}

func registering(p peer) {
	s := p.subject("a/b ü-value")
	id := p.register(s, "", order1)
	if again := p.register(s, "AVRO", order1); again != id {
		p.Errorf("the same schema again has id %d, had %d", again, id)
	}
	if other := p.register(p.subject("other-value"), "", order1); other != id {
		p.Errorf("the same schema under another subject has id %d, had %d", other, id)
	}
	if next := p.register(s, "", order2); next == id {
		p.Errorf("two schemas share id %d", id)
	}
	p.want(p.get("/subjects/"+s+"/versions"), 200, `[1,2]`)
	if p.embedded {
		// Apicurio compares texts and makes a version of every reformatting;
		// Confluent's registry, and this one, compare schemas.
		if got := p.register(s, "", strings.ReplaceAll(order1, ",", " ,\n")); got != id {
			p.Errorf("a reformatted schema has id %d, want %d", got, id)
		}
	}
}

func reading(p peer) {
	s, j := p.subject("orders-value"), p.subject("json-value")
	id := p.register(s, "", order1)
	jid := p.register(j, "JSON", closed1)
	p.wantSchema(p.get(fmt.Sprintf("/schemas/ids/%d", id)), answer{Schema: order1})
	p.wantSchema(p.get(fmt.Sprintf("/schemas/ids/%d", jid)), answer{Schema: closed1, Type: "JSON"})
	for _, v := range []string{"1", "latest"} {
		p.wantSchema(p.get("/subjects/"+s+"/versions/"+v), answer{Schema: order1, Subject: p.plain(s), ID: id, Version: 1})
		p.wantSchema(p.get("/subjects/"+j+"/versions/"+v), answer{Schema: closed1, Type: "JSON", Subject: p.plain(j), ID: jid, Version: 1})
	}
	p.wantSchema(p.post("/subjects/"+s, "", order1), answer{Schema: order1, Subject: p.plain(s), ID: id, Version: 1})
	if got := p.get("/subjects"); !slices.Contains(got.list(), any(p.plain(s))) {
		p.Errorf("GET /subjects = %s, want it to hold %s", got.body, s)
	}
	if got := p.get(fmt.Sprintf("/schemas/ids/%d/versions", jid)); !strings.Contains(got.body, p.plain(j)) {
		p.Errorf("versions of schema %d = %s, want %s", jid, got.body, j)
	}
	if got := p.get("/schemas/types"); !slices.Contains(got.list(), "AVRO") || !slices.Contains(got.list(), "JSON") {
		p.Errorf("GET /schemas/types = %s", got.body)
	}
}

func missing(p peer) {
	s, none := p.subject("orders-value"), p.subject("none-value")
	p.register(s, "", order1)
	p.refuses(p.get("/subjects/"+none+"/versions"), 404, 40401)
	p.refuses(p.get("/subjects/"+none+"/versions/1"), 404, 40401)
	p.refuses(p.get("/subjects/"+none+"/versions/latest"), 404, 40401)
	p.refuses(p.post("/subjects/"+none, "", order1), 404, 40401)
	p.refuses(p.send("DELETE", "/subjects/"+none, ""), 404, 40401)
	p.refuses(p.post("/compatibility/subjects/"+none+"/versions", "", order1), 404, 40401)
	p.refuses(p.post("/compatibility/subjects/"+none+"/versions/latest", "", order1), 404, 40402)
	p.refuses(p.get("/subjects/"+s+"/versions/7"), 404, 40402)
	p.refuses(p.get("/subjects/"+s+"/versions/0"), 404, 40402)
	p.refuses(p.post("/subjects/"+s, "", order2), 404, 40403)
	p.refuses(p.get("/schemas/ids/999999"), 404, 40403)
	if got := p.get("/nosuchpath"); got.status != 404 || got.code()/100 == 404 {
		p.Errorf("an unknown path = %d %s, want a 404 that reads as no registry's answer", got.status, got.body)
	}
}

func refusing(p peer) {
	s := p.subject("orders-value")
	p.register(s, "", order1)
	for name, b := range map[string]string{
		"unknown type":        body("", `{"type":"nope"}`),
		"bad json schema":     body("JSON", `{"type":7}`),
		"unknown schema type": body("XML", `"string"`),
	} {
		p.refusesNamed(name, p.send("POST", "/subjects/"+s+"/versions", b), 422, 42201)
	}
	if got := p.send("POST", "/subjects/"+s+"/versions", "xx"); got.status != 400 {
		p.Errorf("a body that is not JSON = %d %s, want 400", got.status, got.body)
	}
	if p.embedded {
		// Apicurio takes an empty schema for Protobuf and stores it, and
		// answers 500 to a body without schema.
		p.refuses(p.send("POST", "/subjects/"+s+"/versions", body("", "")), 422, 42201)
		p.refuses(p.send("POST", "/subjects/"+s+"/versions", "{}"), 422, 42201)
		p.refuses(p.send("POST", "/subjects/"+s+"/versions", `{"schema":"\"string\"","references":[{}]}`), 422, 42201)
	}
	p.want(p.get("/subjects/"+s+"/versions"), 200, `[1]`)
}

func settingLevels(p peer) {
	s := p.subject("orders-value")
	p.register(s, "", order1)
	for _, level := range []string{"NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"} {
		p.want(p.level(s, level), 200, `{"compatibility":"`+level+`"}`)
		p.want(p.get("/config/"+s), 200, `{"compatibilityLevel":"`+level+`"}`)
	}
	p.want(p.send("DELETE", "/config/"+s, ""), 200, `{"compatibilityLevel":"FULL_TRANSITIVE"}`)
	got := p.level(s, "SIDEWAYS")
	if p.embedded {
		// As Confluent's registry; Apicurio answers 400 to a level it does
		// not know, the global level to a subject without one, and starts
		// with NONE, where a breaking schema would pass unseen.
		p.refuses(got, 422, 42203)
		p.refuses(p.get("/config/"+s), 404, 40408)
		p.want(p.get("/config/"+s+"?defaultToGlobal=true"), 200, `{"compatibilityLevel":"BACKWARD"}`)
		p.want(p.get("/config"), 200, `{"compatibilityLevel":"BACKWARD"}`)
		p.want(p.get("/mode"), 200, `{"mode":"READWRITE"}`)
	} else if got.status != 400 && got.status != 422 {
		p.Errorf("an unknown level = %d %s", got.status, got.body)
	}
}

func checking(p peer) {
	s := p.subject("orders-value")
	p.register(s, "", order1)
	p.level(s, "BACKWARD")
	for _, path := range []string{"/versions", "/versions/latest", "/versions/1"} {
		path = "/compatibility/subjects/" + s + path
		if got := p.post(path, "", order2); got.status != 200 || !got.compatible() {
			p.Errorf("POST %s of a compatible schema = %d %s", path, got.status, got.body)
		}
		if got := p.post(path, "", orderNo); got.status != 200 || got.compatible() {
			p.Errorf("POST %s of an incompatible schema = %d %s", path, got.status, got.body)
		}
		got := p.post(path+"?verbose=true", "", orderNo)
		if !strings.Contains(got.body, "id") && !strings.Contains(got.body, "/fields/0") {
			p.Errorf("verbose check %s = %s, want the field's path", path, got.body)
		}
		p.refuses(p.post(path, "", `{"type":"nope"}`), 422, 42201)
	}
	p.refuses(p.post("/compatibility/subjects/"+s+"/versions/9", "", order1), 404, 40402)
	p.refuses(p.post("/subjects/"+s+"/versions", "", orderNo), 409, 409)
	p.want(p.get("/subjects/"+s+"/versions"), 200, `[1]`)
}

// transitive registers order1 and order2; order3 can read order2 only.
func transitive(p peer) {
	for level, want := range map[string]int{"BACKWARD": 200, "BACKWARD_TRANSITIVE": 409} {
		s := p.subject(strings.ToLower(level) + "-value")
		p.register(s, "", order1)
		p.level(s, level)
		p.register(s, "", order2)
		if got := p.post("/subjects/"+s+"/versions", "", order3); got.status != want {
			p.Errorf("at %s a schema that reads only the newest version = %d %s, want %d", level, got.status, got.body, want)
		}
	}
}

func deleting(p peer) {
	s := p.subject("orders-value")
	p.level(s, "NONE")
	id := p.register(s, "", order1)
	p.register(s, "", order2)
	p.want(p.send("DELETE", "/subjects/"+s+"/versions/1", ""), 200, `1`)
	p.want(p.get("/subjects/"+s+"/versions"), 200, `[2]`)
	p.want(p.get("/subjects/"+s+"/versions?deleted=true"), 200, `[1,2]`)
	p.refuses(p.get("/subjects/"+s+"/versions/1"), 404, 40402)
	p.wantSchema(p.get(fmt.Sprintf("/schemas/ids/%d", id)), answer{Schema: order1}) // records still name it
	if again := p.register(s, "", order1); again != id {
		p.Errorf("a deleted schema registered again has id %d, had %d", again, id)
	}
	p.want(p.get("/subjects/"+s+"/versions"), 200, `[2,3]`)
	p.want(p.send("DELETE", "/subjects/"+s, ""), 200, `[2,3]`)
	if got := p.send("DELETE", "/subjects/"+s, ""); got.status != 404 {
		p.Errorf("deleting a deleted subject = %d %s", got.status, got.body)
	}
	if got := p.get("/subjects"); slices.Contains(got.list(), any(p.plain(s))) {
		p.Errorf("GET /subjects = %s, want no %s", got.body, s)
	}
	if p.embedded {
		// Apicurio forgets what was deleted for ever; here every id stays.
		p.refuses(p.send("DELETE", "/subjects/"+s+"?permanent=true", ""), 404, 40401)
		p.register(s, "", order1)
		p.refuses(p.send("DELETE", "/subjects/"+s+"?permanent=true", ""), 422, 42205)
	}
}

// peer is a registry under test.
type peer struct {
	*testing.T
	base     string
	embedded bool
	prefix   string
}

// in returns the peer for one test, whose subjects are its own.
func (p peer) in(t *testing.T) peer {
	p.T, p.prefix = t, fmt.Sprintf("%s-%x-", strings.ReplaceAll(t.Name(), "/", "-"), time.Now().UnixNano())
	return p
}

// subject returns a subject's name as a path segment.
func (p peer) subject(name string) string {
	return strings.NewReplacer("/", "%2F", " ", "%20", "ü", "%C3%BC").Replace(p.prefix + name)
}

func (p peer) plain(subject string) string {
	return strings.NewReplacer("%2F", "/", "%20", " ", "%C3%BC", "ü").Replace(subject)
}

// reply is what a registry answered.
type reply struct {
	status int
	body   string
	what   string
}

// answer is a schema in a reply.
type answer struct {
	Subject string `json:"subject"`
	ID      int    `json:"id"`
	Version int    `json:"version"`
	Schema  string `json:"schema"`
	Type    string `json:"schemaType"`
}

func (p peer) send(method, path, body string) reply {
	p.Helper()
	req, err := http.NewRequestWithContext(p.Context(), method, p.base+path, strings.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/vnd.schemaregistry.v1+json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		p.Fatal(err)
	}
	return reply{resp.StatusCode, strings.TrimSpace(string(b)), method + " " + path}
}

func (p peer) get(path string) reply { p.Helper(); return p.send("GET", path, "") }

func (p peer) post(path, kind, schema string) reply {
	p.Helper()
	return p.send("POST", path, body(kind, schema))
}

func (p peer) level(subject, level string) reply {
	p.Helper()
	return p.send("PUT", "/config/"+subject, `{"compatibility":"`+level+`"}`)
}

// register registers a schema that must be accepted.
func (p peer) register(subject, kind, schema string) int {
	p.Helper()
	got := p.post("/subjects/"+subject+"/versions", kind, schema)
	var a answer
	if err := json.Unmarshal([]byte(got.body), &a); err != nil || got.status != 200 || a.ID == 0 {
		p.Fatalf("register under %s = %d %s", subject, got.status, got.body)
	}
	return a.ID
}

func (p peer) want(got reply, status int, body string) {
	p.Helper()
	if got.status != status || got.body != body {
		p.Errorf("%s = %d %s, want %d %s", got.what, got.status, got.body, status, body)
	}
}

func (p peer) wantSchema(got reply, want answer) {
	p.Helper()
	var a answer
	if err := json.Unmarshal([]byte(got.body), &a); err != nil || got.status != 200 || a != want {
		p.Errorf("%s = %d %s, want %+v", got.what, got.status, got.body, want)
	}
}

func (p peer) refuses(got reply, status, code int) { p.Helper(); p.refusesNamed("", got, status, code) }

func (p peer) refusesNamed(name string, got reply, status, code int) {
	p.Helper()
	if got.status != status || got.code() != code {
		p.Errorf("%s %s = %d %s, want %d with code %d", name, got.what, got.status, got.body, status, code)
	}
}

func (r reply) code() int {
	var e struct {
		Code int `json:"error_code"`
	}
	_ = json.Unmarshal([]byte(r.body), &e)
	return e.Code
}

func (r reply) compatible() bool {
	var v struct {
		Compatible bool `json:"is_compatible"`
	}
	_ = json.Unmarshal([]byte(r.body), &v)
	return v.Compatible
}

func (r reply) list() []any {
	var l []any
	_ = json.Unmarshal([]byte(r.body), &l)
	return l
}

// body is a schema as a request carries it.
func body(kind, schema string) string {
	var b bytes.Buffer
	in := map[string]string{"schema": schema}
	if kind != "" {
		in["schemaType"] = kind
	}
	if err := json.NewEncoder(&b).Encode(in); err != nil {
		panic(err)
	}
	return b.String()
}

// open opens a registry that ends with the test.
func open(t *testing.T, cfg registry.Config) *registry.Registry {
	t.Helper()
	r, err := registry.Open(cfg)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}
