// Package registrytest is an OCI registry for tests: as much of the
// distribution API as publishing and pulling an artifact takes, in memory, on
// this machine. It checks digests as a registry must, so that a client cannot
// get them wrong unnoticed, and it can be made to lie, so that it is noticed
// when a registry does.
package registrytest
