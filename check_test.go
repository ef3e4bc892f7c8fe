package slipway_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
)

// edited is the shipper's files with text of its contract replaced.
func edited(old, replacement string) fstest.MapFS {
	f := files("dead-letter")
	f["slipway.yaml"].Data = []byte(strings.ReplaceAll(string(f["slipway.yaml"].Data), old, replacement))
	return f
}

func handleOrders(app *slipway.App, entry string) {
	slipway.Handle(app, entry, func(context.Context, *slipway.Message[order]) error { return nil })
}

func TestWhereCodeAndContractDisagreeTheServiceDoesNotStart(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		files fs.FS
		env   slipway.Environment
		wire  func(*slipway.App)
		want  diag.Code
		names string // the message or fix names it
	}{
		"a handler for what is not consumed": {
			wire: func(app *slipway.App) { handleOrders(app, orders); handleOrders(app, "orders.paid.v1") },
			want: diag.RuntimeNotConsumed, names: "orders.paid.v1",
		},
		"a consumed topic without handler": {
			wire: func(*slipway.App) {}, want: diag.RuntimeNoHandler, names: orders,
		},
		"two handlers for one entry": {
			wire: func(app *slipway.App) { handleOrders(app, orders); handleOrders(app, orders) },
			want: diag.RuntimeHandledTwice, names: orders,
		},
		"a producer for what is not produced": {
			wire: func(app *slipway.App) {
				handleOrders(app, orders)
				slipway.NewProducer[order](app, "orders.paid.v1")
			},
			want: diag.RuntimeNotProduced, names: "orders.paid.v1",
		},
		"another principal": {
			env:  slipway.Environment{Principal: "User:svc-payments-dev"},
			wire: func(app *slipway.App) { handleOrders(app, orders) },
			want: diag.RuntimePrincipalDiffers, names: "User:svc-shipper-dev",
		},
		"a table": {
			files: edited("    order: key\n    concurrency: 8\n    timeout: 10s\n    retry: {delays: [1s, 10s], then: dead-letter}\n", "    as: table\n"),
			wire:  func(app *slipway.App) { handleOrders(app, orders) },
			want:  diag.RuntimeUnsupported, names: "as: table",
		},
		"one group with two starts": {
			files: edited("then: dead-letter}\n", "then: dead-letter}\n  orders.paid.v1: {start: latest, schema: {format: avro, file: order.avsc}}\n"),
			wire:  func(app *slipway.App) { handleOrders(app, orders); handleOrders(app, "orders.paid.v1") },
			want:  diag.RuntimeUnsupported, names: "svc-shipper-dev",
		},
		"an outbox": {
			files: edited("via: direct", "via: outbox"),
			wire: func(app *slipway.App) {
				handleOrders(app, orders)
				slipway.NewProducer[order](app, shipments)
			},
			want: diag.ProducerUnrelayed, names: "via: outbox",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.files == nil {
				tt.files = files("dead-letter")
			}
			tt.env.Name = "dev"
			app, err := slipway.New(slipway.Config{Files: tt.files, Environment: tt.env, Codecs: []schema.Codec{avro.Codec()}})
			if err != nil {
				t.Fatal(err)
			}
			tt.wire(app)
			err = app.Run(t.Context())
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.names) {
				t.Errorf("Run() = %v, want %s naming %s", err, tt.want, tt.names)
			}
			for _, d := range diag.Of(err) {
				if d.Remedy() == "" {
					t.Errorf("%v has no fix", d)
				}
			}
		})
	}
}

func TestABrokenContractIsToldByItsDiagnostics(t *testing.T) {
	t.Parallel()
	_, err := slipway.New(slipway.Config{Files: edited("partitions: 3", "partitons: 3"), Environment: slipway.Environment{Name: "dev"}})
	faults := diag.Of(err)
	if len(faults) == 0 || faults[0].Position.Line == 0 {
		t.Errorf("New() = %v, want a diagnostic with its line", err)
	}
}

