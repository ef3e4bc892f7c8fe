// Package pki issues the X.509 certificates of a Kafka estate: one authority,
// and under it a certificate for each broker, service and operator.
//
// # What is issued
//
// Every key is ECDSA on P-256 and every certificate carries digitalSignature
// alone; keyEncipherment belongs to RSA key exchange, which no current TLS
// version needs. What a certificate may be used for is its extended key
// usage: [Client] for services, [Server] for an endpoint that only answers,
// [Peer] for a broker, which is a client of the other brokers and of the
// controllers. Nothing else about the subject is taken on trust: a leaf is
// never a CA, and a name is checked before it is signed.
//
// # Names
//
// Kafka's mTLS principal is cut out of the distinguished name by a rule such
// as RULE:^CN=([^,]*).*$/$1/. A common name that could end the pattern early
// would be another principal, so a common name here is letters, digits, dot,
// hyphen and underscore, at most 64 of them, and the distinguished name holds
// nothing but the common name. Servers are found by their SANs, never by the
// common name: a certificate for a server without one is refused.
//
// # Lifetimes
//
// A leaf lives at most 90 days, an authority ten years, and no leaf outlives
// its authority. Certificates are dated back by five minutes, because clocks
// differ. Serial numbers are 128 random bits.
//
// # Chains
//
// A [Certificate] carries the chain from itself to just below the root; the
// root is what the other side already trusts ([Authority.PEM],
// [Authority.Pool]) and is not sent.
//
// # Secrets and files
//
// A private key is a [Key], which prints as *** through every verb, encoder
// and logger. On disk keys are 0600 in a directory that is 0700;
// [Load] refuses wider modes and symbolic links. [Authority.Save] appears
// whole or not at all: a crash in the middle leaves no half of an authority
// behind.
package pki
