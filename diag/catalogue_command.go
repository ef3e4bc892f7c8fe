package diag

// The problems of a command line and of what a command needs around it.
const (
	CommandUsage       Code = "SLP-CLI-001"
	CommandUnknown     Code = "SLP-CLI-002"
	CommandSecret      Code = "SLP-CLI-003"
	CommandUnconfirmed Code = "SLP-CLI-004"
	CommandDirectory   Code = "SLP-CLI-005"
	CommandOverwrite   Code = "SLP-CLI-006"
	CommandCredential  Code = "SLP-CLI-007"
	CommandNoCluster   Code = "SLP-CLI-008"
	CommandUnknownCode Code = "SLP-CLI-009"
	CommandSecretsDir  Code = "SLP-CLI-010"
	CommandInterrupted Code = "SLP-CLI-011"
	CommandTimeout     Code = "SLP-CLI-012"
	CommandFailed      Code = "SLP-CLI-013"
)

var commandEntries = []Entry{
	{CommandUsage, "the command line is not understood", "A flag or an argument is unknown, missing, one too many, or has a value of the wrong form.", "run the command with --help; it shows every flag and an example"},
	{CommandUnknown, "there is no such command", "The word after slipway is no command of this version.", "run slipway --help to see all commands"},
	{CommandSecret, "a secret stands on the command line", "Every process of the machine can read the command lines of all others, and shells keep them in a history. So Slipway takes secrets from files only.", "write the secret into a file that only you can read and name the file: --sasl-password-file, --tls-key, --registry-auth-file, or PGPASSFILE for a database; and change the secret, because it was shown"},
	{CommandUnconfirmed, "nobody agreed to the changes", "Changes are made after a yes at the terminal or with --yes. There was no terminal to ask at, or the answer was no. Nothing was changed.", "read what the command would change, then run it again with --yes"},
	{CommandDirectory, "the directory cannot be used", "The directory named on the command line does not exist, is a file, or may not be read or written.", "name a directory that is there and yours"},
	{CommandOverwrite, "a file would be overwritten", "init writes new files only, so that nothing of yours is lost. Nothing was written.", "choose another directory, or move the file away"},
	{CommandCredential, "a credential cannot be used", "plan and apply log in to the cluster as its administrator, by a client certificate or by SASL, and what they were given for it is missing, unreadable or contradicts itself.", "give --tls-cert and --tls-key, or --sasl-user and --sasl-password-file, or set the variables that plan --help names"},
	{CommandNoCluster, "there is no cluster to look at", "The environment is bound to a cluster that Slipway itself starts: the embedded one lives inside slipway up, the local one as long as slipway dev keeps it.", "run slipway up, which starts the cluster and prints what it creates; slipway explain NAME says why something is there; --env names an environment on a cluster of clusters.yaml"},
	{CommandUnknownCode, "there is no such code", "The text looks like a diagnostic code, but the catalogue has none of this name. Codes are never removed, so it is misspelt or from a newer Slipway.", "check the spelling; docs/reference/errors.md lists all codes"},
	{CommandSecretsDir, "a password cannot be kept", "apply writes the password of each user it creates to a file before it creates the user, so that none is ever lost. The directory for them is missing on the command line or cannot be written, or a file in it is open to others.", "name a directory of your own with --secrets; chmod 600 the files in it"},
	{CommandInterrupted, "interrupted", "The command was told to stop by Ctrl-C or a signal.", "run it again; what was done already is not done twice"},
	{CommandTimeout, "the time is up", "The command took longer than --timeout.", "raise --timeout; what was done already is not done twice"},
	{CommandFailed, "the command failed", "Something went wrong that has no code of its own, such as a full disk.", "act on the message and run the command again"},
}
