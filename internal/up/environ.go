package up

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// inherited are the variables of this process that a service gets beside its
// own: what any program needs to run, and nothing that could be a secret.
var inherited = []string{
	"PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_ALL",
	"GOCOVERDIR", "GODEBUG", "GOMAXPROCS", "GOMEMLIMIT", "GOTRACEBACK",
}

// telemetryPrefix begins the variables that configure OpenTelemetry.
const telemetryPrefix = "OTEL_"

// serviceEnviron is a service's whole environment, sorted: its own variables,
// and of environ what every service may have.
func serviceEnviron(own map[string]string, environ []string) []string {
	all := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if slices.Contains(inherited, name) || strings.HasPrefix(name, telemetryPrefix) {
			all[name] = value
		}
	}
	maps.Copy(all, own)
	return list(all)
}

// commandEnviron is the user's environment with the command's variables in
// place of any of the same name. An empty value takes a variable away: a
// certificate of the user's must not stand beside the command's password.
func commandEnviron(own map[string]string, environ []string) []string {
	all := map[string]string{}
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" {
			all[name] = value
		}
	}
	maps.Copy(all, own)
	maps.DeleteFunc(all, func(name, value string) bool { _, ours := own[name]; return ours && value == "" })
	return list(all)
}

func list(vars map[string]string) []string {
	out := make([]string, 0, len(vars))
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		out = append(out, name+"="+vars[name])
	}
	return out
}

// urlVariable names the variable with a service's address.
func urlVariable(service string) string {
	return strings.ToUpper(strings.ReplaceAll(service, "-", "_")) + "_URL"
}

// serviceURL is where a service with an HTTP port listens.
func serviceURL(port int) string { return fmt.Sprintf("http://%s:%d", loopback, port) }

// lookPath finds a program in the PATH of environ.
func lookPath(name string, environ []string) (string, error) {
	if strings.ContainsRune(name, filepath.Separator) {
		return name, nil
	}
	for _, dir := range filepath.SplitList(variable("PATH", environ)) {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0 && filepath.IsAbs(dir) {
			return file, nil
		}
	}
	return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
}
