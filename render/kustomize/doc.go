// Package kustomize derives what Kubernetes runs a service by: a base, and an overlay
// for each environment, as kustomize builds them.
package kustomize
