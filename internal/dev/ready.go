package dev

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/diag"
)

const (
	probeTimeout = 2 * time.Second
	probePause   = 100 * time.Millisecond
)

// await returns when the whole instance serves clients, or with the first
// process that ended instead.
func (c *Cluster) await(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for _, w := range c.workers() {
		go func() {
			select {
			case <-ctx.Done():
			case err := <-w.ended:
				cancel(err)
			}
		}()
	}
	registry := make(chan error, 1)
	go func() { registry <- c.awaitRegistry(ctx) }()
	err := c.awaitBrokers(ctx, c.ids()...)
	if err == nil {
		err = c.createAdmin(ctx)
	}
	if err != nil {
		cancel(err)
		<-registry //nolint:errcheck // it has nothing to add
		return err
	}
	return <-registry
}

func (c *Cluster) ids() []int {
	var ids []int
	for _, n := range c.nodes {
		ids = append(ids, n.id)
	}
	return ids
}

func (c *Cluster) awaitRegistry(ctx context.Context) error {
	url := c.Registry()
	return until(ctx, fmt.Sprintf("the registry at %s", url), func(ctx context.Context) error { return askRegistry(ctx, url) })
}

// awaitBrokers returns when each of the brokers answers the administrator
// itself, and knows the others.
func (c *Cluster) awaitBrokers(ctx context.Context, ids ...int) error {
	cl, err := newClient(c.admin)
	if err != nil {
		return err
	}
	defer cl.Close()
	return until(ctx, fmt.Sprintf("the brokers %v", ids), func(ctx context.Context) error { return askBrokers(ctx, cl, ids) })
}

// createAdmin gives the administrator a password, and returns when every node
// takes it.
func (c *Cluster) createAdmin(ctx context.Context) error {
	cl, err := newClient(c.admin)
	if err != nil {
		return err
	}
	defer cl.Close()
	err = until(ctx, "the administrator's password", func(ctx context.Context) error { return upsertSCRAM(ctx, cl, c.adminPass) })
	if err != nil {
		return err
	}
	byPassword, err := newClient(c.adminPass)
	if err != nil {
		return err
	}
	defer byPassword.Close()
	return until(ctx, "the SCRAM listeners", func(ctx context.Context) error { return askBrokers(ctx, byPassword, c.ids()) })
}

// newClient makes a client that asks once: the callers here ask again.
func newClient(l Login) (*kgo.Client, error) {
	return kgo.NewClient(append(l.Options(), kgo.RequestRetries(0), kgo.DialTimeout(probeTimeout))...)
}

// askBrokers asks one broker which others there are, and then each of the
// given ones.
func askBrokers(ctx context.Context, cl *kgo.Client, ids []int) error {
	if err := lists(ctx, cl, ids); err != nil {
		return err
	}
	for _, id := range ids {
		if err := lists(ctx, cl.Broker(id), ids); err != nil {
			return fmt.Errorf("broker %d: %w", id, err)
		}
	}
	return nil
}

// lists reports whether who answers knows the brokers and a controller.
func lists(ctx context.Context, to kmsg.Requestor, ids []int) error {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{} // none; nil would be all
	resp, err := req.RequestWith(ctx, to)
	if err != nil {
		return err
	}
	if resp.ControllerID < 0 {
		return errors.New("there is no controller yet")
	}
	for _, id := range ids {
		if !slices.ContainsFunc(resp.Brokers, func(b kmsg.MetadataResponseBroker) bool { return int(b.NodeID) == id }) {
			return fmt.Errorf("broker %d is not in the cluster yet", id)
		}
	}
	return nil
}

// upsertSCRAM sets a user's credential for both mechanisms, in a request each:
// Kafka refuses one that names the same user twice.
func upsertSCRAM(ctx context.Context, cl *kgo.Client, user Login) error {
	if err := upsertOne(ctx, cl, user, 1, sha256.New); err != nil {
		return err
	}
	return upsertOne(ctx, cl, user, 2, sha512.New)
}

func upsertOne[H hash.Hash](ctx context.Context, cl *kgo.Client, user Login, mechanism int8, digest func() H) error {
	const iterations = 4096
	salt := make([]byte, 24)
	rand.Read(salt)
	salted, err := pbkdf2.Key(digest, user.password, salt, iterations, digest().Size())
	if err != nil {
		return err
	}
	u := kmsg.NewAlterUserSCRAMCredentialsRequestUpsertion()
	u.Name, u.Mechanism, u.Iterations, u.Salt, u.SaltedPassword = user.Name, mechanism, iterations, salt, salted
	req := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
	req.Upsertions = append(req.Upsertions, u)
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return err
	}
	for _, r := range resp.Results {
		if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
			return err
		}
	}
	return nil
}

// until asks until there is no error. When ctx ends first it says why: a
// diagnostic that cancelled it, else that the time is over.
func until(ctx context.Context, what string, ask func(context.Context) error) error {
	var last error
	for {
		probe, cancel := context.WithTimeout(ctx, probeTimeout)
		err := ask(probe)
		cancel()
		if err == nil {
			return nil
		}
		if last == nil || !errors.Is(err, context.DeadlineExceeded) {
			last = err // an answer says more than silence
		}
		if wait(ctx, probePause) == nil {
			continue
		}
		err = overdue(context.Cause(ctx), "wait for "+what)
		if d, ok := errors.AsType[diag.Diagnostic](err); ok && d.Code == diag.DevNotReady {
			return d.WithEvidence("the last answer: %v", last)
		}
		return err
	}
}

// overdue is why a context ended: a diagnostic that cancelled it, the user who
// did, else that the time is over.
func overdue(cause error, doing string) error {
	if len(diag.Of(cause)) > 0 || errors.Is(cause, context.Canceled) {
		return cause
	}
	return diag.New(diag.DevNotReady, "%s: %v", doing, cause)
}
