package config_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

const shop = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: payments, owner: team-money}
consumes:
  orders.created.v1:
    concurrency: 64
    retry: {backoff: {first: 2s}}
  orders.paid.v1: {timeout: 3s}
  prices.v1: {as: table}
config:
  fraud.threshold: {type: number, default: 0.5, min: 0, max: 1, live: true, doc: From which score on a payment is looked at.}
  pay.retry-limit: {type: integer, default: 3, min: 1, max: 9, env: PAY_RETRIES}
  pay.window: {type: duration, default: 5m, max: 1h}
  pay.largest: {type: bytes, default: 64KiB}
  pay.currencies: {type: list, default: [eur, usd], values: [eur, usd, gbp]}
  pay.mode: {values: [live, test], default: test}
  pay.enabled: {type: boolean, default: true, live: true}
  pay.key: {secret: true, env: PAY_KEY}
environments:
  prod: {config: {pay.window: {default: 10m}}}
`

// parsed is a contract that has to be sound.
func parsed(t testing.TB, text string) *contract.Service {
	t.Helper()
	svc, list := contract.Parse(fstest.MapFS{"slipway.yaml": {Data: []byte(text)}}, "slipway.yaml")
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return svc
}

// files are configuration files beside a contract.
func files(pairs ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		fsys["config/"+pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return fsys
}

// loader is one of the shop's service with the secret set.
func loader(t testing.TB, cfg config.Config) *config.Loader {
	t.Helper()
	if cfg.Contract == nil {
		cfg.Contract = parsed(t, shop)
	}
	cfg.Environ = append([]string{"ENVIRONMENT=prod", "PAY_KEY=k"}, cfg.Environ...)
	l, err := config.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func load(t testing.TB, cfg config.Config) *config.Values {
	t.Helper()
	v, err := loader(t, cfg).Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// value is what people see of a key.
func value(t *testing.T, v *config.Values, key string) config.Value {
	t.Helper()
	for _, one := range v.All() {
		if one.Key == key {
			return one
		}
	}
	t.Fatalf("there is no key %s", key)
	return config.Value{}
}

func TestEveryValueTellsItsLayerAndPlace(t *testing.T) {
	t.Parallel()
	v := load(t, config.Config{
		Set:     map[string]string{"log.level": "debug"},
		Flags:   map[string]string{"log.level": "warn", "log.format": "json"},
		Environ: []string{"LOG_FORMAT=text", "SLIPWAY_TOPIC_PREFIX=p.", "PAY_RETRIES=4", "BOOTSTRAP_SERVERS=a:1, b:2"},
		Files: files(
			"prod.yaml", "pay:\n  currencies: [gbp]\nconsumes:\n  orders.paid.v1:\n    rate: 2k/s\n",
			"common.yaml", "pay: {currencies: [usd], mode: live}\nkafka: {consumer: {timeout: 20s}}\n"),
	})
	for key, want := range map[string]config.Value{
		"log.level":         {Text: "debug", Layer: config.LayerSet, Source: "set by the program", Live: true},
		"log.format":        {Text: "json", Layer: config.LayerFlag, Source: "flag --set log.format"},
		"topic.prefix":      {Text: "p.", Layer: config.LayerVariable, Source: "variable SLIPWAY_TOPIC_PREFIX"},
		"bootstrap.servers": {Text: "a:1,b:2", Layer: config.LayerVariable, Source: "variable BOOTSTRAP_SERVERS"},
		"pay.retry-limit":   {Text: "4", Layer: config.LayerVariable, Source: "variable PAY_RETRIES"},
		"pay.currencies":    {Text: "gbp", Layer: config.LayerFile, Source: "config/prod.yaml:2:15"},
		"pay.mode":          {Text: "live", Layer: config.LayerFile, Source: "config/common.yaml:1:32"},
		"pay.window":        {Text: "10m", Layer: config.LayerContract, Source: "contract slipway.yaml:20:32"},
		"pay.largest":       {Text: "64KiB", Layer: config.LayerContract, Source: "contract slipway.yaml:14:30"},
		"pay.key":           {Text: "***", Layer: config.LayerVariable, Source: "variable PAY_KEY"},
		"shutdown.timeout":  {Text: "30s", Layer: config.LayerDefault, Source: "default", Default: true},
		"database.url":      {Layer: config.LayerDefault, Source: "default", Default: true},

		"consumes.orders.paid.v1.rate":              {Text: "2k/s", Layer: config.LayerFile, Source: "config/prod.yaml:5:11", Live: true},
		"consumes.orders.paid.v1.timeout":           {Text: "20s", Layer: config.LayerFile, Source: "config/common.yaml:2:29", Live: true},
		"consumes.orders.created.v1.concurrency":    {Text: "64", Layer: config.LayerContract, Source: "contract slipway.yaml:6:5", Live: true},
		"consumes.orders.paid.v1.concurrency":       {Text: "16", Layer: config.LayerDefault, Source: "default", Default: true, Live: true},
		"consumes.orders.created.v1.retry.first":    {Text: "2s", Layer: config.LayerContract, Source: "contract slipway.yaml:7:23"},
		"consumes.orders.paid.v1.retry.first":       {Layer: config.LayerDefault, Source: "default", Default: true},
		"consumes.orders.created.v1.breaker.open":   {Layer: config.LayerDefault, Source: "default", Default: true},
		"consumes.orders.created.v1.retry.attempts": {Text: "4", Layer: config.LayerDefault, Source: "default", Default: true},
		"kafka.consumer.concurrency":                {Text: "16", Layer: config.LayerDefault, Source: "default", Default: true, Live: true},
	} {
		want.Key = key
		if diff := cmp.Diff(want, value(t, v, key)); diff != "" {
			t.Errorf("%s: -want +got\n%s", key, diff)
		}
	}
}

func TestAValueHasItsType(t *testing.T) {
	t.Parallel()
	v := load(t, config.Config{Environ: []string{
		"SLIPWAY_CONSUMES_ORDERS_PAID_V1_RATE=500/s", "SLIPWAY_CONSUMES_ORDERS_PAID_V1_HELD=a, b,,c", "SHUTDOWN_TIMEOUT=4.5s",
		"SLIPWAY_KAFKA_CONSUMER_BREAKER_FAILURES=7",
	}})
	entry := "consumes.orders.paid.v1."
	got := []any{
		v.Int("pay.retry-limit"), v.Float("fraud.threshold"), v.Float(entry + "rate"), v.Bool("pay.enabled"), v.Duration("pay.window"),
		v.Bytes("pay.largest"), v.List("pay.currencies"), v.List(entry + "held"), v.Text("pay.mode"), v.Text("pay.key"), v.Duration("shutdown.timeout"),
		v.Bool(entry + "paused"), v.Int(entry + "breaker.failures"), v.Duration(entry + "breaker.open"), v.Text(entry + "breaker.open"), v.Text("pay.currencies"),
	}
	want := []any{
		int64(3), 0.5, 500.0, true, 10 * time.Minute,
		contract.Bytes(64 << 10), []string{"eur", "usd"}, []string{"a", "b", "c"}, "test", "k", 4500 * time.Millisecond,
		false, int64(7), time.Minute, "1m", "eur,usd",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestHasTellsWhatConfigurationSays(t *testing.T) {
	t.Parallel()
	v := load(t, config.Config{Files: files("prod.yaml", "kafka: {consumer: {rate: 1k/s}}\nconsumes: {orders.paid.v1: {paused: true}}")})
	for key, want := range map[string]bool{
		"consumes.orders.paid.v1.rate":           true, // by the key for all
		"consumes.orders.paid.v1.paused":         true,
		"consumes.orders.created.v1.paused":      false,
		"consumes.orders.created.v1.concurrency": false, // by the contract
		"pay.window":                             false,
		"pay.key":                                true,
		"shutdown.timeout":                       false,
	} {
		if got := v.Has(key); got != want {
			t.Errorf("Has(%s) = %v, want %v", key, got, want)
		}
	}
	if _, known := v.Key("consumes.prices.v1.rate"); known {
		t.Error("a table has a rate")
	}
	if k, known := v.Key("pay.window"); !known || k.Bounds != "at most 1h" || k.Type != "duration" {
		t.Errorf("pay.window is %+v", k)
	}
}

func TestAnUnknownOrMistypedKeyOfTheProgramPanics(t *testing.T) {
	t.Parallel()
	v := load(t, config.Config{})
	for name, ask := range map[string]func(){
		"config: there is no key pay.windw":                 func() { v.Text("pay.windw") },
		"config: pay.window is a time.Duration, not a bool": func() { v.Bool("pay.window") },
	} {
		func() {
			defer func() {
				if got := recover(); got != name {
					t.Errorf("got %v, want %s", got, name)
				}
			}()
			ask()
		}()
	}
}

func TestTheHashIsOfValuesAndNotOfSecretsOrPlaces(t *testing.T) {
	t.Parallel()
	base := load(t, config.Config{Files: files("prod.yaml", "pay: {mode: live}")})
	for name, tt := range map[string]struct {
		cfg  config.Config
		same bool
	}{
		"another place":  {config.Config{Environ: []string{"SLIPWAY_PAY_MODE=live"}}, true},
		"another secret": {config.Config{Files: files("prod.yaml", "pay: {mode: live}"), Environ: []string{"PAY_KEY=other"}}, true},
		"another value":  {config.Config{Files: files("prod.yaml", "pay: {mode: test}")}, false},
	} {
		if got := load(t, tt.cfg).Hash() == base.Hash(); got != tt.same {
			t.Errorf("%s: the hash is the same: %v", name, got)
		}
	}
}

func TestDiffShowsWhatChangesAndHidesSecrets(t *testing.T) {
	t.Parallel()
	old := load(t, config.Config{Environ: []string{"SCHEMA_REGISTRY_URL=https://u:p@old"}})
	next := load(t, config.Config{
		Environ: []string{"PAY_KEY=other", "SCHEMA_REGISTRY_URL=https://u:p@new"},
		Files:   files("prod.yaml", "kafka: {consumer: {concurrency: 5}}\nconsumes: {orders.paid.v1: {concurrency: 6}}"),
	})
	want := []config.Change{
		{Key: "consumes.orders.created.v1.concurrency", Old: "64", New: "5", Live: true},
		{Key: "consumes.orders.paid.v1.concurrency", Old: "16", New: "6", Live: true},
		{Key: "kafka.consumer.concurrency", Old: "16", New: "5", Live: true},
		{Key: "pay.key", Old: "***", New: "***"},
		{Key: "schema.registry.url", Old: "https://***@old", New: "https://***@new"},
	}
	if diff := cmp.Diff(want, old.Diff(next)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got := next.Diff(next); len(got) != 0 {
		t.Errorf("values differ from themselves: %v", got)
	}
}

// told is what an error says, without the machine's directories.
func told(err error, hide ...string) string {
	text := diag.Of(err).Text()
	for _, h := range hide {
		text = strings.ReplaceAll(text, h, "DIR")
	}
	return text
}