func TestTheEnvironmentIsReadAndEveryFaultTold(t *testing.T) {
	t.Parallel()
	complete := map[string]string{
		"ENVIRONMENT": "dev", "BOOTSTRAP_SERVERS": "localhost:9094", "TLS_CA_PATH": "/ca.crt", "SASL_PASSWORD_PATH": "/password",
	}
	for name, tt := range map[string]struct {
		change map[string]string
		want   []diag.Code
	}{
		"complete":             {nil, nil},
		"mutual TLS":           {map[string]string{"SASL_PASSWORD_PATH": "", "TLS_CERT_PATH": "/crt", "TLS_KEY_PATH": "/key"}, nil},
		"nothing":              {map[string]string{"ENVIRONMENT": "", "BOOTSTRAP_SERVERS": "", "TLS_CA_PATH": "", "SASL_PASSWORD_PATH": ""}, []diag.Code{diag.RuntimeVariableMissing, diag.RuntimeVariableMissing, diag.RuntimeVariableMissing, diag.RuntimeVariableMissing}},
		"no identity":          {map[string]string{"SASL_PASSWORD_PATH": ""}, []diag.Code{diag.RuntimeVariableMissing}},
		"half a pair":          {map[string]string{"TLS_KEY_PATH": "/key"}, []diag.Code{diag.RuntimeVariableInvalid}},
		"a bad name":           {map[string]string{"ENVIRONMENT": "pre-prod"}, []diag.Code{diag.RuntimeVariableInvalid}},
		"a bad timeout":        {map[string]string{"SHUTDOWN_TIMEOUT": "soon"}, []diag.Code{diag.RuntimeVariableInvalid}},
		"topics in dev":        {map[string]string{"KAFKA_ADMIN_CREATE_TOPICS": "true"}, nil},
		"topics in prod":       {map[string]string{"KAFKA_ADMIN_CREATE_TOPICS": "true", "ENVIRONMENT": "prod"}, []diag.Code{diag.RuntimeVariableInvalid}},
		"topics perhaps":       {map[string]string{"KAFKA_ADMIN_CREATE_TOPICS": "perhaps"}, []diag.Code{diag.RuntimeVariableInvalid}},
		"admin at home":        {map[string]string{"ADMIN_ADDRESS": "127.0.0.1:9180"}, nil},
		"admin at home, IPv6":  {map[string]string{"ADMIN_ADDRESS": "[::1]:9180"}, nil},
		"admin by name":        {map[string]string{"ADMIN_ADDRESS": "localhost:9180"}, nil},
		"admin for all":        {map[string]string{"ADMIN_ADDRESS": ":9180"}, []diag.Code{diag.RuntimeAdminOpen}},
		"admin abroad":         {map[string]string{"ADMIN_ADDRESS": "10.0.0.7:9180"}, []diag.Code{diag.RuntimeAdminOpen}},
		"admin with a token":   {map[string]string{"ADMIN_ADDRESS": ":9180", "ADMIN_TOKEN_PATH": "/token"}, nil},
		"admin by mutual TLS":  {map[string]string{"ADMIN_ADDRESS": ":9180", "ADMIN_CERT_PATH": "/c", "ADMIN_KEY_PATH": "/k", "ADMIN_CLIENT_CA_PATH": "/ca"}, nil},
		"admin by half of TLS": {map[string]string{"ADMIN_ADDRESS": ":9180", "ADMIN_CERT_PATH": "/c", "ADMIN_KEY_PATH": "/k"}, []diag.Code{diag.RuntimeVariableInvalid}},
		"admin with just a CA": {map[string]string{"ADMIN_ADDRESS": ":9180", "ADMIN_CLIENT_CA_PATH": "/ca"}, []diag.Code{diag.RuntimeAdminOpen, diag.RuntimeVariableInvalid}},
		"admin by nobody":      {map[string]string{"ADMIN_ADDRESS": "127.0.0.1:9180", "ADMIN_PRINCIPALS": "admin-prod"}, []diag.Code{diag.RuntimeVariableInvalid}},
		"admin nowhere":        {map[string]string{"ADMIN_ADDRESS": "9180"}, []diag.Code{diag.RuntimeVariableInvalid}},
		"a negative timeout":   {map[string]string{"SHUTDOWN_TIMEOUT": "-3s"}, []diag.Code{diag.RuntimeVariableInvalid}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := slipway.EnvironmentFrom(func(key string) (string, bool) {
				if v, ok := tt.change[key]; ok {
					return v, true
				}
				v, ok := complete[key]
				return v, ok
			})
			var got []diag.Code
			for _, d := range diag.Of(err) {
				got = append(got, d.Code)
			}
			if len(got) != len(tt.want) {
				t.Fatalf("EnvironmentFrom() = %v, want %v", err, tt.want)
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("fault %d = %s, want %s", i, got[i], tt.want[i])
				}
			}
		})
	}
}

func TestAFileThatCannotBeUsedIsNamed(t *testing.T) {
	t.Parallel()
	app, err := slipway.New(slipway.Config{
		Files: files("dead-letter"), Codecs: []schema.Codec{avro.Codec()},
		Environment: slipway.Environment{Name: "dev", BootstrapServers: "localhost:1", CAFile: "/does/not/exist.crt", PasswordFile: "/nor/this"},
	})
	if err != nil {
		t.Fatal(err)
	}
	handleOrders(app, orders)
	if err := app.Run(t.Context()); !errors.Is(err, diag.RuntimeFileUnreadable) || !strings.Contains(err.Error(), "TLS_CA_PATH") {
		t.Errorf("Run() = %v, want SLP-RUN-003 naming TLS_CA_PATH", err)
	}
}
