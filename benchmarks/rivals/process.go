package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-go/slipway/benchmarks/internal/arm"

	"github.com/slipway-go/slipway/internal/proc"
)

// armTimeout bounds an arm beyond what it is asked to take.
const armTimeout = 90 * time.Second

// runSelf runs a Go arm: this program again.
func (d *driver) runSelf(ctx context.Context, s arm.Spec) (arm.Result, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return runProcess(ctx, s, proc.Config{Path: d.self, Args: []string{"arm", string(text)}})
}

// runProcess runs an arm's process and reads its result.
func runProcess(ctx context.Context, s arm.Spec, cfg proc.Config) (arm.Result, error) {
	var result arm.Result
	var last []string // lines that are not the result
	cfg.Output = func(line string) {
		text, ok := strings.CutPrefix(line, resultMark)
		if ok && json.Unmarshal([]byte(text), &result) == nil {
			return
		}
		if last = append(last, line); len(last) > 8 {
			last = last[1:]
		}
	}
	allowed := armTimeout + s.Warmup + s.Window
	if s.Kind == "parked" {
		allowed += 10 * time.Minute // to park the backlog
	}
	ctx, cancel := context.WithTimeoutCause(ctx, allowed, fmt.Errorf("no result within %v", allowed))
	defer cancel()
	err := proc.Run(ctx, cfg, time.Second)
	if err == nil && result == nil {
		err = errors.New("it gave no result")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, strings.Join(last, " · "))
	}
	return result, nil
}
