package lagexport_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/lagexport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	orders = "orders.created.v1"
	retry  = "svc-stock-prod.orders.created.v1.retry"
	stock  = "svc-stock-prod"

	every = 30 * time.Second
)

// A kit is a cluster in virtual time with an exporter that looks at stock.
type kit struct {
	*testing.T
	fake     *kfake.Cluster
	network  *kfake.VirtualNetwork
	client   *kgo.Client
	exporter *lagexport.Exporter
	troubles diag.List
	connects int

	mu   sync.Mutex
	away bool
	open []net.Conn
}

// withKit runs a test on two brokers. Where the groups are not told, it is
// stock, which reads orders from the start.
func withKit(t *testing.T, test func(k *kit), groups ...lagexport.Group) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := &kit{T: t, network: new(kfake.VirtualNetwork)}
		var err error
		k.fake, err = kfake.NewCluster(kfake.NumBrokers(2), kfake.Ports(9092, 9093), kfake.ListenFn(k.network.Listen), kfake.SeedTopics(2, orders), kfake.SeedTopics(1, retry))
		if err != nil {
			t.Fatal(err)
		}
		defer k.fake.Close()
		k.client = k.connect(kgo.RecordPartitioner(kgo.ManualPartitioner()))
		defer k.client.Close()
		if groups == nil {
			groups = []lagexport.Group{{ID: stock, Topics: map[string]lagexport.Topic{orders: {FromStart: true}, retry: {Retry: true}}}}
		}
		k.exporter = lagexport.New(lagexport.Config{
			Connect: k.login, Groups: groups, Every: every,
			Trouble: func(l diag.List) { k.troubles = append(k.troubles, l...) },
		})
		defer k.exporter.Close()
		test(k)
	})
}

func (k *kit) connect(opts ...kgo.Opt) *kgo.Client {
	k.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(k.fake.ListenAddrs()...), kgo.Dialer(k.network.DialContext), kgo.MetadataMinAge(10 * time.Millisecond),
	}, opts...)...)
	if err != nil {
		k.Fatal(err)
	}
	return client
}

func (k *kit) login(ctx context.Context) (*kafka.Cluster, error) {
	k.connects++
	return kafka.Connect(ctx, kafka.Config{Bootstrap: strings.Join(k.fake.ListenAddrs(), ","), Dialer: k.dial})
}

// dial is how the exporter finds the cluster, while it can.
func (k *kit) dial(ctx context.Context, network, address string) (net.Conn, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.away {
		return nil, errors.New("connection refused")
	}
	conn, err := k.network.DialContext(ctx, network, address)
	if err == nil {
		k.open = append(k.open, conn)
	}
	return conn, err
}

// cut takes the cluster away from the exporter, and leaves it to the rest.
func (k *kit) cut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.away = true
	for _, conn := range k.open {
		_ = conn.Close()
	}
}

func (k *kit) produce(topic string, partition int32, n int) {
	k.Helper()
	for range n {
		if err := k.client.ProduceSync(k.Context(), &kgo.Record{Topic: topic, Partition: partition}).FirstErr(); err != nil {
			k.Fatal(err)
		}
	}
}

// consume starts a member of a group and returns what makes it leave, after
// what it has read is committed.
func (k *kit) consume(group string, opts ...kgo.Opt) (leave func()) {
	k.Helper()
	member := k.connect(append([]kgo.Opt{
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(orders), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.AutoCommitInterval(time.Second),
	}, opts...)...)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for !member.PollFetches(context.Background()).IsClientClosed() {
		}
	}()
	return func() {
		member.Close()
		<-done
	}
}

// look waits for the time of the next look, and looks.
func (k *kit) look() error {
	<-time.After(every)
	return k.exporter.Look(k.Context())
}

// mustLook looks n times, without trouble.
func (k *kit) mustLook(n int) {
	k.Helper()
	for range n {
		if err := k.look(); err != nil {
			k.Fatal(err)
		}
	}
}

// scrape is what Prometheus would get, by series.
func (k *kit) scrape() map[string]string {
	k.Helper()
	var text strings.Builder
	if err := k.exporter.Write(&text); err != nil {
		k.Fatal(err)
	}
	all := map[string]string{}
	for lines := bufio.NewScanner(strings.NewReader(text.String())); lines.Scan(); {
		if series, value, ok := strings.Cut(lines.Text(), " "); ok && !strings.HasPrefix(series, "#") {
			all[series] = value
		}
	}
	return all
}

// require compares the series that the wanted ones begin: a want of "" is that
// there is none.
func (k *kit) require(want map[string]string) {
	k.Helper()
	got := k.scrape()
	for _, series := range slices.Sorted(maps.Keys(want)) {
		if got[series] != want[series] {
			k.Errorf("%s is %q, want %q", series, got[series], want[series])
		}
	}
	if k.Failed() {
		for _, series := range slices.Sorted(maps.Keys(got)) {
			k.Logf("%s %s", series, got[series])
		}
	}
}

// requireNone fails if a series begins with any of the texts.
func (k *kit) requireNone(begins ...string) {
	k.Helper()
	for series := range k.scrape() {
		for _, b := range begins {
			if strings.HasPrefix(series, b) {
				k.Errorf("%s is exported", series)
			}
		}
	}
}

// of names a series of a partition of orders.
func of(metric string, partition int) string {
	return fmt.Sprintf(`%s{consumer_group="%s",partition="%d",topic="%s"}`, metric, stock, partition, orders)
}

func status(partition int, s string) string {
	return fmt.Sprintf(`slipway_group_partition_status{consumer_group="%s",partition="%d",status="%s",topic="%s"}`, stock, partition, s, orders)
}

func (k *kit) seconds(partition int) float64 {
	k.Helper()
	n, err := strconv.ParseFloat(k.scrape()[of("slipway_group_lag_seconds", partition)], 64)
	if err != nil {
		k.Error(err)
	}
	return n
}

func (k *kit) admin() *kadm.Client { return kadm.NewClient(k.client) }

func (k *kit) delete(topic string) {
	k.Helper()
	if _, err := k.admin().DeleteTopic(k.Context(), topic); err != nil {
		k.Fatal(err)
	}
}

func (k *kit) create(topic string) {
	k.Helper()
	k.client.PurgeTopicsFromProducing(topic) // of which it knows another life
	if _, err := k.admin().CreateTopic(k.Context(), 2, 1, nil, topic); err != nil {
		k.Fatal(err)
	}
}

// commit gives a group without members a position.
func (k *kit) commit(group, topic string, partition int32, offset int64) {
	k.Helper()
	var offsets kadm.Offsets
	offsets.AddOffset(topic, partition, offset, -1)
	if err := k.admin().CommitAllOffsets(k.Context(), group, offsets); err != nil {
		k.Fatal(err)
	}
}
