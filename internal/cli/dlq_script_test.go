package cli_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
)

// writeLetters writes records to the cluster of the script, as its
// administrator: letters FILE DIR SECRETS. Each line of the file is a JSON object with
// topic, partition, key, value and headers, of which the first is a minute
// after 2026-11-20T10:00:00Z, the second two, and so on. DIR has the cluster's
// clusters.yaml. The users whose passwords are in SECRETS can log in after it:
// the embedded broker takes only 4,096 iterations, and apply makes more.
func writeLetters(ts *testscript.TestScript, _ bool, args []string) {
	cfg := administrator(ts, args[1])
	admit(ts, cfg, args[2])
	options, err := cfg.Options()
	ts.Check(err)
	client, err := kgo.NewClient(append(options, kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	ts.Check(err)
	defer client.Close()
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var in struct {
			Topic     string
			Partition int32
			Key       *string
			Value     *string
			Headers   [][2]string
		}
		ts.Check(json.Unmarshal([]byte(line), &in))
		at = at.Add(time.Minute)
		r := &kgo.Record{Topic: in.Topic, Partition: in.Partition, Timestamp: at}
		if in.Key != nil {
			r.Key = []byte(*in.Key)
		}
		if in.Value != nil {
			r.Value = []byte(*in.Value)
		}
		for _, h := range in.Headers {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: h[0], Value: []byte(h[1])})
		}
		ts.Check(client.ProduceSync(context.Background(), r).FirstErr())
	}
}

// administrator is how to log in to the cluster that clusters.yaml in dir names.
func administrator(ts *testscript.TestScript, dir string) kafka.Config {
	_, rest, _ := strings.Cut(ts.ReadFile(filepath.Join(dir, contract.ClustersFile)), `bootstrap: {scram: "`)
	bootstrap, _, _ := strings.Cut(rest, `"`)
	ca, err := os.ReadFile(ts.MkAbs(filepath.Join(dir, "ca.crt")))
	ts.Check(err)
	return kafka.Config{
		Bootstrap: bootstrap, Auth: contract.SCRAMSHA512, TLS: trusting(ca),
		User: ts.Getenv("SLIPWAY_SASL_USER"), Password: auth.Static(secret.New(ts.Getenv("ADMIN_PASSWORD"))),
	}
}

// admit sets each user's password, which stays what it is, in the way that the
// embedded broker takes.
func admit(ts *testscript.TestScript, cfg kafka.Config, secrets string) {
	k, err := kafka.Connect(context.Background(), cfg)
	ts.Check(err)
	defer k.Close()
	users, err := os.ReadDir(ts.MkAbs(secrets))
	ts.Check(err)
	for _, u := range users {
		password := strings.TrimSpace(ts.ReadFile(filepath.Join(secrets, u.Name(), "password")))
		login := kafka.Login{
			Credential: kafka.Credential{User: u.Name(), Mechanism: contract.SCRAMSHA512, Iterations: 4096}, Password: secret.New(password),
		}
		ts.Check(errors.Join(k.SetPasswords(context.Background(), []kafka.Login{login})...))
	}
}

// trusting is TLS that trusts a CA alone.
func trusting(ca []byte) *tls.Config {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
}
