package kafka_test

import (
	"context"
	"errors"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
)

const ordersTopic = "orders.created.v1"

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// client is the administrator's, for what is not the admin's to do.
func client(t *testing.T, cfg kafka.Config, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	opts = append([]kgo.Opt{
		kgo.SeedBrokers(cfg.Bootstrap), kgo.SASL(scram.Auth{User: "admin", Pass: "pencil"}.AsSha512Mechanism()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
	}, opts...)
	c, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// offsets serves a topic of two partitions with three records a minute apart
// in the first.
func offsets(t *testing.T) (*kafka.Cluster, *kfake.Cluster, kafka.Config) {
	t.Helper()
	fake, cfg := serve(t, kfake.NumBrokers(1), kfake.SeedTopics(2, ordersTopic))
	producer := client(t, cfg)
	for i := range 3 {
		r := &kgo.Record{Topic: ordersTopic, Value: []byte{'x'}, Timestamp: noon.Add(time.Duration(i) * time.Minute)}
		if err := producer.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	return connect(t, cfg), fake, cfg
}

func TestPositionsAreCommittedReadAndForgotten(t *testing.T) {
	t.Parallel()
	c, _, _ := offsets(t)
	want := map[kafka.Partition]kafka.GroupOffset{
		{Topic: ordersTopic, ID: 0}: {Offset: 2, Epoch: -1, Metadata: "note"},
		{Topic: ordersTopic, ID: 1}: {Offset: 0, Epoch: -1},
	}
	refused, err := c.Commit(t.Context(), "g", want)
	if err != nil || len(refused) > 0 {
		t.Fatal(err, refused)
	}
	got, err := c.Positions(t.Context(), "g")
	if diff := gocmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, positions (-want +got):\n%s", err, diff)
	}
	if refused, err = c.Forget(t.Context(), "g", []kafka.Partition{{Topic: ordersTopic, ID: 0}}); err != nil || len(refused) > 0 {
		t.Fatal(err, refused)
	}
	if got, err = c.Positions(t.Context(), "g"); err != nil || len(got) != 1 {
		t.Errorf("%v, %v, want only that of partition 1", got, err)
	}
	if got, err := c.Positions(t.Context(), "nobody"); err != nil || len(got) != 0 {
		t.Errorf("positions of an unknown group are %v, %v", got, err)
	}
}

func TestAPartitionThatDoesNotExistIsAnsweredForByItself(t *testing.T) {
	t.Parallel()
	c, _, _ := offsets(t)
	refused, err := c.Commit(t.Context(), "g", map[kafka.Partition]kafka.GroupOffset{
		{Topic: ordersTopic, ID: 0}: {Offset: 1, Epoch: -1}, {Topic: "none.v1", ID: 0}: {Offset: 1, Epoch: -1},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(refused) != 1 || !errors.Is(refused[kafka.Partition{Topic: "none.v1"}], kerr.UnknownTopicOrPartition) {
		t.Errorf("refused are %v, want none.v1 alone", refused)
	}
}

func TestTheBoundsOfALogAreTold(t *testing.T) {
	t.Parallel()
	c, _, _ := offsets(t)
	got, err := c.Bounds(t.Context(), ordersTopic, "none.v1")
	if err != nil {
		t.Fatal(err)
	}
	b := got[kafka.Partition{Topic: ordersTopic, ID: 0}]
	if len(got) != 2 || b.Start != 0 || b.End != 3 || !b.Newest.Equal(noon.Add(2*time.Minute)) {
		t.Errorf("bounds are %+v", got)
	}
	if empty := got[kafka.Partition{Topic: ordersTopic, ID: 1}]; empty.End != 0 || !empty.Newest.IsZero() {
		t.Errorf("bounds of an empty partition are %+v", empty)
	}
	if got, err := c.Bounds(t.Context()); err != nil || len(got) > 0 {
		t.Errorf("bounds of no topic are %v, %v", got, err)
	}
}

// TestATimeIsNeverAnsweredWithALaterEnd appends a record between the two
// questions that an answer takes: the end that counts is the earlier one.
func TestATimeIsNeverAnsweredWithALaterEnd(t *testing.T) {
	t.Parallel()
	c, fake, cfg := offsets(t)
	producer := client(t, cfg)
	asked := 0
	fake.ControlKey(int16(kmsg.ListOffsets), func(req kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		asked++
		if asked != 3 { // ends, times, and then the ends again where no time fits
			return nil, nil, false
		}
		fake.SleepControl(func() {
			r := &kgo.Record{Topic: ordersTopic, Value: []byte{'x'}, Timestamp: noon.Add(3 * time.Hour)}
			if err := producer.ProduceSync(context.WithoutCancel(t.Context()), r).FirstErr(); err != nil {
				t.Error(err)
			}
		})
		return nil, nil, false
	})
	got, err := c.At(t.Context(), noon.Add(time.Hour), ordersTopic)
	if err != nil {
		t.Fatal(err)
	}
	if asked < 3 {
		t.Fatalf("%d questions, want 3: nothing was appended in between", asked)
	}
	if p := got[kafka.Partition{Topic: ordersTopic, ID: 0}]; p.Offset != 3 {
		t.Errorf("the place is %d, and the record at 3 is younger than what was asked for", p.Offset)
	}
}

func TestTimestampsAreOfTheRecordsAtTheOffsets(t *testing.T) {
	t.Parallel()
	c, _, _ := offsets(t)
	at := kafka.Partition{Topic: ordersTopic, ID: 0}
	got, err := c.Timestamps(t.Context(), map[kafka.Partition]int64{at: 1})
	if diff := gocmp.Diff(map[kafka.Partition]time.Time{at: noon.Add(time.Minute)}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	// One that cannot be read does not hide the others.
	gone := kafka.Partition{Topic: ordersTopic, ID: 1}
	got, err = c.Timestamps(t.Context(), map[kafka.Partition]int64{at: 2, gone: 7})
	if diff := gocmp.Diff(map[kafka.Partition]time.Time{at: noon.Add(2 * time.Minute)}, got); diff != "" || err == nil {
		t.Errorf("%v, want an error for the offset beyond the end (-want +got):\n%s", err, diff)
	}
	if got, err := c.Timestamps(t.Context(), nil); err != nil || len(got) > 0 {
		t.Errorf("timestamps of nothing are %v, %v", got, err)
	}
}

func TestAGroupOfEveryProtocolIsSeen(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		opts []kgo.Opt
		want kafka.Protocol
	}{
		"classic": {[]kgo.Opt{kgo.ConsumerGroup("g")}, kafka.ClassicProtocol},
		"KIP-848": {[]kgo.Opt{kgo.ConsumerGroup("g"), kgo.ServerSideBalancer()}, kafka.ConsumerProtocol},
		"share":   {[]kgo.Opt{kgo.ShareGroup("g")}, kafka.ShareProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, fake, cfg := offsets(t)
			// Real brokers know a group by its own protocol alone.
			if tt.want != kafka.ClassicProtocol {
				fake.ControlKey(int16(kmsg.DescribeGroups), func(req kmsg.Request) (kmsg.Response, error, bool) {
					fake.KeepControl()
					resp := req.ResponseKind().(*kmsg.DescribeGroupsResponse)
					for _, id := range req.(*kmsg.DescribeGroupsRequest).Groups {
						g := kmsg.NewDescribeGroupsResponseGroup()
						g.Group, g.State, g.ErrorCode = id, kafka.Dead, kerr.GroupIDNotFound.Code
						resp.Groups = append(resp.Groups, g)
					}
					return resp, nil, true
				})
			}
			join(t, c, cfg, tt.opts...)
			m, err := c.Membership(t.Context(), "g")
			if err != nil || m.Protocol != tt.want || len(m.Members) != 1 {
				t.Fatalf("%+v, %v, want a %s group with a member", m, err, tt.want)
			}
			if diff := gocmp.Diff([]int32{0, 1}, m.Members[0].Assigned[ordersTopic]); diff != "" {
				t.Errorf("assigned (-want +got):\n%s", diff)
			}
			groups, err := c.Groups(t.Context(), "g", "nobody")
			if err != nil || groups[0].Err != nil || groups[0].Members != 1 || len(groups[0].Topics) != 1 || groups[0].Topics[0].Assigned != 2 {
				t.Errorf("%+v, %v, want a member that holds two partitions", groups, err)
			}
			if groups[1].State != kafka.Dead || groups[1].Err != nil {
				t.Errorf("an unknown group is %+v", groups[1])
			}
		})
	}
}

// join makes a member and returns when it holds partitions.
func join(t *testing.T, c *kafka.Cluster, cfg kafka.Config, opts ...kgo.Opt) {
	t.Helper()
	member := client(t, cfg, append(opts, kgo.ConsumeTopics(ordersTopic), kgo.ClientID("member"))...)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			member.PollFetches(ctx)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		if m, err := c.Membership(t.Context(), "g"); err == nil && len(m.Holder(ordersTopic, 1)) > 0 {
			return
		}
	}
	t.Fatal("the member got no partitions")
}

func TestWithoutRightsNoGroupIsSeenOrMoved(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t, kfake.User("SCRAM-SHA-512", "guest", "guest"), kfake.SeedTopics(1, ordersTopic))
	cfg.User, cfg.Password = "guest", auth.Static(secret.New("guest"))
	c := connect(t, cfg)
	at := kafka.Partition{Topic: ordersTopic}
	for name, ask := range map[string]func(context.Context) error{
		"membership": func(ctx context.Context) error { _, err := c.Membership(ctx, "g"); return err },
		"positions":  func(ctx context.Context) error { _, err := c.Positions(ctx, "g"); return err },
		"bounds":     func(ctx context.Context) error { _, err := c.Bounds(ctx, ordersTopic); return err },
		"at":         func(ctx context.Context) error { _, err := c.At(ctx, noon, ordersTopic); return err },
		"forget":     func(ctx context.Context) error { _, err := c.Forget(ctx, "g", []kafka.Partition{at}); return err },
		"share":      func(ctx context.Context) error { _, _, err := c.SharePositions(ctx, "g"); return err },
		"timestamps": func(ctx context.Context) error {
			_, err := c.Timestamps(ctx, map[kafka.Partition]int64{at: 0})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := ask(t.Context()); !errors.Is(err, diag.KafkaDenied) {
				t.Errorf("%v, want %s", err, diag.KafkaDenied)
			}
		})
	}
}
