package secret_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/internal/secret"
)

const text = "correct horse battery staple"

type login struct {
	User     string
	Password secret.Secret
	hidden   secret.Secret
}

func TestNoRenderingShowsTheText(t *testing.T) {
	t.Parallel()
	s := secret.New(text)
	l := login{User: "svc-orders-dev", Password: s, hidden: s}
	for name, render := range map[string]func() string{
		"%v":      func() string { return fmt.Sprintf("%v %v %v", s, &s, l) },
		"%+v":     func() string { return fmt.Sprintf("%+v %+v", s, l) },
		"%#v":     func() string { return fmt.Sprintf("%#v %#v %#v", s, l, &l) },
		"%s":      func() string { return fmt.Sprintf("%s %s", s, &s) },
		"%q":      func() string { return fmt.Sprintf("%q %q", s, []secret.Secret{s}) },
		"%x":      func() string { return fmt.Sprintf("%x %X %d", s, s, s) },
		"error":   func() string { return fmt.Errorf("log in as %v: %w", l, errors.ErrUnsupported).Error() },
		"json":    func() string { b, err := json.Marshal(l); return must(t, b, err) },
		"json in": func() string { b, err := json.Marshal(map[string]any{"a": []any{s, &s}}); return must(t, b, err) },
		"yaml":    func() string { b, err := yaml.Marshal(map[string]any{"a": s, "b": &s}); return must(t, b, err) },
		"xml":     func() string { b, err := xml.Marshal(l); return must(t, b, err) },
		"slog text": func() string {
			var b bytes.Buffer
			slog.New(slog.NewTextHandler(&b, nil)).Info("x", "a", s, "b", l)
			return b.String()
		},
		"slog json": func() string {
			var b bytes.Buffer
			slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "a", s, "b", &l)
			return b.String()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := render()
			for _, leak := range []string{text, "horse", fmt.Sprintf("%x", text), fmt.Sprintf("%X", text)} {
				if strings.Contains(got, leak) {
					t.Errorf("the text is in %s", got)
				}
			}
			if !strings.Contains(got, "***") {
				t.Errorf("got %s, want *** in it", got)
			}
		})
	}
}

func must(t *testing.T, b []byte, err error) string {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

func TestRevealGivesTheTextBack(t *testing.T) {
	t.Parallel()
	if got := secret.New(text).Reveal(); got != text {
		t.Errorf("Reveal() = %q, want %q", got, text)
	}
	var zero secret.Secret
	if !zero.Empty() || zero.Reveal() != "" || !zero.Equal(secret.New("")) {
		t.Error("the zero value is not the empty secret")
	}
	if zero.Equal(secret.New(text)) || !secret.New(text).Equal(secret.New(text)) {
		t.Error("Equal does not compare the text")
	}
}

func TestGeneratedSecretsDifferAndNeedNoQuoting(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		got := secret.Generate().Reveal()
		if len(got) < 26 || strings.Trim(got, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
			t.Fatalf("Generate() = %q, want 26 letters and digits", got)
		}
		if seen[got] {
			t.Fatalf("Generate() returned %q twice", got)
		}
		seen[got] = true
	}
}

func TestSecretsAreNotReadFromDocuments(t *testing.T) {
	t.Parallel()
	var l login
	if err := json.Unmarshal([]byte(`{"Password":"***"}`), &l); err == nil {
		t.Errorf("the mask was read back as the password %q", l.Password.Reveal())
	}
}
