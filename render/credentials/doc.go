// Package credentials derives how keys and passwords reach the pods of a service: by
// cert-manager, external-secrets or the Vault agent. No file holds a secret, and
// nothing here ever sees one.
//
// Each target makes a directory for each service that runs, with a component of
// kustomize that an overlay takes in, and a README.md that says what has to be in the
// store, under which name and keys. A target renders nothing for an environment whose
// credentials come from elsewhere (platform.credentials.from): two sources of one
// Secret would write over each other.
//
// # What a service is given
//
// The same whatever the source: in /etc/slipway/kafka the files tls.crt, tls.key and
// ca.crt, or password (with password.next beside it while it is being rotated) and
// ca.crt; in /etc/slipway/registry the file auth; the database's URL; and the service's
// own secret settings. All are directories, which change as they are mounted, and a
// service takes over what has changed.
//
// # The brokers' authority
//
// ca.crt is what the service knows the brokers by. A store holds it as a key like the
// others. cert-manager writes the authority of the certificate that it has issued,
// which need not have signed the brokers: where it has not, clusters.yaml names the
// ConfigMap that trust-manager keeps (credentials.bundle), and the volume is put
// together of both.
package credentials
