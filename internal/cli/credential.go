package cli

import (
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
)

// A credential is how plan and apply log in as a cluster's administrator.
// Secrets are named by file, by variable (env:NAME) or by "-", which is standard
// input; they are never given.
type credential struct {
	cert, key    string // files
	user         string
	passwordFile string
	mechanism    string
	registryFile string // holds user:password
	connectFile  string // holds user:password

	getenv func(string) string
	stdin  *stdin
}

// connectAuthFlag names the file for Kafka Connect.
const connectAuthFlag = "connect-auth-file"

// credentialVariables are read where the flag is not given.
var credentialVariables = []struct {
	flag, variable, meaning string
	field                   func(*credential) *string
}{
	{"tls-cert", "SLIPWAY_TLS_CERT", "file with the administrator's client certificate", func(c *credential) *string { return &c.cert }},
	{"tls-key", "SLIPWAY_TLS_KEY", "file with its private key", func(c *credential) *string { return &c.key }},
	{"sasl-user", "SLIPWAY_SASL_USER", "the administrator's user name", func(c *credential) *string { return &c.user }},
	{"sasl-password-file", "SLIPWAY_SASL_PASSWORD_FILE", "file with its password", func(c *credential) *string { return &c.passwordFile }},
	{"registry-auth-file", "SLIPWAY_REGISTRY_AUTH_FILE", "file with user:password for the schema registry", func(c *credential) *string { return &c.registryFile }},
	{connectAuthFlag, "SLIPWAY_CONNECT_AUTH_FILE", "file with user:password for Kafka Connect", func(c *credential) *string { return &c.connectFile }},
}

func credentialFlags(c *cobra.Command, cred *credential) {
	for _, v := range credentialVariables {
		c.Flags().StringVar(v.field(cred), v.flag, "", v.meaning+" (or "+v.variable+")")
	}
	mechanisms := []string{string(contract.SCRAMSHA512), string(contract.SCRAMSHA256), string(contract.Plain)}
	choiceFlag(c, &cred.mechanism, "sasl-mechanism", mechanisms[0], "how the user logs in (or SLIPWAY_SASL_MECHANISM)", mechanisms...)
}

// fill takes from the environment what no flag gave.
func (c *credential) fill(flags *cobra.Command, getenv func(string) string) error {
	c.getenv, c.stdin = getenv, &stdin{from: flags.InOrStdin()}
	for _, v := range credentialVariables {
		if field := v.field(c); *field == "" {
			*field = getenv(v.variable)
		}
	}
	if m := getenv("SLIPWAY_SASL_MECHANISM"); m != "" && !flags.Flags().Changed("sasl-mechanism") {
		if err := flags.Flags().Set("sasl-mechanism", m); err != nil {
			return diag.New(diag.CommandCredential, "SLIPWAY_SASL_MECHANISM is no mechanism").
				WithFix("use one of %s, %s, %s", contract.SCRAMSHA512, contract.SCRAMSHA256, contract.Plain)
		}
	}
	return c.check()
}

// take is [credential.fill] for a command that has only some of the flags.
func (c *credential) take(getenv func(string) string, flags ...string) {
	c.getenv = getenv
	for _, v := range credentialVariables {
		if field := v.field(c); *field == "" && slices.Contains(flags, v.flag) {
			*field = getenv(v.variable)
		}
	}
}

// check reports every contradiction at once.
func (c *credential) check() error {
	var faults diag.List
	miss := func(have, want, flag, other string) {
		if have != "" && want == "" {
			faults.Add(diag.New(diag.CommandCredential, "--%s is given without --%s", other, flag))
		}
	}
	miss(c.cert, c.key, "tls-key", "tls-cert")
	miss(c.key, c.cert, "tls-cert", "tls-key")
	miss(c.user, c.passwordFile, "sasl-password-file", "sasl-user")
	miss(c.passwordFile, c.user, "sasl-user", "sasl-password-file")
	return faults.Err()
}

// auth is the way to log in, and the address that a cluster has for it.
func (c *credential) auth(cluster *contract.Cluster) (contract.Auth, string, error) {
	b := cluster.Bootstrap
	kind, address, listener := contract.MTLS, b.MTLS, "mtls"
	if c.user != "" {
		kind, address, listener = contract.Auth(c.mechanism), b.SCRAM, "scram"
		if kind == contract.Plain {
			address, listener = b.Plain, "plain"
		}
	}
	switch {
	case c.user == "" && c.cert == "":
		return "", "", diag.New(diag.CommandCredential, "there is no credential for cluster %s", cluster.Name)
	case address == "":
		return "", "", diag.New(diag.CommandCredential, "cluster %s has no %s listener for this credential", cluster.Name, listener).
			WithFix("give a credential for a listener it has, or add bootstrap.%s in clusters.yaml", listener)
	}
	return kind, address, nil
}

