package up

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

// operatorFile is where a run says how an operator reaches it, in the directory
// that lasts as long as the run.
const operatorFile = "operator.json"

// An Operator is how somebody at another terminal reaches a run: where its
// cluster is, and files with the logins of those who work on it. It holds no
// secret itself.
type Operator struct {
	Dir       string             `json:"dir"` // the estate's, absolute
	Env       string             `json:"env"`
	Cluster   string             `json:"cluster"` // contract.Embedded or contract.Local
	ID        string             `json:"id"`      // the cluster's own
	Bootstrap contract.Bootstrap `json:"bootstrap"`
	Registry  string             `json:"registry"`

	// RegistryAuth is a file with a login that may write to the registry; empty
	// where it asks for none.
	RegistryAuth string `json:"registry_auth,omitempty"`

	CA string `json:"ca"` // file

	// Admin may do everything on the run's cluster.
	Admin Login `json:"admin"`

	// Redrive are the users that may work on dead letters, by service.
	Redrive map[string]Login `json:"redrive"`

	// Databases are files with the addresses of the services' databases, by
	// service: an address may hold a password.
	Databases map[string]string `json:"databases,omitempty"`
}

// A Login is somebody whom the cluster knows, by a password or a certificate.
type Login struct {
	Auth     contract.Auth `json:"auth"`
	User     string        `json:"user,omitempty"`
	Password string        `json:"password,omitempty"` // file
	Cert     string        `json:"cert,omitempty"`     // file
	Key      string        `json:"key,omitempty"`      // file
}

// Find returns how to reach the run of the estate in dir. A run that ended,
// however it ended, is not found: the lock tells, which the kernel drops with
// the process. stateDir is [Config.StateDir].
func Find(stateDir, dir, env string) (*Operator, error) {
	base, err := stateBase(stateDir)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return nil, diag.New(diag.UpDirectory, "%s cannot be opened", dir).WithEvidence("%v", err)
	}
	s := stateOf(base, dir)
	o, err := s.operator()
	switch {
	case errors.Is(err, fs.ErrNotExist) && s.held():
		return nil, diag.New(diag.UpStarting, "the estate in %s is still starting", dir)
	case !s.held():
		return nil, notRunning(base, dir, err == nil)
	case err != nil:
		return nil, stateFault(err)
	case env != "" && env != o.Env:
		return nil, diag.New(diag.UpEnvironment, "the estate in %s is up in environment %s, not in %s", dir, o.Env, env).
			WithFix("work on that one with -e %s, or start the other with slipway up -e %s", o.Env, env)
	}
	return o, nil
}

// notRunning tells of the runs that there are instead.
func notRunning(base, dir string, killed bool) error {
	what := "no slipway up runs the estate in %s"
	if killed {
		what = "the slipway up of the estate in %s was killed, and its cluster is gone with it"
	}
	d := diag.New(diag.UpNotRunning, what, dir)
	if others := runsIn(base); len(others) > 0 {
		return d.WithFix("start it with slipway up %s, or name the estate that is up: %s", dir, strings.Join(others, ", "))
	}
	return d.WithFix("start it with slipway up %s", dir)
}

// runsIn are the directories of the estates that are up, sorted.
func runsIn(base string) []string {
	entries, _ := os.ReadDir(base) // a directory that is not there holds none
	var all []string
	for _, e := range entries {
		s := &state{dir: filepath.Join(base, e.Name())}
		if o, err := s.operator(); err == nil && s.held() {
			all = append(all, o.Dir)
		}
	}
	slices.Sort(all)
	return all
}

// held reports whether a run has the state: whether its lock cannot be shared.
func (s *state) held() bool {
	f, err := os.Open(filepath.Join(s.dir, "lock"))
	if err != nil {
		return false
	}
	defer f.Close()
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if err == nil {
		_ = unlock(f) // ours for a moment; at the latest, closing the file ends it
	}
	return errors.Is(err, syscall.EWOULDBLOCK)
}

// operator reads what a run has written for operators.
func (s *state) operator() (*Operator, error) {
	text, err := os.ReadFile(filepath.Join(s.run(), operatorFile))
	if err != nil {
		return nil, err
	}
	o := new(Operator)
	if err := json.Unmarshal(text, o); err != nil {
		return nil, fmt.Errorf("read %s: %w", operatorFile, err)
	}
	return o, nil
}

// admit writes down how an operator reaches the run: last the file that says
// where everything is, and that whole or not at all.
func (r *run) admit(c *cluster, id *identities) error {
	o := Operator{
		Dir: r.estate.dir, Env: r.estate.Env, Cluster: r.estate.cluster, ID: c.kafka.ID(),
		Bootstrap: contract.Bootstrap{MTLS: c.bootstrap[contract.MTLS], SCRAM: c.bootstrap[contract.SCRAMSHA512]},
		Registry:  c.url, CA: id.file("ca.crt"), Redrive: map[string]Login{},
	}
	var err error
	if o.Admin, err = id.administrator(); err != nil {
		return err
	}
	if !id.access.writer.Empty() {
		o.RegistryAuth = id.file("_registry")
		if err := id.write("_registry", []byte(id.access.writer.Reveal())); err != nil {
			return err
		}
	}
	o.Databases = make(map[string]string)
	for _, svc := range r.estate.Services {
		name := "_" + svc.Name + ".database"
		url, err := r.database(svc.Name)
		if err == nil {
			err = id.write(name, []byte(url))
		}
		if err != nil {
			return err
		}
		o.Databases[svc.Name] = id.file(name)
		if !svc.DeadLetters() {
			continue
		}
		if o.Redrive[svc.Name], err = id.login(svc.RedriveUser(), svc.AuthOn(r.estate.cluster)); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return stateFault(err)
	}
	name := filepath.Join(r.state.run(), operatorFile)
	if err := os.WriteFile(name+".new", text, 0o600); err != nil {
		return stateFault(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		return stateFault(err)
	}
	return nil
}

// login is a user of the run, whose files are in a directory that no service
// has.
func (id *identities) login(user string, how contract.Auth) (Login, error) {
	vars, err := id.variables("_"+user, user, how)
	if err != nil {
		return Login{}, err
	}
	if how == contract.MTLS {
		return Login{Auth: how, Cert: vars["TLS_CERT_PATH"], Key: vars["TLS_KEY_PATH"]}, nil
	}
	return Login{Auth: how, User: user, Password: vars["SASL_PASSWORD_PATH"]}, nil
}

// administrator is the cluster's own.
func (id *identities) administrator() (Login, error) {
	a := id.access.admin
	if a.dir != "" {
		return Login{Auth: contract.MTLS, Cert: filepath.Join(a.dir, pki.CertificateFile), Key: filepath.Join(a.dir, pki.KeyFile)}, nil
	}
	if err := id.write("_admin.password", []byte(a.password.Reveal())); err != nil {
		return Login{}, err
	}
	return Login{Auth: contract.SCRAMSHA512, User: a.user, Password: id.file("_admin.password")}, nil
}
