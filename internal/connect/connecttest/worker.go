// Package connecttest is a Kafka Connect worker for tests: as much of the REST
// API as Slipway uses, in memory, with the answers of Kafka 4.3. It runs
// nothing; what it is told it keeps. Its plugins are two that judge their
// settings as the file connectors of Kafka do.
package connecttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// The plugins that the worker has.
const (
	Source = "org.apache.kafka.connect.file.FileStreamSourceConnector"
	Sink   = "org.apache.kafka.connect.file.FileStreamSinkConnector"
)

// A Worker is an HTTP handler. The zero value is ready, and safe for
// concurrent use.
type Worker struct {
	// User and Password are what every request has to bring, if User is set.
	User, Password string

	mu         sync.Mutex
	busy       int
	connectors map[string]map[string]string
	failed     map[string]string // trace of the first task
	calls      []string
}

// Busy makes the worker share out its work for the next n requests.
func (w *Worker) Busy(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy = n
}

// Fail makes the first task of a connector fail, until it is restarted.
func (w *Worker) Fail(name, trace string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed == nil {
		w.failed = map[string]string{}
	}
	w.failed[name] = trace
}

// Set gives a connector settings behind everybody's back.
func (w *Worker) Set(name string, config map[string]string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.set(name, config)
}

// Config is what the worker was told of a connector; nil if it has none.
func (w *Worker) Config(name string) map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.connectors[name])
}

// Calls are the requests that changed something, in order.
func (w *Worker) Calls() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.calls)
}

func (w *Worker) set(name string, config map[string]string) {
	if w.connectors == nil {
		w.connectors = map[string]map[string]string{}
	}
	w.connectors[name] = maps.Clone(config)
}

// ServeHTTP answers one request.
func (w *Worker) ServeHTTP(out http.ResponseWriter, req *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if user, password, _ := req.BasicAuth(); w.User != "" && (user != w.User || password != w.Password) {
		refuse(out, http.StatusUnauthorized, "User cannot access the resource.")
		return
	}
	if w.busy > 0 {
		w.busy--
		refuse(out, http.StatusConflict, "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway.")
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /connectors", w.list)
	mux.HandleFunc("PUT /connectors/{name}/config", w.put)
	mux.HandleFunc("DELETE /connectors/{name}", w.delete)
	mux.HandleFunc("POST /connectors/{name}/restart", w.restart)
	mux.HandleFunc("PUT /connector-plugins/{class}/config/validate", validate)
	mux.HandleFunc("/", func(out http.ResponseWriter, _ *http.Request) { refuse(out, http.StatusNotFound, "HTTP 404 Not Found") })
	mux.ServeHTTP(out, req)
}

func (w *Worker) list(out http.ResponseWriter, _ *http.Request) {
	all := map[string]any{}
	for name, config := range w.connectors {
		kind := "sink"
		if config["connector.class"] == Source {
			kind = "source"
		}
		n, _ := strconv.Atoi(config["tasks.max"])
		tasks := make([]map[string]any, max(n, 1))
		for id := range tasks {
			tasks[id] = map[string]any{"id": id, "state": "RUNNING", "worker_id": "127.0.0.1:8083"}
		}
		if trace := w.failed[name]; trace != "" {
			tasks[0]["state"], tasks[0]["trace"] = "FAILED", trace
		}
		all[name] = map[string]any{
			"info": map[string]any{"name": name, "config": config, "type": kind},
			"status": map[string]any{
				"name": name, "type": kind, "tasks": tasks,
				"connector": map[string]any{"state": "RUNNING", "worker_id": "127.0.0.1:8083"},
			},
		}
	}
	answer(out, http.StatusOK, all)
}

func (w *Worker) put(out http.ResponseWriter, req *http.Request) {
	config, ok := settings(out, req)
	if !ok {
		return
	}
	name := req.PathValue("name")
	if faults := judge(config); len(faults) > 0 {
		told := slices.Sorted(maps.Values(faults))
		refuse(out, http.StatusBadRequest, fmt.Sprintf("Connector configuration is invalid and contains the following %d error(s):\n%s", len(faults), strings.Join(told, "\n")))
		return
	}
	w.calls = append(w.calls, "PUT "+name)
	config["name"] = name
	w.set(name, config)
	answer(out, http.StatusOK, map[string]any{"name": name, "config": config})
}

func (w *Worker) delete(out http.ResponseWriter, req *http.Request) {
	if name, ok := w.known(out, req); ok {
		w.calls = append(w.calls, "DELETE "+name)
		delete(w.connectors, name)
		out.WriteHeader(http.StatusNoContent)
	}
}

func (w *Worker) restart(out http.ResponseWriter, req *http.Request) {
	if name, ok := w.known(out, req); ok {
		w.calls = append(w.calls, "RESTART "+name+" "+req.URL.RawQuery)
		delete(w.failed, name)
		answer(out, http.StatusAccepted, map[string]any{"name": name})
	}
}

func (w *Worker) known(out http.ResponseWriter, req *http.Request) (string, bool) {
	name := req.PathValue("name")
	if w.connectors[name] == nil {
		refuse(out, http.StatusNotFound, "Connector "+name+" not found")
		return "", false
	}
	return name, true
}

// validate lists every setting, as a worker does, those without errors too.
func validate(out http.ResponseWriter, req *http.Request) {
	config, ok := settings(out, req)
	if !ok {
		return
	}
	if class := req.PathValue("class"); class != Source && class != Sink {
		refuse(out, http.StatusInternalServerError, "Failed to find any class that implements Connector and which name matches "+class+", available connectors are: PluginDesc{…}")
		return
	}
	faults := judge(config)
	keys := maps.Clone(config)
	maps.Copy(keys, faults)
	var configs []any
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		errs := []string{}
		if faults[key] != "" {
			errs = append(errs, faults[key])
		}
		configs = append(configs, map[string]any{
			"definition": map[string]any{"name": key, "type": "STRING"},
			"value":      map[string]any{"name": key, "value": config[key], "errors": errs, "visible": true},
		})
	}
	answer(out, http.StatusOK, map[string]any{"name": req.PathValue("class"), "error_count": len(faults), "configs": configs})
}

// judge is what the plugins have against settings, by key.
func judge(config map[string]string) map[string]string {
	faults := map[string]string{}
	if n, err := strconv.Atoi(config["tasks.max"]); config["tasks.max"] != "" && (err != nil || n < 1) {
		faults["tasks.max"] = fmt.Sprintf("Invalid value %s for configuration tasks.max: Not a number of type INT", config["tasks.max"])
	}
	want := "topics"
	if config["connector.class"] == Source {
		want = "topic"
	}
	if config[want] == "" {
		faults[want] = fmt.Sprintf("Missing required configuration %q which has no default value.", want)
	}
	return faults
}

func settings(out http.ResponseWriter, req *http.Request) (map[string]string, bool) {
	var config map[string]string
	if err := json.NewDecoder(req.Body).Decode(&config); err != nil {
		refuse(out, http.StatusBadRequest, "Unexpected character in the request's body")
		return nil, false
	}
	return config, true
}

func refuse(out http.ResponseWriter, status int, message string) {
	answer(out, status, map[string]any{"error_code": status, "message": message})
}

func answer(out http.ResponseWriter, status int, body any) {
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(status)
	_ = json.NewEncoder(out).Encode(body) // a test that has gone does not read it
}
