package diag

// Which principal a broker makes of a certificate, and what is wrong with
// certificates in files and behind listeners.
const (
	PrincipalRule       Code = "SLP-PKI-070"
	PrincipalUnforeseen Code = "SLP-PKI-071"
	PrincipalNone       Code = "SLP-PKI-072"
	PrincipalClash      Code = "SLP-PKI-073"

	InspectFile      Code = "SLP-PKI-074"
	InspectName      Code = "SLP-PKI-075"
	InspectClosed    Code = "SLP-PKI-076"
	InspectTimeout   Code = "SLP-PKI-077"
	InspectPlain     Code = "SLP-PKI-078"
	InspectHandshake Code = "SLP-PKI-079"

	CertExpired     Code = "SLP-PKI-080"
	CertNotYet      Code = "SLP-PKI-081"
	CertEnding      Code = "SLP-PKI-082"
	ChainUnknown    Code = "SLP-PKI-083"
	ChainIncomplete Code = "SLP-PKI-084"
	ChainOrder      Code = "SLP-PKI-085"
	ChainRoot       Code = "SLP-PKI-086"
	CertHost        Code = "SLP-PKI-087"
	CertNoNames     Code = "SLP-PKI-088"
	CertUsage       Code = "SLP-PKI-089"
	CertAuthority   Code = "SLP-PKI-090"
	CertWeakKey     Code = "SLP-PKI-091"
	CertWeakSign    Code = "SLP-PKI-092"
	CertWildcard    Code = "SLP-PKI-093"
	CertLifetime    Code = "SLP-PKI-094"
	CertSerial      Code = "SLP-PKI-095"
	CertPair        Code = "SLP-PKI-096"
	CertRevoked     Code = "SLP-PKI-097"
	ChainConstraint Code = "SLP-PKI-098"
	ListenerWeak    Code = "SLP-PKI-099"
)

