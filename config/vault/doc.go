// Package vault is a source of configuration (package config): secrets from
// HashiCorp Vault or OpenBao, which speak the same protocol.
//
// It reads two kinds of things. A [KV] is a secret of KV version 2 whose keys are
// keys of settings, with their dots. A [Dynamic] is a credential that Vault makes
// for this service, such as a login to its database; it has a lease and becomes
// settings by templates.
//
// # Leases
//
// A lease is renewed when two thirds of it are over. When Vault refuses, or gives
// so little more that the end of its maximum nears, a new credential is fetched
// while the old one is still good, and the watcher tells of it. The old one is not
// revoked, since connections may still use it: it ends with its lease. So is the
// token renewed, or a new login made. Leases end with the token they were made
// with; therefore a new login makes new credentials too.
//
// Loading does not make credentials: what has a good lease is given again.
//
// # What goes wrong
//
// Errors have the codes SLP-CFG-070 and up. None shows a token or a value. A
// token that was revoked is told from a path that is not allowed by asking Vault
// about the token, and only the former leads to a new login. After a refused
// login the next one is not before [LoginPause], whoever asks.
//
// TLS is verified always; without it only addresses of this machine are spoken to.
package vault
