package compose_test

import (
	"bytes"
	"cmp"
	"errors"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/compose"
	"github.com/slipway-go/slipway/render/rendertest"
)

// environments are those of the estates that are rendered.
var environments = map[string]string{"minimal": "prod", "shop": "prod", "everything": "prod", "hostile": "no"}

// anyContract is there because an estate without one is none.
const anyContract = "apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: any, owner: team-any}\n"

// onThisMachine puts an environment of an estate onto the cluster of
// testdata/clusters.yaml.
func onThisMachine(t testing.TB, estate *contract.Estate, env string, edit ...string) render.Input {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "clusters.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	aliases := []string{"default: compose"}
	for alias := range estate.Clusters.Environments[env] {
		if alias != contract.DefaultAlias {
			aliases = append(aliases, alias+": compose")
		}
	}
	slices.Sort(aliases[1:])
	clusters := strings.NewReplacer("ENVIRONMENT", `"`+env+`"`, "ALIASES", strings.Join(aliases, ", ")).Replace(string(text))
	if len(edit) > 0 {
		clusters = strings.NewReplacer(edit...).Replace(clusters)
	}
	other, problems := contract.Load(fstest.MapFS{"clusters.yaml": {Data: []byte(clusters)}, "slipway.yaml": {Data: []byte(anyContract)}}, ".")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	estate.Clusters = other.Clusters
	estate.External.Principals = append(slices.Clone(estate.External.Principals), "User:connect")
	return render.Input{Estate: estate, Environment: env}
}

func files(t testing.TB, in render.Input) []render.File {
	t.Helper()
	all, err := compose.Target().Files(in)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Rules and dashboards are the golden files of package render/monitoring.
func TestTheEstatesRenderAsRead(t *testing.T) {
	t.Parallel()
	for name, env := range environments {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := files(t, onThisMachine(t, rendertest.Estate(t, name), env))
			all = slices.DeleteFunc(all, func(f render.File) bool {
				return strings.HasPrefix(f.Path, "prometheus/rules/") || strings.HasPrefix(f.Path, "grafana/dashboards/")
			})
			rendertest.Golden(t, filepath.Join("testdata", name), all)
		})
	}
}

// A document is compose.yaml as far as the tests look at it.
type document struct {
	Services map[string]container
	Secrets  map[string]struct{ File string }
	Networks map[string]any
}

type container struct {
	Image       string
	Environment map[string]string
	User        string
	ReadOnly    bool     `yaml:"read_only"`
	CapDrop     []string `yaml:"cap_drop"`
	SecurityOpt []string `yaml:"security_opt"`
	NetworkMode string   `yaml:"network_mode"`
	Privileged  bool
	Deploy      struct {
		Resources struct {
			Limits struct {
				CPUs, Memory string
				PIDs         int
			}
		}
	}
	Healthcheck *struct {
		Test                       []string
		Interval, Timeout          string
		Retries                    int
		StartPeriod, StartInterval string
	}
	Ports []struct {
		HostIP    string `yaml:"host_ip"`
		Published string
	}
	Secrets   []struct{ Source, Target string }
	Volumes   []struct{ Type, Source, Target string }
	DependsOn map[string]struct{ Condition string } `yaml:"depends_on"`
}

func parse(t testing.TB, all []render.File) document {
	t.Helper()
	var d document
	for _, f := range all {
		if f.Path == "compose.yaml" {
			if err := yaml.Unmarshal(f.Content, &d); err != nil {
				t.Fatal(err)
			}
			return d
		}
	}
	t.Fatal("there is no compose.yaml")
	return d
}

