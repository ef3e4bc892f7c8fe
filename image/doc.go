// Package image makes OCI images of services without a container engine.
//
// # What is in one
//
// An image has two layers. The first holds what a static Go program looks for on
// a disk: certificate authorities, time zones, a user that is not root, and a
// directory for temporary files. It is the same for all services that are built
// with the same Slipway and the same Go, so a machine fetches it once. The second
// holds the program. There is no shell and no package manager.
//
// # Reproducible
//
// The bytes follow from the commit, from the version of Go and from the version of
// Slipway, and from nothing else: not from the machine, the directory, the day,
// GOFLAGS or what was built before. A [Compiler] fixes everything that go build
// would take from its surroundings; [Assemble] is a pure function. Files have no
// times but 1970, owners no names, and the compressor is a module whose version
// Slipway's go.mod pins, because the one in Go's library changes with Go.
//
// The certificate authorities are Mozilla's, from golang.org/x/crypto/x509roots,
// whose version go.mod pins too: a machine's own differ from machine to machine.
// Those that Mozilla trusts only for certificates issued before some day are left
// out, because a PEM file cannot say so. The time zones are those of the Go that
// compiles the program.
//
// # What goes with it
//
// Each platform's image has a bill of materials, a CycloneDX document made from
// what the linker noted in the program. It is an artifact of its own that refers
// to the image, as registries and admission controllers expect it.
package image
