package contract

const (
	estateKind = "Estate"
	lockKind   = "EstateLock"
)

// The table of estate.yaml, which no service reads: see clustersType.
func sourcesType() typ[Sources] {
	return object(
		at("apiVersion", literal(APIVersion), func(*Sources) *string { return new(string) }, "The version of this format.", required),
		at("kind", literal(estateKind), func(*Sources) *string { return new(string) }, "That this file lists the contracts of other repositories.", required),
		at("services", mapOf(serviceNames, sourceType(), func(s *Source, name string) { s.Service = name }), func(s *Sources) *map[string]*Source { return &s.Services },
			"The services whose contracts are pulled, by name.", required),
	)
}

func sourceType() typ[Source] {
	return object(
		at("from", text(2000), func(s *Source) *string { return &s.From },
			"Where the contract is published: oci://registry/path:tag, or git+https://host/path.git#branch:directory, git+ssh:// and file:// likewise.", required),
	).orJust("from")
}

// The table of estate.lock, which slipway estate pull writes.
func lockType() typ[Lock] {
	return object(
		at("apiVersion", literal(APIVersion), func(*Lock) *string { return new(string) }, "The version of this format.", required),
		at("kind", literal(lockKind), func(*Lock) *string { return new(string) }, "That this file pins contracts.", required),
		at("services", mapOf(serviceNames, lockedType(), func(l *Locked, name string) { l.Service = name }), func(l *Lock) *map[string]*Locked { return &l.Services },
			"What of each service was pulled.", required),
	)
}

func lockedType() typ[Locked] {
	return object(
		at("from", text(2000), func(l *Locked) *string { return &l.From }, "The source it was pulled from.", required),
		at("digest", matching("digest", `^(sha256:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{64})$`, 71, "run slipway estate pull"), func(l *Locked) *string { return &l.Digest },
			"The digest of the OCI manifest, or the git commit.", required),
		at("tree", matching("git tree", `^([0-9a-f]{40}|[0-9a-f]{64})$`, 64, "run slipway estate pull"), func(l *Locked) *string { return &l.Tree },
			"The git tree of the directory."),
		at("contract", matching("hash", `^[0-9a-f]{64}$`, 64, "run slipway estate pull"), func(l *Locked) *string { return &l.Contract },
			"The hash of the contract with the files it names.", required),
	)
}
