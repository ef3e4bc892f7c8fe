#!/bin/sh
# Makes authorities as cfssl, step and openssl leave them, for the tests of
# Import: sh make.sh DIR. The directory import beside this file was made by it,
# for machines without openssl. Every key is a key of these tests alone, and
# the passphrase of those that have one is: correct horse
set -eu
dir=$1
pass=pass:"correct horse"
mkdir -p "$dir" && cd "$dir"

root() { # KEY CERT NAME
	openssl req -x509 -new -sha256 -days 36500 -key "$1" -out "$2" -subj "/O=Example/CN=$3" 2>/dev/null
}

issuer() { # ROOT-KEY ROOT-CERT KEY CERT NAME
	openssl req -new -sha256 -key "$3" -out tmp.csr -subj "/O=Example/CN=$5"
	printf '%s\n' 'basicConstraints=critical,CA:TRUE,pathlen:0' 'keyUsage=critical,keyCertSign,cRLSign' \
		'subjectKeyIdentifier=hash' 'authorityKeyIdentifier=keyid' >tmp.ext
	openssl x509 -req -sha256 -days 36500 -in tmp.csr -CA "$2" -CAkey "$1" -extfile tmp.ext \
		-set_serial "0x$(openssl rand -hex 15)" -out "$4" 2>/dev/null
	rm tmp.csr tmp.ext
}

line() { awk '{printf "%s\\n", $0}' "$1"; } # a file as the inside of a JSON text

# cfssl gencert -initca ca-csr.json | cfssljson -bare ca
mkdir -p cfssl cfssl-json
openssl ecparam -name prime256v1 -genkey -noout -out cfssl/ca-key.pem
root cfssl/ca-key.pem cfssl/ca.pem "cfssl CA"
openssl req -new -key cfssl/ca-key.pem -out cfssl/ca.csr -subj "/O=Example/CN=cfssl CA"
echo '{"CN":"cfssl CA","key":{"algo":"ecdsa","size":256},"names":[{"O":"Example"}]}' >cfssl/ca-csr.json
echo '{"signing":{"default":{"expiry":"8760h"},"profiles":{"server":{"usages":["server auth"]}}}}' >cfssl/ca-config.json
printf '{"cert":"%s","csr":"%s","key":"%s"}\n' "$(line cfssl/ca.pem)" "$(line cfssl/ca.csr)" "$(line cfssl/ca-key.pem)" >cfssl-json/ca.json

# step ca init: keys in the older form, and as it writes them with PKCS#8.
for kind in step step-pkcs8; do
	mkdir -p $kind/certs $kind/secrets $kind/config
	for name in root intermediate; do
		openssl ecparam -name prime256v1 -genkey -noout -out $name.key
	done
	root root.key $kind/certs/root_ca.crt "step Root CA"
	issuer root.key $kind/certs/root_ca.crt intermediate.key $kind/certs/intermediate_ca.crt "step Intermediate CA"
	for name in root intermediate; do
		case $kind in
		step) openssl ec -aes-256-cbc -passout "$pass" -in $name.key -out $kind/secrets/${name}_ca_key 2>/dev/null ;;
		*) openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 100000 -passout "$pass" -in $name.key -out $kind/secrets/${name}_ca_key ;;
		esac
		rm $name.key
	done
	echo '{"root":"certs/root_ca.crt","crt":"certs/intermediate_ca.crt","key":"secrets/intermediate_ca_key"}' >$kind/config/ca.json
done

# An organisation's own: RSA, the root's key elsewhere, the chain in one file
# with the text that openssl writes around it, and a server's pair lying about.
mkdir -p organisation
openssl genrsa -traditional -out root.key 2048 2>/dev/null
root root.key root.pem "Example Root"
openssl genrsa -traditional -out issuer.key 2048 2>/dev/null
issuer root.key root.pem issuer.key issuer.pem "Example Issuing CA"
{ openssl x509 -text -in issuer.pem; openssl x509 -text -in root.pem; } >organisation/chain.pem
openssl rsa -traditional -aes128 -passout "$pass" -in issuer.key -out organisation/issuer.key 2>/dev/null
openssl ecparam -name secp384r1 -genkey -out organisation/server.key # with its EC PARAMETERS
openssl req -new -key organisation/server.key -out tmp.csr -subj "/CN=kafka-0"
openssl x509 -req -sha256 -days 36500 -in tmp.csr -CA issuer.pem -CAkey issuer.key \
	-set_serial "0x$(openssl rand -hex 15)" -out organisation/server.pem 2>/dev/null
rm root.key root.pem issuer.key issuer.pem tmp.csr
