package kustomize

import (
	"strconv"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
)

const (
	container = "service"

	// nonroot is the user and group of the images that slipway image build makes.
	nonroot = 65532

	// settle is how long a pod that is to stop goes on as it is, until nobody sends
	// it requests any more: endpoints are updated a moment after the signal.
	settle = 5 * time.Second

	// leeway is how long a process may take for what comes after its drain.
	leeway = 5 * time.Second
)

// pod is the specification of a pod.
func (s *site) pod() manifest.Map {
	budget, from := s.drain()
	return manifest.Map{
		manifest.E("serviceAccountName", s.svc.Name),
		manifest.E("automountServiceAccountToken", false).From("nothing in the pod speaks to the API server"),
		manifest.E("enableServiceLinks", false).From("variables of neighbours are no configuration"),
		s.pullSecrets(),
		manifest.E("terminationGracePeriodSeconds", seconds(settle+budget+leeway)).From("preStop %v + drain %v (%s) + %v", settle, budget, from, leeway),
		manifest.E("securityContext", s.podSecurity()),
		manifest.E("affinity", s.apart()),
		manifest.E("topologySpreadConstraints", []manifest.Map{{
			manifest.E("maxSkew", 1),
			manifest.E("topologyKey", "topology.kubernetes.io/zone"),
			manifest.E("whenUnsatisfiable", "ScheduleAnyway"),
			manifest.E("labelSelector", manifest.Map{manifest.E("matchLabels", manifest.Selector(s.svc))}),
		}}),
		manifest.E("containers", []manifest.Map{s.container()}),
		manifest.E("volumes", s.volumes()),
	}
}

// seconds rounds up: a grace period that is too short is a kill.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

func (s *site) pullSecrets() manifest.Entry {
	if s.env == nil || len(s.env.platform.PullSecrets) == 0 {
		return manifest.Entry{}
	}
	var names []manifest.Map
	for _, name := range s.env.platform.PullSecrets {
		names = append(names, manifest.Map{manifest.E("name", name)})
	}
	return manifest.E("imagePullSecrets", names).From("%s", s.platformAt("pullSecrets"))
}

func (s *site) podSecurity() manifest.Map {
	m := manifest.Map{
		manifest.E("runAsNonRoot", true),
		manifest.E("runAsUser", nonroot),
		manifest.E("runAsGroup", nonroot),
		manifest.E("fsGroup", nonroot).From("may read the mounted keys"),
		manifest.E("fsGroupChangePolicy", "OnRootMismatch"),
		manifest.E("seccompProfile", manifest.Map{manifest.E("type", "RuntimeDefault")}),
	}
	if low := s.lowPort(); low != "" {
		m = append(m, manifest.E("sysctls", []manifest.Map{{
			manifest.E("name", "net.ipv4.ip_unprivileged_port_start"), manifest.E("value", "0"),
		}}).From("%s: a port below 1024, and the service is not root", s.at(low)))
	}
	return m
}

// lowPort is the element of a port that only root may listen on, by default.
func (s *site) lowPort() string {
	const unprivileged = 1024
	switch w := s.svc.Workload; {
	case w.HTTP != 0 && w.HTTP < unprivileged:
		return "workload/http"
	case w.GRPC != 0 && w.GRPC < unprivileged:
		return "workload/grpc"
	}
	return ""
}

// apart keeps the service's pods on different nodes where there are enough.
func (s *site) apart() manifest.Map {
	return manifest.Map{manifest.E("podAntiAffinity", manifest.Map{
		manifest.E("preferredDuringSchedulingIgnoredDuringExecution", []manifest.Map{{
			manifest.E("weight", 100),
			manifest.E("podAffinityTerm", manifest.Map{
				manifest.E("topologyKey", "kubernetes.io/hostname"),
				manifest.E("labelSelector", manifest.Map{manifest.E("matchLabels", manifest.Selector(s.svc))}),
			}),
		}}),
	})}
}

