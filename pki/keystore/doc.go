// Package keystore writes and reads certificates in the formats that Kafka, Java
// and Go take: PEM, PKCS#12 and JKS, each as a keystore (a key with its chain)
// and as a truststore (what to trust).
//
// PKCS#12 is the one to choose where PEM cannot be used; JKS is for what is too
// old for either, and says so.
//
// # What is written
//
// [PEM] is what Kafka's ssl.keystore.type=PEM wants: a PKCS#8 key, the leaf and
// the chain above it in one file. The key is not encrypted: Kafka 4.3.1 on Java 17
// refuses an encrypted one, "PBES2 SecretKeyFactory not available". [PKCS12] is encrypted as Java 17 does it by
// default: AES-256-CBC and HMAC-SHA-256, both keyed by 10,000 rounds. Java since
// 8u301 and OpenSSL since 1.1.1 read it. What is to be trusted carries the mark
// without which Java takes a PKCS#12 file for an empty truststore. [JKS] is
// encrypted as that format is, which is badly.
//
// The password of the store is that of the key too: PKCS#12 knows no other way,
// and Kafka's settings are fewer. Aliases are lower case, because Java makes them
// so. A key in JKS is called as [Entry] says; in PKCS#12 it has no name, and Java
// calls it 1, which is all the same to Kafka. A root is called by its common name
// and the beginning of its SHA-256, so that two roots of one name, as there are
// while an authority is replaced, stay two. Nothing depends on the present: the
// dates that JKS wants are those of the certificates. Salts are random, so the same
// entry twice is not the same bytes twice.
//
// # What is read
//
// [Read] knows a format by its bytes, and takes files of other makers: of keytool,
// of openssl, of Windows. The codecs are libraries; before one of them sees a file,
// its lengths are compared with what is there, and the rounds of key derivation
// that it asks for are counted, so that a hostile file costs neither memory nor
// minutes. Rounds inside of what is encrypted cannot be counted, and only who knows
// the password can have put any there. A file with several keys is refused, and so
// is one that Java would read and trust nothing of.
//
// # Errors and concurrency
//
// Every error that Read returns, and every refusal to write, is a [diag.Diagnostic]
// with a code: SLP-PKI-060 to 069, and those of package pki for a key in PEM. None
// holds a password or a byte of a key. Nothing is shared: all functions may be
// called concurrently.
package keystore