// password reads the file at every login, so that a rotated one is used.
func (c *credential) password() (secret.Secret, error) {
	text, err := c.read(c.passwordFile, "sasl-password-file")
	return secret.New(text), err
}

// registry returns user:password for the registry, or nothing.
func (c *credential) registry() (string, error) {
	return c.readPair(c.registryFile, "registry-auth-file")
}

// connect returns user:password for Kafka Connect, or nothing.
func (c *credential) connect() (string, error) { return c.readPair(c.connectFile, connectAuthFlag) }

func (c *credential) readPair(file, flag string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := c.read(file, flag)
	if err == nil && !strings.Contains(text, ":") {
		return "", diag.New(diag.CommandCredential, "the file of --%s does not hold user:password", flag)
	}
	return text, err
}

// variablePrefix begins the name of a variable that holds a secret.
const variablePrefix = "env:"

// read returns a secret from where a flag says that it is.
func (c *credential) read(source, flag string) (string, error) {
	name, variable := strings.CutPrefix(source, variablePrefix)
	switch {
	case variable && c.getenv != nil:
		return oneLine(c.getenv(name), "variable", flag)
	case source == "-" && c.stdin != nil:
		text, err := c.stdin.read(flag)
		if err != nil {
			return "", err
		}
		return oneLine(text, "standard input", flag)
	default:
		return readSecret(source, flag)
	}
}

// maxStdin bounds what is read from standard input.
const maxStdin = 64 << 10

// A stdin is standard input as the source of one flag's secret, which may be
// asked for many times.
type stdin struct {
	from io.Reader
	mu   sync.Mutex
	flag string // whose it is, once it was read
	text string
}

func (s *stdin) read(flag string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.flag {
	case flag:
		return s.text, nil
	case "":
	default:
		return "", diag.New(diag.CommandCredential, "--%s and --%s cannot both be standard input", s.flag, flag)
	}
	text, err := io.ReadAll(io.LimitReader(s.from, maxStdin))
	if err != nil {
		return "", diag.New(diag.CommandCredential, "read standard input for --%s: %v", flag, err)
	}
	s.flag, s.text = flag, string(text)
	return s.text, nil
}

// readSecret never repeats what it was given, because it may be the secret
// itself by mistake.
func readSecret(file, flag string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", unreadable(flag, err)
	}
	return oneLine(string(text), "file", flag)
}

// oneLine is a secret's text without the end of its line.
func oneLine(text, where, flag string) (string, error) {
	line := strings.TrimRight(text, "\r\n")
	if line == "" || strings.ContainsAny(line, "\r\n\x00") {
		return "", diag.New(diag.CommandCredential, "the %s of --%s does not hold one line", where, flag)
	}
	return line, nil
}

func unreadable(flag string, err error) diag.Diagnostic {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	return diag.New(diag.CommandCredential, "read the file of --%s: %v", flag, err).
		WithFix("name a file that is there and that you may read with --%s", flag)
}

// exposed warns of secrets that others on the machine can read.
func (c *credential) exposed() diag.List {
	var list diag.List
	for _, secret := range []struct{ flag, file string }{
		{"tls-key", c.key}, {"sasl-password-file", c.passwordFile}, {"registry-auth-file", c.registryFile}, {connectAuthFlag, c.connectFile},
	} {
		info, err := os.Stat(secret.file)
		if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o044 != 0 {
			list.Add(diag.Warn(diag.CommandCredential, "others can read the file of --%s: its mode is %04o", secret.flag, info.Mode().Perm()).
				WithFix("chmod 600 it, and change the secret if anyone else uses this machine"))
		}
	}
	return list
}

// certificates returns the client certificate, or none.
func (c *credential) certificates() ([]tls.Certificate, error) {
	if c.cert == "" {
		return nil, nil
	}
	cert, err := os.ReadFile(c.cert)
	if err != nil {
		return nil, unreadable("tls-cert", err)
	}
	key, err := os.ReadFile(c.key)
	if err != nil {
		return nil, unreadable("tls-key", err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, diag.New(diag.CommandCredential, "the files of --tls-cert and --tls-key do not make a pair: %v", err)
	}
	return []tls.Certificate{pair}, nil
}
