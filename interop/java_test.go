//go:build kafka && cgo

package interop_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/slipway-go/slipway/internal/dev"
)

// javaClasses is Interop.java, compiled once.
var javaClasses struct {
	sync.Mutex
	path string // the class path
}

// javaPath returns a class path with Kafka's clients, Avro as Apicurio brings
// it, and testdata/Interop.java.
func javaPath(t *testing.T, c *dev.Cluster) string {
	t.Helper()
	javaClasses.Lock()
	defer javaClasses.Unlock()
	if javaClasses.path != "" {
		return javaClasses.path
	}
	words := strings.Fields(c.Admin().Commands()[1]) // java -cp JARS …
	jars := strings.Trim(words[2], "'")
	avro, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(jars)), "apicurio-*", "lib", "org.apache.avro.avro-*.jar"))
	if err != nil || len(avro) == 0 {
		t.Fatalf("no jar of Avro beside %s: %v", jars, err)
	}
	classes := filepath.Join(c.Dir(), "interop") // goes with the cluster
	if err := os.MkdirAll(classes, 0o700); err != nil {
		t.Fatal(err)
	}
	path := strings.Join([]string{jars, avro[0], classes}, string(os.PathListSeparator))
	if out, err := exec.CommandContext(t.Context(), "javac", "-cp", path, "-d", classes, filepath.Join("testdata", "Interop.java")).CombinedOutput(); err != nil {
		t.Fatalf("javac: %v\n%s", err, out)
	}
	javaClasses.path = path
	return path
}

// java runs Interop and returns the lines that it answers, by their fields.
func java(t *testing.T, c *dev.Cluster, stdin string, args ...string) [][]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "java", append([]string{"-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", javaPath(t, c), "Interop"}, args...)...)
	var errs strings.Builder
	cmd.Stdin, cmd.Stderr = strings.NewReader(stdin), &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("java: %v\n%s", err, errs.String())
	}
	var lines [][]string
	for line := range strings.Lines(string(out)) {
		if rest, found := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "=\t"); found {
			lines = append(lines, strings.Split(rest, "\t"))
		}
	}
	return lines
}

func inBase64(b []byte) string {
	if b == nil {
		return "-"
	}
	return base64.StdEncoding.EncodeToString(b)
}

func fromBase64(t *testing.T, s string) []byte {
	t.Helper()
	if s == "-" {
		return nil
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func number(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func javaReads(t *testing.T, c *dev.Cluster, topics []string, n int) []raw {
	t.Helper()
	var all []raw
	for _, f := range java(t, c, "", "read", filepath.Join(c.Admin().Dir, dev.PropertiesFile), c.Registry(), strconv.Itoa(n), strings.Join(topics, ",")) {
		r := raw{topic: f[0], partition: int32(number(t, f[1])), offset: number(t, f[2]), key: fromBase64(t, f[3])}
		if f[4] != "-" {
			r.order = &order{string(fromBase64(t, f[4])), number(t, f[5])}
		}
		for i := 6; i < len(f); i += 2 {
			r.headers = append(r.headers, header{f[i], fromBase64(t, f[i+1])})
		}
		all = append(all, r)
	}
	return all
}

func javaWrites(t *testing.T, c *dev.Cluster, batches []batch) {
	t.Helper()
	var in strings.Builder
	for _, b := range batches {
		for _, r := range b.records {
			id, amount := "-", "-"
			if r.order != nil {
				id, amount = inBase64([]byte(r.order.OrderID)), strconv.FormatInt(r.order.Amount, 10)
			}
			fields := []string{b.codec, string(b.end), inBase64(r.key), id, amount}
			for _, h := range r.headers {
				fields = append(fields, h.name, inBase64(h.value))
			}
			fmt.Fprintln(&in, strings.Join(fields, "\t"))
		}
	}
	java(t, c, in.String(), "write", filepath.Join(c.Admin().Dir, dev.PropertiesFile), c.Registry(), batches[0].records[0].topic)
}

func TestKeysLieWhereJavaPutsThem(t *testing.T) {
	c, keys := onKafka(t), placedKeys(t) // of the cluster nothing but its jars
	var in strings.Builder
	for _, key := range keys {
		fmt.Fprintln(&in, inBase64(key))
	}
	counts := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(partitionCounts)), ","), "[]")
	want := make(map[int][]int32)
	for _, places := range java(t, c, in.String(), "place", counts) {
		for i, n := range partitionCounts {
			want[n] = append(want[n], int32(number(t, places[i])))
		}
	}
	samePlaces(t, "Java", keys, want, slipwayPlaces(t, "java", keys))
}
