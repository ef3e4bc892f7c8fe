// Package contract reads what a service promises: its slipway.yaml, the
// clusters.yaml of the platform team and the external.yaml that names what
// others own.
//
// The files are authoritative; everything Slipway does is derived from them.
// A [Service] is one contract as written, with the default of every absent
// key filled in. [Service.In] lays an environment over it (RFC 7396 merge). An
// [Estate] is all contracts under a directory with their clusters and the
// things owned elsewhere; [Estate.Validate] judges them together, and
// [Estate.In] resolves one environment of it, which is what plan, acl and
// render work from.
//
// # Reading
//
// Parsing is strict and pure: it reads an [io/fs.FS], never the network or
// the environment of the process, and the same bytes give the same result. An
// unknown key, a wrong type, an anchor, a second document is an error with
// line and column; everything above YAML syntax is reported in one pass as a
// [diag.List]. A file larger than [MaxFileSize] or nested deeper than
// [MaxDepth] is refused before it costs memory.
//
// The formats are tables, one line a key: name, type, bounds, default, place
// in the Go type, meaning. Decoding, the JSON Schema ([JSONSchema]) and the
// documentation ([Keys]) all come from these lines. v1 only gains optional
// keys whose default is the old behaviour.
//
// Referenced schemas, and files with the settings of connectors, are read once,
// when the contract is parsed, relative to its directory, and may not leave it;
// links are refused altogether, because a binary could not embed them.
// [Service.Hash] covers exactly the bytes that [Service.SchemaText] and
// [Service.ConnectorConfig] go by.
//
// # Judging
//
// A topic has one owner, and only the owner writes it unless it lists
// writers. Readers need no permission unless the owner lists readers. What
// cannot work is an error; what works but is likely not meant is a warning.
// What is wrong in several environments is told once. While a file of the
// estate cannot be read in full, nothing is said to be missing that may be in
// it.
//
// # Values
//
// Parsed values are not changed afterwards, may share memory with each other,
// and are safe for concurrent use; treat them as read-only.
package contract
