package plan

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-go/slipway/internal/kafka"
)

// Meet looks what the plan's dearest changes meet on the cluster at the moment
// and notes it as their [Change.Impact]: how much lies in a topic whose records
// would be deleted, and how much of it is older than the retention to come. It
// asks nothing if there is no such change, and what may not be looked at is
// noted as that.
func (p *Plan) Meet(ctx context.Context, cluster *kafka.Cluster, now time.Time) {
	for i, c := range p.Changes {
		if c.Kind != KindTopic || c.Class != Destructive {
			continue
		}
		cut := now // all there is
		if keep, shorter := c.retention(); shorter {
			cut = now.Add(-keep)
		}
		found, err := cluster.Stored(ctx, cut, c.Name)
		if err != nil {
			p.Changes[i].Impact = []string{"what lies there could not be looked at: " + err.Error()}
			continue
		}
		p.Changes[i].Impact = c.impact(found[c.Name])
	}
}

// retention is how long records are kept after the change, if that is what it
// changes.
func (c Change) retention() (time.Duration, bool) {
	for _, f := range c.Fields {
		if f.Name == kafka.RetentionMillis {
			n, err := strconv.ParseInt(f.After, 10, 64)
			return time.Duration(n) * time.Millisecond, err == nil && n >= 0
		}
	}
	return 0, false
}

func (c Change) impact(s kafka.Stored) []string {
	if s.Records == 0 {
		return []string{"the topic is empty"}
	}
	told := []string{fmt.Sprintf("%s lie there now, in up to %s", size(s.Bytes), count(int(s.Records), "record", "records"))}
	if !s.Oldest.IsZero() {
		told[0] += ", the oldest of " + s.Oldest.Format(time.DateTime) + " UTC"
	}
	if _, shorter := c.retention(); shorter {
		told = append(told, fmt.Sprintf("up to %s of them are older than the new retention", count(int(s.Older), "record", "records")))
	}
	return told
}

// size is a number of bytes as people read it.
func size(n int64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/1024, 0
	for value >= 1024 && unit < len(units)-1 {
		value, unit = value/1024, unit+1
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", value), ".0") + " " + units[unit:unit+1] + "iB"
}
