package diag

// What reading configuration from a server, such as Vault or Consul, can stumble
// on. The packages that read it are modules of their own.
const (
	ConfigSourceSetup   Code = "SLP-CFG-070"
	ConfigSourceAway    Code = "SLP-CFG-071"
	ConfigSourceDenied  Code = "SLP-CFG-072"
	ConfigSourceMissing Code = "SLP-CFG-073"
	ConfigSourceSealed  Code = "SLP-CFG-074"
	ConfigSourceBusy    Code = "SLP-CFG-075"
	ConfigSourceLogin   Code = "SLP-CFG-076"
	ConfigSourceAnswer  Code = "SLP-CFG-077"
)

var configSourceEntries = []Entry{
	{ConfigSourceSetup, "a source of configuration is set up wrongly", "The address is none, is without TLS and not of this machine, or something that is needed to log in is not given or cannot be read.", "Correct what the message names, in the code that makes the source or in the file that is mounted."},
	{ConfigSourceAway, "a source of configuration does not answer", "The server cannot be reached, its certificate is not trusted, or it answers that it is in trouble itself.", "See that the address is right and the server runs, and that its certificate is signed by the authority in the CA file."},
	{ConfigSourceDenied, "a source of configuration does not show something", "The login is good and its policy does not allow to read this path.", "Give the policy of the service's role the right to read the path that the message names. In Vault's KV version 2 policies name MOUNT/data/PATH."},
	{ConfigSourceMissing, "there is nothing at a path", "The path is misspelt, nothing was written there yet, or it was deleted. Going on would mean to run without settings that somebody meant to give.", "Write something there, or correct the path; for Vault the mount must be of KV version 2."},
	{ConfigSourceSealed, "Vault is sealed, or a standby", "A sealed Vault has no keys and answers nothing; a standby answers only what it was told to.", "Unseal it, or let the address lead to the active node."},
	{ConfigSourceBusy, "a source of configuration has enough of requests", "A rate limit quota applies to the path or to this client.", "Nothing, if it passes: the service asks again. Else raise the quota, or poll less often."},
	{ConfigSourceLogin, "the login at a source of configuration is refused", "The token has ended or was revoked, or the role is not bound to this service account or secret id.", "For Kubernetes compare the role's bound names with the pod's service account and namespace; for AppRole issue a new secret id; for a token file put a new token there."},
	{ConfigSourceAnswer, "a source of configuration answers something else than values", "A value is neither text nor number nor a list of these, a field that a template names is not there, or something else than the expected server answers.", "Write each setting under its whole key, with dots, and compare the names in templates with the fields that the message lists."},
}
