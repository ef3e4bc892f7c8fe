package group

import (
	"strings"

	"github.com/slipway-go/slipway/internal/frontier"
	"github.com/slipway-go/slipway/internal/kafka"
)

// retryTopics pairs the topics that a group reads with the retry topics in
// which it has positions. What the caller knows from contracts counts first;
// else a retry topic is known by its name, which ends in the topic's own.
func retryTopics(held []string, known map[string]string) map[string]string {
	retry := map[string]string{}
	for _, source := range held {
		for _, topic := range held {
			if topic == known[source] || known[source] == "" && topic != source && strings.HasSuffix(topic, "."+source+".retry") {
				retry[source] = topic
			}
		}
	}
	return retry
}

// sources are the topics that are not some other's retry topic.
func sources(held []string, retry map[string]string) []string {
	behind := map[string]bool{}
	for _, topic := range retry {
		behind[topic] = true
	}
	var all []string
	for _, topic := range held {
		if !behind[topic] {
			all = append(all, topic)
		}
	}
	return all
}

// fence is the number in metadata that the runtime wrote, 0 in any other.
func fence(text string, offset int64) (n uint64, ours bool) {
	m, ours := frontier.Decode(text, offset)
	return m.Fence, ours
}

// ahead is how many records beyond its offset a position says are finished.
func ahead(p kafka.GroupOffset) int64 {
	m, _ := frontier.Decode(p.Metadata, p.Offset)
	return int64(m.Ahead.Len())
}

// fenced is the metadata of a position that is put where it was, or copied. A
// fence in a source partition must not fall: the next owner raises it by one,
// and beneath a higher mark in the retry topic its records would look like a
// zombie's. What was finished ahead is kept. Metadata of another client is
// taken as it is.
func fenced(want, have kafka.GroupOffset) string {
	floor, ours := fence(have.Metadata, have.Offset)
	if !ours {
		return want.Metadata
	}
	m, ok := frontier.Decode(want.Metadata, want.Offset)
	if !ok && want.Metadata != "" || ok && m.Fence >= floor {
		return want.Metadata
	}
	m.Fence = floor
	text, _ := m.Encode(0)
	return text
}

// moved is the metadata that goes with a position at another offset: the fence
// without the map, which was about the old one. Text of another client is kept.
func moved(have kafka.GroupOffset, offset int64) string {
	n, ours := fence(have.Metadata, have.Offset)
	if !ours || offset == have.Offset {
		return have.Metadata
	}
	text, _ := frontier.Metadata{Fence: n}.Encode(0)
	return text
}

// movedRetry is the same for a retry topic, where the fence is the one in
// effect at the offset. Going back there is nobody to say which was: one that
// is too high would hide records that wait, so there is none.
func movedRetry(have kafka.GroupOffset, offset int64) string {
	if _, ours := fence(have.Metadata, have.Offset); ours && offset < have.Offset {
		return ""
	}
	return moved(have, offset)
}
