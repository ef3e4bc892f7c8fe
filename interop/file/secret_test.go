package file_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

var (
	// what a variable is called whose value opens something
	telling = regexp.MustCompile(`(?i)password|passwd|secret|token|credential|(^|_)(key|auth_path)(_|$)|pgpass`)
	// a literal that opens something, whatever it is called
	literal = regexp.MustCompile(`-----BEGIN|://[^/\s:@]+:[^/\s@]+@|(?i:password|passwd|secret|token)\s*[=:]\s*["']?[^\s"'$/]`)
)

// secrets finds what opens something and is a word in the project, where docker inspect
// shows it, and no file that Compose mounts.
func secrets(project *types.Project) []string {
	var problems []string
	for name, secret := range project.Secrets {
		within, err := filepath.Rel(project.WorkingDir, secret.File)
		if err != nil || !strings.HasPrefix(filepath.ToSlash(within), "secrets/") || secret.Content != "" || secret.Environment != "" {
			problems = append(problems, "secret "+name+" is no file below secrets/")
		}
	}
	for name, config := range project.Configs {
		if config.Content != "" || config.Environment != "" {
			problems = append(problems, "config "+name+" stands in the project")
		}
	}
	for name, service := range project.Services {
		for _, problem := range exposed(service) {
			problems = append(problems, name+": "+problem)
		}
	}
	return problems
}

// exposed tells which secrets of a service stand in its words, and which are named
// but not mounted.
func exposed(service types.ServiceConfig) []string {
	var problems []string
	files := map[string]bool{}
	for _, secret := range service.Secrets {
		files[secret.Target] = true
	}
	for _, mount := range service.Volumes {
		if mount.ReadOnly && strings.Contains(mount.Source, "/secrets/") { // a directory of settings
			files[mount.Target] = true
		}
	}
	words := append(append([]string{}, service.Command...), service.Entrypoint...)
	if service.HealthCheck != nil {
		words = append(words, service.HealthCheck.Test...)
	}
	for key := range service.Environment {
		v := value(service.Environment, key)
		words = append(words, v)
		if telling.MatchString(key) && !files[v] {
			problems = append(problems, key+" is not the path of a secret that is mounted")
		}
	}
	for _, text := range service.Labels {
		words = append(words, text)
	}
	if service.Build != nil {
		for _, text := range service.Build.Args {
			words = append(words, *text)
		}
	}
	for _, word := range words {
		if literal.MatchString(word) {
			problems = append(problems, "a secret stands in its words")
		}
	}
	return problems
}

func TestASecretInAProjectIsFound(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		override string
		found    int
	}{
		"path of a secret":       {"environment: {OTHER_PASSWORD_PATH: /run/secrets/tls.key}", 0},
		"path that is no secret": {"environment: {OTHER_PASSWORD_PATH: /run/secrets/other}", 1},
		"password":               {"environment: {POSTGRES_PASSWORD: hunter2}", 1},
		"URL without password":   {"environment: {OTHER_URL: 'postgres://orders@postgres:5432/orders'}", 0},
		"URL with password":      {"environment: {OTHER_URL: 'postgres://orders:hunter2@postgres:5432/orders'}", 1},
		"private key":            {"environment: {CERT: '-----BEGIN PRIVATE KEY-----'}", 1},
		"login of JAAS":          {`environment: {KAFKA_OPTS: 'PlainLoginModule required password="hunter2";'}`, 1},
		"argument":               {"command: [serve, --admin-password=hunter2]", 1},
		"argument of a build":    {"build: {context: ., args: {WITH: 'token=hunter2'}}", 1},
		"secret of a variable":   {"secrets: {any: {environment: ANY}}", 1},
		"secret elsewhere":       {"secrets: {any: {file: /etc/any}}", 1},
		"read from a file":       {`healthcheck: {test: [CMD, sh, -c, 'PGPASSWORD="$$(cat /run/secrets/tls.key)" psql']}`, 0},
		"told to a health check": {`healthcheck: {test: [CMD, sh, -c, 'PGPASSWORD="hunter2" psql']}`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := "services: {minimal: {" + tt.override + "}}"
			if strings.HasPrefix(tt.override, "secrets:") {
				text = tt.override
			}
			project, err := load(t, minimal, settings, override(t, text))
			if err != nil {
				t.Fatal(err)
			}
			if got := secrets(project); len(got) != tt.found {
				t.Errorf("secrets() = %q, want %d", got, tt.found)
			}
		})
	}
}
