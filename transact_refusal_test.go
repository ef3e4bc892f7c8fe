package slipway_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/embedded"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
)

func TestAPolicyThatTransactionsCannotKeepIsRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ old, replacement, names string }{
		"parking":               {"then: dead-letter", "then: park", "then: stop"},
		"a wait beyond inPlace": {"[1s, 2s]", "[1s, 1m]", "inPlace: 1m0s"},
		"a backoff beyond it":   {"delays: [1s, 2s]", "backoff: {first: 1s, factor: 10, max: 1m, attempts: 5}", "inPlace: 1m0s"},
		"reading uncommitted":   {"order: key", "order: key\n    isolation: uncommitted", "isolation: committed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := exactFiles("")
			files["slipway.yaml"].Data = bytes.ReplaceAll(files["slipway.yaml"].Data, []byte(tt.old), []byte(tt.replacement))
			app, err := slipway.New(slipway.Config{Files: files, Environment: slipway.Environment{Name: "dev"}, Codecs: []schema.Codec{avro.Codec()}})
			if err != nil {
				t.Fatal(err)
			}
			if err := ship(forward)(app); err != nil {
				t.Fatal(err)
			}
			err = app.Run(t.Context())
			if !errors.Is(err, diag.TransactionPolicy) {
				t.Fatalf("Run() = %v, want %s", err, diag.TransactionPolicy)
			}
			if said := told(err); !strings.Contains(said, tt.names) {
				t.Errorf("Run() = %s, want it to name %q", said, tt.names)
			}
		})
	}
}

// A service of plain bytes, which needs nothing but its topics.
const relay = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: relay, owner: team-warehouse}
identity: {auth: scram-sha-512}
adopt: {principal: admin}
topics:
  out.v1: {partitions: 3}
produces:
  out.v1: {via: transactionOLD}
consumes:
  in.v1: {concurrency: 4, retry: {delays: [1s], then: dead-letter}}
`

func TestOldTransactionsAreRefusedUnlessTheContractAllowsThem(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		level int16
		allow string
		runs  bool
	}{
		"version 0":          {0, "", false},
		"version 1":          {1, "", false},
		"version 2":          {2, "", true},
		"version 0, allowed": {0, ", oldBrokers: allow", true},
		"version 1, allowed": {1, ", oldBrokers: allow", true},
	} {
		if testing.Short() && tt.level == 1 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cluster, err := embedded.Start(t.Context(), embedded.Config{Network: new(kfake.VirtualNetwork)})
				if err != nil {
					t.Fatal(err)
				}
				defer farewell(cluster)
				client := adminClient(t, cluster)
				defer client.Close()
				setTransactionVersion(t, client, tt.level)
				for _, topic := range []string{"in.v1", "out.v1", "svc-relay-dev.in.v1.dlq"} {
					if err := cluster.Kafka().CreateTopic(topic, 3, nil); err != nil {
						t.Fatal(err)
					}
				}
				err = runRelay(t, cluster, client, tt.allow)
				if !tt.runs && (!errors.Is(err, diag.TransactionOldBrokers) || !strings.Contains(told(err), "oldBrokers: allow")) {
					t.Errorf("Run() = %v, want %s with the way out", told(err), diag.TransactionOldBrokers)
				}
				if tt.runs && err != nil {
					t.Errorf("Run() = %v", told(err))
				}
			})
		})
	}
}

// runRelay has the relay pass on 60 records, of which a third fails once, and
// requires each of them once. It returns what Run said, at once if it refuses.
func runRelay(t *testing.T, cluster *embedded.Cluster, client *kgo.Client, allow string) error {
	t.Helper()
	app, err := slipway.New(slipway.Config{
		Files:       fstest.MapFS{"slipway.yaml": {Data: []byte(strings.ReplaceAll(relay, "OLD", allow))}},
		Environment: mounted(t, cluster), Dial: cluster.Dial, Instance: "0",
	})
	if err != nil {
		t.Fatal(err)
	}
	out := slipway.NewProducer[[]byte](app, "out.v1")
	slipway.Handle(app, "in.v1", func(ctx context.Context, m *slipway.Message[[]byte]) error {
		if r, err := out.Send(ctx, &m.Value); err != nil || r.Offset != -1 {
			return fmt.Errorf("send: %v, %w", r, err)
		}
		if m.Offset%3 == 0 && m.Attempt == 1 {
			return errors.New("not now")
		}
		return nil
	})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	for i := range 60 {
		rec := &kgo.Record{Topic: "in.v1", Key: fmt.Append(nil, i%10), Value: fmt.Append(nil, i)}
		if err := client.ProduceSync(t.Context(), rec).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(time.Minute):
	}
	reader := adminClient(t, cluster, kgo.ConsumeTopics("out.v1"), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	defer reader.Close()
	seen := make(map[string]int)
	for deadline, cancel := context.WithTimeout(t.Context(), time.Minute); ; {
		fetches := reader.PollFetches(deadline)
		if deadline.Err() != nil {
			cancel()
			break
		}
		fetches.EachRecord(func(r *kgo.Record) { seen[string(r.Value)]++ })
	}
	for i := range 60 {
		if n := seen[fmt.Sprint(i)]; n != 1 {
			t.Errorf("record %d was produced %d times, want once", i, n)
		}
	}
	stop()
	return <-ended
}

func adminClient(t *testing.T, cluster *embedded.Cluster, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	login := cluster.Admin()
	mechanism, err := auth.Mechanism(contract.SCRAMSHA512, login.User, auth.Static(secret.New(login.Password)))
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(cluster.Bootstrap()...), kgo.SASL(mechanism), kgo.Dialer(cluster.DialTLS))...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func setTransactionVersion(t *testing.T, client *kgo.Client, level int16) {
	t.Helper()
	if level == 2 {
		return // as it is
	}
	req := kmsg.NewPtrUpdateFeaturesRequest()
	update := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
	update.Feature, update.MaxVersionLevel, update.UpgradeType, update.AllowDowngrade = "transaction.version", level, 2, true
	req.FeatureUpdates = append(req.FeatureUpdates, update)
	resp, err := req.RequestWith(t.Context(), client)
	if err != nil || resp.ErrorCode != 0 {
		t.Fatalf("set transaction.version to %d: %v, %+v", level, err, resp)
	}
}

func TestASendOutsideAHandlerIsRefused(t *testing.T) {
	t.Parallel()
	var p *slipway.Producer[order]
	var late chan error
	wire := func(app *slipway.App) error {
		p, late = slipway.NewProducer[order](app, shipments), make(chan error, 1)
		slipway.Handle(app, orders, func(ctx context.Context, m *slipway.Message[order]) error {
			go func() { // outlives the handler
				<-ctx.Done()
				_, err := p.Send(ctx, &m.Value)
				late <- err
			}()
			return nil
		})
		return nil
	}
	runExact(t, wire, func(t *testing.T, k *kit) {
		if _, err := p.Send(t.Context(), &order{"o-1", 1}); !errors.Is(err, slipway.ErrNoTransaction) {
			t.Errorf("Send() outside a handler = %v, want ErrNoTransaction", err)
		}
		orderMany(k, 0, 1)
		if err := <-late; !errors.Is(err, slipway.ErrNoTransaction) {
			t.Errorf("Send() after the handler returned = %v, want ErrNoTransaction", err)
		}
		k.RequireProduced(shipments, 0)
	})
}
