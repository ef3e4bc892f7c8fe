package dev

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// The files and directories of an instance.
const (
	lockFile       = "lock"
	stateFile      = "state.json"
	passwordFile   = "admin.password"
	supervisorFile = "supervisor.log"
	pkiDir         = "pki"
	identitiesDir  = "identities"
)

// A state is what state.json tells the next run and other processes. Process
// ids are believed only while the instance's lock is held.
type state struct {
	ClusterID string         `json:"clusterId"`
	Ports     Ports          `json:"ports"`
	PID       int            `json:"pid,omitempty"`
	Started   time.Time      `json:"started,omitzero"`
	Ready     bool           `json:"ready,omitempty"`
	Nodes     [nodeCount]int `json:"nodes"`              // process ids
	Registry  int            `json:"registry,omitempty"` // process id
}

func readState(dir string) (state, error) {
	var s state
	path := filepath.Join(dir, stateFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err == nil && s.ClusterID != "" && !validClusterID(s.ClusterID) {
		err = errors.New("the cluster id is damaged")
	}
	if err != nil {
		return state{}, diag.New(diag.DevState, "read %s: %v", path, err)
	}
	return s, nil
}

func (s state) write(dir string) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, stateFile), append(data, '\n'))
}

// wipe removes what a run left that was to leave nothing and was killed. What
// is no instance's directory is not touched.
func wipe(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, stateFile)); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.Name() != lockFile {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	if err != nil {
		return diag.New(diag.DevState, "remove what the last run left: %v", err)
	}
	return nil
}

// pids returns the processes that the state names.
func (s state) pids() []int {
	var all []int
	for _, pid := range append(s.Nodes[:], s.Registry) {
		if pid > 1 {
			all = append(all, pid)
		}
	}
	return all
}

// newClusterID makes an id as Kafka makes them: 16 random bytes that do not
// look like an option when they are an argument.
func newClusterID() string {
	for {
		var b [16]byte
		rand.Read(b[:])
		if id := base64.RawURLEncoding.EncodeToString(b[:]); !strings.HasPrefix(id, "-") {
			return id
		}
	}
}

func validClusterID(id string) bool {
	b, err := base64.RawURLEncoding.DecodeString(id)
	return err == nil && len(b) == 16 && !strings.HasPrefix(id, "-")
}

// writeFile replaces a file of the instance, never leaving half of it. Only
// the holder of the instance's lock writes.
func writeFile(path string, data []byte) error {
	tmp := path + ".new"
	err := errors.Join(os.WriteFile(tmp, data, 0o600), os.Chmod(tmp, 0o600))
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return diag.New(diag.DevState, "write %s: %v", path, err)
	}
	return nil
}

// makeWithLog makes a directory, and in it an empty log for this run.
func makeWithLog(dir, log string) error {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = os.WriteFile(log, nil, 0o600)
	}
	if err != nil {
		return diag.New(diag.DevState, "make %s: %v", dir, err)
	}
	return nil
}
