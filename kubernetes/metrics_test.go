//go:build kubernetes

package kubernetes_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// metrics are those that autoscalers ask the API server for, which asks here, as it
// would ask a metrics adapter and a metrics server. How far the groups are behind is
// for the test to say; containers need next to no CPU, which alone asks for one
// instance.
type metrics struct {
	plane *plane
	names []string // that the rendered rules of prometheus-adapter give to external metrics

	mu   sync.Mutex
	lag  int
	told map[int]time.Time // when somebody was told of a lag for the last time
}

// The groups of the API for whose version somebody else than the API server answers.
const (
	external  = "external.metrics.k8s.io"
	resourced = "metrics.k8s.io"
)

// measure has the API server ask a server of the test's own for metrics, until the
// test ends: those that an estate's rules of prometheus-adapter name.
func (p *plane) measure(t *testing.T, estate string, lag int) *metrics {
	t.Helper()
	m := &metrics{plane: p, names: ruled(t, estate), lag: lag, told: map[int]time.Time{}}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /apis/{group}/v1beta1", m.kinds)
	routes.HandleFunc("GET /apis/"+external+"/v1beta1/namespaces/{namespace}/{name}", m.external)
	routes.HandleFunc("GET /apis/"+resourced+"/v1beta1/namespaces/{namespace}/pods", m.pods)
	server := httptest.NewTLSServer(routes)
	t.Cleanup(server.Close)
	_, text, _ := net.SplitHostPort(server.Listener.Addr().String()) // an address that a listener has
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	p.delegate(t, port)
	return m
}

// ruled are the names that the rules of prometheus-adapter give.
func ruled(t *testing.T, estate string) []string {
	t.Helper()
	rules := object(documents(t, filepath.Join("..", "render", "autoscaling", "testdata", estate, "prometheus-adapter.yaml"))[0])
	var config struct {
		ExternalRules []struct{ Name struct{ As string } } `json:"externalRules"`
	}
	if err := yaml.Unmarshal([]byte(rules.text("data", "config.yaml")), &config); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, rule := range config.ExternalRules {
		names = append(names, rule.Name.As)
	}
	return names
}

// delegate tells the API server who answers for metrics, as installing an adapter does.
func (p *plane) delegate(t *testing.T, port int) {
	t.Helper()
	p.room(t, "metrics")
	here := object{
		"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": "here", "namespace": "metrics"},
		"spec": map[string]any{"type": "ExternalName", "externalName": "localhost"},
	}
	if _, err := p.apply(t.Context(), here); err != nil {
		t.Fatal(err)
	}
	for _, group := range []string{external, resourced} {
		service := object{
			"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": map[string]any{"name": "v1beta1." + group},
			"spec": map[string]any{
				"group": group, "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100, "insecureSkipTLSVerify": true,
				"service": map[string]any{"name": here.name(), "namespace": here.namespace(), "port": port},
			},
		}
		if _, err := p.apply(t.Context(), service); err != nil {
			t.Fatal(err)
		}
		p.discard(t, service)
		p.until(t, service, "the API server asks it", func(now object) bool { return now.condition("Available") == "True" })
	}
}

// discard deletes an object when the test ends.
func (p *plane) discard(t *testing.T, o object) {
	t.Helper()
	path, err := p.path(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := p.do(context.WithoutCancel(t.Context()), "DELETE", path, nil); err != nil {
			t.Error(err)
		}
	})
}

// set says how far the groups are behind from now on.
func (m *metrics) set(lag int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lag = lag
}

// last is when somebody was told for the last time that the groups are so far behind.
func (m *metrics) last(lag int) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.told[lag]
}

func (m *metrics) kinds(w http.ResponseWriter, r *http.Request) {
	resources := []any{}
	if r.PathValue("group") == resourced {
		resources = append(resources, object{"name": "pods", "singularName": "", "namespaced": true, "kind": "PodMetrics", "verbs": []string{"get", "list"}})
	}
	reply(w, object{"apiVersion": "v1", "kind": "APIResourceList", "groupVersion": r.PathValue("group") + "/v1beta1", "resources": resources})
}

// external answers as prometheus-adapter does under its rules: it knows no other names.
func (m *metrics) external(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if !slices.Contains(m.names, name) {
		http.NotFound(w, r)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.told[m.lag] = now
	value := object{"metricName": name, "metricLabels": object{}, "timestamp": now.UTC().Format(time.RFC3339), "value": strconv.Itoa(m.lag)}
	reply(w, object{"apiVersion": external + "/v1beta1", "kind": "ExternalMetricValueList", "metadata": object{}, "items": []any{value}})
}

// pods answers as the metrics server does.
func (m *metrics) pods(w http.ResponseWriter, r *http.Request) {
	ns := r.PathValue("namespace")
	list, err := m.plane.do(r.Context(), "GET", "/api/v1/namespaces/"+ns+"/pods?labelSelector="+url.QueryEscape(r.FormValue("labelSelector")), nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	items, _ := list["items"].([]any)
	used := []any{}
	for _, item := range items {
		used = append(used, object{
			"metadata":  object{"name": object(item.(map[string]any)).name(), "namespace": ns},
			"timestamp": time.Now().UTC().Format(time.RFC3339), "window": "1s",
			"containers": []any{object{"name": "service", "usage": object{"cpu": "5m", "memory": "16Mi"}}},
		})
	}
	reply(w, object{"apiVersion": resourced + "/v1beta1", "kind": "PodMetricsList", "metadata": object{}, "items": used})
}

func reply(w http.ResponseWriter, o object) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(o) // who asked may have gone
}
