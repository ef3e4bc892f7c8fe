package diag

// The embedded cluster and its schema registry.
const (
	EmbeddedInUse        Code = "SLP-EMB-001"
	EmbeddedPort         Code = "SLP-EMB-002"
	EmbeddedDamaged      Code = "SLP-EMB-003"
	EmbeddedLoginRefused Code = "SLP-EMB-004"
	EmbeddedDirectory    Code = "SLP-EMB-005"
)

var embeddedEntries = []Entry{
	{
		Code:  EmbeddedInUse,
		Title: "The data directory belongs to a running cluster",
		Cause: "Another embedded cluster has the directory open; two would overwrite each other's records.",
		Fix:   "Stop the other cluster, or start this one with another data directory.",
	},
	{
		Code:  EmbeddedPort,
		Title: "A port of the embedded cluster is taken",
		Cause: "Another program, often an earlier run, listens on the port.",
		Fix:   "Stop that program, or leave the ports out: free ones are chosen then.",
	},
	{
		Code:  EmbeddedDamaged,
		Title: "The data directory is damaged",
		Cause: "A file in it was changed, removed or written by something else. A crash does not do that: what a crash tears is repaired.",
		Fix:   "Move the directory away to start empty; restore it from a copy if its records matter.",
	},
	{
		Code:  EmbeddedLoginRefused,
		Title: "The embedded broker refused a login",
		Cause: "The user does not exist or the password is wrong. The embedded broker closes the connection without saying so, which clients report as EOF.",
		Fix:   "Run slipway apply to create the user, and take its password from the same data directory.",
	},
	{
		Code:  EmbeddedDirectory,
		Title: "The data directory cannot be used",
		Cause: "It cannot be created or written: it is a file, its file system is full or read-only, or it belongs to another user.",
		Fix:   "Name a directory that you may write.",
	},
}
