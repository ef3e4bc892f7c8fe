package diag

// What the cluster refuses a running service, and what is wrong with the
// password that it logs in with.
const (
	RuntimeNotAuthorized    Code = "SLP-RUN-060"
	RuntimeCredentialUnread Code = "SLP-RUN-061"
	RuntimeCredentialFormer Code = "SLP-RUN-062"
)

var deniedEntries = []Entry{
	{RuntimeNotAuthorized, "the cluster refuses a right that the contract gives", "The service's principal lacks a right that follows from its contract: it was never granted, or was taken away while the service ran. What needs the right waits; nothing is lost or skipped, and it goes on within seconds of the grant.", "Run slipway plan to see what the principal lacks, and slipway apply to grant it."},
	{RuntimeCredentialUnread, "a mounted password cannot be used", "The file of SASL_PASSWORD_PATH, or the one beside it that ends in .next, is unreadable or empty. The service goes on with what it read before.", "Mount the secret again. The file holds the password and nothing else."},
	{RuntimeCredentialFormer, "the service logs in with a password that no file holds", "The cluster refuses what the mounted files hold and accepts the password that was mounted before. The service works; once it is restarted it will not be able to log in.", "Put the accepted password back into the mounted secret, or finish the rotation: alter the credential on the cluster to the mounted password."},
}
