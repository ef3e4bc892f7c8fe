package dev_test

import (
	"testing"

	"github.com/slipway-go/slipway/internal/dev"
)

func TestJavaVersionIsReadFromEveryVendor(t *testing.T) {
	t.Parallel()
	for out, want := range map[string]int{
		"openjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime Environment":       17,
		"java version \"1.8.0_292\"\nJava(TM) SE Runtime Environment":               8,
		"openjdk version \"21\" 2023-09-19 LTS":                                     21,
		"openjdk version \"25-ea\" 2025-09-16":                                      25,
		"Picked up JAVA_TOOL_OPTIONS: -Dx=1\nopenjdk version \"11.0.2\" 2019-01-15": 11,
		"The operation couldn't be completed. Unable to locate a Java Runtime.":     0,
		"openjdk version \"x\"":                                                     0,
		"openjdk version \"99999999999\"":                                           0,
		"":                                                                          0,
	} {
		if got, ok := dev.ParseJavaVersion(out); got != want || ok != (want > 0) {
			t.Errorf("version of %q = %d, %v, want %d", out, got, ok, want)
		}
	}
}

func FuzzParseJavaVersion(f *testing.F) {
	f.Add("openjdk version \"17.0.15\" 2025-04-15")
	f.Add("java version \"1.8.0_292\"")
	f.Fuzz(func(t *testing.T, out string) {
		if version, ok := dev.ParseJavaVersion(out); ok != (version > 0) || version > 9999 {
			t.Errorf("version of %q = %d, %v", out, version, ok)
		}
	})
}
