// Package pki issues the X.509 certificates of a Kafka estate: a root, an
// intermediate under it, and under that a certificate for each broker, service
// and operator.
//
// # What is issued
//
// Every certificate carries digitalSignature alone; keyEncipherment belongs to
// RSA key exchange, which no current TLS version needs. What a certificate may
// be used for is its extended key usage: [Client] for services, [Server] for an
// endpoint that only answers, [Peer] for a broker, which is a client of the
// other brokers and of the controllers. A leaf is never a CA, and everything
// about it is checked before it is signed.
//
// Keys are ECDSA on P-256; P-384 and RSA of 3072 or 4096 bits where asked
// ([KeyType]). What others made is taken over with keys from P-256 and RSA 2048
// up; SHA-1, MD5 and X.509 version 1 are refused wherever they appear.
//
// # Names
//
// Kafka's mTLS principal is cut out of the distinguished name by a rule such
// as RULE:^CN=([^,]*).*$/$1/. A common name that could end the pattern early
// would be another principal, so a common name here is letters, digits, dot,
// hyphen and underscore, at most 64 of them, and the distinguished name holds
// nothing but the common name. It is never that of the authority above:
// OpenSSL would take the certificate for one that signed itself. Servers are
// found by their SANs, never by the common name: a certificate for a server
// without one is refused. Host names are ASCII; one that is internationalised
// is written and shown in its xn-- form, in which no two look alike.
//
// # Lifetimes
//
// A leaf lives at most 90 days, an authority ten years, and nothing outlives
// what is above it. Certificates are dated back by five minutes, because clocks
// differ; nothing else moves their beginning. Serial numbers are 128 random
// bits.
//
// # Chains
//
// The root signs intermediates and its key can lie in a safe; an intermediate
// ([Authority.Intermediate]) signs leaves and cannot have another below it. A
// [Certificate] carries the chain from itself to just below the root; the root
// is what the other side already trusts ([Authority.PEM], [Authority.Pool]) and
// is not sent.
//
// # Name constraints
//
// [Constraints] bound what an authority can certify even for whoever steals
// its key. They are critical, so a verifier that does not know them refuses
// the chain. A request outside of them is refused before anything is signed,
// and the refusal names the constraint.
//
// Verifiers differ about certificates without a DNS name: Go leaves the common
// name alone, OpenSSL takes one with a dot for a host's, Java any that could
// be one. So under constraints a client without a DNS name, which is every
// service, is given one that is permitted and nobody dials, such as
// svc-orders-prod.prod.example ([Aliased]); otherwise every broker would refuse
// it.
//
// # Signing requests
//
// [Authority.Sign] takes the public key from a PKCS#10 request and all else
// from a [Request]. A request that asks for something grave (to be an
// authority, another extended key usage) is refused; other wishes that are not
// met, [SigningRequest.Withheld] tells.
//
// # Revocation
//
// [Authority.RevocationList] makes an RFC 5280 CRL. Kafka's brokers do not ask
// for one; Slipway's own listeners and clients do.
//
// # Taking over an authority
//
// [Import] reads what cfssl, step and openssl leave behind, encrypted keys
// too, and finds out itself which file holds what. The root's certificate must
// be there and its key need not be. Such an authority may be older and longer
// lived than one that is made here.
//
// # Secrets and files
//
// A private key is a [Key], which prints as *** through every verb, encoder
// and logger. [Key.Encrypt] puts it under a passphrase as PKCS#8 that openssl
// and Java read. On disk keys are 0600 in a directory that is 0700;
// [Load] refuses wider modes and symbolic links. [Authority.Save] appears
// whole or not at all: a crash in the middle leaves no half of an authority
// behind.
//
// # Refusals
//
// Whatever a user can mend is refused with a code of SLP-PKI-001 to
// -029, as many at once as there are.
package pki
