package slipway

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/spill"
)

// The directories of a spill directory begin with these, and end with a topic.
const (
	spilledPrefix   = "topic." // what away: spill keeps
	scheduledPrefix = "due."   // what waits for its time
)

// unspillable refuses away: spill where it cannot be kept.
func (a *App) unspillable(p *contract.Produce) (faults diag.List) {
	if p.Away != contract.Spill {
		return nil
	}
	path := "produces/" + p.Topic
	switch {
	case p.Via != contract.Direct:
		faults.Add(diag.New(diag.ProducerSpillVia, "%s: away: spill beside via: %s", path, p.Via).At(a.contract.Position(path + "/away")))
	case a.cfg.Environment.SpillDir == "":
		faults.Add(noSpillDir(path + ": away: spill").At(a.contract.Position(path + "/away")))
	}
	return faults
}

func noSpillDir(what string) diag.Diagnostic {
	return diag.New(diag.ProducerSpillDir, "%s needs a directory, and SPILL_PATH is not set", what)
}

// openSpillway opens the queue of a topic with away: spill.
func (a *App) openSpillway(q *pipe, p *contract.Produce) (fallback, error) {
	queue, err := a.openQueue(spilledPrefix, q, p)
	if err != nil {
		return nil, err
	}
	return newSpillway(q, queue, p.Spill.Age), nil
}

// openQueue opens one queue in the spill directory.
func (a *App) openQueue(prefix string, q *pipe, p *contract.Produce) (*spill.Queue, error) {
	dir := a.cfg.Environment.SpillDir
	if err := spill.CheckDir(dir); err != nil {
		return nil, spillFault(dir, err)
	}
	dir = filepath.Join(dir, prefix+q.physical)
	folder, err := spill.OpenFolder(dir)
	if err != nil {
		return nil, spillFault(dir, err)
	}
	queue, err := spill.Open(spill.Config{
		Folder:   folder,
		MaxBytes: int64(p.Spill.Max),
		Sync:     spill.Sync(p.Spill.Sync),
		Report: func(d spill.Damage) {
			say := a.log.Error
			if d.Torn {
				say = a.log.Warn
			}
			say("records on disk are damaged and set aside", "code", diag.SpillDamaged, "directory", dir, "damage", d.String())
		},
	})
	if err != nil {
		return nil, spillFault(dir, err)
	}
	if n := queue.Len(); n > 0 {
		a.log.Info("records are on disk from before", "directory", dir, "records", n)
	}
	return queue, nil
}

// spillFault says why a directory cannot be used.
func spillFault(dir string, err error) diag.Diagnostic {
	if errors.Is(err, spill.ErrLocked) {
		return diag.New(diag.SpillInUse, "spill directory %s: %v", dir, err)
	}
	return diag.New(diag.SpillUnusable, "spill directory %s: %v", dir, err)
}

// exists reports whether a topic has a queue from before.
func (a *App) exists(prefix string, q *pipe) bool {
	dir := a.cfg.Environment.SpillDir
	if dir == "" {
		return false
	}
	_, err := os.Lstat(filepath.Join(dir, prefix+q.physical))
	return err == nil
}

// replaySpills starts what gives the cluster what is on disk.
func (a *App) replaySpills(start func(string, func(context.Context) error)) {
	for _, q := range a.pipes {
		if s, ok := q.fallback.(*spillway); ok {
			start("replay spill of "+q.physical, s.replay)
		}
		if q.timetable != nil {
			start("deliver schedule of "+q.physical, q.timetable.run)
		}
	}
}
