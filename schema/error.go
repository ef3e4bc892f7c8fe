package schema

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/slipway-go/slipway/diag"
)

// registryError is a failed request as both its readers need it: callers
// branch on the sentinel, people read the diagnostic.
type registryError struct {
	kind  error // one of the package's sentinels
	diag  diag.Diagnostic
	cause error // of the transport, if any
}

func (e *registryError) Error() string { return e.diag.Error() }

// Unwrap lets errors.Is find the sentinel, the code and what lies beneath.
func (e *registryError) Unwrap() []error {
	if e.cause == nil {
		return []error{e.kind, e.diag}
	}
	return []error{e.kind, e.diag, e.cause}
}

// refusal is a registry's answer to a request it did not grant.
type refusal struct {
	Code    int    `json:"error_code"`
	Message string `json:"message"`
}

// fault turns an answer other than 2xx into an error. A 404 without one of the
// registry's own codes comes from whatever else answers at the address, so it
// must not read as "there is no such schema".
func (c *Client) fault(op string, status int, said refusal) error {
	what := fmt.Sprintf("%s: registry %s answered %d", op, c.where(), status)
	if said.Message != "" {
		what += ": " + clip(said.Message, maxMessage)
	}
	refused := func(kind error, code diag.Code) error {
		return &registryError{kind: kind, diag: diag.New(code, "%s", what)}
	}
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return refused(ErrUnauthorized, diag.RegistryRefused)
	case status == http.StatusNotFound && said.Code/100 == http.StatusNotFound:
		return refused(ErrNotFound, diag.SchemaNotRegistered)
	case status == http.StatusConflict:
		return refused(ErrIncompatible, diag.SchemaIncompatible)
	case status == http.StatusUnprocessableEntity || status == http.StatusBadRequest:
		return refused(ErrInvalid, diag.RegistryRejected)
	default:
		return refused(ErrUnavailable, diag.RegistryUnavailable)
	}
}

// unreachable is the error for a request that got no usable answer.
func (c *Client) unreachable(op string, cause error) error {
	return &registryError{
		kind:  ErrUnavailable,
		diag:  diag.New(diag.RegistryUnavailable, "%s: registry %s: %v", op, c.where(), bare(cause)),
		cause: cause,
	}
}

// bare strips the wrapping that repeats the URL.
func bare(err error) error {
	for {
		inner := errors.Unwrap(err)
		if _, ok := err.(interface{ Timeout() bool }); !ok || inner == nil {
			return err
		}
		err = inner
	}
}

// clip bounds text from outside.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}
