// Package secure is TLS as Slipway speaks it. Every client and every listener
// takes its configuration from here; nothing else in the product makes a
// tls.Config, and a test of the tree keeps it so.
//
// # Policy
//
// TLS 1.3 is preferred and 1.2 is the least. Under 1.2 only suites with ECDHE
// and an AEAD are offered (RFC 9325, section 4.2). The name of the other side
// is checked against the host that was dialled, broker by broker, never against
// one name for all of them. Nothing here turns verification off.
//
// # Files that change
//
// [Files] follows a certificate, its key, the roots to trust and a revocation
// list in the file system, such as a mounted Kubernetes secret, whose files all
// change at once when the link ..data is swapped. A new pair is used for the next
// connection. A pair that cannot be used (half written, key and certificate of
// different pairs, empty, expired) changes nothing: the one before stays in use,
// and the fault is told once for each change of the files.
//
// # Age
//
// An open TLS connection notices nothing of its certificates' end. So a
// connection lives for at most 80 % of the life of the certificates it was made
// with, and it ends between requests, not in the middle of one.
//
// # Revocation
//
// A revocation list is an RFC 5280 CRL, signed by an authority that is trusted. It
// is asked in tls.Config's VerifyConnection, which resumed sessions pass too;
// VerifyPeerCertificate they do not, so nothing uses that. A list whose next
// update is overdue still denies what it lists, and says that it is old.
package secure
