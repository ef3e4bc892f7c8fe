package diag

// Records on disk while the cluster is away: SLP-SPL.
var spillEntries = []Entry{}
