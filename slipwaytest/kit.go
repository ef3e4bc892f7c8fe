package slipwaytest

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/embedded"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/schema"
)

// patience is how much virtual time the kit gives to what must happen.
const patience = 2 * time.Minute

// A Kit is a test's hand on the services and their cluster. Its methods end
// the test when something goes wrong. Use it from the test's goroutine only.
type Kit struct {
	t        *testing.T
	alias    string          // of the cluster
	first    *Kit            // on the default cluster; nil for that one
	others   map[string]*Kit // of the first, by alias
	cluster  *embedded.Cluster
	dir      string
	log      *slog.Logger
	journal  *journal
	codecs   []schema.Codec
	services map[string]*service
	order    []string // service names, as given
	topics   map[string]*topic
	admin    *kafka.Cluster
	registry *schema.Admin
	client   *kgo.Client   // sends
	clients  []*kgo.Client // all that are to be closed
	network  *network
	read     map[string]*reading // by topic
	skipped  map[spot]bool       // tickets that the test told to skip
}

func (k *Kit) service(name string) *service {
	k.t.Helper()
	s := k.services[name]
	if s == nil {
		k.t.Fatalf("no service %q under test; there are %s", name, strings.Join(k.order, ", "))
	}
	return s
}

// Kafka returns the brokers, to inject faults into.
func (k *Kit) Kafka() *kfake.Cluster { return k.cluster.Kafka() }

// HTTP returns the HTTP endpoints of a service, to be called directly, also
// from other goroutines than the test's. A request goes to the oldest instance
// that runs; while none does the answer is 503.
func (k *Kit) HTTP(service string) http.Handler {
	k.t.Helper()
	s := k.service(service)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		app := s.oldest.Load()
		if app == nil {
			http.Error(w, "the service does not run", http.StatusServiceUnavailable)
			return
		}
		app.Mux().ServeHTTP(w, r)
	})
}

// Health returns how the oldest running instance of a service stands.
func (k *Kit) Health(service string) slipway.Health {
	k.t.Helper()
	return k.app(service).Health()
}

// Ready returns what keeps a service from its work, nil for nothing.
func (k *Kit) Ready(service string) error {
	k.t.Helper()
	return k.app(service).Ready()
}

// Lag returns how many records of the cluster a service has yet to finish, by its
// committed offsets.
func (k *Kit) Lag(service string) int64 {
	k.t.Helper()
	s := k.service(service)
	var names, topics []string
	for _, c := range s.contract.Consumes {
		if c.Grouped() && k.here(c.Cluster) {
			names = append(names, s.contract.GroupID(c))
			topics = append(topics, c.Topic)
		}
	}
	slices.Sort(names)
	groups, err := k.admin.Groups(k.t.Context(), slices.Compact(names)...)
	if err != nil {
		k.t.Fatalf("look at groups of %s: %v", service, err)
	}
	var lag int64
	for _, g := range groups {
		if g.Err != nil {
			k.t.Fatalf("look at group %s: %v", g.ID, g.Err)
		}
		for _, t := range g.Topics {
			if slices.Contains(topics, t.Topic) { // not what waits in retry topics
				lag += t.Lag
			}
		}
	}
	return lag
}

// app returns the oldest instance of a service.
func (k *Kit) app(service string) *slipway.App {
	k.t.Helper()
	s := k.service(service)
	if len(s.instances) == 0 {
		k.t.Fatalf("service %s was stopped", service)
	}
	return s.instances[0].app
}

// Advance lets virtual time go by, and everything finish that can.
func (k *Kit) Advance(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// eventually waits in virtual time until a condition holds.
func (k *Kit) eventually(what string, holds func() bool) {
	k.t.Helper()
	for deadline := time.Now().Add(patience); !holds(); k.Advance(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			k.t.Fatalf("waited %v in vain for %s", patience, what)
		}
	}
}

// A SendOption varies one call of [Kit.Send] or [Kit.SendBytes].
type SendOption func(*kgo.Record)

// Key sets the record's key.
func Key(key string) SendOption { return func(r *kgo.Record) { r.Key = []byte(key) } }

// Partition sets the record's partition.
func Partition(id int32) SendOption { return func(r *kgo.Record) { r.Partition = id } }

// ID sets the event's id.
func ID(id string) SendOption { return Header(record.EventID, id) }

// Header sets a header.
func Header(name, value string) SendOption {
	return func(r *kgo.Record) { r.Headers = record.Set(r.Headers, name, value) }
}

// Send writes a value to a topic under the topic's schema, with a random event
// id. Its key is the field that the owner's contract names; a topic whose owner
// is not under test gets the same key for every record, so that records are
// handled in the order they were sent, unless [Key] says otherwise.
func (k *Kit) Send(topic string, value any, opts ...SendOption) {
	k.t.Helper()
	t := k.topics[topic]
	if t == nil {
		k.t.Fatalf("send to %s: no service under test owns or consumes it", topic)
	}
	payload, key := k.encode(topic, t, value)
	k.SendBytes(topic, key, payload, append([]SendOption{ID(rand.Text())}, opts...)...)
}

