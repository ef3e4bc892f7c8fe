package web

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"regexp"
)

// keyPattern is what an idempotency key looks like.
var keyPattern = regexp.MustCompile(`^[\x21-\x7e]{1,64}$`)

// Key is the request's Idempotency-Key, which makes a repeat harmless. A
// request without one gets a key of its own.
func Key(r *http.Request) (string, error) {
	key := cmp.Or(r.Header.Get("Idempotency-Key"), rand.Text())
	if !keyPattern.MatchString(key) {
		return "", BadRequest("idempotency_key_invalid", "Idempotency-Key is longer than 64 characters or has spaces")
	}
	return key, nil
}
