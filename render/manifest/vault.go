package manifest

import (
	"slices"

	"github.com/slipway-go/slipway/contract"
)

// vaultPort is where Vault listens unless it is told otherwise.
const vaultPort = 8200

// VaultPorts are those at which pods reach Vault, which a platform may leave unsaid:
// what lets their agent out, and what would lead it elsewhere, have to agree on them.
func VaultPorts(peer *contract.Peer) []int {
	if peer == nil || len(peer.Ports) == 0 {
		return []int{vaultPort}
	}
	return slices.Sorted(slices.Values(peer.Ports))
}
