package postgres

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// childrenOf lists a process's children, as far as the system tells (Linux).
// Elsewhere there are none, and a server's processes notice by themselves that
// their parent is gone.
func childrenOf(parent int) []int {
	var pids []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		if _, of, ok := stat(pid); ok && of == parent {
			pids = append(pids, pid)
		}
	}
	return pids
}

// stat returns a process's state and parent.
func stat(pid int) (state byte, parent int, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, false
	}
	_, rest, found := bytes.Cut(text[max(0, bytes.LastIndexByte(text, ')')):], []byte(") ")) // the name may hold anything
	fields := bytes.Fields(rest)
	if !found || len(fields) < 2 {
		return 0, 0, false
	}
	parent, err = strconv.Atoi(string(fields[1]))
	return fields[0][0], parent, err == nil
}

// gone waits until processes have ended; one that nobody has waited for yet
// has.
func gone(pids []int) error {
	deadline := time.Now().Add(stopTimeout)
	for _, pid := range pids {
		for {
			if state, _, ok := stat(pid); !ok || state == 'Z' || state == 'X' {
				break
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("kill postgres: process %d does not end", pid)
			}
			<-time.After(readyEvery)
		}
	}
	return nil
}
