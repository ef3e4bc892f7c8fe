// Package kustomize derives what Kubernetes runs a service by: a base, and an overlay
// for each environment, as kustomize builds them.
//
//	<service>/base/                   what the contract says as it is written
//	<service>/overlays/<env>/         what an environment makes of it
//	<service>/components/podmonitor/  for those who have the Prometheus operator
//	_namespace/<env>/                 the namespace, which no service owns
//
// # What goes where
//
// The base follows from the contract without any environment, and never from
// clusters.yaml. The same objects are derived again for each environment, from the
// contract with that environment laid over it and from its platform. What differs
// becomes a patch; what the base does not have (the network policy, the variables,
// the configuration) becomes a resource of the overlay; and where an environment needs
// another kind of workload, because its database is a file there, the base's is taken
// away. So an overlay says what is special about its environment and nothing else, and
// building it gives what would have been derived for the environment alone: that is
// tested.
//
// # Which environments
//
// One rendering writes the overlays of all environments that clusters.yaml lists under
// platform, and of the one that was asked for. The list of written files is one for
// the directory, and knows no environment: if each rendering wrote one overlay, it
// would find the others stale and remove them, or two renderings of different contracts
// would disagree on the base. So the directory is always as a whole what follows from
// the contracts, whichever environment is named, and --check says so in one run. An
// environment that cannot be rendered is refused, with all its faults, rather than
// left out: its overlay may be deployed.
//
// # Services
//
// What others connect to has the service's name and an address, whether a Deployment
// or a StatefulSet runs the pods: an address can be neither taken away nor given later,
// and environments differ in which of the two it is. A StatefulSet names its pods by a
// second Service, without an address.
//
// # Who patches what
//
// Nothing here is edited by hand. A team's own overlay names a rendered one as its
// resource and patches it, and sets the image if the contract does not. It lies beside,
// in a directory that is not rendered. docs/manifests.md shows it.
package kustomize
