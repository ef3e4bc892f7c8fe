//go:build cgo

package interop_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// librdkafka decides itself, producing to its own mock cluster with its default
// partitioner, consistent_random: it takes a key without length for none.
func TestKeysLieWhereLibrdkafkaPutsThem(t *testing.T) {
	t.Parallel()
	keys := placedKeys(t)
	want := librdkafkaPlaces(t, nil, keys)
	samePlaces(t, "librdkafka", keys, want, slipwayPlaces(t, "librdkafka", keys))
}

// Java's placement is also what librdkafka does when told murmur2_random, but
// for the key without length.
func TestJavasPlacementIsLibrdkafkasMurmur2(t *testing.T) {
	t.Parallel()
	keys := placedKeys(t)
	want := librdkafkaPlaces(t, kafka.ConfigMap{"partitioner": "murmur2_random"}, keys)
	samePlaces(t, "librdkafka (murmur2_random)", keys, want, slipwayPlaces(t, "java", keys))
}

// librdkafkaPlaces produces every key and returns the partitions that the
// delivery reports name, -1 for the key without length.
func librdkafkaPlaces(t *testing.T, more kafka.ConfigMap, keys [][]byte) map[int][]int32 {
	t.Helper()
	mock, err := kafka.NewMockCluster(1)
	if err != nil {
		t.Fatal(err)
	}
	defer mock.Close()
	config := kafka.ConfigMap{"bootstrap.servers": mock.BootstrapServers(), "queue.buffering.max.messages": 1_000_000, "linger.ms": 5}
	maps.Copy(config, more)
	client, err := kafka.NewProducer(&config)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	want := make(map[int][]int32)
	for _, n := range partitionCounts {
		topic := fmt.Sprint("p", n)
		if err := mock.CreateTopic(topic, n, 1); err != nil {
			t.Fatal(err)
		}
		reports := make(chan kafka.Event, len(keys))
		for i, key := range keys {
			if err := client.Produce(&kafka.Message{TopicPartition: kafka.TopicPartition{Topic: &topic, Partition: kafka.PartitionAny}, Key: key, Opaque: i}, reports); err != nil {
				t.Fatal(err)
			}
		}
		want[n] = make([]int32, len(keys))
		for range keys {
			m := (<-reports).(*kafka.Message)
			i := m.Opaque.(int)
			if want[n][i] = m.TopicPartition.Partition; len(keys[i]) == 0 {
				want[n][i] = -1
			}
			if m.TopicPartition.Error != nil {
				t.Fatal(m.TopicPartition.Error)
			}
		}
	}
	return want
}
