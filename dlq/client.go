package dlq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

// A Config says how to reach a cluster, and as whom.
type Config struct {
	// Options are what a client needs to reach the cluster: seeds, TLS, login,
	// dialer. They are required.
	Options []kgo.Opt

	// Principal is who the options log in as, such as
	// User:svc-inventory-prod-redrive. It is for the audit alone; the cluster
	// decides by the login.
	Principal string

	// Now is the clock.
	//
	// Defaults to [time.Now].
	Now func() time.Time

	// Patience is how long the end of a topic is waited for while the cluster
	// gives nothing.
	//
	// Defaults to 30 seconds.
	Patience time.Duration
}

// A Client works on the dead letters of one cluster. Close it. It is safe for
// concurrent use, but two redrives of one topic at a time overwrite each
// other's memory.
type Client struct {
	cfg    Config
	client *kgo.Client // for requests and for commands
	log    kafka.Log
}

// Open returns a client. It connects with the first request, not here.
func Open(cfg Config) (*Client, error) {
	if len(cfg.Options) == 0 {
		return nil, errors.New("open dead letters: Options is empty")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Patience = cmp.Or(cfg.Patience, 30*time.Second)
	client, err := kgo.NewClient(append(slices.Clone(cfg.Options),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchMaxBytes(64<<20), // the topic's max.message.bytes decides
		kgo.MaxBufferedRecords(maxChunk),
	)...)
	if err != nil {
		return nil, fmt.Errorf("open dead letters: %w", err)
	}
	return &Client{cfg: cfg, client: client, log: kafka.NewLog(client)}, nil
}

// Close drops the connections.
func (c *Client) Close() { c.client.Close() }

// failed says what a request about a topic came to, in terms of what the
// principal needs.
func (c *Client) failed(err error, do, topic, right string) error {
	switch {
	case err == nil, len(diag.Of(err)) > 0, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		code := diag.DLQNoTopic
		if right == "WRITE" {
			code = diag.DLQNoRetry
		}
		return diag.New(code, "%s: topic %s does not exist", do, topic)
	}
	if e, ok := errors.AsType[*kerr.Error](err); ok && strings.HasSuffix(e.Message, "_AUTHORIZATION_FAILED") {
		return diag.New(diag.DLQDenied, "%s: %s is not allowed to; it needs %s on %s", do, cmp.Or(c.cfg.Principal, "the principal"), right, topic).
			WithEvidence("%s", e.Message)
	}
	return fmt.Errorf("%s: %w", do, err)
}
