package slipway

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/diag"
)

// An Environment is where a service finds itself: the variables that slipway
// up sets and the manifests mount (C02.10).
type Environment struct {
	Name             string // ENVIRONMENT
	BootstrapServers string // BOOTSTRAP_SERVERS: host:port, comma-separated
	CAFile           string // TLS_CA_PATH
	CertFile         string // TLS_CERT_PATH
	KeyFile          string // TLS_KEY_PATH
	Principal        string // ACL_PRINCIPAL: asserted against the contract, never chosen by it
	PasswordFile     string // SASL_PASSWORD_PATH
	RegistryURL      string // SCHEMA_REGISTRY_URL
	RegistryAuthFile string // SCHEMA_REGISTRY_AUTH_PATH: a file with user:password
	DatabaseURL      string // DATABASE_URL
	ListenHost       string // LISTEN_HOST: the address HTTP listens on; empty means all
	HealthAddress    string // HEALTH_ADDRESS: where probes are served if the contract has no workload.http; empty means nowhere
	TopicPrefix      string // TOPIC_PREFIX: what keeps environments on one cluster apart

	// AdminAddress is ADMIN_ADDRESS: where package serve listens for whoever
	// operates the service; empty means nowhere. A loopback address, unless
	// AdminTokenFile or AdminCertFile names a file.
	AdminAddress string

	// AdminCertFile, AdminKeyFile and AdminClientCAFile are ADMIN_CERT_PATH,
	// ADMIN_KEY_PATH and ADMIN_CLIENT_CA_PATH, all or none: with them AdminAddress
	// speaks TLS, and demands of every client a certificate of one of those
	// authorities. Changed files are used for the next connection.
	AdminCertFile, AdminKeyFile, AdminClientCAFile string

	// AdminPrincipals is ADMIN_PRINCIPALS: the common names, comma-separated, of
	// the certificates that are operators'; empty for all that AdminClientCAFile
	// vouches for. It is needed, unless there is AdminTokenFile, where those
	// authorities are CAFile's too: they sign services.
	AdminPrincipals string

	// AdminTokenFile is ADMIN_TOKEN_PATH: the file with the bearer token that
	// requests to AdminAddress must carry.
	AdminTokenFile string

	// Clusters are the clusters other than the default one, by the aliases that
	// contracts give them. What is not said of one is as it is for the default
	// cluster, see [Cluster].
	Clusters map[string]Cluster

	// SpillDir is SPILL_PATH: a directory of this instance's own, where records
	// wait while the cluster is away (away: spill) or for their due time. It is
	// created if only its last element is missing.
	SpillDir string

	// CreateTopics is KAFKA_ADMIN_CREATE_TOPICS: brokers that allow it create
	// a missing topic when it is first written. Only in dev (C02.2).
	CreateTopics bool

	// ShutdownTimeout is SHUTDOWN_TIMEOUT: how long the service may take to
	// stop before it is killed. Zero means 30 seconds.
	ShutdownTimeout time.Duration
}

var environmentName = regexp.MustCompile(`^[a-z0-9]{1,12}$`)

// EnvironmentFrom reads the environment through lookup, which is os.LookupEnv
// in a service, with what it says of the clusters of these aliases beside the
// default one. All faults are reported at once.
func EnvironmentFrom(lookup func(string) (string, bool), clusters ...string) (Environment, error) {
	get := func(name string) string {
		v, _ := lookup(name)
		return strings.TrimSpace(v)
	}
	env := Environment{
		Name:              get("ENVIRONMENT"),
		BootstrapServers:  get("BOOTSTRAP_SERVERS"),
		CAFile:            get("TLS_CA_PATH"),
		CertFile:          get("TLS_CERT_PATH"),
		KeyFile:           get("TLS_KEY_PATH"),
		Principal:         get("ACL_PRINCIPAL"),
		PasswordFile:      get("SASL_PASSWORD_PATH"),
		RegistryURL:       get("SCHEMA_REGISTRY_URL"),
		RegistryAuthFile:  get("SCHEMA_REGISTRY_AUTH_PATH"),
		DatabaseURL:       get("DATABASE_URL"),
		ListenHost:        get("LISTEN_HOST"),
		HealthAddress:     get("HEALTH_ADDRESS"),
		TopicPrefix:       get("TOPIC_PREFIX"),
		AdminAddress:      get("ADMIN_ADDRESS"),
		AdminTokenFile:    get("ADMIN_TOKEN_PATH"),
		AdminCertFile:     get("ADMIN_CERT_PATH"),
		AdminKeyFile:      get("ADMIN_KEY_PATH"),
		AdminClientCAFile: get("ADMIN_CLIENT_CA_PATH"),
		AdminPrincipals:   get("ADMIN_PRINCIPALS"),
		SpillDir:          get("SPILL_PATH"),
	}
	for _, alias := range clusters {
		if env.Clusters == nil {
			env.Clusters = make(map[string]Cluster)
		}
		env.Clusters[alias] = clusterFrom(alias, get)
	}
	var faults diag.List
	if v := get("SHUTDOWN_TIMEOUT"); v != "" {
		d, err := time.ParseDuration(v)
		if err != nil || d <= 0 {
			faults.Add(diag.New(diag.RuntimeVariableInvalid, "SHUTDOWN_TIMEOUT is %q", v).WithFix("use a duration such as 30s"))
		}
		env.ShutdownTimeout = d
	}
	switch v := get("KAFKA_ADMIN_CREATE_TOPICS"); {
	case v == "" || v == "false":
	case v != "true":
		faults.Add(diag.New(diag.RuntimeVariableInvalid, "KAFKA_ADMIN_CREATE_TOPICS is %q", v).WithFix("use true or false"))
	case env.Name != "dev":
		faults.Add(diag.New(diag.RuntimeVariableInvalid, "KAFKA_ADMIN_CREATE_TOPICS is true in environment %s", env.Name).
			WithFix("leave it unset: outside dev topics are created by slipway apply"))
	default:
		env.CreateTopics = true
	}
	return env, append(faults, diag.Of(env.validate())...).Err()
}

