package slipway

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/schema"
)

const (
	pingTimeout   = 15 * time.Second
	maxBatchBytes = 64 << 20 // of one decompressed batch; a bomb stops there

	defaultBatchBytes = 1_000_012 // the client's own default
)

// connect connects to all clusters that the contract names, and makes the ways
// of what is produced.
func (a *App) connect(ctx context.Context) error {
	for i, l := range a.links {
		a.health.begin("connecting to the " + l.on("cluster") + " at " + l.env.BootstrapServers)
		if err := l.connect(ctx); err != nil {
			for _, connected := range a.links[:i] {
				connected.close()
			}
			return err
		}
	}
	if err := a.openPipes(); err != nil {
		a.close()
		return err
	}
	return nil
}

// connect makes the producing client and the registry, and asks the cluster
// for an answer, so that a wrong address or password is told at once and not
// as a timeout later.
func (l *link) connect(ctx context.Context) error {
	if l.registry == nil {
		registry, err := l.openRegistry()
		if err != nil {
			return err
		}
		l.registry = registry
	}
	common, err := l.commonOptions()
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(append(common, l.writing(usual)...)...)
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if err := client.Ping(ctx); err != nil {
		client.Close()
		return l.diagnose(err)
	}
	if err := l.openRetries(); err != nil {
		client.Close()
		return err
	}
	l.client = client
	l.writers = map[batching]*writer{usual: {client, &l.denials.sends}}
	l.openRights()
	return nil
}

// batchBytes is the largest batch a topic takes: what the contract says of it,
// or a little less than brokers allow by default.
func (l *link) batchBytes(topic string) int32 {
	if t := l.own(strings.TrimPrefix(topic, l.env.TopicPrefix)); t != nil && t.MaxMessage > 0 {
		return int32(min(t.MaxMessage, maxBatchBytes))
	}
	return defaultBatchBytes
}

// deadClient is the client that writes dead letters. It sends one record at a
// time: a dead letter may be as large as its topic allows, which only the
// broker knows, and a batch of several could be refused for its size.
func (l *link) deadClient() (*kgo.Client, error) {
	l.dead.once.Do(func() {
		common, err := l.commonOptions()
		if err != nil {
			l.dead.err = err
			return
		}
		l.dead.client, l.dead.err = kgo.NewClient(append(common,
			kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(0),
			kgo.ProducerBatchMaxBytes(maxBatchBytes), kgo.MaxBufferedRecords(1),
		)...)
	})
	return l.dead.client, l.dead.err
}

// commonOptions are what every client of the app shares but those of the retry
// topics.
func (l *link) commonOptions() ([]kgo.Opt, error) {
	opts, err := l.clientOptions()
	if err == nil && l.env.CreateTopics {
		opts = append(opts, kgo.AllowAutoTopicCreation())
	}
	return opts, err
}

// clientOptions are how to reach the cluster.
func (l *link) clientOptions() ([]kgo.Opt, error) {
	env := l.env
	seeds, err := auth.Addresses(env.BootstrapServers)
	if err != nil {
		return nil, err
	}
	files, err := l.trust()
	if err != nil {
		return nil, err
	}
	secured := dialing(files.Dialer(l.dial()))
	opts := []kgo.Opt{
		kgo.SeedBrokers(seeds...),
		kgo.ClientID(l.contract.ClientID(l.cfg.Instance)),
		kgo.SoftwareNameAndVersion("slipway-go", "v1"),
		kgo.MaxDecompressBatchBytes(maxBatchBytes),
		kgo.WithLogger(newClientLog(l.log)),
	}
	if env.PasswordFile != "" {
		login, err := l.passwordOptions(secured)
		return append(opts, login...), err
	}
	return append(opts, kgo.Dialer(secured)), nil
}

// saslKind is the mechanism for a password. A contract with mutual TLS that
// was given a password (the embedded cluster knows no certificates) logs in by
// SCRAM-SHA-512.
func (a *App) saslKind() contract.Auth {
	if a.contract.Auth == contract.MTLS {
		return contract.SCRAMSHA512
	}
	return a.contract.Auth
}

