package kustomize

import (
	"bytes"
	"errors"
	"io"
	"path"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/manifest"
	"github.com/slipway-go/slipway/render/rendertest"
)

type failing interface {
	Fatalf(string, ...any)
	Errorf(string, ...any)
}

// requireSound checks what holds of every object of every estate.
func requireSound(t failing, files []render.File) {
	for _, f := range files {
		if path.Ext(f.Path) != ".yaml" || strings.Contains(f.Path, "/config/") {
			continue
		}
		dec := yaml.NewDecoder(bytes.NewReader(f.Content))
		for {
			var object map[string]any
			if err := dec.Decode(&object); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v\n%s", f.Path, err, f.Content)
			}
			requireObject(t, f.Path, object)
		}
	}
}

func requireObject(t failing, name string, object map[string]any) {
	kind, _ := object["kind"].(string)
	base := path.Base(name)
	switch {
	case kind == "Secret":
		t.Errorf("%s is a Secret", name)
	case kind == "Kustomization" || kind == "Component":
		for _, deprecated := range []string{"commonLabels", "patchesStrategicMerge", "patchesJson6902", "bases", "vars"} {
			if _, found := object[deprecated]; found {
				t.Errorf("%s has %s, which is deprecated", name, deprecated)
			}
		}
		return
	case strings.HasPrefix(base, "patch-") || strings.HasPrefix(base, "remove-"):
		return
	}
	if owner := at(object, "metadata", "labels", manifest.OwnerLabel); owner == nil || owner == "" {
		t.Errorf("%s has no owner", name)
	}
	own, _ := at(object, "metadata", "name").(string)
	if len(own) > 63 {
		t.Errorf("%s has a name that no label takes", name)
	}
	switch kind {
	case "Service":
		if headless := at(object, "spec", "clusterIP") == "None"; headless != strings.HasSuffix(own, "-instances") {
			t.Errorf("%s: callers are not spread over instances by a Service without an address, which %s is: %v", name, own, headless)
		}
	case "StatefulSet":
		requireStateful(t, name, own, object)
	}
	if kind == "Deployment" || kind == "StatefulSet" {
		requirePod(t, name, at(object, "spec", "template", "spec").(map[string]any))
	}
}

// requireStateful checks that instances are named by a Service of their own, and that
// templates of claims say what the API server would add.
func requireStateful(t failing, name, own string, object map[string]any) {
	if by := at(object, "spec", "serviceName"); by != own+"-instances" {
		t.Errorf("%s: instances are named by %v", name, by)
	}
	claims, _ := at(object, "spec", "volumeClaimTemplates").([]any)
	for _, claim := range claims {
		if c := claim.(map[string]any); c["apiVersion"] != "v1" || c["kind"] != "PersistentVolumeClaim" {
			t.Errorf("%s: Argo CD sees a difference for ever in %v", name, c)
		}
	}
}

// requirePod checks what Pod Security restricted asks for, and that a pod has bounds
// and is asked how it is.
func requirePod(t failing, name string, pod map[string]any) {
	c := pod["containers"].([]any)[0].(map[string]any)
	for what, got := range map[string]any{
		"a limit for memory": at(c, "resources", "limits", "memory"), "a request for CPU": at(c, "resources", "requests", "cpu"),
		"a startup probe": c["startupProbe"], "a readiness probe": c["readinessProbe"], "a liveness probe": c["livenessProbe"],
		"GOMEMLIMIT": at(c, "env"), "a preStop": at(c, "lifecycle", "preStop"),
	} {
		if got == nil {
			t.Errorf("%s lacks %s", name, what)
		}
	}
	for what, ok := range map[string]bool{
		"runAsNonRoot":             at(pod, "securityContext", "runAsNonRoot") == true,
		"seccomp":                  at(pod, "securityContext", "seccompProfile", "type") == "RuntimeDefault",
		"allowPrivilegeEscalation": at(c, "securityContext", "allowPrivilegeEscalation") == false,
		"readOnlyRootFilesystem":   at(c, "securityContext", "readOnlyRootFilesystem") == true,
		"a token":                  pod["automountServiceAccountToken"] == false,
		"limit equals request":     at(c, "resources", "limits", "memory") == at(c, "resources", "requests", "memory"),
	} {
		if !ok {
			t.Errorf("%s: %s is not as it has to be", name, what)
		}
	}
	if drop, _ := at(c, "securityContext", "capabilities", "drop").([]any); len(drop) != 1 || drop[0] != "ALL" {
		t.Errorf("%s keeps capabilities: drop is %v", name, drop)
	}
	for _, m := range c["volumeMounts"].([]any) {
		if _, found := m.(map[string]any)["subPath"]; found {
			t.Errorf("%s mounts by subPath, which never changes", name)
		}
	}
}

