package diag

// Certificates: what is not issued, not signed, not read, not taken over.
const (
	PKIName       Code = "SLP-PKI-001"
	PKILifetime   Code = "SLP-PKI-002"
	PKIKey        Code = "SLP-PKI-003"
	PKISignature  Code = "SLP-PKI-004"
	PKIVersion    Code = "SLP-PKI-005"
	PKIIssuer     Code = "SLP-PKI-006"
	PKIExpired    Code = "SLP-PKI-007"
	PKIPathLength Code = "SLP-PKI-008"
	PKIConstraint Code = "SLP-PKI-009"
	PKIChain      Code = "SLP-PKI-010"
	PKIPair       Code = "SLP-PKI-011"
	PKIFile       Code = "SLP-PKI-012"
	PKILoose      Code = "SLP-PKI-013"
	PKILink       Code = "SLP-PKI-014"

	PKIPassphrase       Code = "SLP-PKI-015"
	PKIPassphraseAbsent Code = "SLP-PKI-016"
	PKIEncryption       Code = "SLP-PKI-017"

	PKIRequest          Code = "SLP-PKI-018"
	PKIRequestSignature Code = "SLP-PKI-019"
	PKIRequestAuthority Code = "SLP-PKI-020"
	PKIRequestUsage     Code = "SLP-PKI-021"

	PKIImport     Code = "SLP-PKI-022"
	PKIImportKey  Code = "SLP-PKI-023"
	PKIRevocation Code = "SLP-PKI-024"
)

var pkiEntries = []Entry{
	{PKIName, "a name cannot stand in a certificate", "Kafka cuts its principal out of the distinguished name, and clients look for the host they dialled among the DNS names and addresses. A name that could be read in two ways would be somebody else's in one of them, so names are letters, digits, dot and hyphen (an underscore too in a common name), without wildcards, at most 64 characters in a common name and 253 in a host; addresses are those of one host; and there are at most 100 of them.", "correct the name where it is declared: the service's name and environment, or nodes and hosts in clusters.yaml"},
	{PKILifetime, "a certificate would live too long or too short", "A leaf lives one minute to 90 days, because what leaks or is forgotten ends by itself; an authority lives at most ten years.", "ask for a lifetime within the bounds; leaves are renewed while everything runs, so short ones cost nothing"},
	{PKIKey, "a key is too weak or of a kind that is not taken", "RSA below 2048 bits and ECDSA below P-256 can be broken or soon will be. Ed25519 and others are not read by every JVM that Kafka runs on.", "make a new key: ecdsa-p256 unless something needs RSA, then rsa-3072; an authority with a weak key is replaced, not taken over"},
	{PKISignature, "a signature is of a broken kind", "The certificate or request is signed with SHA-1, MD5 or something that is not known. Signatures of that kind can be forged.", "sign it again with SHA-256 or better; with openssl add -sha256"},
	{PKIVersion, "a certificate is too old in kind", "It is of X.509 version 1 or 2, which know no extensions: nothing in it says whether it is an authority's, so anything it signs would be one too.", "issue the authority's certificate again as version 3 with basicConstraints critical, CA:TRUE; openssl does so with -extensions v3_ca"},
	{PKIIssuer, "a certificate may not issue this", "It is not an authority's (CA:FALSE, or no keyCertSign), or it bears extensions that restrict what it may issue, or ones that cannot be judged.", "use the authority's certificate and not a server's; for an own authority slipway pki init makes one"},
	{PKIExpired, "an authority is not valid at this time", "It has ended, or its life has not begun. Whatever it signs now nobody accepts.", "check the clock; then replace the authority with slipway pki rotate ca"},
	{PKIPathLength, "there may not be another authority below this one", "The path length in an authority's certificate bounds how many authorities stand between it and a leaf: one below a root of Slipway, none below an intermediate.", "issue leaves with this authority, or make the intermediate under the root"},
	{PKIConstraint, "a name is outside of what the authority may certify", "The authority or one above it carries name constraints; a certificate with another name would be refused by whoever verifies it. Without a DNS name the common name counts as one, because Java takes it for one.", "correct the name in clusters.yaml, or give a node that has addresses alone a host name too; or make an authority whose constraints permit it: those of a certificate cannot be changed"},
	{PKIChain, "certificates are not a chain", "An authority is read with everything above it: its own certificate first, each signed by the one that follows, the root last.", "put the missing certificate in, in this order; the root's key is not needed"},
	{PKIPair, "a key does not belong to its certificate", "The two were made apart, or files of two pairs were mixed.", "look for the other half; openssl x509 -pubkey -noout and openssl pkey -pubout print the same for a pair"},
	{PKIFile, "a file is not what it should be", "It is damaged, cut short, empty, too large, or holds something besides what is expected. What is not read could be mistaken for something that was, so nothing is skipped over.", "give the file the one thing that the message names, as PEM"},
	{PKILoose, "others can read or replace a private key", "A key is 0600 in a directory that is 0700. The mode is wider, so the key may be known to others.", "chmod 600 the file and chmod 700 the directory; if others have accounts on this machine, consider the key known and replace it"},
	{PKILink, "a key is not a file of its own", "It is a symbolic link, a directory or a device. The target of a link lies in a directory whose modes are not looked at.", "put the file itself into the directory"},
	{PKIPassphrase, "the passphrase is wrong", "The private key is encrypted and this passphrase does not open it, or the file is damaged.", "try the passphrase of the day the key was made; there is no way around it"},
	{PKIPassphraseAbsent, "there is no passphrase", "A private key is encrypted, or shall be, and no passphrase was given.", "give the passphrase in a file or a variable; the command's help says how"},
	{PKIEncryption, "a private key is encrypted in a way that is not read", "PKCS#8 with PBES2 is read: PBKDF2 of at most 2,000,000 iterations with AES or triple DES in CBC mode; and, when an authority is imported, the older DEK-Info form. scrypt, single DES and RC2 are not.", "openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW"},
	{PKIRequest, "a signing request cannot be read", "A request is one PEM block CERTIFICATE REQUEST of at most 64 KiB with nothing before or behind it.", "make it with openssl req -new or keytool -certreq and hand over the file as it is"},
	{PKIRequestSignature, "a signing request is not signed by its own key", "Whoever asks for a certificate proves by the signature that they hold the private key. This signature is another key's, or the request was changed.", "make the request again on the machine where the key lies"},
	{PKIRequestAuthority, "a signing request asks to be an authority", "The request wants CA:TRUE or a key usage that signs certificates or revocation lists. Leaves never get that, and whoever asks for it should be asked why.", "make the request without basicConstraints and keyCertSign; what a certificate may do is decided by policy"},
	{PKIRequestUsage, "a signing request asks for a use that is not granted", "The extended key usage in the request goes beyond what the certificate is for: a service's is clientAuth, a broker's is serverAuth and clientAuth.", "make the request without extendedKeyUsage; policy decides it"},
	{PKIImport, "there is no authority to import", "Among the files there is no certificate of an authority, or there are several that could issue.", "hand over the files of one authority: its certificate, its key, and the certificates above it up to the root"},
	{PKIImportKey, "an authority's key is missing", "There are certificates of authorities and none of the keys belongs to one.", "add the private key of the intermediate that shall issue; the root's key can stay where it is"},
	{PKIRevocation, "a revocation list cannot be made", "The number must grow from 1, the next update lie ahead, each serial number appear once, and a reason be one of RFC 5280.", "correct the entry that the message names"},
}
