//go:build kubernetes

package kubernetes_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// restricted is the namespace in which Pod Security holds pods to the standard that
// allows the least.
const restricted = "restricted"

// fortress brings the namespace, and the service account that a pod goes by.
func (p *plane) fortress(t *testing.T, account string) {
	t.Helper()
	err := p.create(t.Context(), object{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{
		"name":   restricted,
		"labels": map[string]any{"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted"},
	}})
	if err != nil && !refused(err, 409) {
		t.Fatal(err)
	}
	err = p.create(t.Context(), object{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{"name": account, "namespace": restricted}})
	if err != nil && !refused(err, 409) {
		t.Fatal(err)
	}
}

// pod is what a workload makes, in the restricted namespace.
func pod(t *testing.T, workload object) object {
	t.Helper()
	data, err := json.Marshal(workload.at("spec", "template"))
	if err != nil {
		t.Fatal(err)
	}
	var made object
	if err := json.Unmarshal(data, &made); err != nil {
		t.Fatal(err)
	}
	made["apiVersion"], made["kind"] = "v1", "Pod"
	meta := made["metadata"].(map[string]any)
	meta["name"], meta["namespace"] = workload.name(), restricted
	claims, _ := workload.at("spec", "volumeClaimTemplates").([]any)
	spec := made["spec"].(map[string]any)
	for _, claim := range claims {
		name := object(claim.(map[string]any)).name()
		volumes, _ := spec["volumes"].([]any)
		spec["volumes"] = append(volumes, map[string]any{"name": name, "persistentVolumeClaim": map[string]any{"claimName": name}})
	}
	return made
}

// account is the service account of a pod.
func account(pod object) string {
	if name := pod.text("spec", "serviceAccountName"); name != "" {
		return name
	}
	return "default"
}

// workloads are those of all trees, by tree and name.
func workloads(t *testing.T) map[string]object {
	t.Helper()
	all := map[string]object{}
	for _, tr := range trees(t) {
		for _, o := range tr.built(t) {
			if o.workload() {
				all[tr.String()+"/"+o.name()] = o
			}
		}
	}
	if len(all) == 0 {
		t.Fatal("no golden tree has a workload")
	}
	return all
}

func TestPodSecurityAdmitsEveryPodWhereTheLeastIsAllowed(t *testing.T) {
	t.Parallel()
	p := server(t)
	for name, workload := range workloads(t) {
		made := pod(t, workload)
		p.fortress(t, account(made))
		if err := p.try(t.Context(), made); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A namespace that a tree brings holds its pods to the same standard.
func TestEveryNamespaceAllowsTheLeast(t *testing.T) {
	t.Parallel()
	for _, tr := range trees(t) {
		for _, o := range tr.built(t) {
			if level := o.text("metadata", "labels", "pod-security.kubernetes.io/enforce"); o.kind() == "Namespace" && level != "restricted" {
				t.Errorf("%s: %s enforces %q", tr, o, level)
			}
		}
	}
}

// A test that cannot fail proves nothing: what is a little wrong is refused, with
// words that say what it is.
func TestTheAPIServerRefusesWhatIsWrong(t *testing.T) {
	t.Parallel()
	p := server(t)
	var some object // a workload with one pod, whichever it is
	for _, workload := range workloads(t) {
		some = workload
		break
	}
	p.room(t, some.namespace())
	if err := p.try(t.Context(), some); err != nil {
		t.Fatalf("what is right is refused: %v", err)
	}
	for name, tt := range map[string]struct {
		change func(workload object)
		want   string
	}{
		"unknown field":    {func(o object) { o["spec"].(map[string]any)["replica"] = 3 }, ".spec.replica"},
		"wrong type":       {func(o object) { o["spec"].(map[string]any)["replicas"] = "many" }, "replicas"},
		"unknown version":  {func(o object) { o["apiVersion"] = "apps/v1beta1" }, "apps/v1beta1"},
		"missing selector": {func(o object) { delete(o["spec"].(map[string]any), "selector") }, "spec.selector"},
	} {
		t.Run(name, func(t *testing.T) {
			wrong := copied(t, some)
			tt.change(wrong)
			if err := p.try(t.Context(), wrong); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the API server says %v, want something of %q", err, tt.want)
			}
		})
	}
	for name, change := range map[string]func(security map[string]any){
		"privileged":             func(s map[string]any) { s["privileged"] = true; s["allowPrivilegeEscalation"] = true },
		"as root":                func(s map[string]any) { s["runAsUser"] = 0 },
		"with capabilities":      func(s map[string]any) { s["capabilities"] = map[string]any{"add": []string{"NET_ADMIN"}} },
		"without a seccomp rule": func(s map[string]any) { s["seccompProfile"] = map[string]any{"type": "Unconfined"} },
	} {
		t.Run(name, func(t *testing.T) {
			wrong := pod(t, some)
			p.fortress(t, account(wrong))
			change(wrong.at("spec", "containers").([]any)[0].(map[string]any)["securityContext"].(map[string]any))
			if err := p.try(t.Context(), wrong); !refused(err, 403) || !strings.Contains(err.Error(), "PodSecurity") {
				t.Errorf("the API server says %v, want a refusal by Pod Security", err)
			}
		})
	}
}

// A custom resource is judged by the definition of those who made it.
func TestCustomResourcesAreJudged(t *testing.T) {
	t.Parallel()
	p := server(t)
	p.room(t, "judged")
	for kind, version := range map[string]string{
		"ScaledObject": "keda.sh/v1alpha1", "VirtualService": "networking.istio.io/v1", "Application": "argoproj.io/v1alpha1",
		"PrometheusRule": "monitoring.coreos.com/v1", "Certificate": "cert-manager.io/v1", "ExternalSecret": "external-secrets.io/v1",
	} {
		wrong := object{"apiVersion": version, "kind": kind, "metadata": map[string]any{"name": "wrong", "namespace": "judged"}, "spec": map[string]any{"nobodyKnows": 1}}
		if err := p.try(t.Context(), wrong); err == nil || !strings.Contains(err.Error(), "nobodyKnows") {
			t.Errorf("%s: the API server says %v", kind, err)
		}
	}
}

// copied is an object that may be changed.
func copied(t *testing.T, o object) object {
	t.Helper()
	data, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var c object
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	return c
}
