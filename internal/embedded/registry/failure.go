package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

const mediaType = "application/vnd.schemaregistry.v1+json"

// failure is a refused request: the status and the body that clients parse.
type failure struct {
	status  int
	code    int
	message string
}

func (f *failure) Error() string { return f.message }

func (f *failure) write(w http.ResponseWriter) {
	if f.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="schema registry"`)
	}
	answer(w, f.status, map[string]any{"error_code": f.code, "message": f.message})
}

// The codes are those of Confluent's API; Apicurio answers with the same.
func noSubject(subject string) error {
	return &failure{http.StatusNotFound, 40401, fmt.Sprintf("Subject '%s' not found.", subject)}
}

func noVersion(subject, version string) error {
	return &failure{http.StatusNotFound, 40402, fmt.Sprintf("Version %s of subject '%s' not found.", version, subject)}
}

func noSchema(what string) error {
	return &failure{http.StatusNotFound, 40403, fmt.Sprintf("Schema not found: %s", what)}
}

func invalid(code int, format string, args ...any) error {
	return &failure{http.StatusUnprocessableEntity, code, fmt.Sprintf(format, args...)}
}

func incompatible(subject string, reasons []string) error {
	message := fmt.Sprintf("Schema being registered is incompatible with subject '%s': %s", subject, strings.Join(reasons, "; "))
	return &failure{http.StatusConflict, 409, message}
}

// answer writes JSON.
func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone: nobody to tell
}

// fail writes an error. What is not a failure is the registry's own fault.
func fail(w http.ResponseWriter, err error) {
	if f, ok := errors.AsType[*failure](err); ok {
		f.write(w)
		return
	}
	(&failure{http.StatusInternalServerError, 50001, err.Error()}).write(w)
}
