// Package depot keeps the PKI of one cluster in a directory: its authorities, what
// they issued, what was revoked, and how far the replacement of an authority has
// come.
//
// # What lies where
//
//	depot.yaml               the policy, the generations and the phase
//	trust.crt                the roots that everybody trusts now: one, or two during a replacement
//	generations/1/root.crt   a root; root.key beside it, encrypted, unless it is kept apart
//	generations/1/issuer.crt the intermediate that signs leaves, and issuer.key
//	generations/1/ca.crl     what was revoked, as an RFC 5280 CRL
//	generations/1/issued     a line for each certificate: serial, subject, end
//	issued/KIND/NAME/        tls.crt, tls.key, ca.crt (trust.crt's copy) and ca.crl, all
//	                         swapped at once by the link ..data, as Kubernetes does it
//
// Keys are 0600, directories 0700; what is wider is refused. One process at a time
// changes a depot.
//
// # Replacing an authority
//
// A replacement goes through phases. In each, everything that was issued is made to
// agree with the phase; only then is it over:
//
//	steady    one generation is trusted and issues
//	trust     a new generation is trusted beside the old, which still issues
//	reissue   both are trusted, the new one issues, every leaf is its own
//	retire    only the new one is trusted; then steady again
//
// depot.yaml is written before the work of a phase starts, so a process that dies
// leaves a phase that the next one finishes. Until retire a replacement can be
// taken back, phase by phase.
package depot
