package slipway_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/embedded"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
)

// wrongOrder cannot hold an order: a field is missing and one has another type.
type wrongOrder struct {
	Amount string `avro:"amount"`
}

func TestWhatTheClusterLacksIsToldBeforeTheFirstRecord(t *testing.T) {
	t.Parallel()
	handled := func(app *slipway.App) {
		handleOrders(app, orders)
		slipway.NewProducer[order](app, shipments)
	}
	for name, tt := range map[string]struct {
		edit   string // the topic's key
		user   string // who to log in as, with the admin's password if not empty
		codecs []schema.Codec
		wire   func(*slipway.App)
		want   []diag.Code
		names  []string
	}{
		"nothing applied": {
			user: "admin", codecs: []schema.Codec{avro.Codec()}, wire: handled,
			want:  []diag.Code{diag.RuntimeSchemaUnknown, diag.RuntimeTopicMissing},
			names: []string{orders, shipments, "svc-shipper-dev." + orders + ".dlq", "slipway apply"},
		},
		"no codec": {
			user: "admin", wire: handled,
			want: []diag.Code{diag.RuntimeNoCodec}, names: []string{"avro"},
		},
		"a type that cannot hold the schema": {
			user: "admin", codecs: []schema.Codec{avro.Codec()},
			wire: func(app *slipway.App) {
				slipway.Handle(app, orders, func(context.Context, *slipway.Message[wrongOrder]) error { return nil })
			},
			want: []diag.Code{diag.RuntimeTypeMismatch}, names: []string{"order_id", "amount"},
		},
		"a key that the schema does not have": {
			user: "admin", codecs: []schema.Codec{avro.Codec()}, wire: handled, edit: "key: nobody",
			want: []diag.Code{diag.RuntimeKeyUnfit}, names: []string{"nobody", shipments},
		},
		"a key of another format": {
			user: "admin", codecs: []schema.Codec{avro.Codec()}, wire: handled, edit: "key: {field: order_id, format: int64}",
			want: []diag.Code{diag.RuntimeKeyUnfit}, names: []string{"order_id", "int64"},
		},
		"a user that does not exist": {
			user: "nobody", codecs: []schema.Codec{avro.Codec()}, wire: handled,
			want: []diag.Code{diag.KafkaLogin}, names: []string{"nobody"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cluster, err := embedded.Start(t.Context(), embedded.Config{Network: new(kfake.VirtualNetwork)})
				if err != nil {
					t.Fatal(err)
				}
				defer farewell(cluster)
				contract := edited("key: order_id", cmp.Or(tt.edit, "key: order_id"))
				contract["slipway.yaml"].Data = bytes.ReplaceAll(contract["slipway.yaml"].Data,
					[]byte("identity: {auth: scram-sha-512}"), []byte("identity: {auth: scram-sha-512}\nadopt: {principal: "+tt.user+"}"))
				app, err := slipway.New(slipway.Config{
					Files:       contract,
					Environment: mounted(t, cluster), Codecs: tt.codecs, Dial: cluster.Dial,
				})
				if err != nil {
					t.Fatal(err)
				}
				tt.wire(app)
				began := time.Now()
				err = app.Run(t.Context())
				if took := time.Since(began); took > 20*time.Second {
					t.Errorf("it took %v to say so, want at most 20s", took)
				}
				said := told(err)
				for _, code := range tt.want {
					if !errors.Is(err, code) {
						t.Errorf("Run() = %v, want %s", err, code)
					}
				}
				for _, name := range tt.names {
					if !strings.Contains(said, name) {
						t.Errorf("Run() = %s, want it to name %s", said, name)
					}
				}
			})
		})
	}
}

// told is all that a user reads of an error.
func told(err error) string {
	var b strings.Builder
	for _, d := range diag.Of(err) {
		b.WriteString(d.Error() + "\n" + strings.Join(d.Evidence, "\n") + "\n" + d.Remedy() + "\n")
	}
	return b.String()
}

