package diag

// Why a TLS handshake was refused. One code is one cause, whichever side
// refused.
const (
	TLSNoCertificate   Code = "SLP-TLS-001"
	TLSUnknownCA       Code = "SLP-TLS-002"
	TLSSelfSigned      Code = "SLP-TLS-003"
	TLSExpired         Code = "SLP-TLS-004"
	TLSNotYetValid     Code = "SLP-TLS-005"
	TLSWrongUsage      Code = "SLP-TLS-006"
	TLSRevoked         Code = "SLP-TLS-007"
	TLSRevokedResumed  Code = "SLP-TLS-008"
	TLSWeakSignature   Code = "SLP-TLS-009"
	TLSAuthorityAsLeaf Code = "SLP-TLS-010"
	TLSOldVersion      Code = "SLP-TLS-011"
	TLSNoCommonSuite   Code = "SLP-TLS-012"
	TLSWrongHost       Code = "SLP-TLS-013"
	TLSNameNotServed   Code = "SLP-TLS-014"
	TLSWeakKey         Code = "SLP-TLS-015"
	TLSNotSpoken       Code = "SLP-TLS-016"
	TLSPeerRefused     Code = "SLP-TLS-017"
	TLSBroken          Code = "SLP-TLS-018"
	TLSUnfit           Code = "SLP-TLS-019"
)

// What is wrong with the files that TLS is made of.
const (
	TLSPairUnread  Code = "SLP-TLS-020"
	TLSRootsUnread Code = "SLP-TLS-021"
	TLSListUnread  Code = "SLP-TLS-022"
	TLSListOverdue Code = "SLP-TLS-023"
	TLSOwnScarce   Code = "SLP-TLS-024"
	TLSOwnExpired  Code = "SLP-TLS-025"
)

