package kafka

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
)

// inBatches sends items a batch at a time and collects one error for each
// item. send returns the errors of its batch in order, or one error for the
// batch as a whole.
func inBatches[T any](ctx context.Context, c *Cluster, items []T, send func(context.Context, []T) ([]error, error)) []error {
	return sendAll(ctx, c, slices.Chunk(items, MaxBatch), send)
}

func sendAll[T any](ctx context.Context, c *Cluster, batches iter.Seq[[]T], send func(context.Context, []T) ([]error, error)) []error {
	var all []error
	for batch := range batches {
		errs, err := sendOne(ctx, c, batch, send)
		if err != nil {
			errs = slices.Repeat([]error{c.diagnose(err)}, len(batch))
		}
		all = append(all, errs...)
	}
	return all
}

func sendOne[T any](ctx context.Context, c *Cluster, batch []T, send func(context.Context, []T) ([]error, error)) ([]error, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	return send(ctx, batch)
}

// answer turns one item's answer into an error, nil if the code is among
// those that mean it is done. The broker's own words are kept.
func (c *Cluster) answer(code int16, message *string, done ...*kerr.Error) error {
	err := kerr.ErrorForCode(code)
	if err == nil || slices.ContainsFunc(done, func(e *kerr.Error) bool { return e.Code == code }) {
		return nil
	}
	if message != nil && *message != "" {
		err = fmt.Errorf("%w: %s", err, *message)
	}
	return c.diagnose(err)
}

// byName pairs answers that come back in any order with the batch they
// belong to. An item without an answer is an error too.
func byName[T any](batch []T, name func(T) string, answers map[string]error) []error {
	errs := make([]error, len(batch))
	for i, item := range batch {
		err, ok := answers[name(item)]
		if !ok {
			err = fmt.Errorf("the cluster gave no answer for %s", name(item))
		}
		errs[i] = err
	}
	return errs
}