func (l *link) openRegistry() (schema.Registry, error) {
	env := l.env
	if env.RegistryURL == "" {
		return noRegistry{}, nil
	}
	cfg := schema.ClientConfig{URL: env.RegistryURL, Dial: l.cfg.Dial}
	if env.RegistryAuthFile != "" {
		cfg.Credentials = func() (string, error) { return secretFile("SCHEMA_REGISTRY_AUTH_PATH", env.RegistryAuthFile) }
	}
	if strings.HasPrefix(env.RegistryURL, "https:") {
		files, err := l.trust()
		if err != nil {
			return nil, err
		}
		cfg.TLS, cfg.DialTLS = files.Client(""), files.HTTPDialer(l.dial())
	}
	client, err := schema.NewClient(cfg)
	if err != nil {
		return nil, err
	}
	l.login.registry.Store(client)
	return client, nil
}

// noRegistry stands in where no SCHEMA_REGISTRY_URL is set.
type noRegistry struct{}

var errNoRegistry = fmt.Errorf("SCHEMA_REGISTRY_URL is not set: %w", schema.ErrUnavailable)

func (noRegistry) Text(context.Context, int) (schema.Text, error) {
	return schema.Text{}, errNoRegistry
}
func (noRegistry) TextOf(context.Context, schema.GUID) (schema.Text, error) {
	return schema.Text{}, errNoRegistry
}
func (noRegistry) Find(context.Context, string, schema.Text) (schema.Version, error) {
	return schema.Version{}, errNoRegistry
}
func (noRegistry) Version(context.Context, string, int) (schema.Version, error) {
	return schema.Version{}, errNoRegistry
}
func (noRegistry) Lookup(context.Context, string, schema.Text) (int, error) {
	return 0, errNoRegistry
}
func (noRegistry) Latest(context.Context, string) (schema.Version, error) {
	return schema.Version{}, errNoRegistry
}

// describe asks whether a topic is there and readable by its metadata.
func (l *link) describe(ctx context.Context, topic string) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = &topic
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, l.client)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.Topics[0].ErrorCode)
}

// diagnose says what a client's error means and what the service's owner can
// do about it.
func (l *link) diagnose(err error) diag.Diagnostic {
	env := l.env
	attempt := auth.Attempt{Bootstrap: env.BootstrapServers, TLS: true, User: l.contract.User()}
	if env.PasswordFile != "" {
		attempt.Auth = l.saslKind()
	}
	if files := l.login.trusted(); files != nil {
		attempt.Own, attempt.Roots = files.Shown()
	}
	d := auth.Diagnose(err, attempt)
	if d.Code == diag.KafkaDenied {
		return d.WithFix("run slipway plan -e %s to see the right that %s lacks, and slipway apply to grant it", env.Name, l.contract.Principal())
	}
	return d
}

// clientLog passes the client's warnings to the service's logger, the same
// words at most every ten seconds: a broker that is away is worth one line and
// not one for each attempt to reach it.
type clientLog struct {
	log *slog.Logger

	mu   sync.Mutex
	last map[string]time.Time
}

func newClientLog(log *slog.Logger) *clientLog {
	return &clientLog{log: log, last: make(map[string]time.Time)}
}

// Level implements [kgo.Logger].
func (*clientLog) Level() kgo.LogLevel { return kgo.LogLevelWarn }

func (l *clientLog) repeats(msg string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if last, ok := l.last[msg]; ok && now.Sub(last) < 10*time.Second {
		return true
	}
	l.last[msg] = now
	return false
}

// Log implements [kgo.Logger].
func (l *clientLog) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	if l.repeats(msg) {
		return
	}
	if level == kgo.LogLevelError {
		l.log.Error("kafka client: "+msg, keyvals...)
		return
	}
	l.log.Warn("kafka client: "+msg, keyvals...)
}