// mounted is the environment of a service on a cluster, with the admin's
// password.
func mounted(t testing.TB, cluster *embedded.Cluster) slipway.Environment {
	t.Helper()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return slipway.Environment{
		Name: "dev", BootstrapServers: strings.Join(cluster.Bootstrap(), ","), CAFile: file("ca.crt", string(cluster.CA())),
		PasswordFile: file("password", cluster.Admin().Password+"\n"),
		RegistryURL:  cluster.Registry().URL, RegistryAuthFile: file("registry", cluster.Registry().Reader),
	}
}

// A contract without schemas, so that nothing has to be applied.
const scratch = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: scratch, owner: team-web}
identity: {auth: scram-sha-512}
adopt: {principal: admin}
topics:
  scratch.noted.v1: {partitions: 1, key: none}
produces:
  scratch.noted.v1: {}
`

func TestTopicsCreateThemselvesOnlyInDevAndOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		create bool
		want   diag.Code
	}{
		"asked":     {true, ""},
		"not asked": {false, diag.RuntimeTopicMissing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cluster, err := embedded.Start(t.Context(), embedded.Config{Network: new(kfake.VirtualNetwork), AutoCreateTopics: true})
				if err != nil {
					t.Fatal(err)
				}
				defer farewell(cluster)
				env := mounted(t, cluster)
				env.CreateTopics = tt.create
				app, err := slipway.New(slipway.Config{
					Files: fstest.MapFS{"slipway.yaml": {Data: []byte(scratch)}}, Environment: env, Dial: cluster.Dial,
				})
				if err != nil {
					t.Fatal(err)
				}
				out := slipway.NewProducer[[]byte](app, "scratch.noted.v1")
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				app.Go("note", func(ctx context.Context) error {
					defer stop()
					note := []byte("hello")
					_, err := out.Send(ctx, &note)
					return err
				})
				if err := app.Run(ctx); tt.want == "" && err != nil || tt.want != "" && !errors.Is(err, tt.want) {
					t.Errorf("Run() = %v, want %q", err, tt.want)
				}
			})
		})
	}
}

func TestStartRefuseEndsAServiceWhoseGroupHasNoPosition(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cluster, err := embedded.Start(t.Context(), embedded.Config{Network: new(kfake.VirtualNetwork), AutoCreateTopics: true})
		if err != nil {
			t.Fatal(err)
		}
		defer farewell(cluster)
		env := mounted(t, cluster)
		env.CreateTopics = true
		app, err := slipway.New(slipway.Config{
			Files:       fstest.MapFS{"slipway.yaml": {Data: []byte(scratch + "consumes:\n  scratch.noted.v1: {start: refuse}\n")}},
			Environment: env, Dial: cluster.Dial,
		})
		if err != nil {
			t.Fatal(err)
		}
		out := slipway.NewProducer[[]byte](app, "scratch.noted.v1")
		app.OnStart("write one", func(ctx context.Context) error {
			_, err := out.Send(ctx, &[]byte{1})
			return err
		})
		slipway.Handle(app, "scratch.noted.v1", func(context.Context, *slipway.Message[[]byte]) error {
			t.Error("a record was handled from a position that nobody chose")
			return nil
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := app.Run(ctx); !errors.Is(err, diag.RuntimeNoCommit) {
			t.Errorf("Run() = %v, want SLP-RUN-022", err)
		}
	})
}

type dialer = func(ctx context.Context, network, addr string) (net.Conn, error)

// inCluster runs a test beside an empty cluster in memory, as its admin.
func inCluster(t *testing.T, test func(t *testing.T, env slipway.Environment, dial dialer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cluster, err := embedded.Start(t.Context(), embedded.Config{Network: new(kfake.VirtualNetwork)})
		if err != nil {
			t.Fatal(err)
		}
		defer farewell(cluster)
		test(t, mounted(t, cluster), cluster.Dial)
	})
}

// farewell ends a cluster and lets connections close whose other end is gone:
// TLS gives its last words five seconds, and time stands still once a test is
// over.
func farewell(cluster *embedded.Cluster) {
	_ = cluster.Close()
	<-time.After(10 * time.Second)
}
