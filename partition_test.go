package slipway

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/frontier"
)

// tap counts what a partition asks of the client.
type tap struct{ pauses, resumes int }

func (c *tap) PauseFetchPartitions(map[string][]int32) map[string][]int32 { c.pauses++; return nil }
func (c *tap) ResumeFetchPartitions(map[string][]int32)                   { c.resumes++ }

func TestAPartitionThatHoldsTooMuchIsNotFetchedUntilHalfIsDone(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		size  int // of a record's value
		stuck bool
		limit int // records until the pause
	}{
		"by count":              {1, false, maxOpenRecords},
		"by bytes":              {1 << 20, false, 32},
		"by what a record pins": {1, true, maxSpan},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := new(tap)
			p := newPartition(topicPartition{"orders", 0}, client, nil)
			rec := &kgo.Record{Value: make([]byte, tt.size)}
			var seqs []uint64
			finish := func(n int) {
				p.frontier.Finish(seqs[n])
				p.leave(rec)
			}
			for n := 1; client.pauses == 0; n++ {
				if n > tt.limit {
					t.Fatalf("%d records are held and fetching goes on, want a pause at %d", n-1, tt.limit)
				}
				seq, _ := p.begin([]frontier.Position{{Offset: int64(n)}}, []*kgo.Record{rec})
				seqs = append(seqs, seq)
				if tt.stuck && n > 1 { // all but the first finish at once
					finish(n - 1)
				}
			}
			for i := 0; client.resumes == 0; i++ {
				if i > len(seqs)/2+1 {
					t.Fatalf("%d of %d records are done and fetching has not resumed", i, len(seqs))
				}
				finish(i)
				if tt.stuck {
					break
				}
			}
			if client.pauses != 1 || client.resumes != 1 {
				t.Errorf("%d pauses and %d resumes, want one of each", client.pauses, client.resumes)
			}
		})
	}
}