// check tells what no container may be.
func check(t testing.TB, env string, all []render.File) {
	t.Helper()
	d := parse(t, all)
	exists := map[string]bool{}
	for _, f := range all {
		for dir := f.Path; dir != "."; dir = path.Dir(dir) {
			exists["./"+dir] = true
		}
	}
	published := map[string]string{}
	for name, c := range d.Services {
		limits := c.Deploy.Resources.Limits
		switch {
		case !c.ReadOnly || !slices.Equal(c.CapDrop, []string{"ALL"}) || !slices.Equal(c.SecurityOpt, []string{"no-new-privileges:true"}) || c.Privileged:
			t.Errorf("%s can become more than it is", name)
		case !strings.HasPrefix(c.User, "${SLIPWAY_UID:?"):
			t.Errorf("%s runs as %q", name, c.User)
		case limits.CPUs == "" || limits.Memory == "" || limits.PIDs == 0:
			t.Errorf("%s has no limits", name)
		case c.NetworkMode == "host":
			t.Errorf("%s is on the machine's own network", name)
		case strings.HasSuffix(c.Image, ":latest") && env != "dev" || !strings.Contains(c.Image, ":"):
			t.Errorf("%s has no version: %s", name, c.Image)
		case c.Healthcheck != nil && (c.Healthcheck.Interval != "30s" || c.Healthcheck.Timeout != "5s" || c.Healthcheck.Retries != 5):
			t.Errorf("%s is asked for its health differently: %+v", name, *c.Healthcheck)
		}
		for _, p := range c.Ports {
			if p.HostIP != "127.0.0.1" {
				t.Errorf("%s is published at %s", name, p.HostIP)
			}
			if other := published[p.Published]; other != "" {
				t.Errorf("%s and %s are both published at %s", name, other, p.Published)
			}
			published[p.Published] = name
		}
		for on, how := range c.DependsOn {
			if how.Condition == "service_healthy" && d.Services[on].Healthcheck == nil {
				t.Errorf("%s waits for %s to be healthy, and nobody asks that", name, on)
			}
			if _, there := d.Services[on]; !there {
				t.Errorf("%s waits for %s, which is not there", name, on)
			}
		}
		for _, s := range c.Secrets {
			if _, there := d.Secrets[s.Source]; !there {
				t.Errorf("%s has the secret %s, which is not there", name, s.Source)
			}
		}
		for _, v := range c.Volumes {
			if !exists[v.Source] && !strings.HasPrefix(v.Source, "./data/") && v.Source != "./secrets/settings/"+name {
				t.Errorf("%s mounts %s, which is not rendered", name, v.Source)
			}
		}
		for key, value := range c.Environment {
			if strings.Contains(strings.ToLower(key), "password") && !strings.HasPrefix(value, "/run/secrets/") {
				t.Errorf("%s: %s is %q, and no file", name, key, value)
			}
		}
	}
	for _, f := range all {
		if bytes.Contains(f.Content, []byte("BEGIN ")) || bytes.Contains(f.Content, []byte("version: '3")) {
			t.Errorf("%s holds a key, or a version of Compose' format", f.Path)
		}
	}
}

func TestNoContainerIsMoreThanItHasToBe(t *testing.T) {
	t.Parallel()
	for _, name := range rendertest.Estates() {
		for env := range rendertest.Estate(t, name).Clusters.Environments {
			t.Run(name+" "+env, func(t *testing.T) {
				t.Parallel()
				estate := rendertest.Estate(t, name)
				// Estate environments that log in by PLAIN have no place here.
				if r, _ := estate.In(env); slices.ContainsFunc(r.Services, func(s *contract.Service) bool { return s.Auth == contract.Plain }) {
					_, err := compose.Target().Files(onThisMachine(t, estate, env))
					if err == nil {
						t.Error("a service that logs in by PLAIN was rendered")
					}
					return
				}
				check(t, env, files(t, onThisMachine(t, estate, env)))
			})
		}
	}
}

// Every alias means the one cluster, and a service that starts with its variables finds
// it by each.
func TestAServiceStartsWithItsVariablesAndFindsTheCluster(t *testing.T) {
	t.Parallel()
	for _, name := range rendertest.Estates() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := onThisMachine(t, rendertest.Estate(t, name), cmp.Or(environments[name], "prod"))
			r, problems := in.Estate.In(in.Environment)
			if err := problems.Err(); err != nil {
				t.Fatal(err)
			}
			var doc document
			all := files(t, in)
			i := slices.IndexFunc(all, func(f render.File) bool { return f.Path == "compose.yaml" })
			if err := yaml.Unmarshal(all[i].Content, &doc); err != nil {
				t.Fatal(err)
			}
			script := string(content(t, all, "up.sh"))
			for i, svc := range r.Services {
				if svc.Workload != nil {
					c := doc.Services[svc.Name]
					secretsAsAsked(t, svc.Name, c, script)
					requireStart(t, r, svc, in.Estate.Services[i], c.Environment)
				}
			}
		})
	}
}

// secretsAsAsked does what up.sh asks for: it writes the files of the directory that the
// container mounts, and leads the container's variable there.
func secretsAsAsked(t *testing.T, name string, c container, script string) {
	t.Helper()
	dir := t.TempDir()
	for _, v := range c.Volumes {
		if asked, found := strings.CutPrefix(v.Source, "./secrets/settings/"); found && v.Target == c.Environment["SECRETS_PATH"] {
			c.Environment["SECRETS_PATH"] = dir
			for line := range strings.Lines(script) {
				if key, found := strings.CutPrefix(strings.TrimSpace(line), "given "+asked+"/"); found {
					if err := os.WriteFile(filepath.Join(dir, key), []byte("a secret\n"), 0o600); err != nil {
						t.Fatalf("%s: %v", name, err)
					}
				}
			}
		}
	}
}

