package compose

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render/manifest"
)

// A gate stands before an HTTP service that has neither TLS nor logins of its own.
// Both share one network namespace: the service listens on the loopback address in
// there, so there is no way to it but through the gate.
type gate struct {
	name string // of the service behind it
	port int    // published at localhost, and the same among containers
	back string // where the service listens
	deny string // what a reader may not do, in nginx' words
}

// port is the port of an address that has to lead to this machine.
func (p *project) port(address, path string) (int, error) {
	u, err := url.Parse(address)
	if err == nil && u.Scheme == "https" && u.Hostname() == "localhost" && (u.Path == "" || u.Path == "/") {
		if port, err := strconv.Atoi(u.Port()); err == nil {
			return port, nil
		}
	}
	return 0, diag.New(diag.RenderComposePart, "%s is not https://localhost with a port", address).
		At(p.r.Clusters.Position("clusters/" + p.kafka.Entry.Name + path)).
		WithFix("write it so: containers are reached there from this machine, and each other by their names")
}

// gate adds the container in front of a service, at its networks.
func (p *project) gate(g gate, networks ...string) {
	name := g.name + "-gate"
	p.file(g.name+"/gate.conf", []byte(g.conf()))
	p.service(name, limits{cpu: 500, memory: 128 << 20},
		manifest.E("image", gateImage),
		manifest.E("hostname", g.name),
		manifest.E("volumes", []any{readOnly(g.name+"/gate.conf", "/etc/nginx/conf.d/default.conf")}),
		manifest.E("secrets", []any{
			p.secret(g.name+"-certificate", g.name+"/tls.crt", "/run/secrets/tls.crt"),
			p.secret(g.name+"-key", g.name+"/tls.key", "/run/secrets/tls.key"),
			p.secret(g.name+"-users", g.name+"/users", "/run/secrets/users"),
		}),
		manifest.E("ports", []any{loopback(g.port, g.port)}),
		manifest.E("networks", aliased(g.name, networks)),
		manifest.E("healthcheck", healthcheck("10s", "curl", "-ksS", "-o", "/dev/null", fmt.Sprintf("https://127.0.0.1:%d/", g.port))).From("that it answers; what is behind it tells of itself"),
	)
}

// aliased are networks in which the gate goes by the name of what is behind it.
func aliased(name string, networks []string) manifest.Map {
	var m manifest.Map
	for _, n := range networks {
		m = append(m, manifest.E(n, manifest.Map{manifest.E("aliases", []string{name})}))
	}
	return m
}

func (g gate) conf() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# TLS and logins before %s, which listens on the loopback address of this
# container's network namespace and nowhere else.
# Rendered by slipway render compose: an edit is noticed, and not kept.
`, g.name)
	b.WriteString(g.deny)
	fmt.Fprintf(&b, `
server {
    listen %d ssl;
    server_tokens off;
    client_max_body_size 8m;
    ssl_certificate /run/secrets/tls.crt;
    ssl_certificate_key /run/secrets/tls.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_tickets off;
    auth_basic %q;
    auth_basic_user_file /run/secrets/users;
`, g.port, g.name)
	if g.deny != "" {
		b.WriteString("    if ($denied) { return 403; }\n")
	}
	fmt.Fprintf(&b, `    location / {
        proxy_pass http://%s;
        proxy_http_version 1.1;
        proxy_set_header Authorization "";
        proxy_read_timeout 60s;
    }
}
`, g.back)
	return b.String()
}

// readersOnly lets the user reader look things up, and leaves the rest to writer.
// Who claims to be writer with a wrong password passes here and is refused by the
// password.
const readersOnly = `
# What changes nothing: reading, and asking for the version that a schema is.
map "$request_method $uri" $writes {
    default 1;
    "~^(GET|HEAD) " 0;
    "~^POST /subjects/[^/]+$" 0;
    "~^POST /compatibility/" 0;
}
map "$remote_user:$writes" $denied {
    default 1;
    "~^:" 0; # nobody yet: auth_basic asks who it is
    "reader:0" 0;
    "writer:0" 0;
    "writer:1" 0;
}
`

const askRegistry = `exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /apis/ccompat/v7/subjects HTTP/1.0\r\n\r\n' >&3 && read -r _ code _ <&3 && test "$$code" = 200`

// registry adds the schema registry, if clusters.yaml has one.
func (p *project) registry() error {
	entry := p.kafka.Entry.Registry
	if entry == nil {
		return nil
	}
	port, err := p.port(entry.URL, "/registry")
	if err == nil && entry.Auth != "basic" {
		err = diag.New(diag.RenderComposePart, "the registry asks for no password").
			At(p.r.Clusters.Position("clusters/"+p.kafka.Entry.Name+"/registry")).
			WithFix("write registry: {url: %q, auth: basic}", entry.URL)
	}
	if err != nil {
		return err
	}
	p.gate(gate{"registry", port, net.JoinHostPort("127.0.0.1", "8080") + "/apis/ccompat/v7/", readersOnly}, "registry")
	p.service("registry", limits{cpu: 1000, memory: 768 << 20},
		manifest.E("image", registryImage),
		manifest.E("network_mode", "service:registry-gate").From("so that it is reached through the gate alone"),
		manifest.E("environment", manifest.Map{
			manifest.E("QUARKUS_HTTP_HOST", "127.0.0.1"),
			manifest.E("QUARKUS_HTTP_PORT", "8080"),
			manifest.E("REGISTRY_DATASOURCE_URL", "jdbc:h2:file:/data/registry;WRITE_DELAY=0").From("in a file, written before it is answered: ids of schemas are in every record"),
			manifest.E("JAVA_OPTIONS", "-Xmx512m -Djava.util.logging.manager=org.jboss.logmanager.LogManager"),
		}),
		java(),
		manifest.E("volumes", []any{p.data("registry", "/data")}),
		manifest.E("depends_on", after("registry-gate")),
		manifest.E("healthcheck", healthcheck("60s", "bash", "-c", askRegistry)).From("by bash, which starts this image; whether it has curl is nowhere said"),
	)
	return nil
}
