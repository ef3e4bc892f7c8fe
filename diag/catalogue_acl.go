package diag

// What acl check finds of the rights on a cluster, and what looking at them can
// stumble on.
const (
	ACLMissing    Code = "SLP-ACL-010"
	ACLSurplus    Code = "SLP-ACL-011"
	ACLOverBroad  Code = "SLP-ACL-012"
	ACLShadowed   Code = "SLP-ACL-013"
	ACLDangling   Code = "SLP-ACL-014"
	ACLShared     Code = "SLP-ACL-015"
	ACLUnreadable Code = "SLP-ACL-016"
	ACLUnproven   Code = "SLP-ACL-017"
)

var aclEntries = []Entry{
	{ACLMissing, "a right that a contract calls for is missing", "The contracts changed since the last apply, or somebody removed the ACL by hand. The service is refused what its contract promises.", "Run slipway plan to see everything that is missing, then slipway apply."},
	{ACLSurplus, "a service has a right that no contract calls for", "The ACL was added by hand, or the contract entry it followed from is gone. Whoever holds the service's credential can use it.", "Add the entry to the contract if the service needs it; otherwise run slipway apply with the --allow that is told."},
	{ACLOverBroad, "a right allows more than anybody can mean", "It is on every name there is, for everybody, for every operation, or it lets a service administrate the cluster. One leaked credential is then enough.", "Give each principal the operations it needs on the names it needs; list in external.yaml the principals that others answer for."},
	{ACLShadowed, "a right changes nothing", "Another ACL has the same effect already, or a DENY takes all of it away. It suggests a restriction, or a permission, that is not there.", "Remove the one that is not meant."},
	{ACLDangling, "a right is on something that does not exist", "The topic, group or user was deleted, or its name is misspelt. Whoever creates something of that name finds the right in place.", "Remove the ACL, or correct its name."},
	{ACLShared, "two principals could be in one group, or use one transactional id", "Members of a group take partitions from each other, and producers with one transactional id fence each other. Nothing but the ACLs keeps two services apart there.", "Give each service a group and transactional ids of its own."},
	{ACLUnreadable, "this login may not read ACLs", "Reading ACLs takes DESCRIBE on the cluster, which administrators have and services do not.", "Log in as an administrator; or ask as the service itself with slipway acl explain --self, which needs no such right."},
	{ACLUnproven, "a right cannot be proven without using it", "A cluster tells a client about its own rights on topics, groups and the cluster. Of a transactional id it tells only DESCRIBE, and whatever would tell more fences the producer that uses the id.", "Ask with an administrator's login and --as in place of --self."},
}
