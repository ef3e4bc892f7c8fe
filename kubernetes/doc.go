// Package kubernetes shows what slipway renders against what it is rendered for: the
// API server of Kubernetes with the custom resources of those whom the manifests
// speak to, its controllers and its scheduler, on nodes that kwok simulates. What
// runs in a pod is not run here; everything that Kubernetes does with the pod is.
//
// It holds tests only, in a module of its own, so that nobody who links the SDK or
// builds the command line ever fetches a Kubernetes. Without a tag they build every
// golden tree with kustomize, judge each object by what the API server says of its kind,
// ask network policies who reaches whom, and run within seconds. With the tag kubernetes they need the control plane, which they build from
// its Go modules, once, into the user's cache, and end with the test: etcd and the API
// server for a judgement, controllers, scheduler and nodes for what lives.
package kubernetes
