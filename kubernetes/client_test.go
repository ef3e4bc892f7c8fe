//go:build kubernetes

package kubernetes_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
)

// A client speaks to an API server as its protocol is documented, without a library
// between that might correct what is sent.
type client struct {
	base string
	http http.Client

	mu    sync.Mutex
	kinds map[string]map[string]kind // by version and kind
}

// A kind is where objects of a kind are to be found.
type kind struct {
	Name       string `json:"name"`
	Kind       string `json:"kind"`
	Namespaced bool   `json:"namespaced"`
}

// A refusal is what an API server says to a request that it does not do.
type refusal struct {
	Code    int
	Reason  string
	Message string
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s: %s", r.Code, r.Reason, r.Message) }

// trust takes over the certificate that the API server has made for itself.
func (c *client) trust(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return errors.New("the API server's certificate is no certificate")
	}
	c.http.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}}
	return nil
}

// send sends a request and returns the answer, whose body the caller closes.
func (c *client) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch && strings.Contains(path, "fieldManager=") {
		req.Header.Set("Content-Type", "application/apply-patch+yaml")
	} else if method == http.MethodPatch {
		req.Header.Set("Content-Type", "application/merge-patch+json")
	}
	return c.http.Do(req)
}

// do sends a request and returns the object that comes back. A warning of the server
// is an error, too: it tells of what will be refused one day, or under Pod Security.
func (c *client) do(ctx context.Context, method, path string, body any) (object, error) {
	resp, err := c.send(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		said := refusal{Code: resp.StatusCode, Message: string(text)}
		_ = json.Unmarshal(text, &said) // what is no status stays a text
		return nil, &said
	}
	if warnings := resp.Header.Values("Warning"); len(warnings) > 0 {
		return nil, fmt.Errorf("the API server warns: %s", strings.Join(warnings, "; "))
	}
	var o object
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		return nil, nil
	}
	return o, json.Unmarshal(text, &o)
}

// path is where an object is, or would be.
func (c *client) path(ctx context.Context, o object) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	root := "/apis/" + o.version()
	if !strings.Contains(o.version(), "/") {
		root = "/api/" + o.version()
	}
	if _, known := c.kinds[o.version()][o.kind()]; !known {
		if err := c.discover(ctx, root, o.version()); err != nil {
			return "", err
		}
	}
	k, known := c.kinds[o.version()][o.kind()]
	if !known {
		return "", fmt.Errorf("the API server knows no %s %s", o.version(), o.kind())
	}
	if !k.Namespaced {
		return root + "/" + k.Name + "/" + o.name(), nil
	}
	ns := o.namespace()
	if ns == "" {
		return "", fmt.Errorf("%s lies in no namespace", o)
	}
	return root + "/namespaces/" + ns + "/" + k.Name + "/" + o.name(), nil
}

// discover asks which kinds there are of a version.
func (c *client) discover(ctx context.Context, root, version string) error {
	list, err := c.do(ctx, "GET", root, nil)
	if err != nil {
		return fmt.Errorf("ask for the kinds of %s: %w", version, err)
	}
	data, err := json.Marshal(list["resources"])
	if err != nil {
		return err
	}
	var kinds []kind
	if err := json.Unmarshal(data, &kinds); err != nil {
		return err
	}
	if c.kinds == nil {
		c.kinds = map[string]map[string]kind{}
	}
	c.kinds[version] = map[string]kind{}
	for _, k := range kinds {
		if !strings.Contains(k.Name, "/") {
			c.kinds[version][k.Kind] = k
		}
	}
	return nil
}

// strict has a field that is unknown or there twice refused, not dropped.
const strict = "?fieldManager=slipway&fieldValidation=Strict&force=true"

// apply applies an object as kubectl apply --server-side --validate=strict does.
func (c *client) apply(ctx context.Context, o object) (object, error) {
	path, err := c.path(ctx, o)
	if err != nil {
		return nil, err
	}
	return c.do(ctx, "PATCH", path+strict, o)
}

// try applies an object without effect: everything is judged, nothing is kept.
func (c *client) try(ctx context.Context, o object) error {
	path, err := c.path(ctx, o)
	if err != nil {
		return err
	}
	_, err = c.do(ctx, "PATCH", path+strict+"&dryRun=All", o)
	return err
}

// get returns an object as it is now.
func (c *client) get(ctx context.Context, o object) (object, error) {
	path, err := c.path(ctx, o)
	if err != nil {
		return nil, err
	}
	return c.do(ctx, "GET", path, nil)
}
