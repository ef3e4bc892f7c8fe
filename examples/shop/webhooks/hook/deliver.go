package hook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-go/slipway"
)

// The headers of a request.
const (
	IDHeader        = "Webhook-Id"
	TimestampHeader = "Webhook-Timestamp"
	SignatureHeader = "Webhook-Signature"
)

// Sign returns the signature of a request: what a receiver computes, too, and
// compares with [hmac.Equal].
func Sign(secret, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body) // a hash takes everything
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// requestTimeout is how long a receiver may take, which is less than the
// contract's timeout.
const requestTimeout = 5 * time.Second

// newClient follows no redirects: a subscription is for its own address.
func newClient(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     transport,
		Timeout:       requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (s *Service) onDelivery(ctx context.Context, m *slipway.Message[Delivery]) error {
	d := m.Value
	e, err := find(ctx, s.db.Reader(), d.WebhookID)
	if errors.Is(err, errUnknown) {
		return nil // unsubscribed meanwhile
	}
	if err != nil {
		return err
	}
	if told, err := done(ctx, s.db.Reader(), e.ID, d.EventID); err != nil || told {
		return err
	}
	status, err := s.post(ctx, e, d)
	switch {
	case err != nil:
		return err
	case status == http.StatusGone:
		return s.forget(ctx, e.ID)
	case status < 200 || status > 299:
		return fmt.Errorf("tell webhook %s of %s: it answered with status %d", e.ID, d.EventID, status)
	}
	return s.note(ctx, e.ID, d.EventID, status)
}

// post makes one attempt.
func (s *Service) post(ctx context.Context, e Endpoint, d Delivery) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, strings.NewReader(d.Body))
	if err != nil {
		return 0, slipway.Reject(fmt.Errorf("tell webhook %s of %s: %w", e.ID, d.EventID, err))
	}
	now := strconv.FormatInt(time.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(IDHeader, d.EventID)
	req.Header.Set(TimestampHeader, now)
	req.Header.Set(SignatureHeader, Sign(e.Secret, d.EventID, now, []byte(d.Body)))
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("tell webhook %s of %s: %w", e.ID, d.EventID, err)
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // so that the connection can be used again
	return resp.StatusCode, nil
}
