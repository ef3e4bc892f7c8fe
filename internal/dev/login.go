package dev

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
	"github.com/slipway-go/slipway/pki"
)

// A Mechanism is how a password is proven.
type Mechanism string

// The mechanisms that the SCRAM listener speaks.
const (
	SHA512 Mechanism = "SCRAM-SHA-512"
	SHA256 Mechanism = "SCRAM-SHA-256"
)

// A Login is how one identity connects: addresses, and files in a directory of
// its own. It is immutable.
type Login struct {
	Name      string `json:"name"`
	Principal string `json:"principal"`
	Bootstrap string `json:"bootstrap"`
	Registry  string `json:"registry"`
	Dir       string `json:"dir"` // of the files below

	mechanism Mechanism // "" for a certificate
	password  string
	cert      *pki.Certificate
	pool      *x509.CertPool
	root      *x509.Certificate
	cache     string
}

// The files of a login, besides those of [pki.Certificate.Save].
const (
	PropertiesFile = "client.properties" // for the Java tools
	KcatFile       = "kcat.conf"         // for kcat -F
	PasswordFile   = "password"          // of a SCRAM user
	keystoreFile   = "keystore.pem"      // key and chain in one, as Kafka's Java takes them
)

// Certificate issues a client certificate in the identity's name and writes
// its files. It gives the identity no rights.
func (c *Cluster) Certificate(name string) (Login, error) {
	if err := checkReserved(name); err != nil {
		return Login{}, err
	}
	return c.certificate(name)
}

// Password writes the files of a SCRAM user. It neither creates the user nor
// gives it rights.
func (c *Cluster) Password(name, password string, mechanism Mechanism) (Login, error) {
	if err := checkReserved(name); err != nil {
		return Login{}, err
	}
	return c.password(name, name, password, mechanism)
}

// checkReserved keeps the super users' names from being given away.
func checkReserved(name string) error {
	if name == brokerName || name == adminName {
		return diag.New(diag.DevConfig, "identity %q is a super user of the local Kafka", name)
	}
	return nil
}

func (c *Cluster) certificate(name string) (Login, error) {
	cert, err := c.issuer.Issue(pki.Request{CommonName: name, Usage: pki.Client})
	if err != nil {
		return Login{}, diag.New(diag.DevConfig, "identity %q: %v", name, err)
	}
	l := c.login(name, name, bootstrap(c.ports.MTLS))
	l.cert = cert
	if err := cert.Save(l.Dir); err != nil {
		return Login{}, diag.New(diag.DevState, "identity %s: %v", name, err)
	}
	return l, l.write(map[string]string{
		keystoreFile:   string(cert.KeyPEM()) + string(cert.PEM()),
		PropertiesFile: l.properties(),
		KcatFile:       l.kcat(),
	})
}

func (c *Cluster) password(name, dir, password string, mechanism Mechanism) (Login, error) {
	l := c.login(name, dir, bootstrap(c.ports.SCRAM))
	l.mechanism, l.password = mechanism, password
	if err := l.validate(); err != nil {
		return Login{}, err
	}
	return l, l.write(map[string]string{
		PasswordFile:      password,
		pki.AuthorityFile: string(c.authority.PEM()),
		PropertiesFile:    l.properties(),
		KcatFile:          l.kcat(),
	})
}

func (c *Cluster) login(name, dir, bootstrap string) Login {
	return Login{
		Name:      name,
		Principal: "User:" + name,
		Bootstrap: bootstrap,
		Registry:  c.Registry(),
		Dir:       filepath.Join(c.cfg.Dir, identitiesDir, dir),
		pool:      c.authority.Pool(),
		root:      c.authority.Root(),
		cache:     c.cfg.Cache,
	}
}

// validate keeps a name from leaving its directory, and a password from
// ending its line or its quotes in a configuration.
func (l Login) validate() error {
	if l.mechanism != SHA512 && l.mechanism != SHA256 {
		return diag.New(diag.DevConfig, "identity %q: mechanism %q is not %s or %s", l.Name, l.mechanism, SHA512, SHA256)
	}
	if !identityName.MatchString(l.Name) {
		return diag.New(diag.DevConfig, "identity %q is not letters, digits, dot, hyphen and underscore", l.Name)
	}
	if l.password == "" || strings.ContainsFunc(l.password, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' || r == '#' }) {
		return diag.New(diag.DevConfig, "identity %s: the password is empty or has a character other than visible ASCII without quote, backslash and #", l.Name)
	}
	return nil
}