var inspectEntries = []Entry{
	{PrincipalRule, "a rule for principals cannot be used", "Brokers read ssl.principal.mapping.rules when they start and use them at each login. With this rule a broker would not start, or every login with a certificate would end.", "correct the rule: DEFAULT, or RULE:pattern/replacement/ with L or U behind it, several with commas between"},
	{PrincipalUnforeseen, "which principal a broker makes cannot be foretold", "The rule uses what only Java's regular expressions can do, or the name in the certificate holds characters that Javas of different versions write differently. A guess would be a wrong ACL.", "write the rule without it, such as RULE:^CN=([^,]*).*$/$1/, and give certificates names of ASCII letters, digits, dot, hyphen and underscore"},
	{PrincipalNone, "no rule makes a principal of a certificate's name", "The rules of ssl.principal.mapping.rules are tried in turn, each on the whole name as Java writes it (RFC 2253, the common name first as a rule). None matches, so the broker ends the connection.", "end the rules with DEFAULT, or correct the pattern"},
	{PrincipalClash, "two names are one principal", "The rules make the same principal of both, so each may do what the other may.", "let the rules keep what tells the names apart, or give one of the certificates another name"},
	{InspectFile, "a file holds nothing to look at", "It is not a certificate, a revocation list or a keystore, it is damaged or cut short, it cannot be read, or it is too large to be one.", "name a PEM or DER file with certificates, a PKCS#12 or a JKS keystore; openssl x509 -in FILE -noout -text says what openssl thinks of it"},
	{InspectName, "a host name does not resolve", "The name service knows no address for it: it is misspelt, it is only known inside of another network or namespace, or the name service cannot be reached.", "check the spelling, and ask the name service from this machine: getent hosts NAME"},
	{InspectClosed, "nothing listens at an address", "The machine refused the connection or cannot be reached: no process listens at this port, it listens on another interface only, or a firewall says no.", "check the port and that the broker runs; on its machine ss -tln shows what listens where"},
	{InspectTimeout, "a listener does not answer in time", "No answer came: a firewall drops the packets, the process hangs, or what listens waits for something else than TLS.", "look at the process behind the port, and at what lies between; --timeout waits longer"},
	{InspectPlain, "a listener does not speak TLS", "What answered is no TLS record: the port is that of another listener, without TLS, or of another program.", "use the port of the SSL or SASL_SSL listener; listeners and listener.security.protocol.map in the broker's settings say which that is"},
	{InspectHandshake, "a listener refuses to talk", "It ended the handshake by an alert or without a word. The alert says which side was at fault, if not always why.", "act on the alert; the broker's log has the cause, for class org.apache.kafka.common.network.SslTransportLayer and with -Djavax.net.debug=ssl:handshake in full"},
	{CertExpired, "a certificate has ended", "Its last moment has passed, so every peer that looks at the clock refuses it. When an authority's certificate ends, everything below it ends with it.", "issue it again (slipway pki issue, or slipway pki rotate for many), and see to it that this happens in time: slipway pki check in a timer, exit 2 is the alarm"},
	{CertNotYet, "a certificate is not valid yet", "Its first moment lies in the future: it was made for later, or the clock of this machine or of the one that issued it is wrong.", "compare the clocks (date -u); if they are right, wait or issue it again"},
	{CertEnding, "a certificate ends soon", "What is left of its life is less than what renewing should have in reserve.", "renew it: slipway pki issue, or slipway pki rotate; services that use Slipway take a new pair without a restart"},
	{ChainUnknown, "a certificate is of an authority that is not trusted", "No chain leads from the certificate to one of the given CAs: it is signed by itself or by another authority, or by one of the same name with another key.", "use a certificate of the cluster's own authority, or give the CA that issued it (--ca here, ca of the cluster in clusters.yaml, TLS_CA_PATH for services)"},
	{ChainIncomplete, "the chain is not complete", "A certificate between the leaf and the root is not sent. Who does not have it by chance cannot verify the leaf: one client connects and another does not.", "put the leaf and every intermediate into one file, leaf first; ssl.keystore takes that file"},
	{ChainOrder, "certificates are not in the order of the chain", "Each certificate should be followed by the one that signed it, and nothing else should be there. Some clients sort, others give up.", "write the file in the order leaf, its issuer, and so on, without the root"},
	{ChainRoot, "a root is sent that nobody needs", "The other side has the root already, or does not trust it. It makes every handshake longer.", "leave the root out of the file that is sent; it belongs into the trust store"},
	{CertHost, "a certificate is for other hosts", "Clients look for the host they dialled among the names and addresses of the certificate, and not in its common name.", "issue it with this name or address (hosts of the node in clusters.yaml), or connect to a name that it has; advertised.listeners must use such a name too"},
	{CertNoNames, "a certificate names no host", "It has a common name only, or not even that. Clients stopped looking at the common name; Go says that it relies on the legacy Common Name field.", "issue it again with a subject alternative name for each name and address that clients dial; openssl x509 -req drops those of a CSR unless told to copy them (-copy_extensions copy)"},
	{CertUsage, "a certificate is not for this use", "Its key usage and extended key usage say what it is for, and this is not among it. A broker needs serverAuth for clients and clientAuth because it is a client of the other brokers; a service needs clientAuth. keyEncipherment belongs to a key exchange that no current TLS version has.", "issue it for what it is used for: slipway pki issue broker or slipway pki issue client know what each needs"},
	{CertAuthority, "an authority and a leaf are mixed up", "An authority's certificate stands where a leaf belongs, or one that is not an authority's has signed another.", "issue a leaf with CA:FALSE under the authority, and keep the authority's key off the servers"},
	{CertWeakKey, "a key is too weak", "RSA below 2048 bits and ECDSA below P-256 can be broken or soon will be. Java and Go refuse the weakest of them.", "issue it again with a new key: ECDSA P-256, or RSA of 2048 bits and more"},
	{CertWeakSign, "a certificate is signed with what is broken", "Signatures with SHA-1 and MD5 can be forged. Go refuses them, and Java by its settings.", "have it signed again with SHA-256"},
	{CertWildcard, "a certificate is for any host of a domain", "Whoever takes the key of one host can be every other. Wildcards also cover one label only, so a.b.example.com is not covered by *.example.com.", "issue one for each host, with its names: slipway pki issue broker"},
	{CertLifetime, "a certificate lives too long", "What leaks or is forgotten stays usable for years, and what happens once in years nobody can do when it must be done.", "issue it for 90 days at most and renew it by itself"},
	{CertSerial, "a serial number is not as it should be", "It is negative, zero, longer than 20 bytes, or so short that it was counted and not drawn. A revocation list names certificates by it, and Go does not read negative ones.", "have it issued again, with a random serial number (openssl: -CAcreateserial or -rand_serial, not -set_serial)"},
	{CertPair, "a key does not belong to its certificate", "The two were made apart, or files of two pairs were mixed. No handshake succeeds with them.", "look for the other half; openssl x509 -pubkey and openssl pkey -pubout print the same for two that belong together"},
	{CertRevoked, "a certificate is revoked, or nobody can tell", "The revocation list of its authority names it. Or the list is overdue or not signed by that authority, and so says nothing.", "issue another with a new key; a list that is overdue is written again by slipway pki revoke or slipway pki rotate"},
	{ChainConstraint, "an authority may not certify this", "An authority above it is limited to certain names, to certain uses, or to fewer authorities below it. Clients refuse what is outside of that.", "issue it under an authority that may, or with names that are allowed"},
	{ListenerWeak, "a listener takes old or weak TLS", "It accepts a version before TLS 1.2, or suites without forward secrecy or authenticated encryption (RFC 9325). Who can make a client take them can attack it.", "set ssl.enabled.protocols=TLSv1.2,TLSv1.3 and ssl.cipher.suites to TLS_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256, and the TLS_ECDHE_…_GCM suites for 1.2"},
}
