package diag

// What writing and reading keystores can stumble on.
const (
	KeystorePassword    Code = "SLP-PKI-060"
	KeystoreRefused     Code = "SLP-PKI-061"
	KeystoreFormat      Code = "SLP-PKI-062"
	KeystoreDamaged     Code = "SLP-PKI-063"
	KeystoreUnsupported Code = "SLP-PKI-064"
	KeystoreMismatch    Code = "SLP-PKI-065"
	KeystoreUntrusted   Code = "SLP-PKI-066"
	KeystoreSeveral     Code = "SLP-PKI-067"
	KeystoreLegacy      Code = "SLP-PKI-068"
	KeystoreSource      Code = "SLP-PKI-069"
)

var keystoreEntries = []Entry{
	{KeystorePassword, "a keystore cannot have this password", "Java refuses a password of fewer than six characters; Java, OpenSSL and Kafka do not agree on what blanks and letters outside of ASCII are in one; and Kafka on Java 17 does not read an encrypted key in PEM.", "Use 6 to 128 letters, digits and signs of ASCII, and none for pem."},
	{KeystoreRefused, "the password does not open the keystore", "The password is another, or the file was changed after it was written: a keystore cannot tell one from the other.", "Give the password that the file was written with. If it is that one, take the file from where it came from again."},
	{KeystoreFormat, "the file is no keystore", "Its first bytes are those of neither PEM, PKCS#12 nor JKS.", "Name a keystore, a truststore, or a file with PEM blocks. A certificate in DER becomes PEM with: openssl x509 -inform der -in FILE"},
	{KeystoreDamaged, "the keystore is damaged or beyond all bounds", "The file begins as a keystore and does not go on as one, or asks for more memory or time than an honest one needs.", "Take the file from where it came from again; a copy made as text destroys it."},
	{KeystoreUnsupported, "the keystore is protected in a way that is not read", "It is encrypted as OpenSSL 1 and Java 8 did it (RC2), is of a kind that only Java knows (JCEKS), or is BER and not DER.", "Write it anew with Java 17 or newer: keytool -importkeystore -srckeystore FILE -destkeystore NEW.p12 -deststoretype PKCS12"},
	{KeystoreMismatch, "key and certificates do not belong together", "The private key is not that of any certificate, a certificate is not signed by the one that follows it, or the key is of a kind that Kafka's listeners are not run with.", "Put the key's own certificate first and then each issuer in turn. Only ECDSA and RSA keys are taken."},
	{KeystoreUntrusted, "Java would trust nothing in this truststore", "Java trusts a certificate in a PKCS#12 file only if it carries Oracle's mark. Files made by openssl pkcs12 -nokeys lack it, so Java finds them empty and refuses every connection.", "Write the truststore with slipway pki export, or with keytool -importcert."},
	{KeystoreSeveral, "the keystore holds several keys", "It cannot be told which of them is meant; Kafka, too, takes whichever fits first.", "Take out the one that is meant: keytool -importkeystore -srckeystore FILE -srcalias ALIAS -destkeystore NEW.p12 -deststoretype PKCS12"},
	{KeystoreLegacy, "JKS protects a private key badly", "The key is hidden by SHA-1 in one pass, so whoever has the file can try billions of passwords a second; keytool itself advises against the format.", "Use p12, or pem: every Kafka since 2.7 and every Java since 8u301 reads them. Keep JKS for what cannot."},
	{KeystoreSource, "there is nothing to export", "A certificate is exported from a directory with tls.crt, tls.key and ca.crt; this one lacks one of them, or cannot be read.", "Name what slipway pki status shows, as KIND/NAME, or a directory that has the three files."},
}
