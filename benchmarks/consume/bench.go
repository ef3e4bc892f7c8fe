package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/embedded"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
)

// bench is a cluster with a full topic.
type bench struct {
	cluster *embedded.Cluster
	dir     string
	records int
}

func newBench(records, size int) (*bench, error) {
	dir, err := os.MkdirTemp("", "consume-")
	if err != nil {
		return nil, err
	}
	cluster, err := embedded.Start(context.Background(), embedded.Config{})
	if err != nil {
		return nil, err
	}
	b := &bench{cluster: cluster, dir: dir, records: records}
	for name, text := range map[string]string{"ca.crt": string(cluster.CA()), "password": cluster.Admin().Password} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	return b, b.fill(size)
}

// fill creates the topic and writes records of 10,000 keys.
func (b *bench) fill(size int) error {
	ctx := context.Background()
	admin, err := kafka.Connect(ctx, kafka.Config{
		Bootstrap: strings.Join(b.cluster.Bootstrap(), ","), Auth: contract.SCRAMSHA512, User: b.cluster.Admin().User,
		Password: auth.Static(secret.New(b.cluster.Admin().Password)), TLS: b.cluster.TLS(),
	})
	if err != nil {
		return err
	}
	defer admin.Close()
	if err := errors.Join(admin.CreateTopics(ctx, []kafka.Topic{{Name: topic, Partitions: 6, Replicas: 1}})...); err != nil {
		return err
	}
	client, err := kgo.NewClient(b.options()...)
	if err != nil {
		return err
	}
	defer client.Close()
	var failed error
	for n := range b.records {
		r := &kgo.Record{Topic: topic, Key: fmt.Append(nil, "key-", n%10_000), Value: make([]byte, size)}
		client.Produce(ctx, r, func(_ *kgo.Record, err error) {
			if err != nil {
				failed = err
			}
		})
	}
	return errors.Join(client.Flush(ctx), failed)
}

// options are what every client of the benchmark uses.
func (b *bench) options() []kgo.Opt {
	admin := b.cluster.Admin()
	return []kgo.Opt{
		kgo.SeedBrokers(b.cluster.Bootstrap()...), kgo.DialTLSConfig(b.cluster.TLS()),
		kgo.SASL(scram.Auth{User: admin.User, Pass: admin.Password}.AsSha512Mechanism()),
	}
}

func (b *bench) environment() slipway.Environment {
	return slipway.Environment{
		Name: "dev", BootstrapServers: strings.Join(b.cluster.Bootstrap(), ","),
		CAFile: filepath.Join(b.dir, "ca.crt"), PasswordFile: filepath.Join(b.dir, "password"),
	}
}

func (b *bench) close() {
	_ = b.cluster.Close()
	_ = os.RemoveAll(b.dir)
}
