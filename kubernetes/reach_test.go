package kubernetes_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A pod reaches every address that its variables tell it of, every peer that its
// contract and its platform declare, and nothing else; and nobody reaches it but
// Prometheus, at its metrics, and those who are declared, at what it serves.
func TestAPodReachesAndIsReachedByWhatIsDeclaredAlone(t *testing.T) {
	t.Parallel()
	for _, r := range residents(t) {
		t.Run(r.tree.String(), func(t *testing.T) {
			t.Parallel()
			r.requireAddresses(t)
			parties := r.strangers()
			for _, d := range r.out {
				parties = append(parties, d.examples(r.pod.namespace)...)
			}
			r.requireOut(t, parties)
			parties = append(parties, party{namespace: r.platform.Monitoring, labels: map[string]string{"app": "prometheus"}})
			if a := r.svc.Workload.Access; a != nil {
				for _, caller := range a.Callers {
					namespace, name, elsewhere := strings.Cut(caller, "/")
					if !elsewhere {
						namespace, name = r.pod.namespace, caller
					}
					labels := map[string]string{"app.kubernetes.io/name": name}
					parties = append(parties, party{namespace: namespace, labels: labels}, party{namespace: "elsewhere", labels: labels})
				}
			}
			r.requireIn(t, parties)
		})
	}
}

// requireAddresses asks for each address that the variables name.
func (r *resident) requireAddresses(t *testing.T) {
	t.Helper()
	for variable, value := range r.addresses {
		i := slices.IndexFunc(r.out, func(d declared) bool { return strings.HasSuffix(d.what, " in "+variable) })
		if i < 0 {
			t.Errorf("%s is %s, and nothing declares who that is", variable, value)
			continue
		}
		to := r.out[i].examples(r.pod.namespace)
		if len(to) == 0 {
			t.Errorf("%s is %s, and nothing declares where that is", variable, value)
		}
		for _, p := range to {
			for _, port := range named(value) {
				if !may(r.policies, r.pod, p, "TCP", port) {
					t.Errorf("%s is %s, and %v may not be reached at %d", variable, value, p, port)
				}
			}
		}
	}
}

// requireOut asks of each party whether the pod may connect to it.
func (r *resident) requireOut(t *testing.T, parties []party) {
	t.Helper()
	for _, to := range parties {
		for _, port := range r.numbers() {
			for _, protocol := range []string{"TCP", "UDP"} {
				want := slices.ContainsFunc(r.out, func(d declared) bool { return d.has(r.pod.namespace, to, protocol, port) })
				if got := lets(r.policies, "Egress", r.pod, to, protocol, port); got != want {
					t.Errorf("the pod may connect to %v at %s %d: %v, want %v", to, protocol, port, got, want)
				}
			}
		}
	}
}

// requireIn asks of each party whether it may connect to the pod.
func (r *resident) requireIn(t *testing.T, parties []party) {
	t.Helper()
	for _, from := range parties {
		for _, port := range r.numbers() {
			for _, protocol := range []string{"TCP", "UDP"} {
				if got, want := lets(r.policies, "Ingress", r.pod, from, protocol, port), r.takes(from, protocol, port); got != want {
					t.Errorf("%v may connect to the pod at %s %d: %v, want %v", from, protocol, port, got, want)
				}
			}
		}
	}
}

// A service that calls another one of its environment gets through where the one's
// contract names the other, and the other's lets it in.
func TestServicesReachEachOtherAsBothDeclare(t *testing.T) {
	t.Parallel()
	environments := map[string][]*resident{}
	for _, r := range residents(t) {
		if r.tree.target == "kustomize" {
			key := fmt.Sprint(filepath.Dir(filepath.Dir(filepath.Dir(r.tree.path))), " ", r.platform.Environment)
			environments[key] = append(environments[key], r)
		}
	}
	reached := 0
	for name, all := range environments {
		var rules []policy
		for _, r := range all {
			rules = append(rules, r.policies...)
		}
		for _, from := range all {
			for _, to := range all {
				for _, port := range to.numbers() {
					want := to.takes(from.pod, "TCP", port) && slices.ContainsFunc(from.out, func(d declared) bool { return d.has(from.pod.namespace, to.pod, "TCP", port) })
					if got := may(rules, from.pod, to.pod, "TCP", port); got != want {
						t.Errorf("%s: %s may connect to %s at %d: %v, want %v", name, from.svc.Name, to.svc.Name, port, got, want)
					}
					if want {
						reached++
					}
				}
			}
		}
	}
	if reached == 0 {
		t.Error("no service of any estate calls another one")
	}
}