// encode writes a value, given as a struct or a pointer to one.
func (k *Kit) encode(name string, t *topic, value any) (payload, key []byte) {
	k.t.Helper()
	key = []byte("test")
	if raw, ok := value.([]byte); ok && t.format == "" {
		return raw, key
	}
	typ := reflect.TypeOf(value)
	pointer := reflect.ValueOf(value)
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	} else {
		pointer = reflect.New(typ)
		pointer.Elem().Set(reflect.ValueOf(value))
	}
	binding := k.bind(name, t, typ)
	payload, err := binding.Append(t.mark.Append(nil), pointer.Interface())
	if err != nil {
		k.t.Fatalf("encode value for %s: %v", name, err)
	}
	if t.key.Field != "" {
		if key, err = t.encodeKey(binding, pointer.Interface()); err != nil {
			k.t.Fatalf("read key for %s: %v", name, err)
		}
	}
	return payload, key
}

// encodeKey is a value's key as the owner's contract has it.
func (t *topic) encodeKey(binding schema.Binding, v any) ([]byte, error) {
	if keyer, ok := binding.(schema.Keyer); ok && t.key.Format == contract.KeyAvro {
		return keyer.AppendKey(t.keys.Append(nil), v, t.key.Field)
	}
	return binding.Key(v, t.key.Field)
}

func (k *Kit) bind(name string, t *topic, typ reflect.Type) schema.Binding {
	k.t.Helper()
	if t.format == "" {
		k.t.Fatalf("topic %s has no schema: use []byte, not %v", name, typ)
	}
	i := slices.IndexFunc(k.codecs, func(c schema.Codec) bool { return c.Format() == string(t.format) })
	if i < 0 {
		k.t.Fatalf("topic %s: no codec for %s", name, t.format)
	}
	binding, err := k.codecs[i].Bind(t.source, typ)
	if err != nil {
		k.t.Fatalf("topic %s: type %v cannot hold the schema:\n%v", name, typ, err)
	}
	return binding
}

// SendBytes writes a record as it is: any key, any value, nil for a tombstone.
func (k *Kit) SendBytes(topic string, key, value []byte, opts ...SendOption) {
	k.t.Helper()
	r := &kgo.Record{Topic: topic, Key: key, Value: value, Partition: -1}
	for _, opt := range opts {
		opt(r)
	}
	if err := k.producer().ProduceSync(k.t.Context(), r).FirstErr(); err != nil {
		k.t.Fatalf("send to %s: %v", topic, err)
	}
}

// producer returns the kit's own client, which may do everything.
func (k *Kit) producer() *kgo.Client {
	k.t.Helper()
	if k.client == nil {
		k.client = k.Client(kgo.RecordPartitioner(chosen{}))
	}
	return k.client
}

// Client returns a client of its own for what the kit has no method for. It may
// do everything on the cluster, and is closed with it.
func (k *Kit) Client(opts ...kgo.Opt) *kgo.Client {
	k.t.Helper()
	client := k.newClient(opts...)
	k.clients = append(k.clients, client)
	return client
}

func (k *Kit) newClient(opts ...kgo.Opt) *kgo.Client {
	k.t.Helper()
	client, err := kgo.NewClient(append(opts, k.login()...)...)
	if err != nil {
		k.t.Fatal(err)
	}
	return client
}

// login is how a client comes to the cluster that may do everything.
func (k *Kit) login() []kgo.Opt {
	k.t.Helper()
	login := k.cluster.Admin()
	mechanism, err := auth.Mechanism(contract.SCRAMSHA512, login.User, auth.Static(secret.New(login.Password)))
	if err != nil {
		k.t.Fatal(err)
	}
	return []kgo.Opt{kgo.SeedBrokers(k.cluster.Bootstrap()...), kgo.SASL(mechanism), kgo.Dialer(k.cluster.DialTLS)}
}

// chosen places a record on the partition it names, and else by its key.
type chosen struct{}

// ForTopic implements [kgo.Partitioner].
func (chosen) ForTopic(topic string) kgo.TopicPartitioner {
	return byChoice{kgo.StickyKeyPartitioner(nil).ForTopic(topic)}
}

type byChoice struct{ kgo.TopicPartitioner }

// Partition implements [kgo.TopicPartitioner].
func (b byChoice) Partition(r *kgo.Record, n int) int {
	if r.Partition >= 0 && int(r.Partition) < n {
		return int(r.Partition)
	}
	return b.TopicPartitioner.Partition(r, n)
}
