package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/dlq"
)

// queryArgs are the flags that select letters.
type queryArgs struct {
	filter       string
	reasons      []string
	key          string
	partitions   []int32
	since, until string
	limit        int
}

func queryFlags(c *cobra.Command, q *queryArgs) {
	c.Flags().StringVar(&q.filter, "filter", "", "expression in CEL that must be true for a letter")
	c.Flags().StringSliceVar(&q.reasons, "reason", nil, "reason a letter may have; may be repeated")
	c.Flags().StringVar(&q.key, "key", "", "key a letter must have, as list shows it")
	c.Flags().Int32SliceVar(&q.partitions, "partition", nil, "partition of the dead-letter topic to read; may be repeated")
	c.Flags().StringVar(&q.since, "since", "", "letters written since then: a time such as 2026-01-31T15:04:05Z, or how long ago, such as 2h or 7d")
	c.Flags().StringVar(&q.until, "until", "", "letters written before then")
	c.Flags().IntVar(&q.limit, "limit", 0, "how many letters at most; 0 for all")
}

// query is what the flags select. A filter that is not understood has been told
// when the error is errInvalid.
func (a *app) query(c *cobra.Command, q queryArgs) (dlq.Query, error) {
	out := dlq.Query{Reasons: q.reasons, Partitions: q.partitions, Limit: q.limit}
	now := time.Now()
	var err error
	if out.Since, err = moment("since", q.since, now); err != nil {
		return out, err
	}
	if out.Until, err = moment("until", q.until, now); err != nil {
		return out, err
	}
	if c.Flags().Changed("key") {
		out.Key = &q.key
	}
	if q.limit < 0 {
		return out, usage("--limit: want a number of letters, or 0 for all")
	}
	if q.filter == "" {
		return out, nil
	}
	if out.Filter, err = dlq.NewFilter(q.filter); err != nil {
		return out, a.misspelt(err)
	}
	return out, nil
}

// misspelt tells what is wrong with the user's words, so that the exit status
// can say that they are at fault.
func (a *app) misspelt(err error) error {
	a.view.Problems(diag.Of(err))
	return errInvalid
}

// moment reads a time, or how long ago it is.
func moment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	d, err := contract.ParseDuration(text)
	if err != nil {
		return time.Time{}, usage("--%s is no time", flag).WithFix("write 2026-01-31T15:04:05Z, or how long ago: 90s, 2h, 7d")
	}
	return now.Add(-d), nil
}
