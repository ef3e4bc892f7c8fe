package compose

import (
	"fmt"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
)

// script is up.sh: what has to be there before containers can start, and the
// contracts once the brokers run. Everything in it can be run again.
func (p *project) script() []byte {
	name, env := p.kafka.Entry.Name, p.r.Env
	var b strings.Builder
	fmt.Fprintf(&b, scriptHead, env, name, p.kafka.Entry.CA.File)
	b.WriteString("\n# Data belongs to who runs this: Docker would make the directories root's.\n")
	fmt.Fprintf(&b, "mkdir -p secrets")
	for _, f := range p.folders {
		fmt.Fprintf(&b, " data/%s", f)
	}
	p.given(&b)
	b.WriteString("\n\n# Certificates, by the contracts and clusters.yaml.\n" +
		"[ -d \"$pki\" ] || slipway pki init --dir \"$estate\" -c \"$cluster\" --root \"$PWD/secrets/root\" >&2\n" +
		"slipway pki issue --dir \"$estate\" -c \"$cluster\" >&2\n")
	if c := p.kafka.Entry.Connect; c != nil {
		fmt.Fprintf(&b, "slipway pki issue client %s --dir \"$estate\" -c \"$cluster\" >&2\n", c.Principal)
	}
	p.stores(&b)
	p.passwords(&b)
	p.start(&b)
	return []byte(b.String())
}

// given asks for what nobody can make: values of settings that are secret. Nothing has
// been started, or written elsewhere, while one is missing, and all that are missing
// are named.
func (p *project) given(b *strings.Builder) {
	var places []string
	for _, svc := range p.r.Services {
		if svc.Workload != nil {
			for _, name := range secretSettings(svc) {
				places = append(places, svc.Name+"/"+name)
			}
		}
	}
	if len(places) == 0 {
		return
	}
	b.WriteString("\n\n# Settings that are secret: you know their values, and nobody else does.\nmissing=\n")
	for _, place := range places {
		fmt.Fprintf(b, "given %s\n", place)
	}
	b.WriteString(givenEnd)
}

// stores writes each certificate as the container takes it.
func (p *project) stores(b *strings.Builder) {
	export := func(what, dir string) {
		fmt.Fprintf(b, "slipway pki export %s --dir \"$estate\" -c \"$cluster\" --format pem --out secrets/%s --force >/dev/null\n", what, dir)
	}
	for _, n := range p.kafka.Nodes {
		kind := "controller"
		if n.Broker {
			kind = "broker"
		}
		export(kind+"/"+n.Name, n.Name)
	}
	export("admin/admin-"+p.r.Env, "admin")
	if c := p.kafka.Entry.Connect; c != nil {
		export("client/"+c.Principal, "connect")
	}
	for _, svc := range p.r.Services {
		if svc.AuthOn(p.kafka.Entry.Name) == contract.MTLS {
			fmt.Fprintf(b, "leaf client/%[1]s clients/%[1]s\n", svc.User())
		}
	}
	b.WriteString("leaf admin/admin-" + p.r.Env + " admin\n")
}

// passwords are made once and kept.
func (p *project) passwords(b *strings.Builder) {
	b.WriteString("\n# Passwords and certificates of what is beside Kafka, each made once.\n")
	b.WriteString("password grafana/password\n")
	if p.kafka.Entry.Registry != nil {
		b.WriteString("server registry\nlogin registry reader\nlogin registry writer\nusers registry reader writer\n")
	}
	if p.kafka.Entry.Connect != nil {
		b.WriteString("server connect\nlogin connect writer\nusers connect writer\n")
	}
	if len(p.onServer()) > 0 {
		b.WriteString("server postgres\npassword postgres/password\n")
		for _, svc := range p.onServer() {
			fmt.Fprintf(b, "password postgres/%s.password\n", svc.Name)
			fmt.Fprintf(b, "[ -f secrets/postgres/%[1]s.pgpass ] || printf 'postgres:5432:%[2]s:%[2]s:%%s\\n' \"$(cat secrets/postgres/%[1]s.password)\" >secrets/postgres/%[1]s.pgpass\n", svc.Name, role(svc))
		}
	}
	b.WriteString("\n# Whom services and commands trust: the cluster's authority")
	trusted := []string{"\"$pki/issued/admin/admin-" + p.r.Env + "/ca.crt\""}
	for _, part := range []struct {
		there bool
		name  string
	}{{p.kafka.Entry.Registry != nil, "registry"}, {p.kafka.Entry.Connect != nil, "connect"}} {
		if part.there {
			b.WriteString(", and the one certificate of the " + part.name)
			trusted = append(trusted, "secrets/"+part.name+"/tls.crt")
		}
	}
	fmt.Fprintf(b, ".\ncat %s >secrets/ca.crt\nmkdir -p \"$(dirname \"$estate/$ca\")\"\ncat secrets/ca.crt >\"$estate/$ca\"\n", strings.Join(trusted, " "))
}

