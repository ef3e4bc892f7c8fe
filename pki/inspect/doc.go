// Package inspect looks at certificates, in files and behind listeners, and says
// what is wrong with them: every fault with a code, its cause and what to do.
//
// It is the only place of the product that reads a chain from a connection
// without trusting it first: verification is then done by hand, so that one
// cause can be named instead of "handshake failed".
package inspect
