package registry

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/slipway-go/slipway/schema"
)

const maxBody = 10 << 20

// endpoint answers a request with a value to be written as JSON, or an error.
type endpoint func(*http.Request) (any, error)

func (r *Registry) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, e := range map[string]endpoint{
		"GET /{$}":                                            func(*http.Request) (any, error) { return struct{}{}, nil },
		"GET /subjects":                                       r.listSubjects,
		"POST /subjects/{subject}":                            r.lookUp,
		"DELETE /subjects/{subject}":                          r.deleteSubject,
		"GET /subjects/{subject}/versions":                    r.listVersions,
		"POST /subjects/{subject}/versions":                   r.postVersion,
		"GET /subjects/{subject}/versions/{v}":                r.getVersion,
		"DELETE /subjects/{subject}/versions/{v}":             r.deleteVersion,
		"GET /schemas/ids/{id}":                               r.getSchema,
		"GET /schemas/guids/{guid}":                           r.getByGUID,
		"GET /subjects/{subject}/versions/{v}/referencedby":   r.listReferrers,
		"GET /schemas/ids/{id}/versions":                      r.listUses,
		"GET /schemas/types":                                  func(*http.Request) (any, error) { return []string{typeAvro, typeJSON, typeProto}, nil },
		"GET /mode":                                           func(*http.Request) (any, error) { return map[string]string{"mode": "READWRITE"}, nil },
		"GET /config":                                         r.getLevel,
		"PUT /config":                                         r.putLevel,
		"GET /config/{subject}":                               r.getLevel,
		"PUT /config/{subject}":                               r.putLevel,
		"DELETE /config/{subject}":                            r.deleteLevel,
		"POST /compatibility/subjects/{subject}/versions":     r.checkAll,
		"POST /compatibility/subjects/{subject}/versions/{v}": r.checkOne,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, req *http.Request) {
			v, err := e(req)
			if err != nil {
				fail(w, err)
				return
			}
			answer(w, http.StatusOK, v)
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) {
		fail(w, &failure{http.StatusNotFound, http.StatusNotFound, "HTTP 404 Not Found"})
	})
	return mux
}

// schemaBody is a schema in requests and answers.
type schemaBody struct {
	Subject    string             `json:"subject,omitempty"`
	ID         int                `json:"id,omitempty"`
	Version    int                `json:"version,omitempty"`
	GUID       schema.GUID        `json:"guid,omitzero"`
	Type       string             `json:"schemaType,omitempty"` // absent means Avro
	References []schema.Reference `json:"references,omitempty"`
	Schema     *string            `json:"schema,omitempty"`
}

// newSchemaBody is what the API says of a version.
func newSchemaBody(subject string, v version, p parsed) schemaBody {
	b := schemaBody{Subject: subject, ID: v.id, Version: v.number, GUID: p.guid(), References: p.references, Schema: &p.text}
	if p.kind != typeAvro {
		b.Type = p.kind
	}
	return b
}

// readSchema reads and parses the schema of a request.
func (r *Registry) readSchema(req *http.Request) (parsed, error) {
	var b schemaBody
	if err := readBody(req, &b); err != nil {
		return parsed{}, err
	}
	if b.Schema == nil || *b.Schema == "" {
		return parsed{}, invalid(42201, "Invalid schema: the schema is empty")
	}
	r.mu.RLock()
	source, err := r.state.source(*b.Schema, b.References)
	r.mu.RUnlock()
	if err != nil {
		return parsed{}, invalid(42201, "Invalid schema: %v", err)
	}
	p, err := parse(b.Type, source, b.References)
	if err != nil {
		return p, invalid(42201, "Invalid schema: %v", err)
	}
	return p, nil
}

func readBody(req *http.Request, v any) error {
	err := json.NewDecoder(req.Body).Decode(v)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &failure{http.StatusRequestEntityTooLarge, 413, "Request is longer than 10 MiB"}
	}
	if err != nil {
		return &failure{http.StatusBadRequest, 400, "Unable to process JSON: " + err.Error()}
	}
	return nil
}

// number resolves "latest" and a version's number among live versions.
func pick(subject, text string, live []version) (version, error) {
	if len(live) > 0 && (text == "latest" || text == "-1") {
		return live[len(live)-1], nil
	}
	n, err := strconv.Atoi(text)
	at := slices.IndexFunc(live, func(v version) bool { return err == nil && v.number == n })
	if at < 0 {
		return version{}, noVersion(subject, text)
	}
	return live[at], nil
}

// numbers are the version numbers of versions.
func numbers(all []version) []int {
	ns := make([]int, len(all))
	for i, v := range all {
		ns[i] = v.number
	}
	return ns
}
