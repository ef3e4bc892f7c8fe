package monitoring

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
)

// Prometheus is the target that watches services by Prometheus: a file of rules for
// each service, their unit tests for promtool, and a configuration that scrapes the
// services on one machine.
func Prometheus() render.Target {
	return render.Target{
		Name: "prometheus", Summary: "alert rules for each service, their promtool tests, and a local prometheus.yaml",
		Render: func(in render.Input) ([]render.File, error) {
			r, err := in.Resolve()
			if err != nil {
				return nil, err
			}
			var files []render.File
			for _, svc := range r.Services {
				groups := Rules(in, r, svc)
				head := []string{
					fmt.Sprintf("Alerts on the service %s in %s, from %s.", svc.Name, in.Environment, svc.File()),
					"Rendered by slipway render prometheus: an edit is noticed, and not kept.",
				}
				files = append(files,
					render.File{Path: "rules/" + svc.Name + ".rules.yaml", Content: rulesPage(head, groups)},
					render.File{Path: "tests/" + svc.Name + ".test.yaml", Content: testsPage(svc.Name, groups)})
			}
			estate := EstateRules(in)
			head := []string{"Alerts on what watches the services in " + in.Environment + ".", "Rendered by slipway render prometheus: an edit is noticed, and not kept."}
			return append(files,
				render.File{Path: "rules/" + estateName + ".rules.yaml", Content: rulesPage(head, estate)},
				render.File{Path: "tests/" + estateName + ".test.yaml", Content: testsPage(estateName, estate)},
				render.File{Path: "prometheus.yaml", Content: scrapePage(r)}), nil
		},
	}
}

// estateName is the file of what concerns no service. No service is called that:
// names have no underscore.
const estateName = "_estate"

// Rules returns the rules of a service in the environment of the estate.
func Rules(in render.Input, r *contract.Resolved, svc *contract.Service) []Group {
	s := &scope{in: in, service: svc.Name, env: r.Env, owner: svc.Owner}
	var reads []*contract.Consume
	for _, name := range slices.Sorted(maps.Keys(svc.Consumes)) {
		if c := svc.Consumes[name]; c.Grouped() {
			reads = append(reads, c)
		}
	}
	if len(reads) > 0 {
		s.sample = sample{s, svc.GroupID(reads[0]), reads[0].Topic}
	}
	groups := s.objectives(svc, reads)
	s.consumption(svc, reads)
	groups = append(groups, s.take("consumption"))
	s.production(svc)
	s.outbox(svc, reads)
	groups = append(groups, s.take("production"))
	s.process(svc)
	s.rights()
	s.identity(svc.AuthOn(r.Bindings["default"].Cluster))
	return append(groups, s.take("instances"))
}

// EstateRules returns the rules on what tells of services from elsewhere.
func EstateRules(in render.Input) []Group {
	s := &scope{in: in, service: "slipway-lag-export", env: in.Environment, owner: "platform"}
	const last = "slipway_lag_export_last_success_timestamp_seconds"
	// A scrape a minute sees the exporter's last look grow by a minute.
	fresh, stale := series{last, "0+60x100"}, series{last, "0x100"}
	s.alert(lagExportBlind, "time() - max("+last+") > 300", probe{[]series{stale}, []series{fresh}, 30 * minute, nil})
	return []Group{s.take("lag")}
}

// scrapePage is the configuration of a Prometheus beside the services, as slipway
// up runs them. It shows which labels rules and dashboards select by.
func scrapePage(r *contract.Resolved) []byte {
	var p page
	p.line(0, "# Scrapes the services of %s on this machine, with the rules beside this file.", r.Env)
	p.line(0, "# Rendered by slipway render prometheus: an edit is noticed, and not kept.")
	p.line(0, "global: {scrape_interval: 15s, evaluation_interval: 15s}")
	p.line(0, "rule_files: [%s]", quote("rules/*.rules.yaml"))
	p.line(0, "scrape_configs:")
	p.line(1, "- job_name: slipway")
	p.line(2, "static_configs:")
	for _, svc := range r.Services {
		if svc.Workload == nil || svc.Workload.HTTP == 0 {
			p.line(3, "# %s has no workload.http, and so no /metrics here", svc.Name)
			continue
		}
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(svc.Workload.HTTP))
		p.line(3, "- targets: [%s] # %s", quote(addr), because(svc, "workload/http", "workload.http"))
		p.line(4, "labels: {service: %s, environment: %s}", quote(svc.Name), quote(cmp.Or(svc.Env, r.Env)))
	}
	return []byte(p.String())
}