// requireStart reads variables as the service does, whose contract is built into it as it
// is written.
func requireStart(t *testing.T, r *contract.Resolved, svc, written *contract.Service, vars map[string]string) {
	t.Helper()
	var environ []string
	for name, value := range vars {
		environ = append(environ, name+"="+value)
	}
	loader, err := config.New(config.Config{Contract: written, Environ: environ})
	if err != nil {
		t.Fatal(err)
	}
	values, err := loader.Load(t.Context())
	if err != nil {
		t.Fatalf("%s does not start: %v", svc.Name, err)
	}
	env, err := slipway.EnvironmentOf(r.Env, values)
	if err != nil {
		t.Fatalf("%s does not start: %v", svc.Name, err)
	}
	for _, alias := range svc.Clusters() {
		at := env.At(alias)
		mtls := svc.AuthOn(r.ClusterName(alias)) == contract.MTLS
		if !strings.HasPrefix(at.BootstrapServers, "kafka-1:") || at.TopicPrefix != r.Bindings[alias].TopicPrefix || at.RegistryURL == "" || mtls != (at.CertFile != "") || mtls == (at.PasswordFile != "") {
			t.Errorf("%s finds by alias %s the cluster %+v", svc.Name, alias, at)
		}
	}
	if _, found := vars["BOOTSTRAP_SERVERS"]; found != slices.Contains(svc.Clusters(), contract.DefaultAlias) {
		t.Errorf("%s is told where the default cluster is: %v", svc.Name, found)
	}
}

// Whatever is up.sh is to make is made for each container that mounts it.
func TestUpMakesEverySecretThatIsMounted(t *testing.T) {
	t.Parallel()
	all := files(t, onThisMachine(t, rendertest.Estate(t, "shop"), "prod"))
	i := slices.IndexFunc(all, func(f render.File) bool { return f.Path == "up.sh" })
	script := string(all[i].Content)
	for name, s := range parse(t, all).Secrets {
		file := strings.TrimPrefix(s.File, "./secrets/")
		dir, base := path.Split(file)
		dir = strings.TrimSuffix(dir, "/")
		made := map[string][]string{
			"keystore.pem":   {"--out secrets/" + dir + " "},
			"truststore.pem": {"--out secrets/" + dir + " "},
			"tls.crt":        {"server " + dir + "\n", " " + dir + "\n"},
			"tls.key":        {"server " + dir + "\n", " " + dir + "\n"},
			"users":          {"users " + dir + " "},
			"ca.crt":         {">secrets/ca.crt"},
			"password":       {"password " + file + "\n", "--secrets secrets/users"},
		}[base]
		if made == nil {
			made = []string{"password " + file + "\n", "login " + dir + " " + base + "\n", ">secrets/" + file + "\n"}
		}
		if !slices.ContainsFunc(made, func(line string) bool { return strings.Contains(script, line) }) {
			t.Errorf("nothing in up.sh makes secrets/%s (%s)", file, name)
		}
	}
}

// What only the team knows is asked for before anything is started, all of it at once.
func TestUpStartsNothingWhileASecretSettingIsMissing(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell to ask")
	}
	dir := t.TempDir()
	bin, called := filepath.Join(dir, "bin"), filepath.Join(dir, "called")
	script := content(t, everything(t), "up.sh")
	for name, text := range map[string]string{
		"up.sh":       string(script),
		"bin/id":      "#!/bin/sh\necho 1000\n",
		"bin/slipway": "#!/bin/sh\necho \"$@\" >>" + called + "\nexit 7\n",
		"bin/docker":  "#!/bin/sh\necho docker >>" + called + "\nexit 7\n",
		"bin/openssl": "#!/bin/sh\necho openssl >>" + called + "\nexit 7\n",
	} {
		file := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o750), os.WriteFile(file, []byte(text), 0o700)); err != nil {
			t.Fatal(err)
		}
	}
	up := func() (string, error) {
		cmd := exec.CommandContext(t.Context(), shell, "up.sh", ".")
		cmd.Dir, cmd.Env = dir, []string{"PATH=" + bin + ":" + os.Getenv("PATH")}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	file := filepath.Join(dir, "secrets/settings/orders/order.key")
	out, err := up()
	if err == nil || !strings.Contains(out, "nothing is started") || !strings.Contains(out, file+"\n") {
		t.Fatalf("up.sh without the setting: %v, and it says\n%s", err, out)
	}
	if was, err := os.ReadFile(called); err == nil {
		t.Errorf("called before that: %s", was)
	}
	if err := os.WriteFile(file, []byte("a secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ = up()
	if was, err := os.ReadFile(called); err != nil || !strings.HasPrefix(string(was), "pki init ") {
		t.Errorf("with the setting up.sh calls %q, %v, and says\n%s", was, err, out)
	}
}

func TestShellsReadTheScripts(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell to ask")
	}
	for _, f := range files(t, onThisMachine(t, rendertest.Estate(t, "shop"), "prod")) {
		if path.Ext(f.Path) != ".sh" {
			continue
		}
		cmd := exec.CommandContext(t.Context(), shell, "-n")
		cmd.Stdin = bytes.NewReader(f.Content)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", f.Path, err, out)
		}
	}
}

