package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheTenLinesOfTheDocumentationWork runs them as they stand, with another
// medium, and looks for private keys in what they print.
func TestTheTenLinesOfTheDocumentationWork(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "mtls-in-ten-lines.md"))
	if err != nil {
		t.Fatal(err)
	}
	clusters := regexp.MustCompile("(?s)```yaml\n# clusters.yaml\n(.*?)```").FindSubmatch(page)
	console := regexp.MustCompile("(?s)```console\n(.*?)```").FindSubmatch(page)
	if clusters == nil || console == nil {
		t.Fatal("the page has no clusters.yaml or no commands")
	}
	dir := place(t, map[string]string{"clusters.yaml": string(clusters[1]), "slipway.yaml": owner})
	medium := filepath.Join(t.TempDir(), "medium")
	lines := strings.Split(strings.TrimSpace(string(console[1])), "\n")
	if len(lines) != 10 {
		t.Errorf("the ten lines are %d", len(lines))
	}
	for _, line := range lines {
		words := strings.Fields(strings.TrimPrefix(strings.Replace(line, "/media/usb/kafka-prod", medium, 1), "$ slipway "))
		for i, word := range words { // the page is read in the estate's directory
			if strings.HasPrefix(word, "pki/") || strings.HasPrefix(word, "kafka-") && words[i-1] == "--out" || word == "admin" {
				words[i] = filepath.Join(dir, word)
			}
		}
		if words[1] != "inspect" {
			words = append(words, "--dir", dir)
		}
		got := run(t, words...)
		if got.status != 0 {
			t.Errorf("%s: status %d\n%s%s", line, got.status, got.out, got.err)
		}
		if strings.Contains(got.out+got.err, "PRIVATE KEY") {
			t.Errorf("%s shows a private key", line)
		}
	}
	for _, name := range []string{"kafka-0/keystore.pem", "kafka-2/truststore.pem", "admin/keystore.p12", "pki/kafka-prod/issued/client/svc-orders-prod/tls.crt"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

// Every command of the pages about certificates exists, with the flags that it
// is given there.
func TestTheCommandsOfThePagesAboutCertificatesExist(t *testing.T) {
	t.Parallel()
	known := commands(t)
	for _, name := range []string{"mtls-in-ten-lines.md", "coming-from-other-cas.md", "runbook-certificates.md"} {
		page, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, m := range regexp.MustCompile("slipway pki ([^`|;]*)").FindAllStringSubmatch(strings.ReplaceAll(string(page), "\n   ", " "), -1) {
			line, _, _ := strings.Cut(m[1], "\n")
			path := []string{"pki"}
			for word := range strings.FieldsSeq(line) {
				next := append(append([]string{}, path...), word)
				if !contains(known, next) {
					break
				}
				path = next
			}
			if len(path) == 1 {
				t.Errorf("%s: there is no command slipway pki %s", name, line)
				continue
			}
			found++
			help := run(t, append(path, "--help")...).out
			for _, flag := range regexp.MustCompile(`--[a-z-]+`).FindAllString(line, -1) {
				if !strings.Contains(help, flag) {
					t.Errorf("%s: slipway %s has no flag %s", name, strings.Join(path, " "), flag)
				}
			}
		}
		if found == 0 {
			t.Errorf("%s names no command", name)
		}
	}
}

func contains(known [][]string, path []string) bool {
	for _, k := range known {
		if strings.Join(k, " ") == strings.Join(path, " ") {
			return true
		}
	}
	return false
}
