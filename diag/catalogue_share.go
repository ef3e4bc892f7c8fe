package diag

// Contracts that are shared between repositories.
const (
	ShareReference   Code = "SLP-SHR-001"
	ShareNoSources   Code = "SLP-SHR-002"
	ShareNotPulled   Code = "SLP-SHR-003"
	ShareTampered    Code = "SLP-SHR-004"
	ShareLocked      Code = "SLP-SHR-005"
	ShareUnreachable Code = "SLP-SHR-006"
	ShareRefused     Code = "SLP-SHR-007"
	ShareMissing     Code = "SLP-SHR-008"
	ShareArchive     Code = "SLP-SHR-009"
	ShareService     Code = "SLP-SHR-010"
	ShareMoved       Code = "SLP-SHR-011"
	ShareGit         Code = "SLP-SHR-012"
	ShareCache       Code = "SLP-SHR-013"
	ShareChecksum    Code = "SLP-SHR-014"
)

var shareEntries = []Entry{
	{ShareReference, "the place of a contract is not understood", "Contracts are published to an OCI registry, oci://registry/path:tag, or to a directory of a git branch: git+https://host/path.git#branch:directory, git+ssh://user@host/path.git#branch:directory, or file:///path#branch:directory. Credentials never stand in it.", "write the place in one of these forms; registries take their credentials from docker's configuration, git from its credential helpers or from ssh"},
	{ShareNoSources, "there is no estate.yaml", "The directory has no estate.yaml that would say where the contracts of other repositories are.", "write one: apiVersion: slipway.dev/v1, kind: Estate, and under services a line for each service, such as payments: oci://registry.example.com/contracts/payments:main"},
	{ShareNotPulled, "contracts of other repositories are missing", "estate.yaml lists services whose contracts were not pulled yet, or from somewhere else. Without them the estate is not known in full, so nothing is derived from it.", "run slipway estate pull; in a pipeline slipway estate pull --locked, which takes exactly what estate.lock names"},
	{ShareTampered, "a pulled contract was changed", "The files below .slipway/estate are not the ones whose hash estate.lock holds: somebody edited them, or estate.lock was changed without pulling.", "run slipway estate pull --locked to fetch what estate.lock names; a contract is changed in the repository of its service"},
	{ShareLocked, "estate.lock does not allow it", "With --locked nothing moves: every source of estate.yaml has to be in estate.lock as it is written, and what is fetched has to have the digests that stand there.", "run slipway estate pull without --locked where the change can be reviewed, and commit estate.lock"},
	{ShareUnreachable, "a registry or a repository gives no usable answer", "It is down or slow, the name does not resolve, TLS does not agree, or something else answers there. What was pulled before keeps working: nothing but publishing and pulling needs it.", "act on the message, then run the command again"},
	{ShareRefused, "a registry or a repository refused the credential", "There is no credential for it, or the one there is may not do this. Nobody is asked for a password.", "log in first: docker login or oras login for a registry, a credential helper or an ssh key for git; publishing needs the right to write"},
	{ShareMissing, "nothing is published there", "The registry has no such repository or tag, or the git repository has no such branch, directory or commit.", "correct the place, or publish the contract with slipway contract publish"},
	{ShareArchive, "what was found there is no published contract", "The artifact is of another kind, is larger than a contract can be, or holds what none does: links, devices, paths that lead out, files that the contract does not name.", "publish the contract with slipway contract publish; if that is what was done, somebody else wrote there since"},
	{ShareService, "it is the contract of another service", "estate.yaml says whose contract is to be found in a place, and another one is there; or a contract would be published over that of another service.", "correct the place, or the service's name in estate.yaml"},
	{ShareMoved, "somebody else wrote to the branch", "The branch got another commit while the contract was published. Nothing was overwritten.", "run the command again"},
	{ShareGit, "the git program cannot do it", "git is not installed, is too old, or reports what the message says.", "install git 2.30 or newer, or act on the message"},
	{ShareCache, "pulled contracts cannot be kept", "The directory .slipway/estate, or estate.lock, cannot be written, or something that is no directory stands in its place. Links are not followed there.", "free the place or give the user the right to write there, and run the command again"},
	{ShareChecksum, "what was fetched is not what was announced", "The bytes do not have the digest by which they were asked for: the transfer was damaged, or the registry is not to be trusted.", "run the command again; if it stays, look at the registry and at what stands between"},
}