func (s *site) container() manifest.Map {
	w := s.svc.Workload
	img := s.image()
	m := manifest.Map{
		manifest.E("name", container),
		manifest.E("image", s.named()).From("%s; kustomization.yaml of an overlay says which", s.at("workload/image")),
		manifest.E("imagePullPolicy", "IfNotPresent"),
		manifest.E("ports", s.ports()),
		manifest.E("envFrom", []manifest.Map{{manifest.E("configMapRef", manifest.Map{manifest.E("name", s.svc.Name+"-env")})}}).
			From("variables.env of the overlay"),
		manifest.E("env", s.own()),
		manifest.E("resources", manifest.Map{
			manifest.E("requests", manifest.Map{
				manifest.E("cpu", w.CPU.String()).From("%s", s.at("workload/cpu")),
				manifest.E("memory", contract.FormatMemory(w.Memory)).From("%s", s.at("workload/memory")),
				manifest.E("ephemeral-storage", "64Mi"),
			}),
			manifest.E("limits", manifest.Map{
				manifest.E("memory", contract.FormatMemory(w.Memory)).From("as requested: what is promised is there"),
				manifest.E("ephemeral-storage", "256Mi").From("logs and /tmp"),
			}).From("no limit for CPU: it would take away what nobody else uses, in the middle of a rebalance"),
		}),
	}
	if s.env != nil && img.moving() {
		m[2] = manifest.E("imagePullPolicy", "Always").From("the image's tag moves")
	}
	return append(m, append(s.probes(), manifest.Map{
		manifest.E("lifecycle", manifest.Map{manifest.E("preStop", manifest.Map{
			manifest.E("sleep", manifest.Map{manifest.E("seconds", seconds(settle))}),
		})}).From("requests still arrive for a moment; there is no shell in the image that could sleep"),
		manifest.E("terminationMessagePolicy", "FallbackToLogsOnError").From("kubectl describe shows why it ended"),
		manifest.E("securityContext", manifest.Map{
			manifest.E("allowPrivilegeEscalation", false),
			manifest.E("privileged", false),
			manifest.E("readOnlyRootFilesystem", true),
			manifest.E("capabilities", manifest.Map{manifest.E("drop", []string{"ALL"})}),
		}),
		manifest.E("volumeMounts", s.mounts()),
	}...)...)
}

func (s *site) ports() []manifest.Map {
	var all []manifest.Map
	add := func(name string, port int, from string) {
		all = append(all, manifest.Map{manifest.E("name", name), manifest.E("containerPort", port).From("%s", from)})
	}
	w := s.svc.Workload
	if w.HTTP != 0 {
		add("http", w.HTTP, s.at("workload/http"))
	}
	if w.GRPC != 0 {
		add("grpc", w.GRPC, s.at("workload/grpc"))
	}
	if name, port := s.health(); w.HTTP == 0 {
		add(name, port, "probes and metrics, because there is no workload.http")
	}
	return all
}

// own are the variables that follow from the container itself, and those that are
// secret.
func (s *site) own() []manifest.Map {
	w := s.svc.Workload
	all := []manifest.Map{
		variable("GOMEMLIMIT", memoryLimit(w.Memory), "nine tenths of the memory: the collector works harder before the kernel kills"),
		variable("GOMAXPROCS", strconv.Itoa(processors(w.CPU)), "cores of workload.cpu, rounded up: not those of the node"),
	}
	if manifest.DatabaseOf(s.svc) == manifest.ServerDatabase {
		all = append(all, manifest.Map{manifest.E("name", "DATABASE_URL"), manifest.E("valueFrom", manifest.Map{
			manifest.E("secretKeyRef", manifest.Map{manifest.E("name", s.svc.Name+"-database"), manifest.E("key", "url")}),
		}).From("%s", s.databaseFrom())})
	}
	return all
}

func (s *site) databaseFrom() string {
	if s.svc.RelaysByDebezium() {
		return s.at("outbox/relay")
	}
	return s.at("workload/egress/" + manifest.DatabaseEgress)
}

func variable(name, value, from string) manifest.Map {
	return manifest.Map{manifest.E("name", name), manifest.E("value", value).From("%s", from)}
}

// memoryLimit is nine tenths of the memory in Go's spelling, whole mebibytes.
func memoryLimit(memory contract.Bytes) string {
	const mib = 1 << 20
	return strconv.FormatInt(int64(memory)/10*9/mib, 10) + "MiB"
}

// processors is how many threads run Go code at a time. There is no limit for CPU
// that the runtime could see.
func processors(cpu contract.MilliCPU) int { return max(1, int((cpu+999)/1000)) }

// probes are those of package serve, as docs/probes.md has them.
func (s *site) probes() manifest.Map {
	name, _ := s.health()
	probe := func(path string, period, timeout, failures int) manifest.Map {
		return manifest.Map{
			manifest.E("httpGet", manifest.Map{manifest.E("path", path), manifest.E("port", name)}),
			manifest.E("periodSeconds", period), manifest.E("timeoutSeconds", timeout), manifest.E("failureThreshold", failures),
		}
	}
	return manifest.Map{
		manifest.E("startupProbe", probe("/startupz", 10, 3, 30)).From("five minutes, for a spill to be replayed and a table to be read"),
		manifest.E("readinessProbe", probe("/readyz", 10, 3, 3)).From("would another instance do better? An outage of Kafka takes no pod out"),
		manifest.E("livenessProbe", probe("/livez", 30, 5, 3)).From("fails only if a new process can help"),
	}
}
