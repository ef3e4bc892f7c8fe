package diag

// What listing, deleting and rotating users can stumble on.
const (
	UserUnknown     Code = "SLP-USR-001"
	UserDeclared    Code = "SLP-USR-002"
	UserNeedsAllow  Code = "SLP-USR-003"
	UserNoPassword  Code = "SLP-USR-004"
	UserNotStaged   Code = "SLP-USR-005"
	UserUnconfirmed Code = "SLP-USR-006"
	UserNotTaken    Code = "SLP-USR-007"
	UserNotSCRAM    Code = "SLP-USR-008"
	UserSecretsDir  Code = "SLP-USR-009"
)

var userEntries = []Entry{
	{UserUnknown, "there is no such user or service", "The cluster has no SCRAM credential of that name, or the estate has no service of that name.", "Correct the name; slipway user list shows all users and the services that declare them."},
	{UserDeclared, "a contract declares the user", "A service logs in as this user, or an operator works on its dead letters with it. The next apply would only create it again, with another password.", "Take the service out of the estate first. To give it a new password, use slipway user rotate."},
	{UserNeedsAllow, "deleting a user needs leave", "Whoever logs in as this user cannot any more, and its password cannot be brought back.", "If that is meant, run the command again with --allow delete:user/NAME."},
	{UserNoPassword, "there is no password to rotate", "The directory has no password of this user in force, so the Secret made from it would hold the next one alone, and instances that start before the switch could not log in.", "Put the password in force into DIR/USER/password with mode 0600, as apply --secrets left it, or name the right directory with --secrets."},
	{UserNotStaged, "no next password is staged", "The directory has no password.next for this user: rotation has not begun, or it has ended.", "Begin with slipway user rotate SERVICE --stage; --status tells how far it is."},
	{UserUnconfirmed, "not every instance is known to hold the next password", "The broker knows one password a user. An instance that does not hold the next one when the broker switches to it cannot log in again.", "Deliver the Secret, wait until every instance reports the next password at its admin endpoint, and run the command again with --confirmed-by-all."},
	{UserNotTaken, "the cluster does not take the next password", "A login with password.next was refused, so making it the password would lock every instance out at its next start.", "Run slipway user rotate SERVICE --alter first; right after it, brokers may need a few seconds."},
	{UserNotSCRAM, "the service has no password", "The contract says that the service logs in by a certificate or by PLAIN on this cluster. Only SCRAM passwords are kept by the brokers.", "Certificates are rotated with the PKI that issues them."},
	{UserSecretsDir, "a password cannot be kept", "The directory of secrets cannot be written, or a file in it is open to others or no regular file.", "Name a directory of your own with --secrets, and chmod 600 the files in it."},
}
