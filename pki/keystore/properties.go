package keystore

import (
	"path"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// PasswordFile is the usual name of the file with a store's password, which has no
// end of line, because Kafka would take it for a part of the password. keytool
// reads it with -storepass:file.
const PasswordFile = "keystore.password"

// Files are where Kafka finds a keystore and a truststore of one format.
type Files struct {
	Format Format

	// Dir is the directory of the three files, as Kafka's machine names it:
	// keystore.p12, truststore.p12, and [PasswordFile] where the format has a
	// password.
	Dir string
}

// Properties returns the lines of server.properties or of a client's properties
// that make Kafka use the files. The password stays in its file: Kafka reads it
// with its directory config provider, which brokers and clients have since 2.7.
func (f Files) Properties() ([]string, error) {
	if err := f.Format.check(); err != nil {
		return nil, err
	}
	if strings.ContainsAny(f.Dir, ":{}\\\r\n") {
		return nil, diag.New(diag.KeystoreSource, "directory %q has a character that Kafka's settings cannot carry: one of : { } \\ or a line break", f.Dir).
			WithFix("name another directory")
	}
	lines := []string{
		"ssl.keystore.type=" + f.Format.Type(),
		"ssl.keystore.location=" + path.Join(f.Dir, f.Format.File("keystore")),
		"ssl.truststore.type=" + f.Format.Type(),
		"ssl.truststore.location=" + path.Join(f.Dir, f.Format.File("truststore")),
	}
	if f.Format.Sealed() {
		password := "${directory:" + f.Dir + ":" + PasswordFile + "}"
		lines = append(lines,
			"ssl.keystore.password="+password,
			"ssl.truststore.password="+password,
			"config.providers=directory",
			"config.providers.directory.class=org.apache.kafka.common.config.provider.DirectoryConfigProvider")
	}
	return lines, nil
}
