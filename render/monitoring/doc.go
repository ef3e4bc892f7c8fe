// Package monitoring derives what watches a service from its contract: rules and
// alerts for Prometheus, with tests of their own, and dashboards for Grafana.
//
// An alert names the service, its owner, the cause as far as the metric knows it,
// and its runbook. Objectives (slo in the contract) become alerts on the rate at
// which the error budget burns, over several windows.
package monitoring