// start brings up the cluster, applies the contracts, and brings up the rest.
func (p *project) start(b *strings.Builder) {
	first := p.nodeNames()
	flags := ""
	if p.kafka.Entry.Registry != nil {
		first = append(first, "registry")
		flags += " --registry-auth-file secrets/registry/writer"
	}
	if p.kafka.Entry.Connect != nil {
		first = append(first, "connect")
		flags += " --connect-auth-file secrets/connect/writer"
	}
	b.WriteString("\n# Secrets of users that apply makes have to be files before Compose reads them.\nmkdir -p secrets/users\n")
	for _, svc := range p.r.Services {
		if manifest.DatabaseOf(svc) == manifest.ServerDatabase {
			first = append(first, "postgres")
			break
		}
	}
	fmt.Fprintf(b, "\ndocker compose up -d --wait --build %s\n", strings.Join(first, " "))
	fmt.Fprintf(b, "slipway apply \"$estate\" -e \"$environment\" --yes --secrets secrets/users%s \\\n  --tls-cert secrets/admin/tls.crt --tls-key secrets/admin/tls.key\n", flags)
	b.WriteString("docker compose up -d --wait\n")
}

const scriptHead = `#!/bin/sh
# Starts the environment %[1]s on this machine. What is there already stays as it is.
# Rendered by slipway render compose: an edit is noticed, and not kept.
#
#   sh up.sh ESTATE      the directory with clusters.yaml
#
# It needs slipway, docker with compose, and openssl. Passwords are made here, each
# of 192 random bits, and stand in files that only you can read.
set -eu
umask 077
environment=%[1]s
cluster=%[2]s
ca=%[3]s
estate=$(cd "${1:?name the directory of the estate}" && pwd)
cd "$(dirname "$0")"
pki=$estate/pki/$cluster

for program in slipway docker openssl; do
  command -v "$program" >/dev/null || { echo "up.sh: $program is not installed" >&2; exit 1; }
done
if [ "$(id -u)" = 0 ]; then
  echo "up.sh: run this as a user, not as root: containers run as who runs this" >&2
  exit 1
fi

# setting NAME VALUE keeps what else is in .env, such as TAG.
setting() {
  touch .env
  grep -v "^$1=" .env >.env.new || true
  echo "$1=$2" >>.env.new
  mv .env.new .env
}
setting SLIPWAY_UID "$(id -u)"
setting SLIPWAY_GID "$(id -g)"

# leaf KIND/NAME DIR copies a certificate and its key, as files of one moment.
leaf() {
  mkdir -p "secrets/$2"
  for file in tls.crt tls.key; do
    cat "$pki/issued/$1/$file" >"secrets/$2/.$file"
    mv "secrets/$2/.$file" "secrets/$2/$file"
  done
}

# password FILE makes one, unless there is one.
password() {
  mkdir -p "secrets/$(dirname "$1")"
  [ -s "secrets/$1" ] || openssl rand -hex 24 | tr -d '\n' >"secrets/$1"
}

# login DIR USER writes user:password.
login() {
  mkdir -p "secrets/$1"
  [ -s "secrets/$1/$2" ] || printf '%%s:%%s' "$2" "$(openssl rand -hex 24)" >"secrets/$1/$2"
}

# users DIR USER... writes their hashes, for the gate.
users() {
  dir=$1
  shift
  [ ! -s "secrets/$dir/users" ] || return 0
  for user in "$@"; do
    sed 's/^[^:]*://' "secrets/$dir/$user" | openssl passwd -6 -stdin | sed "s/^/$user:/"
  done >"secrets/$dir/users.new"
  mv "secrets/$dir/users.new" "secrets/$dir/users"
}

# given SERVICE/SETTING notes a value that is not there.
given() {
  mkdir -p "secrets/settings/$(dirname "$1")"
  [ -s "secrets/settings/$1" ] || missing="$missing  $PWD/secrets/settings/$1
"
}

# server NAME makes a certificate that vouches for that name and for localhost, and
# for nothing else: it is no authority, and is trusted by being pinned.
server() {
  mkdir -p "secrets/$1"
  openssl x509 -in "secrets/$1/tls.crt" -noout -checkend 604800 >/dev/null 2>&1 && return 0
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 \
    -subj "/CN=$1" -addext "subjectAltName=DNS:$1,DNS:localhost" \
    -addext "basicConstraints=critical,CA:FALSE" -addext "extendedKeyUsage=serverAuth" \
    -keyout "secrets/$1/tls.key" -out "secrets/$1/tls.crt" 2>/dev/null
}
`

// givenEnd ends the script before anything is started.
const givenEnd = `if [ -n "$missing" ]; then
  echo "up.sh: nothing is started, because values are missing. Write each into a file of its own:" >&2
  printf '%s' "$missing" >&2
  exit 1
fi`