func TestWhatCannotBeRenderedSaysWhereAndWhy(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		edit []string
		want diag.Code
		says string
	}{
		"a node that is nowhere on this machine": {[]string{"hosts: [kafka-2, localhost]", "hosts: [kafka-2]"}, diag.RenderComposeNode, "kafka-2 at localhost"},
		"one port for all":                       {[]string{"localhost:29193", "localhost:29093", "localhost:29293", "localhost:29093"}, diag.RenderComposeNode, "both be at localhost:29093"},
		"a node without a name of its own":       {[]string{"hosts: [kafka-2, localhost]", "hosts: [localhost]"}, diag.RenderComposeNode, "kafka-2 has no host but localhost"},
		"no authority":                           {[]string{"    ca: compose.crt\n", ""}, diag.RenderComposePart, "names no file for its authority"},
		"a registry elsewhere":                   {[]string{"https://localhost:28081", "https://registry.example"}, diag.RenderComposePart, "https://registry.example is not https://localhost"},
		"a registry for everybody":               {[]string{", auth: basic", ""}, diag.RenderComposePart, "asks for no password"},
		"a worker of nobody":                     {[]string{", principal: connect", ""}, diag.RenderComposePart, "no certificate"},
		"connectors and no Connect":              {[]string{`    connect: {url: "https://localhost:28083", principal: connect}` + "\n", ""}, diag.RenderComposePart, "no Kafka Connect"},
		"two controllers":                        {[]string{"kafka-3: {roles: [broker, controller]", "kafka-3: {roles: [broker]"}, diag.RenderQuorum, "2 controllers"},
		"no nodes":                               {[]string{"    nodes:\n", "    nodes: {}\n#", "      kafka", "#"}, diag.RenderNoNodes, "lists no nodes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			estate := rendertest.Load(t, fstest.MapFS{
				"slipway.yaml": {Data: []byte(anyContract + `workload: {image: "registry.example.com/any:v1"}
connectors: {sink: {config: {connector.class: org.example.Sink}}}
`)},
				"clusters.yaml": {Data: []byte("apiVersion: slipway.dev/v1\nkind: Clusters\nclusters: {far: {id: MkU3OEVBNTcwNTJENDM2Qk, bootstrap: {mtls: \"kafka:9093\"}, connect: \"https://connect\"}}\nenvironments: {prod: {default: far}}\n")},
			})
			_, err := compose.Target().Files(onThisMachine(t, estate, "prod", tt.edit...))
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("Files() = %v, want %s with %q", err, tt.want, tt.says)
			}
			for _, d := range diag.Of(err) {
				if d.Position.Line == 0 {
					t.Errorf("%v has no place", d)
				}
			}
		})
	}
}

func TestAServiceThatCannotBeRunIsRefused(t *testing.T) {
	t.Parallel()
	for says, workload := range map[string]string{
		"no workload.image":                "",
		"image of service any is latest":   "workload: {image: \"registry.example.com/any:latest\"}\n",
		"called like another container of": "workload: {image: \"registry.example.com/any:v1\"}\n",
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			contract := anyContract + workload
			if strings.Contains(says, "another") {
				contract = strings.Replace(contract, "name: any", "name: grafana", 1)
			}
			estate := rendertest.Load(t, fstest.MapFS{
				"slipway.yaml":  {Data: []byte(contract)},
				"clusters.yaml": {Data: []byte("apiVersion: slipway.dev/v1\nkind: Clusters\nenvironments: {prod: {default: local}}\n")},
			})
			if _, err := compose.Target().Files(onThisMachine(t, estate, "prod")); !errors.Is(err, diag.RenderComposePart) || !strings.Contains(err.Error(), says) {
				t.Errorf("Files() = %v, want %s with %q", err, diag.RenderComposePart, says)
			}
		})
	}
}
