package postgres

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/slipway-go/slipway/diag"
)

// An account is whom the server runs as; nil is this process's own.
type account struct{ uid, gid uint32 }

// whom chooses the account for a directory: this process's own, but for root,
// as whom Postgres does not run.
func whom(dir string) (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 != nil || err2 != nil || uid == 0 {
			continue
		}
		return &account{uint32(uid), uint32(gid)}, nil
	}
	return nil, diag.New(diag.PostgresDirectory, "Postgres does not run as root, and there is no user postgres or nobody to own %s", dir)
}

func (a *account) credential() *syscall.Credential {
	if a == nil {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid}
}

// own makes the directory and gives it to the account.
func (a *account) own(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return diag.New(diag.PostgresDirectory, "%v", err)
	}
	if a == nil {
		return nil
	}
	if closed := a.barred(dir); closed != "" {
		return diag.New(diag.PostgresDirectory, "Postgres does not run as root, and %s is closed to the user it runs as (id %d)", closed, a.uid).
			WithFix("run as an ordinary user, or keep the data in a directory that others may enter")
	}
	return a.give(dir)
}

// barred returns the directory above dir that the account may not enter.
func (a *account) barred(dir string) string {
	for up := filepath.Dir(dir); ; up = filepath.Dir(up) {
		info, err := os.Stat(up)
		if err != nil {
			return up
		}
		s, ok := info.Sys().(*syscall.Stat_t)
		mine := ok && (s.Uid == a.uid && info.Mode()&0o100 != 0 || s.Uid != a.uid && s.Gid == a.gid && info.Mode()&0o010 != 0)
		if !mine && info.Mode()&0o001 == 0 {
			return up
		}
		if up == filepath.Dir(up) {
			return ""
		}
	}
}

// give makes a file or directory the account's.
func (a *account) give(path string) error {
	if a == nil {
		return nil
	}
	if err := os.Chown(path, int(a.uid), int(a.gid)); err != nil {
		return diag.New(diag.PostgresDirectory, "%v", err)
	}
	return nil
}