var tlsEntries = []Entry{
	{
		Code:  TLSNoCertificate,
		Title: "No client certificate was shown",
		Cause: "The listener asks every client for a certificate, and this one has none, or none of an authority that the listener named as acceptable.",
		Fix:   "Give the client its certificate and key (TLS_CERT_PATH and TLS_KEY_PATH, or --cert and --key), issued by an authority that the listener trusts.",
	},
	{
		Code:  TLSUnknownCA,
		Title: "The certificate is of an authority that is not trusted",
		Cause: "No chain leads from the certificate to a trusted root: another authority signed it, the root was taken out of the bundle, or an intermediate is missing from the file of the certificate.",
		Fix:   "Use a certificate of the cluster's own authority with its intermediates in one file, or add the authority to the other side's bundle.",
	},
	{
		Code:  TLSSelfSigned,
		Title: "The certificate is signed by itself",
		Cause: "The certificate is its own issuer, so no authority vouches for it.",
		Fix:   "Have the certificate issued by the cluster's authority.",
	},
	{
		Code:  TLSExpired,
		Title: "A certificate has expired",
		Cause: "The certificate, or the authority above it, has reached its end; or the clock of the side that looks is ahead.",
		Fix:   "Renew what has expired and deliver the new file; compare the clocks of both machines if it has not expired.",
	},
	{
		Code:  TLSNotYetValid,
		Title: "A certificate is not valid yet",
		Cause: "The certificate's life begins later than now: the clock of the machine that issued it is ahead, or the clock of the side that looks is behind.",
		Fix:   "Compare the clocks of both machines and that of the authority.",
	},
	{
		Code:  TLSWrongUsage,
		Title: "The certificate is for another purpose",
		Cause: "The extended key usage does not allow what the certificate was shown for: a client needs clientAuth, a server serverAuth, a broker both.",
		Fix:   "Use the certificate that was issued for this purpose; one of a server is no identity of a client.",
	},
	{
		Code:  TLSRevoked,
		Title: "The certificate is revoked",
		Cause: "The revocation list of its authority names the certificate, or the intermediate that issued it.",
		Fix:   "Issue a new certificate with a new key. If this one is still in use somewhere, find out by whom: it was revoked for a reason.",
	},
	{
		Code:  TLSRevokedResumed,
		Title: "A resumed session belongs to a revoked certificate",
		Cause: "The client resumed a session that began before its certificate was revoked.",
		Fix:   "Issue a new certificate with a new key. The next connection of the client is a full handshake.",
	},
	{
		Code:  TLSWeakSignature,
		Title: "The certificate is signed with a broken hash",
		Cause: "A certificate of the chain is signed with SHA-1 or MD5, for which two contents with one signature can be made.",
		Fix:   "Have the certificate issued again with SHA-256 or better.",
	},
	{
		Code:  TLSAuthorityAsLeaf,
		Title: "An authority's certificate was shown as somebody's own",
		Cause: "The certificate may sign others (CA:TRUE). Whoever shows it has the key of an authority where a leaf's belongs.",
		Fix:   "Issue a leaf for the client or server, and find out why the authority's key is on that machine.",
	},
	{
		Code:  TLSOldVersion,
		Title: "The other side speaks no current TLS",
		Cause: "It offers TLS 1.1 or older; the least that is spoken here is TLS 1.2.",
		Fix:   "Update the client's TLS library, or allow it TLS 1.2 and 1.3.",
	},
	{
		Code:  TLSNoCommonSuite,
		Title: "There is no cipher suite in common",
		Cause: "Under TLS 1.2 only suites with ECDHE and an AEAD (AES-GCM, ChaCha20-Poly1305) are spoken; the other side offers only others, such as CBC, RC4 or 3DES, or none for the kind of key in the certificate.",
		Fix:   "Allow the other side TLS 1.3, or a suite such as ECDHE-ECDSA-AES128-GCM-SHA256.",
	},
	{
		Code:  TLSWrongHost,
		Title: "The certificate does not name the host that was dialled",
		Cause: "The host or address is not among the subject alternative names of the certificate; its common name does not count.",
		Fix:   "Dial a name that is in the certificate, or issue it again with the missing name.",
	},
	{
		Code:  TLSNameNotServed,
		Title: "A host was asked for that is not served here",
		Cause: "The name that the client asked for (SNI) is not in the listener's certificate: the client was led to the wrong address, or the certificate lacks a name.",
		Fix:   "Compare the address that the client dials with the names of the listener's certificate.",
	},
	{
		Code:  TLSWeakKey,
		Title: "The certificate's key is too weak",
		Cause: "A key of the chain is RSA below 2048 bits, or of a kind or curve that is not taken: ECDSA on P-256, P-384 and P-521, RSA and Ed25519 are.",
		Fix:   "Issue the certificate again with a new key, ECDSA on P-256 if nothing speaks against it.",
	},
	{
		Code:  TLSNotSpoken,
		Title: "The other side does not speak TLS",
		Cause: "The first bytes are no TLS: a client without TLS on a port with TLS, or the other way round.",
		Fix:   "Use the port that is meant, or turn TLS on at the other side (security.protocol=SSL or SASL_SSL, https://).",
	},
	{
		Code:  TLSPeerRefused,
		Title: "The other side refused the handshake",
		Cause: "It sent a TLS alert. Most often it does not trust the certificate it was shown.",
		Fix:   "Read the other side's log: an alert says what, and only the log says why.",
	},
	{
		Code:  TLSBroken,
		Title: "The handshake did not come to an end",
		Cause: "The other side closed the connection or fell silent before the handshake was over. Port checks of load balancers do so.",
		Fix:   "Nothing, if it is a port check. Else look at the network between both sides, and at what is slow.",
	},
	{
		Code:  TLSUnfit,
		Title: "The certificate cannot be accepted",
		Cause: "The certificate or its chain breaks a rule that has no code of its own, such as a name constraint or the length of the path, or the other side could not prove that it has the key.",
		Fix:   "Look at the certificate with slipway pki inspect.",
	},
	{
		Code:  TLSPairUnread,
		Title: "A mounted certificate cannot be used",
		Cause: "The certificate or its key is missing, empty, half written, expired, not valid yet, or one is not the other's. The process goes on with the pair that it read before.",
		Fix:   "Deliver certificate and key again, both at once: a directory whose link ..data is swapped, as Kubernetes does it, or each file by renaming.",
	},
	{
		Code:  TLSRootsUnread,
		Title: "A mounted bundle of authorities cannot be used",
		Cause: "The file of the trusted authorities is missing, empty, cut off, or holds a certificate that cannot be read. The process goes on with the authorities that it read before.",
		Fix:   "Deliver the bundle again: certificates in PEM, with any text between them.",
	},
	{
		Code:  TLSListUnread,
		Title: "A mounted revocation list cannot be used",
		Cause: "The file ca.crl beside the bundle of authorities is gone, empty, no list of revoked certificates in PEM, or not signed by the authority that it says it is of. What was denied before is denied still.",
		Fix:   "Deliver the list again as the authority has signed it.",
	},
	{
		Code:  TLSListOverdue,
		Title: "A revocation list is overdue",
		Cause: "The list says when the next one is due, and that time is over. What it denies is denied still; what was revoked since is not known.",
		Fix:   "Have the authority sign a new list and deliver it as ca.crl beside the bundle of authorities; slipway pki revoke and rotate write one.",
	},
	{
		Code:  TLSOwnScarce,
		Title: "The certificate ends soon and no newer one is there",
		Cause: "Less than a fifth of the life of the mounted certificate is left, and its file still holds the same one: whatever renews it does not.",
		Fix:   "Renew the certificate (slipway pki rotate) and deliver it to the same path; no restart is needed.",
	},
	{
		Code:  TLSOwnExpired,
		Title: "The certificate of the process has expired",
		Cause: "The mounted certificate has reached its end and no newer one took its place. No new connection is accepted with it, and open ones end.",
		Fix:   "Renew the certificate (slipway pki rotate) and deliver it to the same path: it is used at the next connection.",
	},
}