func at(m map[string]any, steps ...string) any {
	for i, step := range steps {
		if i == len(steps)-1 {
			return m[step]
		}
		m, _ = m[step].(map[string]any)
	}
	return nil
}

// requireMounted checks that whatever a variable says is mounted is mounted.
func requireMounted(t interface{ Errorf(string, ...any) }, s *site) {
	dirs := map[string]bool{}
	for _, m := range s.mounted() {
		if dirs[m.dir] {
			t.Errorf("%s mounts two things at %s", s.svc.Name, m.dir)
		}
		dirs[m.dir] = true
	}
	for line := range strings.Lines(string(s.variables("").Content)) {
		_, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if strings.HasPrefix(value, "/etc/slipway/") && !dirs[value] && !dirs[path.Dir(value)] && !s.injected() {
			t.Errorf("%s is told of %s, and nothing is mounted there", s.svc.Name, value)
		}
	}
}

func TestEveryObjectHasAnOwnerAndEveryPodItsBounds(t *testing.T) {
	t.Parallel()
	for _, name := range rendertest.Estates() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			estate := rendertest.Estate(t, name)
			for env := range estate.Clusters.Environments {
				all, err := Target().Files(render.Input{Estate: estate, Environment: env})
				if err != nil {
					t.Fatal(err)
				}
				requireSound(t, all)
			}
		})
	}
}

func TestWhateverAContractSaysIsRenderedSoundly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		estate := generate(rt)
		requireOverlays(rt, estate)
		all, err := Target().Files(render.Input{Estate: estate, Environment: "prod"})
		if err != nil {
			requireKnown(rt, err)
			return
		}
		requireSound(rt, all)
	})
}

// requireKnown checks that a generated contract is refused for the one reason that
// it can be.
func requireKnown(t failing, err error) {
	var list diag.List
	if !errors.As(err, &list) {
		t.Fatalf("Files() = %v", err)
	}
	for _, d := range list {
		if d.Code != diag.RenderFileShared {
			t.Errorf("Files() = %v", d)
		}
	}
}

func TestAnImageIsTakenApartAsRegistriesReadIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]image{
		"orders":                        {name: "orders"},
		"orders:v1":                     {name: "orders", tag: "v1"},
		"registry:5000/orders":          {name: "registry:5000/orders"},
		"registry:5000/orders:v1":       {name: "registry:5000/orders", tag: "v1"},
		"r/orders@sha256:abc":           {name: "r/orders", digest: "sha256:abc"},
		"registry:5000/o:v1@sha256:abc": {name: "registry:5000/o", tag: "v1", digest: "sha256:abc"},
	} {
		if got := parseImage(text); got != want {
			t.Errorf("parseImage(%q) = %+v, want %+v", text, got, want)
		}
	}
}

func TestGoIsToldOfTheBoundsOfItsContainer(t *testing.T) {
	t.Parallel()
	for memory, want := range map[contract.Bytes]string{128 << 20: "115MiB", 1 << 30: "921MiB", 16 << 20: "14MiB"} {
		if got := memoryLimit(memory); got != want {
			t.Errorf("memoryLimit(%v) = %s, want %s", memory, got, want)
		}
	}
	for cpu, want := range map[contract.MilliCPU]int{1: 1, 500: 1, 1000: 1, 1001: 2, 1500: 2, 4000: 4} {
		if got := processors(cpu); got != want {
			t.Errorf("processors(%v) = %d, want %d", cpu, got, want)
		}
	}
}