// EnvironmentOf reads the environment of that name from what a service is
// configured with. All faults are reported at once, by the names of the variables;
// files and flags can say the same.
func EnvironmentOf(name string, v *config.Values) (Environment, error) {
	ofClusters, aliases := clusterKeys(v)
	return EnvironmentFrom(func(variable string) (string, bool) {
		switch variable {
		case "ENVIRONMENT":
			return name, true
		case "SHUTDOWN_TIMEOUT":
			return v.Duration("shutdown.timeout").String(), true
		case "KAFKA_ADMIN_CREATE_TOPICS":
			return v.Text("kafka.admin.create-topics"), true
		}
		if key := ofClusters[variable]; key != "" {
			return v.Text(key), true
		}
		return v.Text(strings.ToLower(strings.ReplaceAll(variable, "_", "."))), true
	}, aliases...)
}

func (e Environment) validate() error {
	var faults diag.List
	missing := func(name, value, what string) {
		if value == "" {
			faults.Add(diag.New(diag.RuntimeVariableMissing, "%s is not set", name).WithFix("set %s to %s, or start the service with slipway up", name, what))
		}
	}
	missing("ENVIRONMENT", e.Name, "the environment's name, such as dev")
	if len(e.Clusters) == 0 { // else the contract says whether the default one is needed, see unreached
		missing("BOOTSTRAP_SERVERS", e.BootstrapServers, "the brokers' addresses, such as kafka-0:9094,kafka-1:9094")
	}
	missing("TLS_CA_PATH", e.CAFile, "the PEM file of the CA that signed the brokers' certificates")
	if e.Name != "" && !environmentName.MatchString(e.Name) {
		faults.Add(diag.New(diag.RuntimeVariableInvalid, "ENVIRONMENT is %q", e.Name).WithFix("use at most 12 lower-case letters and digits"))
	}
	if (e.CertFile == "") != (e.KeyFile == "") {
		faults.Add(diag.New(diag.RuntimeVariableInvalid, "only one of TLS_CERT_PATH and TLS_KEY_PATH is set").WithFix("set both for mutual TLS, or neither"))
	}
	if e.CertFile == "" && e.PasswordFile == "" {
		faults.Add(diag.New(diag.RuntimeVariableMissing, "neither SASL_PASSWORD_PATH nor TLS_CERT_PATH is set: the service has no identity").
			WithFix("set SASL_PASSWORD_PATH to the file with the service's password, or TLS_CERT_PATH and TLS_KEY_PATH to its certificate"))
	}
	faults = append(faults, e.validateClusters()...)
	if e.AdminAddress != "" {
		faults = append(faults, e.validateAdmin()...)
	}
	return faults.Err()
}

// validateAdmin checks that not everybody can reach the admin endpoint.
func (e Environment) validateAdmin() (faults diag.List) {
	host, port, err := net.SplitHostPort(e.AdminAddress)
	switch ip, notIP := netip.ParseAddr(host); {
	case err != nil || port == "":
		faults.Add(diag.New(diag.RuntimeVariableInvalid, "ADMIN_ADDRESS is %q", e.AdminAddress).WithFix("use host:port, such as 127.0.0.1:9180"))
	case e.AdminTokenFile == "" && e.AdminCertFile == "" && host != "localhost" && (notIP != nil || !ip.IsLoopback()):
		faults.Add(diag.New(diag.RuntimeAdminOpen, "ADMIN_ADDRESS is %q, which others may reach, and neither ADMIN_TOKEN_PATH nor ADMIN_CERT_PATH is set", e.AdminAddress))
	}
	all := []string{e.AdminCertFile, e.AdminKeyFile, e.AdminClientCAFile}
	if slices.Contains(all, "") && strings.Join(all, "") != "" {
		faults.Add(diag.New(diag.RuntimeVariableInvalid, "only some of ADMIN_CERT_PATH, ADMIN_KEY_PATH and ADMIN_CLIENT_CA_PATH are set").
			WithFix("set all three for mutual TLS at the admin endpoint, or none"))
	}
	if e.AdminPrincipals != "" && e.AdminCertFile == "" {
		faults.Add(diag.New(diag.RuntimeVariableInvalid, "ADMIN_PRINCIPALS is set and ADMIN_CERT_PATH is not: nobody shows a certificate").
			WithFix("set ADMIN_CERT_PATH, ADMIN_KEY_PATH and ADMIN_CLIENT_CA_PATH too, or unset ADMIN_PRINCIPALS"))
	}
	return faults
}

// secretFile reads a small file that holds one secret, without its line end.
func secretFile(variable, file string) (string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fileFault(variable, err)
	}
	s := strings.TrimRight(string(b), "\r\n")
	if s == "" {
		return "", fileFault(variable, fmt.Errorf("%s is empty", file))
	}
	return s, nil
}

func fileFault(variable string, err error) error {
	return diag.New(diag.RuntimeFileUnreadable, "read what %s names: %v", variable, err)
}
