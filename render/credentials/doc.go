// Package credentials derives how keys and passwords reach the pods of a service:
// by cert-manager, external-secrets or the Vault agent. No file holds a secret.
package credentials
