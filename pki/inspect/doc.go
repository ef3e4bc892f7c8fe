// Package inspect looks at certificates, in files and behind listeners, and says
// what is wrong with them: every fault with a code, its cause and what to do.
//
// It is the only place of the product that reads a chain from a connection
// without trusting it first: verification is then done by hand, so that one
// cause can be named instead of "handshake failed".
//
// # What is judged
//
// [Read] reads a file and keeps no private key, only the public half. [Judge] finds
// the leaf among certificates, builds the path from it to a root, and holds both
// against what is asked: a host, a use, CAs to trust, revocation lists, a key.
// Without CAs nothing is said about trust. Certificates of authorities alone are
// judged each for itself. What remains after the checks by hand is asked of Go's
// own verifier, so that what it refuses is never called good.
//
// [Look] connects to a listener, of Kafka or not. It goes as far as TLS does, and
// asks Kafka's ApiVersions, which brokers answer before a login. Two further
// connections offer what a listener should refuse: TLS before 1.2, and suites
// without ECDHE or an AEAD. They end at the server's answer.
//
// # Severity
//
// An error stops some peer now; a warning works, and is not what one should have.
package inspect
