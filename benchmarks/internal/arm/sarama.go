package arm

import (
	"context"
	"strings"
	"time"

	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"
)

// saramaConfig is sarama's default but for what is said here.
func saramaConfig(j Job) (*sarama.Config, error) {
	c := sarama.NewConfig()
	c.Version = sarama.V3_6_0_0 // the default speaks protocols of 2018
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Offsets.AutoCommit.Interval = CommitInterval
	c.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{sarama.NewBalanceStrategySticky()}
	c.Consumer.Fetch.Default = 1 << 20         // as franz-go's bound for a partition; it is the default, too
	c.ChannelBufferSize = 4096                 // 256 by default
	c.Consumer.MaxProcessingTime = time.Minute // 100 ms by default, after which it drops the fetch of a slow handler's partition
	if !j.Endpoint.Secured() {
		return c, nil
	}
	var err error
	if c.Net.TLS.Config, err = j.Endpoint.TLS(); err != nil {
		return nil, err
	}
	c.Net.TLS.Enable = true
	c.Net.SASL.Enable = true
	c.Net.SASL.Mechanism = sarama.SASLTypeSCRAMSHA512
	c.Net.SASL.User = j.Endpoint.User
	c.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &saramaLogin{} }
	c.Net.SASL.Password, err = j.Endpoint.Password()
	return c, err
}

// saramaLoop handles each partition in order on the goroutine that sarama
// gives it.
func saramaLoop(ctx context.Context, j Job) error {
	config, err := saramaConfig(j)
	if err != nil {
		return err
	}
	group, err := sarama.NewConsumerGroup(strings.Split(j.Endpoint.Bootstrap, ","), j.Group, config)
	if err != nil {
		return err
	}
	defer func() { _ = group.Close() }() // what it could not commit is not measured
	for ctx.Err() == nil {
		if err := group.Consume(ctx, []string{j.Topic}, saramaHandler{j}); err != nil {
			return err
		}
	}
	return ctx.Err()
}

type saramaHandler struct{ job Job }

func (saramaHandler) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (saramaHandler) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (h saramaHandler) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case m, ok := <-claim.Messages():
			if !ok {
				return nil
			}
			_ = h.job.Handle(Record{m.Partition, m.Offset, m.Value})
			session.MarkMessage(m, "")
		case <-session.Context().Done():
			return nil
		}
	}
}

// saramaLogin proves a password; sarama leaves SCRAM to its user.
type saramaLogin struct{ *scram.ClientConversation }

func (l *saramaLogin) Begin(user, password, authzID string) error {
	client, err := scram.SHA512.NewClient(user, password, authzID)
	if err == nil {
		l.ClientConversation = client.NewConversation()
	}
	return err
}
