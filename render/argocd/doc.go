// Package argocd derives what Argo CD deploys the services of an environment by: an
// AppProject that bounds it, an Application for each service, one for the namespace,
// and an ApplicationSet that makes the same Applications from a list.
//
//	appproject.yaml
//	namespace.yaml
//	applications/<service>.yaml              apply these
//	applicationset/applicationset.yaml       or this
//
// # Whose the replicas are
//
// The repository says everything, but for the number of replicas where an autoscaler
// decides on it: that field, of that object, is ignored. To ignore more would hide
// what somebody changed by hand.
//
// # What belongs together
//
// If the path leads to the rendered overlays, an Application adds what the other
// targets made for the service as components of kustomize, from directories whose
// names follow from the target and the environment. If it leads to a team's own
// overlays, those say what they take in.
package argocd
