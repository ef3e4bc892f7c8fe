package config_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

func TestEveryFaultOfEveryLayerIsToldAtOnce(t *testing.T) {
	t.Parallel()
	_, err := loader(t, config.Config{
		Set:     map[string]string{"log.level": "loud"},
		Flags:   map[string]string{"pay.windw": "1m"},
		Environ: []string{"SLIPWAY_PAY_LARGEST=64K", "SLIPWAY_PAY_CURRENCIES=eur,yen"},
		Sources: []config.Source{&static{name: "vault", given: []config.Given{
			{Key: "pay.mode", Text: "prod", At: diag.Position{File: "secret/pay"}}, {Key: "pay.mode", Text: "live"}, {Key: "pay.window", Items: []string{"1m"}},
		}}},
		Files: files(
			"prod.yaml", strings.Join([]string{
				`pay:`,
				`  window: 2h`,
				`  windows: 1h`,
				`  retry-limit: "4"`,
				`  largest:`,
				`  enabled: yes`,
				`  mode: {live: true}`,
				`  currencies: eur`,
				`kafka.consumer.concurrency: 4`,
				`kafka: 7`,
				`consumes:`,
				`  orders.paid.v1: {concurrency: 0, rate: 2K/s, retry.first: 1s, timeout: 5, held: [1]}`,
				`  orders.payed.v1: {rate: 1/s}`,
				`  prices.v1: {rate: 1/s}`,
				`concurrency: 4`,
				`something: {else: 1}`,
				`consumes.orders.paid.v1.rate: 1/s`,
			}, "\n"),
			"common.yaml", "fraud: {threshold: 7}\nfraud: {}\n"),
	}).Load(t.Context())
	compare(t, "faults.txt", told(err))
}

func TestAFileIsReadAsStrictlyAsAContract(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ text, code string }{
		"syntax":           {"a: b: c", "SLP-CON-001"},
		"an anchor":        {"log: &x {level: info}", "SLP-CON-007"},
		"a tag":            {"log: {level: !x info}", "SLP-CON-008"},
		"a second one":     {"log: {level: info}\n---\nlog: {}", "SLP-CON-006"},
		"a repeated key":   {"log: {level: info}\nlog: {level: info}", "SLP-CON-009"},
		"a hidden letter":  {"log: {level: \"in\u202efo\"}", "SLP-CON-004"},
		"a list":           {"- log", "SLP-CON-001"},
		"a tab":            {"log:\n\tlevel: info", "SLP-CON-001"},
		"too much":         {"# " + strings.Repeat("x", contract.MaxFileSize), "SLP-CFG-002"},
		"too deep":         {strings.Repeat("{a: ", 200) + strings.Repeat("}", 200), "SLP-CON-005"},
		"nothing to merge": {"log: {<<: {level: info}}", "SLP-CON-007"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loader(t, config.Config{Files: files("prod.yaml", tt.text)}).Load(t.Context())
			list := diag.Of(err)
			if len(list) == 0 || string(list[0].Code) != tt.code || list[0].Position.File != "config/prod.yaml" {
				t.Fatalf("got %v, want %s in config/prod.yaml", err, tt.code)
			}
			if strings.Contains(list.Text(), "contract") && list[0].Code.Area() == "CFG" {
				t.Errorf("a configuration is called a contract: %s", list.Text())
			}
		})
	}
}

func TestWhatSaysNothingIsFine(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"an empty file": "", "comments": "# log:\n#   level: debug\n\n", "nothing below a mapping": "log:\n#  level: debug\n", "an empty mapping": "{}",
	} {
		v := load(t, config.Config{Files: files("prod.yaml", text)})
		if got := v.Text("log.level"); got != "info" {
			t.Errorf("%s: log.level is %s", name, got)
		}
	}
}

