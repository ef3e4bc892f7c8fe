package compose

import (
	_ "embed"
	"fmt"
	"path"
	"strings"

	"github.com/slipway-go/slipway/render/manifest"
	"github.com/slipway-go/slipway/render/monitoring"
)

var (
	//go:embed files/collector.yaml
	collectorConfig []byte
	//go:embed files/tempo.yaml
	tempoConfig []byte
	//go:embed files/loki.yaml
	lokiConfig []byte
	//go:embed files/datasources.yaml
	dataSources []byte
	//go:embed files/dashboards.yaml
	dashboards []byte
)

// telemetry adds what watches the others: Prometheus with the rules of the target
// prometheus, Grafana with the dashboards of the target grafana, and a collector
// that takes traces to Tempo and logs to Loki.
func (p *project) telemetry() error {
	if err := p.rulesAndBoards(); err != nil {
		return err
	}
	p.file("prometheus/prometheus.yaml", p.scrapes())
	p.file("otel/collector.yaml", collectorConfig)
	p.file("tempo/tempo.yaml", tempoConfig)
	p.file("loki/loki.yaml", lokiConfig)
	p.file("grafana/provisioning/datasources/sources.yaml", dataSources)
	p.file("grafana/provisioning/dashboards/boards.yaml", dashboards)

	p.service("prometheus", limits{cpu: 1000, memory: 512 << 20},
		manifest.E("image", prometheusImage),
		manifest.E("command", []string{
			"--config.file=/etc/prometheus/prometheus.yaml", "--storage.tsdb.path=/data", "--storage.tsdb.retention.time=15d",
			"--enable-feature=exemplar-storage", "--web.enable-otlp-receiver",
		}).From("exemplars lead from a histogram to traces; by OTLP come metrics of services that are not scraped"),
		manifest.E("volumes", []any{readOnly("prometheus", "/etc/prometheus"), p.data("prometheus", "/data")}),
		manifest.E("networks", []string{"kafka", "telemetry"}).From("it asks the agents in the brokers"),
		manifest.E("healthcheck", healthcheck("30s", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:9090/-/ready")),
	)
	p.service("tempo", limits{cpu: 500, memory: 512 << 20},
		manifest.E("image", tempoImage),
		manifest.E("command", []string{"-config.file=/etc/tempo.yaml"}),
		manifest.E("volumes", []any{readOnly("tempo/tempo.yaml", "/etc/tempo.yaml"), p.data("tempo", "/data")}),
		manifest.E("networks", []string{"telemetry"}),
	)
	p.service("loki", limits{cpu: 500, memory: 512 << 20},
		manifest.E("image", lokiImage),
		manifest.E("command", []string{"-config.file=/etc/loki.yaml"}),
		manifest.E("volumes", []any{readOnly("loki/loki.yaml", "/etc/loki.yaml"), p.data("loki", "/data")}),
		manifest.E("networks", []string{"telemetry"}),
	)
	p.service("collector", limits{cpu: 500, memory: 256 << 20},
		manifest.E("image", collectorImage),
		manifest.E("command", []string{"--config=/etc/collector.yaml"}),
		manifest.E("volumes", []any{readOnly("otel/collector.yaml", "/etc/collector.yaml")}),
		manifest.E("ports", []any{loopback(logsPort, logsPort)}).From("Docker itself sends the services' logs here, from outside of all containers"),
		manifest.E("networks", []string{"front", "telemetry"}),
		manifest.E("depends_on", begun(after("prometheus"), "loki", "tempo")),
	)
	p.watched = append(p.watched, watched{"tempo", "http://tempo:3200/ready"}, watched{"loki", "http://loki:3100/ready"}, watched{"collector", "http://collector:13133/"})
	p.service("grafana", limits{cpu: 500, memory: 512 << 20},
		manifest.E("image", grafanaImage),
		manifest.E("environment", manifest.Map{
			manifest.E("GF_SECURITY_ADMIN_PASSWORD__FILE", "/run/secrets/grafana-password"),
			manifest.E("GF_AUTH_ANONYMOUS_ENABLED", "false"),
			manifest.E("GF_USERS_ALLOW_SIGN_UP", "false"),
			manifest.E("GF_ANALYTICS_REPORTING_ENABLED", "false"),
			manifest.E("GF_ANALYTICS_CHECK_FOR_UPDATES", "false"),
			manifest.E("GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES", "false"),
			manifest.E("GF_PLUGINS_PREINSTALL_DISABLED", "true").From("it would fetch plugins, and has nowhere to put them"),
			manifest.E("GF_PATHS_DATA", "/data"),
			manifest.E("GF_PATHS_PROVISIONING", "/etc/grafana/provisioning"),
		}),
		manifest.E("volumes", []any{readOnly("grafana/provisioning", "/etc/grafana/provisioning"), readOnly("grafana/dashboards", "/dashboards"), p.data("grafana", "/data")}),
		manifest.E("secrets", []any{p.secret("grafana-password", "grafana/password", "/run/secrets/grafana-password")}),
		manifest.E("ports", []any{loopback(3000, 3000)}),
		manifest.E("networks", []string{"front", "telemetry"}),
		manifest.E("depends_on", after("prometheus")),
		manifest.E("healthcheck", healthcheck("60s", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:3000/api/health")),
	)
	return nil
}

// logsPort is where the collector takes the services' logs, at 127.0.0.1.
const logsPort = 24224

// logs sends what a service writes to the collector, by Docker and with the
// service's name. A collector that is away holds up nobody: Docker keeps some lines,
// a million unless told otherwise, and docker compose logs shows
// the newest in any case.
func logs(service string) manifest.Entry {
	return manifest.E("logging", manifest.Map{manifest.E("driver", "fluentd"), manifest.E("options", manifest.Map{
		manifest.E("fluentd-address", fmt.Sprintf("127.0.0.1:%d", logsPort)),
		manifest.E("fluentd-async", "true"),
		manifest.E("fluentd-buffer-limit", "10000"),
		manifest.E("fluentd-sub-second-precision", "true"),
		manifest.E("tag", service),
	})})
}

// rulesAndBoards are the files of the targets prometheus and grafana. Their tests
// for promtool, and a configuration for one machine, are not needed here.
func (p *project) rulesAndBoards() error {
	rules, err := monitoring.Prometheus().Files(p.in)
	if err != nil {
		return err
	}
	for _, f := range rules {
		if path.Dir(f.Path) == "rules" {
			p.file("prometheus/"+f.Path, f.Content)
		}
	}
	boards, err := monitoring.Grafana().Files(p.in)
	if err != nil {
		return err
	}
	for _, f := range boards {
		p.file("grafana/"+f.Path, f.Content)
	}
	return nil
}

// scrapes is the configuration of Prometheus: brokers and services by their names.
func (p *project) scrapes() []byte {
	var b strings.Builder
	b.WriteString(`# Scrapes the brokers and the services, with the rules beside this file.
# Rendered by slipway render compose: an edit is noticed, and not kept.
global: {scrape_interval: 15s, evaluation_interval: 15s}
rule_files: ["rules/*.rules.yaml"]
scrape_configs:
  - job_name: kafka
    static_configs:
`)
	for _, n := range p.kafka.Nodes {
		fmt.Fprintf(&b, "      - targets: [\"%s:%d\"]\n        labels: {node: %q}\n", n.Name, metricsPort, n.Name)
	}
	if len(p.r.Services) > 0 {
		b.WriteString("  - job_name: slipway\n    static_configs:\n")
	}
	for _, svc := range p.r.Services {
		fmt.Fprintf(&b, "      - targets: [\"%s:%d\"]\n        labels: {service: %q, environment: %q}\n", svc.Name, healthPort(svc), svc.Name, p.r.Env)
	}
	return []byte(b.String())
}
