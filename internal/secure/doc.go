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
// [Files] follows a certificate, its key, the roots to trust and revocation lists
// in the file system, such as a mounted Kubernetes secret, whose files all change
// at once when the link ..data is swapped: they are read from one generation. Nothing
// watches them; whoever opens a connection, collects metrics or asks for the health
// looks whether they have changed.
//
// A new pair is used for the next connection. A pair that cannot be used (half
// written, key and certificate of different pairs, empty, gone, expired, not valid
// yet, a key that anybody may replace) changes nothing: the one before stays in
// use, and the fault is told and counted once for each change of the files. So it
// is with the roots and with the lists, each for itself. Only at the start, when
// there is nothing before, it is an error.
//
// # Age
//
// An open TLS connection notices nothing of its certificates' end. So one to a
// broker ends at 80 % of the life of the certificates it was made with, our own leaf
// and the broker's, whichever is earlier. Issuers date certificates back, so the
// life of an own one that took the place of another begins when it did.
//
// It ends between requests. The connection follows Kafka's frames, and from 70 % of
// the life on (a random part of the window later, so that not all connections of a
// fleet end at once; earlier where a tenth of the life is less than ten seconds)
// it is closed as soon as nothing is unanswered. The client finds out at its next
// request, of which no byte was written, and opens another connection; it does not
// count as a failure. In the last quarter of the window a request is held back for
// up to two seconds until those before it are answered. What is unanswered at the
// end is cut off, which the client treats as any lost connection. Produce requests
// with acks=0 have no answer, so they do not keep a connection open; it is closed
// in a way that what was sent arrives.
//
// A connection that is made after 70 % of the life, because nobody has renewed the
// certificate, lives for 80 % of what is left, a second at least: connections become
// shorter, and are gone when the certificate is, and none is cut at once.
//
// Connections for HTTP have no such end: whoever keeps them closes what is idle
// when the files change.
//
// # Listeners
//
// [Server] demands a certificate of every client; [Listen] hands out connections
// only after their handshake, so that no byte of a client that was refused reaches
// anybody. Go's verification is the gate, and what is added can only refuse: an
// authority's certificate in the place of a leaf, a weak key, a revoked
// certificate. Sessions are resumed, and looked at again when they are.
//
// # Refusals
//
// A handshake that is refused has one code, SLP-TLS-001 to SLP-TLS-019, for one
// cause ([Classify]). Of several faults it is the one to mend first ([Trial]), so
// a stranger's certificate is not said to be old. The same judgement explains an
// alert at a client: what a broker calls "unknown certificate" may plainly have
// expired, and the file lies here.
//
// # Revocation
//
// A revocation list is an RFC 5280 CRL; they lie in ca.crl beside the roots. It is
// asked in tls.Config's VerifyConnection, which resumed sessions pass too;
// VerifyPeerCertificate they do not, so nothing uses that. A list counts for the
// certificates of the authority that has signed it. That may be an intermediate
// which stands in no file of ours: then the signature is checked when it stands in a
// chain that has been verified. A list that is not its issuer's denies nothing, and
// the one before it stays in force; it stays, too, where the file has an earlier list
// again. A list whose next update is overdue still denies what it lists, and says
// that it is old; so does one whose file is gone.
// Connections that are open when their peer is revoked end by their age.
package secure
