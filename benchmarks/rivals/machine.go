package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// provenance is what ran where: machine, versions, commit and command.
func (d *driver) provenance(s suite) string {
	command := "go run ./rivals -suite " + s.name
	if d.quick {
		command += " -quick"
	}
	if d.rounds > 0 {
		command += fmt.Sprintf(" -rounds %d", d.rounds)
	}
	if d.quiet > 0 {
		command += fmt.Sprintf(" -quiet %v", d.quiet)
	}
	if d.only.String() != "" {
		command += fmt.Sprintf(" -case '%s'", d.only)
	}
	if d.retry != "" {
		command += fmt.Sprintf(" -retry '%s'", d.retry)
	}
	return fmt.Sprintf("`%s`\n\n%s · Slipway %s · %s\n\n%s · Apache Kafka 4.3.1, one node, -Xmx1g, on the same machine · TLS 1.3 and SCRAM-SHA-512 for every arm",
		command, time.Now().UTC().Format("2006-01-02"), d.revision(), machine(), versions())
}

// revision is the commit that is measured; results alone are no change of it.
func (d *driver) revision() string {
	if d.commit != "" {
		return d.commit
	}
	head, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "of an unknown commit"
	}
	name := strings.TrimSpace(string(head))
	changed, err := exec.Command("git", "status", "--porcelain", "--", ":/", ":(exclude)results").Output()
	if err != nil || len(changed) > 0 {
		name += " with changes"
	}
	return name
}

func machine() string {
	model := first(`(?m)^model name\s*: (.*)$`, "/proc/cpuinfo")
	kib, _ := strconv.ParseFloat(first(`(?m)^MemTotal:\s*(\d+) kB`, "/proc/meminfo"), 64)
	return fmt.Sprintf("%s, %d cores, %.0f GiB, Linux %s, %s", model, runtime.NumCPU(), kib/(1<<20), first(`(?m)^(\d+\.\d+)`, "/proc/sys/kernel/osrelease"), runtime.Version())
}

func first(expression, file string) string {
	b, _ := os.ReadFile(file)
	if m := regexp.MustCompile(expression).FindSubmatch(b); m != nil {
		return string(m[1])
	}
	return "?"
}

// versions are those of what is measured.
func versions() string {
	names := map[string]string{
		"github.com/twmb/franz-go": "franz-go", "github.com/IBM/sarama": "sarama", "github.com/segmentio/kafka-go": "kafka-go",
		"github.com/twmb/franz-go/pkg/kfake": "kfake",
	}
	var parts []string
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if name := names[m.Path]; name != "" {
				parts = append(parts, name+" "+strings.TrimPrefix(m.Version, "v"))
			}
		}
	}
	return strings.Join(append(parts, "Parallel Consumer 0.5.3.3 on kafka-clients 3.9.1"), " · ")
}

// idle is how many cores were busy in a short while in which no arm ran: what
// the broker still had to do, and what others did.
func idle() float64 {
	busy, total := ticks()
	time.Sleep(300 * time.Millisecond)
	busyNow, totalNow := ticks()
	return (busyNow - busy) / max(totalNow-total, 1) * float64(runtime.NumCPU())
}

// ticks are the processor time that the machine has used, and has had.
func ticks() (busy, total float64) {
	fields := strings.Fields(first(`(?m)^cpu +(.*)$`, "/proc/stat"))
	for i, text := range fields {
		v, _ := strconv.ParseFloat(text, 64)
		if total += v; i != 3 && i != 4 { // idle and waiting for a disk
			busy += v
		}
	}
	return busy, total
}
