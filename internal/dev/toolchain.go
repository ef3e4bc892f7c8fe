package dev

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// oldestJava is the oldest Java that Kafka 4 brokers run on.
const oldestJava = 17

// A javaVM is a Java that is new enough.
type javaVM struct {
	path    string
	version string // all that it says of itself
	shares  bool   // it can keep the classes of a program, see classes
}

// findJava returns the Java to use.
func findJava(ctx context.Context, getenv func(string) string) (javaVM, error) {
	java := lookUp("java", getenv)
	if home := getenv("JAVA_HOME"); home != "" {
		java = filepath.Join(home, "bin", "java")
		if !executable(java) {
			return javaVM{}, diag.New(diag.DevJava, "JAVA_HOME is %s, and there is no java in it", home).
				WithFix("point JAVA_HOME to a Java %d or newer, or unset it to use the one in PATH", oldestJava)
		}
	}
	if java == "" {
		return javaVM{}, diag.New(diag.DevJava, "java is not in PATH, and real Kafka needs Java %d or newer", oldestJava)
	}
	// It writes to stderr.
	out, err := exec.CommandContext(ctx, java, "-version").CombinedOutput()
	if ctx.Err() != nil {
		return javaVM{}, context.Cause(ctx)
	}
	version, ok := parseJavaVersion(string(out))
	switch {
	case err != nil:
		return javaVM{}, withLines(diag.New(diag.DevJava, "%s -version tells no version: %v", java, err), string(out))
	case !ok:
		return javaVM{}, withLines(diag.New(diag.DevJava, "%s -version tells no version", java), string(out))
	case version < oldestJava:
		return javaVM{}, withLines(diag.New(diag.DevJavaOld, "%s is Java %d, and Kafka 4 needs Java %d or newer", java, version, oldestJava), string(out))
	}
	return javaVM{path: java, version: string(out), shares: strings.Contains(string(out), ", sharing)")}, nil
}

var javaVersion = regexp.MustCompile(`(?m)^\S+ version "(1\.)?(\d{1,4})(?:\D[^"]*)?"`)

// parseJavaVersion reads the major version from the output of java -version.
// Until 8 it came second: 1.8.0_292.
func parseJavaVersion(out string) (int, bool) {
	m := javaVersion.FindStringSubmatch(out)
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[2])
	return n, err == nil && n > 0
}

func findMaven(getenv func(string) string) (string, error) {
	if mvn := lookUp("mvn", getenv); mvn != "" {
		return mvn, nil
	}
	return "", diag.New(diag.DevMaven, "mvn is not in PATH, and it is needed once, to fetch Kafka %s", kafkaVersion)
}

// lookUp finds a program in the PATH of the given environment, which need not
// be this process's. It returns "" if there is none.
func lookUp(name string, getenv func(string) string) string {
	for _, dir := range filepath.SplitList(getenv("PATH")) {
		// A relative entry would run whatever lies in the current directory.
		if path := filepath.Join(dir, name); filepath.IsAbs(path) && executable(path) {
			return path
		}
	}
	return ""
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}
