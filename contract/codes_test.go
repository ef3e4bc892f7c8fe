package contract_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/diag"
)

// provoked names the archive of testdata/faults in which each code is seen.
var provoked = map[diag.Code]string{
	diag.ContractSyntax:          "syntax-colon",
	diag.ContractDocuments:       "documents",
	diag.ContractAnchor:          "anchors",
	diag.ContractTag:             "tags",
	diag.ContractDuplicateKey:    "duplicate-key",
	diag.ContractUnknownKey:      "unknown-key",
	diag.ContractType:            "types",
	diag.ContractValue:           "bounds",
	diag.ContractUnit:            "units",
	diag.ContractRequired:        "required",
	diag.ContractVersion:         "kind",
	diag.ContractName:            "names",
	diag.ContractOverlay:         "overlay",
	diag.ContractFaults:          "many-faults",
	diag.ContractFile:            "schema-paths",
	diag.ContractFileMissing:     "schema-missing",
	diag.ContractRetryOrder:      "retry-order",
	diag.ContractPark:            "park",
	diag.ContractShare:           "share",
	diag.ContractTable:           "table",
	diag.ContractGroup:           "group",
	diag.ContractPlainAuth:       "plain-auth",
	diag.ContractNameLength:      "name-length",
	diag.ContractCanary:          "canary",
	diag.ContractScale:           "scale",
	diag.ContractCompact:         "compact",
	diag.ContractReserved:        "reserved",
	diag.ContractUseless:         "useless",
	diag.ContractDedupTTL:        "dedup-ttl",
	diag.ContractBackoff:         "backoff",
	diag.ContractAssignment:      "assignment",
	diag.ContractHeartbeat:       "heartbeat",
	diag.ConfigSetting:           "settings",
	diag.ConfigSecretDefault:     "settings",
	diag.ContractConnector:       "connectors",
	diag.ContractConnectorSecret: "connector-secrets",
	diag.EstateEmpty:             "no-contract",
	diag.EstateDuplicateService:  "same-name",
	diag.EstateTwoOwners:         "two-owners",
	diag.EstateUnownedTopic:      "unowned",
	diag.EstateForeignWriter:     "foreign-writer",
	diag.EstateReader:            "reader",
	diag.EstateUnknownService:    "unknown-service",
	diag.EstateMetricCollision:   "metric-collision",
	diag.EstateGroupOverlap:      "group-overlap",
	diag.EstateTransactionalIDs:  "transactional-ids",
	diag.EstatePrincipal:         "principal",
	diag.EstateNaming:            "naming",
	diag.EstateSchemaFormat:      "formats",
	diag.EstateMessageSize:       "message-size",
	diag.EstateIdleInstances:     "idle",
	diag.EstateCopartition:       "copartition",
	diag.EstateNoWriter:          "no-writer",
	diag.EstateTableRetention:    "table-retention",
	diag.EstateUnkeyed:           "unkeyed",
	diag.EstateDerivedCollision:  "derived-collision",
	diag.EstateAnotherCluster:    "another-cluster",
	diag.EstateUnusedEnvironment: "environments",
	diag.EstateMisplaced:         "misplaced",
	diag.ClusterUnknown:          "cluster-unknown",
	diag.ClusterAlias:            "alias",
	diag.ClusterShared:           "shared",
	diag.ClusterNaming:           "naming-rule",
	diag.ClusterReserved:         "cluster-reserved",
	diag.ClusterEndpoint:         "addresses",
	diag.ClusterListener:         "listener",
	diag.ClusterDuplicateID:      "duplicate-id",
	diag.ClusterDefaults:         "defaults",
	diag.ClusterNode:             "nodes",
}

// elsewhere are the codes that other tests of this package provoke, because
// their files cannot stand in an archive of text.
var elsewhere = []diag.Code{
	diag.ContractMissing, diag.ContractUnreadable, diag.ContractTooLarge, diag.ContractEncoding, diag.ClusterEnvironment,
}

func TestEveryCodeIsProvoked(t *testing.T) {
	t.Parallel()
	for _, e := range diag.Catalogue() {
		if area := e.Code.Area(); area != "CON" && area != "EST" && area != "CLU" || slices.Contains(elsewhere, e.Code) {
			continue
		}
		archive, err := os.ReadFile("testdata/faults/" + provoked[e.Code] + ".txtar")
		if err != nil || !strings.Contains(string(archive), "["+string(e.Code)+"]: ") {
			t.Errorf("%s (%s) is not provoked by %q: %v", e.Code, e.Title, provoked[e.Code], err)
		}
		if e.Title == "" || e.Cause == "" || e.Fix == "" {
			t.Errorf("%s is not described", e.Code)
		}
	}
}
