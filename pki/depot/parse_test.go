package depot_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki/depot"
)

const goodState = "version: 1\ncluster: kafka-test\nphase: trust\ncurrent: 1\nnext: 3\nlast: 3\n"

func TestFaultsOfDepotYAMLAreToldWithTheirPlaces(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text string
		want string
	}{
		"empty":            {"", "SLP-PKI-034: depot.yaml: the file is empty"},
		"no mapping":       {"- version: 1\n", "SLP-PKI-034: depot.yaml:1:1: the file is not a plain mapping of keys"},
		"no version":       {"cluster: a\n", "SLP-PKI-034: depot.yaml:1:1: the version is missing"},
		"newer":            {"version: 2\nwhatever: [1]\n", `SLP-PKI-035: depot.yaml:1:10: version "2", and this program knows 1`},
		"unknown key":      {goodState + "colour: red\n", `SLP-PKI-034: depot.yaml:7:1: "colour" is not a key of this file`},
		"twice":            {goodState + "last: 3\n", "SLP-PKI-034: depot.yaml:7:1: last is here twice"},
		"second document":  {goodState + "---\na: b\n", "SLP-PKI-034: depot.yaml:7:1: a second document begins here"},
		"anchor":           {strings.Replace(goodState, "kafka", "&a kafka", 1), "SLP-PKI-034: depot.yaml:2:10: cluster: anchors and tags have no place here"},
		"tag":              {strings.Replace(goodState, "3", "!!int 3", 1), "SLP-PKI-034: depot.yaml:5:7: next: anchors and tags have no place here"},
		"list":             {strings.Replace(goodState, "trust", "[trust]", 1), "SLP-PKI-034: depot.yaml:3:8: phase: not a single word"},
		"phase":            {strings.Replace(goodState, "trust", "shaky", 1), `SLP-PKI-034: depot.yaml:3:8: phase: "shaky" is not a phase`},
		"number":           {strings.Replace(goodState, "3", "03", 1), `SLP-PKI-034: depot.yaml:5:7: next: "03" is not a number from 1 to 1000000`},
		"two faults":       {strings.ReplaceAll(goodState, "3", "-3"), `SLP-PKI-034: depot.yaml:6:7: last: "-3" is not a number from 1 to 1000000`},
		"cluster":          {strings.Replace(goodState, "kafka-test", "../x", 1), `SLP-PKI-034: depot.yaml:2:10: cluster: "../x" is not the name of a cluster: letters, digits, dots, hyphens and underscores, at most 50`},
		"phase and number": {strings.Replace(goodState, "trust", "steady", 1), "SLP-PKI-034: depot.yaml: current 1 and next 3 do not go with phase steady"},
		"above the last":   {strings.Replace(goodState, "last: 3", "last: 2", 1), "SLP-PKI-034: depot.yaml: last is 2, and there is a generation above it"},
		"same twice":       {strings.Replace(goodState, "next: 3", "next: 1", 1), "SLP-PKI-034: depot.yaml: generation 1 is there twice"},
		"too long":         {strings.Repeat("# comment\n", 7000), "SLP-PKI-034: depot.yaml: the file is 70000 bytes, at most 65536"},
		"no YAML":          {"version: 1\n\tx: 2\n", "SLP-PKI-034: depot.yaml:2:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := depot.RewriteState([]byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func FuzzState(f *testing.F) {
	for _, s := range []string{
		goodState, "version: 1\ncluster: a\nphase: pending\nrequested: 1\nlast: 1\n", "version: 1\ncluster: a\nphase: steady\ncurrent: 1\nrequested: 2\nlast: 2\n",
		"version: 2\n", "{version: 1}", "a: &a [*a]", "", "\xff", "version: 1\nversion: 1\n", "? [a]\n: b\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		once, err := depot.RewriteState(data)
		if err != nil {
			if !errors.Is(err, diag.DepotFile) && !errors.Is(err, diag.DepotVersion) {
				t.Errorf("%v has no code", err)
			}
			return
		}
		if twice, err := depot.RewriteState(once); err != nil || !bytes.Equal(once, twice) {
			t.Errorf("what was written reads differently: %v\n%s\n%s", err, once, twice)
		}
	})
}

func FuzzRegister(f *testing.F) {
	for _, s := range []string{
		"# comment\n", "00ff client/svc-a 2030-01-02T03:04:05Z 2030-02-02T03:04:05Z 744h0m0s\n",
		"00ff client/svc-a 2030-01-02T03:04:05Z 2030-02-02T03:04:05Z 744h", "zz client/a x y z\n", "\n",
		"00ff ../x 2030-01-02T03:04:05Z 2030-02-02T03:04:05Z 1h\n", "0f probe/p 2030-01-02T03:04:05+25:00 2030-02-02T03:04:05Z 1h\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		once, err := depot.RewriteRegister(data)
		if err != nil {
			if !errors.Is(err, diag.DepotDamaged) {
				t.Errorf("%v has no code", err)
			}
			return
		}
		if twice, err := depot.RewriteRegister(once); err != nil || !bytes.Equal(once, twice) {
			t.Errorf("what was written reads differently: %v\n%s\n%s", err, once, twice)
		}
	})
}