// write puts files into the login's directory, all of them for the owner
// alone.
func (l Login) write(contents map[string]string) error {
	if err := os.MkdirAll(l.Dir, 0o700); err != nil {
		return diag.New(diag.DevState, "identity %s: %v", l.Name, err)
	}
	var errs []error
	for name, content := range contents {
		errs = append(errs, writeFile(l.file(name), []byte(content)))
	}
	return errors.Join(errs...)
}

func (l Login) file(name string) string { return filepath.Join(l.Dir, name) }

// Environment returns the variables by which a service finds the cluster, as
// NAME=value, sorted.
func (l Login) Environment() []string {
	env := []string{
		"ACL_PRINCIPAL=" + l.Principal,
		"BOOTSTRAP_SERVERS=" + l.Bootstrap,
		"SCHEMA_REGISTRY_URL=" + l.Registry,
		"TLS_CA_PATH=" + l.file(pki.AuthorityFile),
	}
	if l.mechanism == "" {
		env = append(env, "TLS_CERT_PATH="+l.file(pki.CertificateFile), "TLS_KEY_PATH="+l.file(pki.KeyFile))
	} else {
		env = append(env, "SASL_PASSWORD_PATH="+l.file(PasswordFile))
	}
	slices.Sort(env)
	return env
}

// Options connects a franz-go client as this identity.
func (l Login) Options() []kgo.Opt {
	config := secure.Client(l.pool)
	opts := []kgo.Opt{kgo.SeedBrokers(strings.Split(l.Bootstrap, ",")...), kgo.DialTLSConfig(config)}
	auth := scram.Auth{User: l.Name, Pass: l.password}
	switch l.mechanism {
	case SHA512:
		opts = append(opts, kgo.SASL(auth.AsSha512Mechanism()))
	case SHA256:
		opts = append(opts, kgo.SASL(auth.AsSha256Mechanism()))
	default:
		config.Certificates = []tls.Certificate{l.cert.TLS()}
	}
	return opts
}

// Commands returns what to type to look at the cluster as this identity: with
// kcat, and with the tools among Kafka's jars.
func (l Login) Commands() []string {
	jars := filepath.Join(kafkaArtifact.dir(l.cache), "*")
	return []string{
		fmt.Sprintf("kcat -F %s -L", quote(l.file(KcatFile))),
		fmt.Sprintf("java -cp %s org.apache.kafka.tools.TopicCommand --bootstrap-server %s --command-config %s --list",
			quote(jars), l.Bootstrap, quote(l.file(PropertiesFile))),
	}
}

func (l Login) properties() string {
	lines := []string{
		"bootstrap.servers=" + l.Bootstrap,
		"ssl.truststore.type=PEM",
		"ssl.truststore.location=" + l.file(pki.AuthorityFile),
	}
	if l.mechanism == "" {
		lines = append(lines,
			"security.protocol=SSL",
			"ssl.keystore.type=PEM",
			"ssl.keystore.location="+l.file(keystoreFile))
	} else {
		lines = append(lines,
			"security.protocol=SASL_SSL",
			"sasl.mechanism="+string(l.mechanism),
			fmt.Sprintf(`sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="%s" password="%s";`, l.Name, l.password))
	}
	return strings.Join(lines, "\n") + "\n"
}

func (l Login) kcat() string {
	lines := []string{
		"bootstrap.servers=" + l.Bootstrap,
		"ssl.ca.location=" + l.file(pki.AuthorityFile),
	}
	if l.mechanism == "" {
		lines = append(lines,
			"security.protocol=ssl",
			"ssl.certificate.location="+l.file(pki.CertificateFile),
			"ssl.key.location="+l.file(pki.KeyFile))
	} else {
		lines = append(lines,
			"security.protocol=sasl_ssl",
			"sasl.mechanisms="+string(l.mechanism),
			"sasl.username="+l.Name,
			"sasl.password="+l.password)
	}
	return strings.Join(lines, "\n") + "\n"
}

// quote makes s one word of a shell.
func quote(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@", r)
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