func TestAMissingFileOfTheEnvironmentIsAnError(t *testing.T) {
	t.Parallel()
	mount := t.TempDir()
	write(t, filepath.Join(mount, "staging.yaml"), "")
	for name, tt := range map[string]struct {
		cfg  config.Config
		want diag.Code
	}{
		"beside the contract":              {config.Config{Files: files("common.yaml", "")}, diag.ConfigFileMissing},
		"for another environment":          {config.Config{Files: files("staging.yaml", "")}, diag.ConfigFileMissing},
		"in the mounted directory":         {config.Config{Files: files("prod.yaml", ""), Dir: mount}, diag.ConfigFileMissing},
		"the mounted directory itself":     {config.Config{Environ: []string{"CONFIG_PATH=" + filepath.Join(mount, "nowhere")}}, diag.ConfigFileUnreadable},
		"under YAML's other ending":        {config.Config{Files: files("prod.yml", "")}, diag.ConfigFileUnused},
		"the common one, other ending":     {config.Config{Files: files("prod.yaml", "", "common.yml", "")}, diag.ConfigFileUnused},
		"no config directory":              {config.Config{}, ""},
		"a directory of Go, without files": {config.Config{Files: files("config.go", "package config")}, ""},
		"the common one":                   {config.Config{Files: files("prod.yaml", "")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loader(t, tt.cfg).Load(t.Context())
			if tt.want == "" && err != nil || tt.want != "" && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestTheEnvironmentHasToBeNamed(t *testing.T) {
	t.Parallel()
	svc := parsed(t, "apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: a, owner: b}\n")
	l, err := config.New(config.Config{Contract: svc, Files: files("dev.yaml", "")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Load(t.Context()); !errors.Is(err, diag.ConfigEnvironment) {
		t.Errorf("without ENVIRONMENT: %v", err)
	}
	if _, err := config.New(config.Config{Contract: svc, Environ: []string{"ENVIRONMENT=../etc"}}); !errors.Is(err, diag.ConfigEnvironment) {
		t.Errorf("with a path for a name: %v", err)
	}
}

func TestASettingWithoutAValueKeepsTheServiceFromStarting(t *testing.T) {
	t.Parallel()
	l, err := config.New(config.Config{Contract: parsed(t, shop), Environ: []string{"ENVIRONMENT=prod", "PAY_KEY= "}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = l.Load(t.Context()); !errors.Is(err, diag.ConfigRequired) || !strings.Contains(told(err), "SLIPWAY_PAY_KEY") {
		t.Errorf("got %v", err)
	}
	v, missing, err := l.Preview(t.Context())
	if err != nil || len(missing) != 1 || v.Text("pay.key") != "" {
		t.Errorf("a preview fails: %v, %v", missing, err)
	}
}

func TestTheFirstWaitIsNoLongerThanTheLongest(t *testing.T) {
	t.Parallel()
	_, err := loader(t, config.Config{Files: files("prod.yaml", "kafka: {consumer: {retry: {max: 1s}}}")}).Load(t.Context())
	if !errors.Is(err, diag.ConfigValue) || !strings.Contains(told(err), "contract slipway.yaml:7:23 and config/prod.yaml:1:33") {
		t.Errorf("got %v", told(err))
	}
}

func TestVariablesThatAreLikelyWrongAreWarnedOf(t *testing.T) {
	t.Parallel()
	v := load(t, config.Config{Environ: []string{
		"LOG_LEVEL=debug", "SLIPWAY_LOG_LEVEL=warn", // differ
		"LOG_FORMAT=json", "SLIPWAY_LOG_FORMAT=json", // do not
		"SLIPWAY_KAFKA_CONSUMER_CONCURENCY=4",
		"SLIPWAY_QQQ=1",
		"SLIPWAY_SERVICE_HOST=10.0.0.1", "SLIPWAY_SERVICE_PORT=80", "SLIPWAY_SERVICE_PORT_HTTP=80", "SLIPWAY_PORT=tcp://10.0.0.1:80",
		"SLIPWAY_CONSOLE_PORT_80_TCP=tcp://10.0.0.1:80", "SLIPWAY_CONSOLE_PORT_80_TCP_ADDR=10.0.0.1", "SLIPWAY_CONSOLE_SERVICE_HOST=10.0.0.1",
		"SLIPWAY_SASL_USER=admin",
	}})
	if got := v.Text("log.level"); got != "warn" {
		t.Errorf("log.level is %s", got)
	}
	want := `warning[SLP-CFG-008]: SLIPWAY_LOG_LEVEL and LOG_LEVEL differ, and SLIPWAY_LOG_LEVEL counts
  fix: unset LOG_LEVEL
warning[SLP-CFG-009]: SLIPWAY_KAFKA_CONSUMER_CONCURENCY is set and configures nothing
  fix: did you mean SLIPWAY_KAFKA_CONSUMER_CONCURRENCY?
warning[SLP-CFG-009]: SLIPWAY_QQQ is set and configures nothing
  fix: correct the name, or unset it
`
	if diff := cmp.Diff(want, v.Warnings().Text()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestAContractMayNotMakeKeysThatClash(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body string
		want diag.Code
	}{
		"a key of every service":      {"config: {log.level: {}}", diag.ConfigSettingName},
		"the beginning of one":        {"config: {kafka: {}}", diag.ConfigSettingName},
		"below one":                   {"config: {log.level.extra: {}}", diag.ConfigSettingName},
		"below another setting":       {"config: {pay: {}, pay.mode: {}}", diag.ConfigSettingName},
		"where entries are":           {"config: {consumes.x: {}}", diag.ConfigSettingName},
		"beside one":                  {"config: {log.color: {}}", ""},
		"a hyphen against a dot":      {"config: {pay.mode: {}, pay-mode: {}}", diag.ConfigVariableClash},
		"another setting's variable":  {"config: {a: {env: X}, b: {env: X}}", diag.ConfigVariableClash},
		"the variable of another key": {"config: {a: {env: DATABASE_URL}}", diag.ConfigVariableClash},
		"the environment's name":      {"config: {a: {env: ENVIRONMENT}}", diag.ConfigVariableClash},
		"entries that differ by dots": {"consumes: {a.b: {}, a-b: {group: two}}", diag.ConfigVariableClash},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			svc := parsed(t, "apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: a, owner: b}\n"+tt.body+"\n")
			list := config.Check(svc)
			if tt.want == "" {
				if len(list) > 0 {
					t.Errorf("got %v", list)
				}
				return
			}
			if len(list) != 1 || list[0].Code != tt.want || list[0].Position.Line != 4 {
				t.Errorf("got %v, want %s once in line 4", list, tt.want)
			}
			if _, err := config.New(config.Config{Contract: svc}); !errors.Is(err, tt.want) {
				t.Errorf("New says %v", err)
			}
		})
	}
}

// static is a source that always gives the same, or fails.
type static struct {
	name  string
	given []config.Given
	err   error
}

func (s *static) Name() string { return s.name }

func (s *static) Load(context.Context) ([]config.Given, error) { return s.given, s.err }

func TestASourceThatCannotBeReadKeepsTheServiceFromStarting(t *testing.T) {
	t.Parallel()
	_, err := loader(t, config.Config{Sources: []config.Source{&static{name: "vault", err: errors.New("dial https://u:hunter2@vault: refused")}}}).Load(t.Context())
	want := "error[SLP-CFG-010]: read source vault: dial https://***@vault: refused\n  fix: see that the source can be reached, and that the service may read it\n"
	if got := told(err); got != want {
		t.Errorf("got %s", got)
	}
}

func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
