package importer_test

import (
	"fmt"
	"testing"

	"github.com/slipway-go/slipway/internal/importer"
	"github.com/slipway-go/slipway/internal/kafka"
)

// A large cluster: 1,000 principals, 5,000 topics, 22,000 ACLs.
func BenchmarkDraft(b *testing.B) {
	var topics []kafka.Topic
	var rights []string
	for i := range 5000 {
		topics = append(topics, topic(fmt.Sprintf("t%d.v1", i)))
	}
	for s := range 1000 {
		user := fmt.Sprintf("User:s%d", s)
		rights = append(rights, user+" READ GROUP g"+fmt.Sprint(s), user+" READ TOPIC legacy-*")
		for i := range 5 {
			rights = append(rights, fmt.Sprintf("%s WRITE TOPIC t%d.v1", user, s*5+i))
		}
		for i := range 15 {
			rights = append(rights, fmt.Sprintf("%s READ TOPIC t%d.v1", user, (s*7+i*331)%5000))
		}
	}
	in := live(b, topics, rights...)
	for b.Loop() {
		if d := draft(b, in, importer.Options{}); len(d.Services) != 1000 {
			b.Fatalf("%d services", len(d.Services))
		}
	}
}
