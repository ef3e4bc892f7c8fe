// Package depot keeps the PKI of one cluster in a directory: its authorities, what
// they issued, what was revoked, and how far the replacement of an authority has
// come.
//
// # What lies where
//
//	depot.yaml               the generations and the phase
//	trust.crt                the roots that everybody trusts now: one, or two during a replacement
//	generations/1/root.crt   a root; root.key beside it, encrypted, unless it is kept apart
//	generations/1/issuer.crt the intermediate that signs leaves, and issuer.key
//	generations/1/ca.crl     what was revoked, as an RFC 5280 CRL
//	generations/1/issued     a line for each certificate: serial, whose, issued, ends, lifetime asked for
//	issued/KIND/NAME/        tls.crt, tls.key, ca.crt (trust.crt's copy) and ca.crl, all
//	                         swapped at once by the link ..data, as Kubernetes does it
//	lock                     held by the process that changes the depot
//
// Keys are 0600, directories 0700; what is wider is refused, and so is a symbolic
// link that is not one of a leaf's own. One process at a time changes a depot;
// reading takes no lock.
//
// What certificates say is not kept here. Names, key types and lifetimes are the
// contracts' and clusters.yaml's ([Derive]); what a leaf was asked to be is read
// back from it and from the register when it is renewed without them.
//
// # Replacing an authority
//
// A replacement goes through phases. In each, everything that was issued is made to
// agree with the phase; only then is it over:
//
//	pending   the first issuer is requested from another authority: nothing is issued
//	steady    one generation is trusted and issues
//	trust     a new generation is trusted beside the old, which still issues
//	reissue   both are trusted, the new one issues, every leaf is its own
//	retire    only the new one is trusted; then steady again
//
// Until retire a replacement can be taken back, phase by phase. A phase is refused
// ([BlockedError]) while it would leave a leaf behind that cannot be replaced here,
// because its key is with its owner or because it is on hold, or while an endpoint
// of the cluster would be cut off, which only a [Probe] can tell. The issuer's key
// of a generation that is given up is removed. Where its root stays trusted, a last
// CRL ends what it signed; where not, nothing of it is accepted any more.
//
// # Dying in the middle
//
// depot.yaml says what is meant to be and is written before the work of a phase
// starts. Every command first settles what it says, so that a process that dies
// leaves something that the next command finishes, whichever that is. The order
// within a command is what makes each point safe:
//
//   - A certificate is on the register before it is given out, so that whatever is
//     in use can be revoked.
//   - A leaf's key, certificate, roots and list are made beside the present ones and
//     shown by one rename.
//   - Roots join trust.crt before anything depends on them, and leave it after
//     nothing does.
//   - What is renamed is on the disk before, and so is the rename before the next
//     thing that relies on it. A thousand leaves share three syncs.
//
// The version of a leaf's files before the present one stays until the next
// command, for readers that are in the middle of it.
//
// # The root's key
//
// It signs issuers and nothing else. It lies in a directory that is taken away, or
// encrypted in the depot, or with the organisation whose root it is, and is asked
// for by [Init] and [Depot.Begin] alone.
package depot
