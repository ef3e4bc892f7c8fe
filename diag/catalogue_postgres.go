package diag

// Postgres on this machine.
const (
	PostgresMissing    Code = "SLP-PGS-001"
	PostgresDirectory  Code = "SLP-PGS-002"
	PostgresNotStarted Code = "SLP-PGS-003"
)

// Postgres on this machine: SLP-PGS.
var postgresEntries = []Entry{
	{PostgresMissing, "Postgres is not installed", "A Postgres server was asked for on this machine, and its programs (postgres, initdb, createdb) are not where distributions put them, nor in PATH.", "Install it (Debian: apt-get install postgresql), or give the URL of a server that runs already."},
	{PostgresDirectory, "Postgres cannot use its directory", "The directory cannot be made or written, or Slipway runs as root and the user that Postgres then runs as may not enter it.", "Run as an ordinary user, or name a directory that the user postgres or nobody can enter."},
	{PostgresNotStarted, "Postgres does not start", "The server or initdb ended before it took connections: a port that is taken, a setting it does not know, data of another major version.", "Read its last lines, which are the evidence; remove the directory if its data may be lost."},
}
