package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/slipway-go/slipway/benchmarks/internal/arm"

	"github.com/slipway-go/slipway/internal/proc"
)

const (
	javaClient = "parallel-consumer"
	javaDir    = "parallelconsumer"
	mavenCopy  = "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy-dependencies"
)

// A javaArm is the compiled Java arm, or why there is none.
type javaArm struct {
	classPath string
	err       error
}

// runJava runs Parallel Consumer.
func (d *driver) runJava(ctx context.Context, s arm.Spec) (arm.Result, error) {
	if d.java == nil {
		d.java = &javaArm{}
		d.java.classPath, d.java.err = d.buildJava(ctx)
	}
	if d.java.err != nil {
		return nil, d.java.err
	}
	ends := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(s.Ends)), ","), "[]")
	args := []string{"-Xmx1g", "-cp", d.java.classPath, "Arm"} // the default heap would be a quarter of the machine
	for name, value := range map[string]any{
		"bootstrap": s.Endpoint.Bootstrap, "ca": s.Endpoint.CAFile, "user": s.Endpoint.User, "password": s.Endpoint.PasswordFile,
		"topic": s.Topic, "group": s.Run, "inflight": s.InFlight, "keys": s.Keys, "ends": ends,
		"work": float64(s.Work) / float64(time.Millisecond), "warmup": s.Warmup.Seconds(), "window": s.Window.Seconds(),
	} {
		args = append(args, fmt.Sprintf("%s=%v", name, value))
	}
	return runProcess(ctx, s, proc.Config{Path: "java", Args: args})
}

// buildJava fetches the library once, and compiles the arm.
func (d *driver) buildJava(ctx context.Context) (string, error) {
	lib := filepath.Join(javaDir, "lib")
	if _, err := os.Stat(lib); errors.Is(err, os.ErrNotExist) {
		d.say("fetching Parallel Consumer with Maven, once")
		if err := quietly(ctx, "mvn", "-B", "-q", "-f", filepath.Join(javaDir, "pom.xml"), mavenCopy, "-DincludeScope=runtime", "-DoutputDirectory=lib"); err != nil {
			return "", errors.Join(err, os.RemoveAll(lib))
		}
	}
	classes := filepath.Join(d.dir, "classes")
	err := quietly(ctx, "javac", "-cp", filepath.Join(lib, "*"), "-d", classes, filepath.Join(javaDir, "Arm.java"))
	return classes + string(os.PathListSeparator) + filepath.Join(lib, "*"), err
}

// quietly runs a program whose output matters only when it fails.
func quietly(ctx context.Context, path string, args ...string) error {
	var out strings.Builder
	err := proc.Run(ctx, proc.Config{Path: path, Args: args, Output: func(line string) { out.WriteString(line + "\n") }}, time.Second)
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", path, err, out.String())
	}
	return nil
}
