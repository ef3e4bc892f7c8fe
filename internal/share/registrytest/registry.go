package registrytest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
)

const (
	maxBody   = 64 << 20
	indexType = "application/vnd.oci.image.index.v1+json"
)

// A Registry is an OCI registry in memory. It is safe for concurrent use.
type Registry struct {
	// User and Password are wanted of every request, unless they are empty.
	User, Password string

	// Answer takes over a request if it returns true: a registry that lies.
	// It is set before the first request.
	Answer func(w http.ResponseWriter, r *http.Request) bool

	mu        sync.Mutex
	blobs     map[string][]byte // by repository and digest
	manifests map[string]manifest
	referrers map[string][]referrer // by repository and digest
	requests  int
	puts      int
}

type manifest struct {
	kind string
	data []byte
}

// A referrer is how a manifest that refers to another one is listed.
type referrer struct {
	MediaType    string `json:"mediaType"`
	Digest       string `json:"digest"`
	Size         int    `json:"size"`
	ArtifactType string `json:"artifactType"`
}

// Start serves a registry on this machine. The server's address is host:port;
// the caller closes it.
func Start(r *Registry) (server *httptest.Server, address string) {
	server = httptest.NewServer(r)
	return server, strings.TrimPrefix(server.URL, "http://")
}

// Requests is how many requests there were, and how many of them wrote.
func (r *Registry) Requests() (all, puts int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests, r.puts
}

// Put stores a manifest under a tag, whatever it is.
func (r *Registry) Put(repository, tag, kind string, data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put(repository, tag, manifest{kind, data})
}

// Blob stores a blob and returns its digest.
func (r *Registry) Blob(repository string, data []byte) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.init()
	d := digest(data)
	r.blobs[repository+"@"+d] = data
	return d
}

// Manifest returns what a tag or digest stands for.
func (r *Registry) Manifest(repository, reference string) (data []byte, found bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, found := r.manifests[repository+"@"+reference]
	return m.data, found
}

func (r *Registry) init() {
	if r.blobs == nil {
		r.blobs, r.manifests = map[string][]byte{}, map[string]manifest{}
	}
}

func (r *Registry) put(repository, reference string, m manifest) {
	r.init()
	r.manifests[repository+"@"+reference] = m
	r.manifests[repository+"@"+digest(m.data)] = m
}

func (r *Registry) refer(repository, subject string, from referrer) {
	if r.referrers == nil {
		r.referrers = map[string][]referrer{}
	}
	r.referrers[repository+"@"+subject] = append(r.referrers[repository+"@"+subject], from)
}

func (r *Registry) serveReferrers(w http.ResponseWriter, req *http.Request, repository, subject string) {
	text, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": indexType, "manifests": append([]referrer{}, r.referrers[repository+"@"+subject]...),
	})
	serve(w, req, indexType, text, err == nil, "MANIFEST_UNKNOWN")
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

var route = regexp.MustCompile(`^/v2/(.+)/(manifests|blobs|blobs/uploads|referrers)/([^/]*)$`)

// ServeHTTP answers as the distribution specification has it.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.init()
	r.requests++
	if r.Answer != nil && r.Answer(w, req) {
		return
	}
	if user, password, _ := req.BasicAuth(); r.User != "" && (user != r.User || password != r.Password) {
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		fail(w, http.StatusUnauthorized, "UNAUTHORIZED")
		return
	}
	m := route.FindStringSubmatch(req.URL.Path)
	if m == nil {
		fail(w, http.StatusNotFound, "NAME_UNKNOWN")
		return
	}
	data, err := io.ReadAll(io.LimitReader(req.Body, maxBody))
	if err != nil {
		fail(w, http.StatusBadRequest, "SIZE_INVALID")
		return
	}
	if req.Method == http.MethodPut {
		r.puts++
	}
	switch m[2] {
	case "manifests":
		r.serveManifest(w, req, m[1], m[3], data)
	case "referrers":
		r.serveReferrers(w, req, m[1], m[3])
	case "blobs":
		blob, found := r.blobs[m[1]+"@"+m[3]]
		serve(w, req, "application/octet-stream", blob, found, "BLOB_UNKNOWN")
	default:
		r.upload(w, req, m[1], data)
	}
}

func (r *Registry) serveManifest(w http.ResponseWriter, req *http.Request, repository, reference string, data []byte) {
	if req.Method != http.MethodPut {
		m, found := r.manifests[repository+"@"+reference]
		serve(w, req, m.kind, m.data, found, "MANIFEST_UNKNOWN")
		return
	}
	var refers struct {
		ArtifactType string
		Config       struct{ Digest string }
		Layers       []struct{ Digest string }
		Manifests    []struct{ Digest string }
		Subject      struct{ Digest string }
	}
	if err := json.Unmarshal(data, &refers); err != nil {
		fail(w, http.StatusBadRequest, "MANIFEST_INVALID")
		return
	}
	for _, m := range refers.Manifests {
		if _, found := r.manifests[repository+"@"+m.Digest]; !found {
			fail(w, http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN")
			return
		}
	}
	if len(refers.Manifests) == 0 { // it is no index
		refers.Layers = append(refers.Layers, refers.Config)
	}
	for _, l := range refers.Layers {
		if _, found := r.blobs[repository+"@"+l.Digest]; !found {
			fail(w, http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN")
			return
		}
	}
	kind := req.Header.Get("Content-Type")
	r.put(repository, reference, manifest{kind, data})
	if subject := refers.Subject.Digest; subject != "" {
		r.refer(repository, subject, referrer{kind, digest(data), len(data), refers.ArtifactType})
		w.Header().Set("OCI-Subject", subject)
	}
	w.Header().Set("Docker-Content-Digest", digest(data))
	w.WriteHeader(http.StatusCreated)
}

// upload takes a blob in one piece.
func (r *Registry) upload(w http.ResponseWriter, req *http.Request, repository string, data []byte) {
	if req.Method == http.MethodPost {
		w.Header().Set("Location", "/v2/"+repository+"/blobs/uploads/one")
		w.WriteHeader(http.StatusAccepted)
		return
	}
	want := req.URL.Query().Get("digest")
	if digest(data) != want {
		fail(w, http.StatusBadRequest, "DIGEST_INVALID")
		return
	}
	r.blobs[repository+"@"+want] = data
	w.Header().Set("Docker-Content-Digest", want)
	w.WriteHeader(http.StatusCreated)
}

func serve(w http.ResponseWriter, req *http.Request, kind string, data []byte, found bool, code string) {
	if !found {
		fail(w, http.StatusNotFound, code)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", fmt.Sprint(len(data)))
	w.Header().Set("Docker-Content-Digest", digest(data))
	if req.Method == http.MethodGet {
		_, _ = w.Write(data) // the client may be gone
	}
}

func fail(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"errors":[{"code":%q,"message":"no"}]}`, code)
}
