// Package share takes contracts from one repository to another.
//
// A company keeps a repository for each service, and each service's contract
// beside its code. What Slipway derives it derives from all of them. So a
// service publishes its contract ([Publish]), and whoever needs the estate
// pulls the contracts that estate.yaml lists ([Pull]).
//
// # What travels
//
// A [Bundle]: slipway.yaml and the files it names, nothing else. It travels as
// an OCI artifact of one layer, a tar archive that is the same to the byte for
// the same contract, or as files of a git branch. Nothing of either is trusted:
// sizes and counts are bounded before they cost anything, links, devices and
// paths that lead out are refused, a bundle with a file that its contract does
// not name is none, and a contract that is not valid is not taken.
//
// # What is authoritative
//
// The published place says what is newest; estate.lock says what is used. It
// pins each contract twice: by the digest of the OCI manifest or the git
// commit, which is what is asked for, and by the contract's own hash, which is
// what is checked whenever the estate is read ([contract.Load]), without
// network. The files in .slipway/estate are a cache: they can be deleted at any
// time, and edited ones are noticed before they are used.
//
// # What happens on failure
//
// A pull first fetches everything, into memory, and tells what would change.
// Only [Update.Write] writes: each contract beside its place and then moved
// there, estate.lock last. A crash in between leaves contracts that the lock
// does not name, which every command refuses until the next pull.
//
// # Programs and protocols
//
// Registries are spoken to by TLS, except on this machine, with the
// credentials that docker login left behind. Git is the git program, in a bare
// repository of its own below the system's directory for temporary files, with
// an environment that lets it ask nobody and speak https and ssh only, or file
// where that was asked for. Nothing is checked out, so no hook, no filter and
// no attribute of a foreign repository has any effect.
package share
