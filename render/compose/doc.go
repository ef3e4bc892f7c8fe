// Package compose derives a whole environment for Docker Compose: brokers,
// registry, Connect, databases, telemetry, and the services.
//
// It runs an environment of clusters.yaml whose cluster has its nodes on this
// machine: each node is a container, found by the others under its first host and
// by programs of this machine at localhost. Their settings come from package
// render/broker and are the very files that the tests start real Kafka with.
//
// # Nothing is trusted for where it comes from
//
// There is no address range that needs no login. Every listener of Kafka asks for a
// certificate or a password, and ACLs decide. The registry and Kafka Connect have
// no logins of their own worth the name, so each listens on the loopback address of
// a network namespace that it shares with a gate (nginx), which has TLS and
// passwords; the registry's gate lets services read and the administrator write.
// Postgres takes passwords through TLS alone. Telemetry is on a network without a
// way out of it, and logs come from Docker through a port at 127.0.0.1: what is
// there is not secret, and not authenticated.
//
// # Credentials
//
// compose.yaml holds none. up.sh has slipway make the certificates, openssl the
// passwords and the certificates of what is not Kafka, and slipway apply the users
// of SCRAM; all are files below secrets/ that belong to who runs it, and containers
// run as that user, so that nobody else has to be able to read them. Values of
// settings that are secret are nobody's to make: up.sh starts nothing before there is
// a file for each, in the directory that the service has as SECRETS_PATH.
//
// # Logs
//
// A service's lines are sent by Docker to the collector, which finds the trace in
// them; files of logs would need the directory of Docker, which is root's. What is
// Kafka's stays in docker compose logs, and in no file: /tmp is memory.
//
// # Order
//
// Containers wait for those that they need to be healthy (depends_on), and a health
// check asks for what the container is there for. Images with one program and no
// shell cannot ask themselves; the container ready asks them. The contracts are
// applied between brokers and services, which is why there is a script and not
// docker compose up alone: topics, ACLs and users are nothing that a container of
// the environment should have the right to make.
package compose
