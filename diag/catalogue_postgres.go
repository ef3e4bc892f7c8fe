package diag

// Postgres on this machine: SLP-PGS.
var postgresEntries = []Entry{}
