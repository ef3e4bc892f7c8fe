package schema

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// call is one request to the registry.
type call struct {
	op     string // begins the text of every error
	method string // defaults to GET
	path   []string
	query  string
	in     any // the request's body, if not nil
	out    any // where the answer goes, if not nil
}

// do sends a call. A caller who gives up gets the reason it gave up for; every
// other failure is one of the package's sentinels.
func (c *Client) do(ctx context.Context, call call) error {
	req, err := c.request(ctx, call)
	if err != nil {
		return fmt.Errorf("%s: %w", call.op, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.interrupted(ctx, call.op, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return c.interrupted(ctx, call.op, err)
	case len(answer) > maxBody:
		return c.unreachable(call.op, errors.New("answer is longer than 10 MiB"))
	case resp.StatusCode/100 != 2:
		var said refusal
		_ = json.Unmarshal(answer, &said) // a proxy's page has no message for us
		return c.fault(call.op, resp.StatusCode, said)
	case call.out == nil:
		return nil
	}
	if err := json.Unmarshal(answer, call.out); err != nil {
		return c.unreachable(call.op, fmt.Errorf("answer is not a registry's: %w", err))
	}
	return nil
}

func (c *Client) request(ctx context.Context, call call) (*http.Request, error) {
	var payload io.Reader
	if call.in != nil {
		b, err := json.Marshal(call.in)
		if err != nil {
			return nil, err
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, cmp.Or(call.method, http.MethodGet), c.address(call), payload)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", mediaType)
	req.Header.Set("Content-Type", mediaType)
	if err := c.authenticate(req); err != nil {
		return nil, c.unreachable(call.op, err) // says nothing of the record at hand
	}
	return req, nil
}

// address escapes each segment, because subjects may hold any character.
func (c *Client) address(call call) string {
	segments := make([]string, len(call.path))
	for i, p := range call.path {
		segments[i] = url.PathEscape(p)
	}
	u := c.base.JoinPath(segments...)
	u.RawQuery = call.query
	return u.String()
}

func (c *Client) authenticate(req *http.Request) error {
	if c.credentials == nil {
		return nil
	}
	text, err := c.credentials()
	if err != nil {
		return fmt.Errorf("read the registry's credential: %w", err)
	}
	if user, password, ok := strings.Cut(strings.TrimSpace(text), ":"); ok {
		req.SetBasicAuth(user, password)
	}
	return nil
}

// interrupted tells a caller who gave up from a registry that did not answer.
func (c *Client) interrupted(ctx context.Context, op string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", op, context.Cause(ctx))
	}
	return c.unreachable(op, err)
}
