package manifest

import "github.com/slipway-go/slipway/contract"

// Bootstrap is where a service finds the brokers of a cluster: the address of the
// listener on which it proves who it is. It is empty if clusters.yaml has none.
func Bootstrap(r *contract.Resolved, svc *contract.Service, cluster string) string {
	known := r.Cluster(cluster)
	if known == nil {
		return ""
	}
	switch svc.AuthOn(cluster) {
	case contract.MTLS:
		return known.Bootstrap.MTLS
	case contract.Plain:
		return known.Bootstrap.Plain
	default:
		return known.Bootstrap.SCRAM
	}
}
