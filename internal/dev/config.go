package dev

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki/keystore"
)

// A Config says where and how an instance runs. The zero Config is the
// instance "default" in the user's cache directory on free ports.
type Config struct {
	// Name tells instances of one user apart. A DNS label of at most 40
	// characters. Defaults to "default".
	Name string

	// Cache is where fetched jars are kept. Defaults to slipway in
	// [os.UserCacheDir].
	Cache string

	// Dir is the instance's directory. Defaults to dev/<Name> in Cache, and
	// to a new temporary directory for an ephemeral instance.
	Dir string

	// Ephemeral begins with nothing and removes Dir when the instance is
	// closed, which is then quicker. After kill -9 the directory stays until
	// the next run in it.
	Ephemeral bool

	// FirstPort is the first of ten consecutive ports: three for mTLS, three
	// for SCRAM, three for the controllers, one for the registry. With 0 the
	// ports are those of the last run where they are free, else free ones.
	FirstPort int

	// Getenv reads an environment variable: JAVA_HOME, PATH. Defaults to
	// [os.Getenv].
	Getenv func(string) string

	// Keystores are the formats of the nodes' keystores and truststores: the
	// first is that of node 1, and so on; the last goes for all that follow.
	// Defaults to PEM for all.
	Keystores []keystore.Format

	// Report receives a line for everything that happens that a person would
	// want to know: what is fetched, started, ready, ended by itself. It is
	// called from several goroutines, one at a time. Nil discards.
	Report func(line string)

	// StartTimeout bounds the start, fetching excepted. Defaults to two
	// minutes.
	StartTimeout time.Duration
}

var (
	instanceName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)
	identityName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)
)

// portCount is how many consecutive ports FirstPort begins.
const portCount = 3*nodeCount + 1

// complete fills in the defaults and checks the result.
func (c Config) complete() (Config, error) {
	c.Name = cmp.Or(c.Name, "default")
	c.StartTimeout = cmp.Or(c.StartTimeout, 2*time.Minute)
	if c.Getenv == nil {
		c.Getenv = os.Getenv //nolint:forbidigo // the documented default
	}
	if c.Report == nil {
		c.Report = func(string) {}
	}
	c.Report = oneAtATime(c.Report)

	var faults diag.List
	if !instanceName.MatchString(c.Name) {
		faults.Add(diag.New(diag.DevConfig, "instance name %q is not a DNS label of at most 40 characters", c.Name))
	}
	if c.FirstPort < 0 || c.FirstPort > 65536-portCount {
		faults.Add(diag.New(diag.DevConfig, "first port %d is not between 1 and %d: %d consecutive ports are needed", c.FirstPort, 65536-portCount, portCount))
	}
	if err := faults.Err(); err != nil {
		return c, err
	}
	return c, c.place()
}

// place decides on the directories. An ephemeral instance's is made when
// nothing else can go wrong.
func (c *Config) place() error {
	if c.Cache == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return diag.New(diag.DevState, "find the user's cache directory: %v", err).WithFix("set HOME or XDG_CACHE_HOME")
		}
		c.Cache = filepath.Join(base, "slipway")
	}
	if c.Dir == "" && !c.Ephemeral {
		c.Dir = filepath.Join(c.Cache, "dev", c.Name)
	}
	return errors.Join(settle(&c.Cache), settle(&c.Dir))
}

// makeTemporary makes an ephemeral instance's directory.
func (c *Config) makeTemporary() error {
	if c.Dir != "" {
		return nil
	}
	var err error
	if c.Dir, err = os.MkdirTemp("", "slipway-dev-"); err != nil {
		return diag.New(diag.DevState, "make a directory for the instance: %v", err)
	}
	return settle(&c.Dir)
}

// settle makes a directory's path absolute. A colon ends an entry of a class
// path, a comma one of log.dirs, and a backslash begins an escape in a
// properties file.
func settle(dir *string) error {
	if *dir == "" {
		return nil
	}
	abs, err := filepath.Abs(*dir)
	if err != nil {
		return diag.New(diag.DevState, "find directory %s: %v", *dir, err)
	}
	if *dir = abs; strings.ContainsAny(abs, ":,\\\n\r") {
		return diag.New(diag.DevConfig, "directory %q has a character that Java's settings cannot carry: one of : , \\ or a line break", abs)
	}
	return nil
}

// oneAtATime lets several goroutines call f.
func oneAtATime(f func(string)) func(string) {
	var mu sync.Mutex
	return func(line string) {
		mu.Lock()
		defer mu.Unlock()
		f(line)
	}
}
