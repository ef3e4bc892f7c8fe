package registry

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// access decides who may do what. Passwords are kept and compared as digests,
// so that a comparison takes the same time however much of one is right.
type access struct {
	open          bool
	admin, reader [sha256.Size]byte
}

func newAccess(cfg Config) access {
	return access{
		open:   cfg.Admin == "",
		admin:  sha256.Sum256([]byte(cfg.Admin)),
		reader: sha256.Sum256([]byte(cfg.Reader)),
	}
}

// check returns why a request is refused, or nil.
func (a access) check(req *http.Request) *failure {
	if a.open {
		return nil
	}
	user, password, ok := req.BasicAuth()
	given := sha256.Sum256([]byte(user + ":" + password))
	admin := subtle.ConstantTimeCompare(given[:], a.admin[:]) == 1
	reader := subtle.ConstantTimeCompare(given[:], a.reader[:]) == 1 && user != ""
	switch {
	case !ok || !admin && !reader:
		return &failure{status: http.StatusUnauthorized, code: 40101, message: "User cannot be authenticated"}
	case !admin && writes(req):
		return &failure{status: http.StatusForbidden, code: 40301, message: "User " + user + " may only read"}
	}
	return nil
}

// writes reports whether a request could change something. Looking a schema up
// and checking one are POST requests that change nothing; whatever is not known
// to be harmless is taken for a write.
func writes(req *http.Request) bool {
	path := req.URL.EscapedPath()
	switch req.Method {
	case http.MethodGet, http.MethodHead:
		return false
	case http.MethodPost:
		lookup := strings.HasPrefix(path, "/subjects/") && strings.Count(path, "/") == 2
		return !lookup && !strings.HasPrefix(path, "/compatibility/")
	default:
		return true
	}
}
