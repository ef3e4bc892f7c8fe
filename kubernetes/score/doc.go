// Package score pins kube-score, which judges manifests by what operators of
// clusters have learnt, as a tool of this module. It has no code.
package score
