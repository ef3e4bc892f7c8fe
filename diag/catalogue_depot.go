package diag

// The codes of depots, 030 to 044; those of the commands follow.
const (
	DepotMissing Code = "SLP-PKI-030"
	DepotExists  Code = "SLP-PKI-031"
	DepotForeign Code = "SLP-PKI-032"
	DepotLocked  Code = "SLP-PKI-033"
	DepotFile    Code = "SLP-PKI-034"
	DepotVersion Code = "SLP-PKI-035"
	DepotDamaged Code = "SLP-PKI-037"
	DepotRootKey Code = "SLP-PKI-038"
	DepotPhase   Code = "SLP-PKI-039"
	DepotBlocked Code = "SLP-PKI-040"
	DepotPending Code = "SLP-PKI-041"
	DepotSigned  Code = "SLP-PKI-042"
	DepotUnknown Code = "SLP-PKI-043"
	DepotRevoked Code = "SLP-PKI-044"
)

// The codes of the commands slipway pki, 045 to 059.
const (
	DepotPassphrase Code = "SLP-PKI-045"
	DepotUndeclared Code = "SLP-PKI-046"
	DepotPrincipal  Code = "SLP-PKI-047"
	DepotNoCluster  Code = "SLP-PKI-048"
	DepotDeny       Code = "SLP-PKI-049"
	DepotReload     Code = "SLP-PKI-050"
)

var depotEntries = []Entry{
	{
		Code: DepotMissing, Title: "there is no PKI here",
		Cause: "The directory has no depot.yaml: nothing was set up for the cluster, or the command looks in another directory.",
		Fix:   "Run slipway pki init, or name the directory with --pki.",
	},
	{
		Code: DepotExists, Title: "the cluster has a PKI already",
		Cause: "The directory holds a depot. Making another over it would take away the authority that everybody trusts.",
		Fix:   "Use the one that is there; slipway pki status shows it. To replace its authority, run slipway pki rotate ca.",
	},
	{
		Code: DepotForeign, Title: "the directory holds something else",
		Cause: "What lies there was not made by the command that found it: files of another program, or a depot whose depot.yaml is gone.",
		Fix:   "Name an empty directory, or bring back depot.yaml from a backup.",
	},
	{
		Code: DepotLocked, Title: "another process is changing the depot",
		Cause: "One process at a time changes a depot, and another has it now.",
		Fix:   "Wait for the other process to end. The lock ends with it, however it ends: there is nothing to remove.",
	},
	{
		Code: DepotFile, Title: "depot.yaml cannot be read",
		Cause: "The file is not what Slipway writes: a key is unknown, missing or twice there, or its value cannot be.",
		Fix:   "Undo the change at the place named, or bring the file back from a backup.",
	},
	{
		Code: DepotVersion, Title: "the depot is of a newer Slipway",
		Cause: "depot.yaml has a version that this program does not know.",
		Fix:   "Use the Slipway that wrote it, or a newer one.",
	},
	{
		Code: DepotDamaged, Title: "a file of the depot is missing or does not fit",
		Cause: "A file was removed, changed or exchanged by something other than Slipway.",
		Fix:   "Bring the depot back from a backup. A leaf's directory below issued can be removed instead: it is issued again.",
	},
	{
		Code: DepotRootKey, Title: "the root's key cannot be had",
		Cause: "The key is not where it was said to be, belongs to another root, or its passphrase is another.",
		Fix:   "Bring the medium with the root's key, or give the passphrase that it was encrypted with.",
	},
	{
		Code: DepotPhase, Title: "this step does not follow from the phase",
		Cause: "The replacement of an authority goes through its phases in order, and can be taken back until the old root is no longer trusted.",
		Fix:   "Look at slipway pki status for the phase, and take the step that follows from it.",
	},
	{
		Code: DepotBlocked, Title: "the next phase would break something",
		Cause: "A certificate that is in use, or an endpoint, would no longer be accepted.",
		Fix:   "Settle what is listed, then take the step again.",
	},
	{
		Code: DepotPending, Title: "the issuer is not signed yet",
		Cause: "The depot waits for the certificate that another authority makes of its signing request.",
		Fix:   "Have the request signed, then run slipway pki import with the answer.",
	},
	{
		Code: DepotSigned, Title: "this certificate is not the answer to the request",
		Cause: "It is for another key, is no authority's, or the chain above it does not end in a root.",
		Fix:   "Have the request signed as an authority that signs leaves, and give the whole chain: the issuer first, the root last.",
	},
	{
		Code: DepotUnknown, Title: "there is no such certificate",
		Cause: "The depot has not issued anything by that name or serial number.",
		Fix:   "Run slipway pki status to see what there is.",
	},
	{
		Code: DepotRevoked, Title: "the revocation cannot be changed",
		Cause: "What is revoked stays so; only a hold can be lifted, because nothing else may be undone by whoever trusts the list.",
		Fix:   "Issue a new certificate: slipway pki issue.",
	},
	{
		Code: DepotPassphrase, Title: "the passphrase cannot be used",
		Cause: "The passphrase guards the key of a root, so its file is for its owner alone, and it is long enough not to be guessed: 12 characters at least.",
		Fix:   "Write it into a file with mode 0600, or give it by env:NAME or - for standard input; openssl rand -base64 24 makes a good one.",
	},
	{
		Code: DepotUndeclared, Title: "nobody calls for this certificate",
		Cause: "Certificates are for the nodes that clusters.yaml lists, for the services whose contracts log in by mTLS, and for the administrators of each environment. Programs of others get one if external.yaml lists them under principals.",
		Fix:   "Declare whom it is for; slipway pki issue without names issues everything that is called for.",
	},
	{
		Code: DepotPrincipal, Title: "brokers would make another principal of the certificate",
		Cause: "Rights are granted to User:NAME, where NAME is the certificate's common name. The rules of clusters.yaml (pki.principals, the brokers' ssl.principal.mapping.rules) make something else of it, or the same of two different certificates, so that one could act as the other.",
		Fix:   "Correct the rules in clusters.yaml and on the brokers; RULE:^CN=([^,]*).*$/$1/,DEFAULT takes the common name.",
	},
	{
		Code: DepotNoCluster, Title: "there is no cluster to make certificates for",
		Cause: "Certificates are made for a cluster that clusters.yaml lists. The embedded cluster and the local one make their own at every start.",
		Fix:   "List the cluster in clusters.yaml with its nodes, or name one that is listed with -c.",
	},
	{
		Code: DepotDeny, Title: "a DENY would not help",
		Cause: "Super users are asked no ACLs, so brokers, controllers and administrators in super.users cannot be denied anything; and a serial number alone names no principal.",
		Fix:   "Take the name out of super.users and restart the brokers one by one, or replace the authority: slipway pki rotate ca.",
	},
	{
		Code: DepotReload, Title: "a broker did not take its new files",
		Cause: "The broker refused to read its keystore or truststore again: a file is missing or half delivered, the certificate has other names than the one before, or the login lacks the right to alter the cluster's configuration.",
		Fix:   "Deliver the directory whole, check it with slipway pki inspect, and run the command again; a rolling restart does the same.",
	},
}
