// Package keystore writes and reads certificates in the formats that Kafka, Java
// and Go take: PEM, PKCS#12 and JKS, each as a keystore (a key with its chain)
// and as a truststore (what to trust).
//
// PKCS#12 is the one to choose where PEM cannot be used; JKS is for what is too
// old for either, and says so.
package keystore
