//go:build mutants

package arch_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A mutant is the runtime with one defence switched off. The tests named with
// it must notice: a promise that can be broken without a red test is none.
type mutant struct {
	file, from, to string // the text occurs once
	tests          string // of the root package
}

var mutants = map[string]mutant{
	"commits before processing": {
		"consumer.go", "		w := work{rec: rec, partition: p, seq: seq + uint64(i)}\n", "		w := work{rec: rec, partition: p, seq: seq + uint64(i)}\n		p.frontier.Finish(w.seq)\n",
		"TestTheCommittedOffsetNeverPassesAnOpenRecord",
	},
	"keys without order": {
		"entry.go", "case e.Order == contract.Unordered || rec.Key == nil:", "case true:",
		"TestWhatIsFinishedAheadIsNotRepeatedAfterAHandover",
	},
	"nothing queues behind a parked key": {
		"yard.go", "switch f, a := y.lot.Arrive(y.ticket(w.rec), y.partition.entry.ordered(w.rec)); f {", "switch f, a := parking.Handle, (*parking.Append)(nil); f {",
		"TestAParkedKeyWaitsInOrderUntilItIsReleasedAndOthersFlow",
	},
	"what is finished ahead is forgotten": {
		"commit.go", "m := frontier.Metadata{Ahead: ahead}", "m := frontier.Metadata{}",
		"TestWhatIsFinishedAheadIsNotRepeatedAfterAHandover",
	},
	"dead letters are not written": {
		"work.go", "	written, err := c.link.write(ctx, client, &c.link.denials.buries, letter)\n	endSend(span, written, err)\n	return err", "	_, _, _ = ctx, client, span\n	return nil",
		"TestAFailedRecordIsTriedAgainAndThenDeadLetteredWithItsBytes",
	},
	"retries come at once": {
		"work.go", "	w.troubled().due = time.Now().Add(wait)\n	return fate{waiting, wait}", "	return fate{waiting, 0}",
		"TestAttemptsAndDelaysSurviveARestart",
	},
	"shutdown burns attempts": {
		"work.go", "	if w.partition.ctx.Err() != nil {", "	if false {",
		"TestAnAttemptThatShutdownCutShortDoesNotCount",
	},
	"partitions are given up with handlers running": {
		"partition.go", "	if p.wait(ctx) {\n		return false\n	}", "	if true {\n		return false\n	}",
		"TestTwoInstancesHandOverWithoutLossOrRepetition|TestARunningHandlerFinishesAndIsCommittedAtShutdown",
	},
	"fetching knows no bound": {
		"partition.go", "	if open >= maxOpenRecords || held >= maxOpenBytes || p.frontier.Open() >= maxSpan {", "	if open < 0 && held < 0 {",
		"TestAPartitionThatHoldsTooMuchIsNotFetchedUntilHalfIsDone",
	},
	"the breaker lets everything through": {
		"guard.go", "		if begun.pass, begun.gated = e.gate.Enter(); !begun.gated {", "		if begun.pass, begun.gated = e.gate.Enter(); false {",
		"TestABreakerOpensAfterFailuresInARow",
	},
	"a member that hears nothing goes on": {
		"guard.go", "	if e.paused.Load() || c.lease.over.Load() {", "	if e.paused.Load() {",
		"TestAZombieCommitsNothingAndWhatItRepeatsIsBounded",
	},
	"the source is finished before the retry topic has the record": {
		"yard.go", "	own := *w // the lane uses the place again\n", "	own := *w // the lane uses the place again\n	y.partition.frontier.Finish(w.seq)\n",
		"TestWhileADeadLetterOrRetryTopicIsAwayNothingIsLost",
	},
}

func TestEveryDefenceIsNeeded(t *testing.T) {
	for name, m := range mutants {
		t.Run(name, func(t *testing.T) {
			path, err := filepath.Abs(filepath.Join(root, m.file))
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(text), m.from); n != 1 {
				t.Fatalf("%s has the mutant's text %d times, want once: make it follow the code", m.file, n)
			}
			dir := t.TempDir()
			changed := filepath.Join(dir, filepath.Base(m.file))
			write(t, changed, strings.Replace(string(text), m.from, m.to, 1))
			overlay, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "overlay.json"), string(overlay))
			test := goTool("test", "-overlay", filepath.Join(dir, "overlay.json"), "-count", "1", "-vet", "off", "-timeout", "3m", "-run", "^("+m.tests+")$", ".")
			out, err := test.CombinedOutput()
			if strings.Contains(string(out), "[build failed]") {
				t.Fatalf("the mutant does not compile:\n%s", out)
			}
			if err == nil {
				t.Errorf("the tests are green without this defence:\n%s", out)
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
