package compose

import (
	"fmt"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
)

// role is what a service is called in Postgres, where hyphens would need quotes.
func role(svc *contract.Service) string { return strings.ReplaceAll(svc.Name, "-", "_") }

// onServer are the services that keep their rows in Postgres.
func (p *project) onServer() []*contract.Service {
	var all []*contract.Service
	for _, svc := range p.r.Services {
		if manifest.DatabaseOf(svc) == manifest.ServerDatabase {
			all = append(all, svc)
		}
	}
	return all
}

// databaseSecrets are the passwords of the services' roles, by their file's name.
func (p *project) databaseSecrets() []any {
	var all []any
	for _, svc := range p.onServer() {
		name := svc.Name + "-database-password"
		all = append(all, p.secret(name, "postgres/"+svc.Name+".password", "/run/secrets/"+name))
	}
	return all
}

// postgres adds a server, if a service needs one: with a role and a database for
// each, that nobody else's role may open.
func (p *project) postgres() {
	if len(p.onServer()) == 0 {
		return
	}
	p.file("postgres/pg_hba.conf", []byte(hostRules))
	p.file("postgres/services.sh", p.roles())
	p.service("postgres", limits{cpu: 2000, memory: 512 << 20},
		manifest.E("image", postgresImage),
		manifest.E("command", []string{"postgres",
			"-c", "ssl=on", "-c", "ssl_cert_file=/run/secrets/tls.crt", "-c", "ssl_key_file=/run/secrets/tls.key", "-c", "ssl_min_protocol_version=TLSv1.2",
			"-c", "hba_file=/etc/postgresql/pg_hba.conf", "-c", "password_encryption=scram-sha-256",
			"-c", "wal_level=logical"}).From("wal_level=logical is what Debezium reads"),
		manifest.E("environment", manifest.Map{
			manifest.E("PGDATA", "/var/lib/postgresql/data/cluster").From("below the image's volume, which would be made beside it otherwise"),
			manifest.E("POSTGRES_PASSWORD_FILE", "/run/secrets/postgres-password"),
			manifest.E("POSTGRES_INITDB_ARGS", "--auth=scram-sha-256"),
		}),
		manifest.E("volumes", []any{
			readOnly("postgres/pg_hba.conf", "/etc/postgresql/pg_hba.conf"),
			readOnly("postgres/services.sh", "/docker-entrypoint-initdb.d/services.sh"),
			p.data("postgres", "/var/lib/postgresql/data"),
		}),
		manifest.E("secrets", append([]any{
			p.secret("postgres-certificate", "postgres/tls.crt", "/run/secrets/tls.crt"),
			p.secret("postgres-key", "postgres/tls.key", "/run/secrets/tls.key"),
			p.secret("postgres-password", "postgres/password", "/run/secrets/postgres-password"),
		}, p.databaseSecrets()...)),
		manifest.E("networks", []string{"database"}),
		manifest.E("tmpfs", []string{scratch, "/var/run/postgresql:mode=1777,size=1m"}).From("the second for its socket, where the image's own script looks for it"),
		manifest.E("stop_grace_period", "30s"),
		manifest.E("healthcheck", healthcheck("30s", "sh", "-c", askPostgres)).From("through TLS, as services ask: while the image makes roles, the server has its socket only"),
	)
}

const askPostgres = `PGPASSWORD="$$(cat /run/secrets/postgres-password)" psql -tAc 'SELECT 1' ` +
	`"host=localhost user=postgres dbname=postgres sslmode=verify-full sslrootcert=/run/secrets/tls.crt"`

const hostRules = `# Who may connect to Postgres, and how: by a password that is never sent, and from
# other containers through TLS. Nobody is trusted for where they come from, and nobody
# may copy the whole server: Debezium reads one database, by logical replication.
# Rendered by slipway render compose: an edit is noticed, and not kept.
local    all  all             scram-sha-256
hostssl  all  all  0.0.0.0/0  scram-sha-256
hostssl  all  all  ::0/0      scram-sha-256
`

// roles is a script that Postgres' image runs once, when it has made its data.
func (p *project) roles() []byte {
	var b strings.Builder
	b.WriteString(`#!/bin/sh
# A role and a database for each service that keeps rows in Postgres.
# Rendered by slipway render compose: an edit is noticed, and not kept.
set -eu
# Everybody may open these unless told otherwise.
echo 'REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC;' | psql -v ON_ERROR_STOP=1 -q -U postgres
add() {
  # The password comes by standard input, and so into no list of processes.
  { printf "\\set password '%s'\n" "$(cat "/run/secrets/$2")"
    printf 'CREATE ROLE "%s" LOGIN PASSWORD :'"'password'"';\n' "$1"
    printf 'CREATE DATABASE "%s" OWNER "%s";\n' "$1" "$1"
    printf 'REVOKE ALL ON DATABASE "%s" FROM PUBLIC;\n' "$1"
  } | psql -v ON_ERROR_STOP=1 -q -U postgres
}
`)
	for _, svc := range p.onServer() {
		fmt.Fprintf(&b, "add %s %s-database-password\n", role(svc), svc.Name)
	}
	return []byte(b.String())
}
