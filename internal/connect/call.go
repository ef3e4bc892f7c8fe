package connect

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// noSuchPath is what a worker says to a request that it does not know at all.
const noSuchPath = "HTTP 404 Not Found"

// call is one request.
type call struct {
	op     string // begins the text of every error
	method string // defaults to GET
	path   []string
	query  url.Values
	in     map[string]string // settings, if not nil
	out    any               // where the answer goes, if not nil
}

// A refusal is an answer that is not 2xx, with what was sent, which it must not
// repeat.
type refusal struct {
	call       call
	status     int
	credential string
	message    string // the worker's words as they came
}

// do sends a call, and makes what the worker has against it an error.
func (c *Client) do(ctx context.Context, call call) error {
	refused, err := c.patiently(ctx, call)
	if err != nil || refused == nil {
		return err
	}
	return c.diagnose(refused)
}

// patiently sends a call, again and again while workers share out their work,
// and returns what else the worker has against it.
func (c *Client) patiently(ctx context.Context, call call) (*refusal, error) {
	var waited *refusal
	for {
		refused, err := c.once(ctx, call)
		switch {
		case err != nil && waited != nil && ctx.Err() != nil:
			return nil, c.busy(ctx, waited)
		case err != nil, refused == nil, refused.status != http.StatusConflict:
			return refused, err
		}
		waited = refused
		select {
		case <-ctx.Done():
			return nil, c.busy(ctx, waited)
		case <-time.After(c.pause):
		}
	}
}

// once sends a call and returns what the worker has against it.
func (c *Client) once(ctx context.Context, call call) (*refusal, error) {
	req, credential, err := c.request(ctx, call)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, call, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, c.unreachable(ctx, call, err)
	case len(body) > maxBody:
		return nil, c.unlike(call, fmt.Errorf("the answer is longer than %d MiB", maxBody>>20))
	case resp.StatusCode/100 != 2:
		var said struct {
			Message string `json:"message"`
		}
		_ = json.Unmarshal(body, &said) // a proxy's page has no message for us
		return &refusal{call, resp.StatusCode, credential, said.Message}, nil
	case call.out == nil:
		return nil, nil
	}
	if err := json.Unmarshal(body, call.out); err != nil {
		return nil, c.unlike(call, errors.New("the answer has another form"))
	}
	return nil, nil
}

func (c *Client) request(ctx context.Context, call call) (*http.Request, string, error) {
	var payload io.Reader
	if call.in != nil {
		text, err := json.Marshal(call.in)
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w", call.op, err)
		}
		payload = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, cmp.Or(call.method, http.MethodGet), c.address(call), payload)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", call.op, err)
	}
	req.Header.Set("Accept", "application/json")
	if call.in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.credentials == nil {
		return req, "", nil
	}
	credential, err := c.credentials()
	user, password, pair := strings.Cut(strings.TrimSpace(credential), ":")
	switch {
	case err != nil:
		return nil, "", fmt.Errorf("%s: %w", call.op, err)
	case credential == "":
	case !pair:
		return nil, "", diag.New(diag.ConnectLogin, "%s: the credential for Kafka Connect is not user:password", call.op)
	case !c.guarded():
		return nil, "", diag.New(diag.ConnectAddress, "%s: the password for %s would go over the network in the clear", call.op, c.base.Host).
			WithFix("write an https address in connect/url of the cluster")
	default:
		req.SetBasicAuth(user, password)
	}
	return req, credential, nil
}

// address escapes each segment, because connectors may be called anything.
func (c *Client) address(call call) string {
	segments := make([]string, len(call.path))
	for i, p := range call.path {
		segments[i] = url.PathEscape(p)
	}
	u := c.base.JoinPath(segments...)
	u.RawQuery = call.query.Encode()
	return u.String()
}

// unreachable tells a caller who gave up from a worker that did not answer.
func (c *Client) unreachable(ctx context.Context, call call, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", call.op, context.Cause(ctx))
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // without the address, which is told already
	}
	return diag.New(diag.ConnectUnreachable, "%s: Kafka Connect at %s: %v", call.op, c.base, err)
}

func (c *Client) unlike(call call, err error) error {
	return diag.New(diag.ConnectAnswer, "%s: Kafka Connect at %s: %v", call.op, c.base, err)
}

// busy is the end of waiting. The caller's reason for it comes along.
func (c *Client) busy(ctx context.Context, r *refusal) error {
	d := diag.New(diag.ConnectBusy, "%s: Kafka Connect at %s still shares out its work", r.call.op, c.base)
	if words := r.words(); words != "" {
		d = d.WithEvidence("%s", words)
	}
	return errors.Join(d, context.Cause(ctx))
}

func (c *Client) diagnose(r *refusal) error {
	code := diag.ConnectRefused
	switch {
	case r.status == http.StatusUnauthorized, r.status == http.StatusForbidden:
		code = diag.ConnectLogin
	case r.message == "", r.message == noSuchPath:
		code = diag.ConnectAnswer // Connect says what it has against a request
	case r.status == http.StatusNotFound:
		code = diag.ConnectUnknown
	}
	words := r.words()
	d := diag.New(code, "%s: Kafka Connect at %s answered %d", r.call.op, c.base, r.status)
	if words != "" {
		d.Message += ": " + words
	}
	if words == withheld && code == diag.ConnectRefused {
		d = d.WithFix("check first that every reference in the settings can be resolved on the worker; its log has its words")
	}
	return d
}

// withheld stands for words that may repeat what a reference resolves to.
const withheld = "its words are left out, because they may repeat what a reference resolves to; the worker's log has them"

// words are the worker's, without what they may repeat of what was sent.
func (r *refusal) words() string {
	for _, value := range r.call.in {
		if strings.Contains(value, "${") && r.message != "" {
			return withheld
		}
	}
	return redact(r.message, r.credential, r.call.in)
}

// redact bounds text of a worker and takes out what must not be repeated.
func redact(text, credential string, settings map[string]string) string {
	hide := func(secret string) {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	_, password, _ := strings.Cut(strings.TrimSpace(credential), ":")
	hide(password)
	if credential != "" {
		hide(base64.StdEncoding.EncodeToString([]byte(strings.TrimSpace(credential))))
	}
	for key, value := range settings {
		if contract.PlainSecret(key, value) {
			hide(value)
		}
	}
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + "…"
	}
	return text
}
