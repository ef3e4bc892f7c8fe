package diag

// What can be wrong with rendering.
const (
	RenderTarget    Code = "SLP-RND-001"
	RenderEdited    Code = "SLP-RND-002"
	RenderForeign   Code = "SLP-RND-003"
	RenderList      Code = "SLP-RND-004"
	RenderDirectory Code = "SLP-RND-005"
)

var renderEntries = []Entry{
	{RenderTarget, "there is no such target", "slipway render makes files of the kinds that slipway render --list names.", "name one of them"},
	{RenderEdited, "a rendered file was edited by hand", "The file was written by slipway render and has changed since. Writing it again would lose the edit.", "put what was edited where it cannot be lost (the contract, a file beside this one, an overlay), then render again with --force, which writes over it"},
	{RenderForeign, "a file is in the way", "A file with the name of one that is rendered is there, and slipway render did not write it.", "render into another directory with -o, or write over it with --force"},
	{RenderList, "the list of rendered files cannot be understood", "The list that slipway render keeps beside its files, in the format of sha256sum, has a line of another form. Without it nobody can tell which files are its own.", "restore it from version control; or remove it, and render again with --force if the files are known to hold nobody's edits"},
	{RenderDirectory, "the directory cannot be read or written", "A file or directory below the one that -o names is of another kind, or its permissions forbid it.", "make room for what is rendered, or name another directory with -o"},
}
