package up_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// newTerminal opens a pseudo terminal: the end of the person, and the end of
// the programs.
func newTerminal(t *testing.T) (person, programs *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	t.Cleanup(func() { person.Close() })
	conn, err := person.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	number := 0
	var failed error
	if err := conn.Control(func(fd uintptr) {
		failed = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0)
		if failed == nil {
			number, failed = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	}); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	if programs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { programs.Close() })
	return person, programs
}

func TestTheCommandHasTheTerminalAndItsInterrupts(t *testing.T) {
	t.Parallel()
	person, programs := newTerminal(t)
	dir := write(t, goMod, contractOf("alpha"), program("alpha", "untilTold()"))
	slipway := supervise(t, dir, t.TempDir(), "sh", "-c", `read line; echo "read $line"; exec sleep 600`)
	slipway.Stdin, slipway.Stdout = programs, programs
	slipway.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true} // as a shell in a terminal has it
	if err := slipway.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slipway.Process.Kill() }) // does nothing once it has ended
	person.SetDeadline(time.Now().Add(patience))
	if _, err := person.WriteString("typed\n"); err != nil {
		t.Fatal(err)
	}
	screen := bufio.NewScanner(person)
	for screen.Scan() && !strings.Contains(screen.Text(), "read typed") {
	}
	if !strings.Contains(screen.Text(), "read typed") {
		t.Fatalf("the command cannot read the terminal: %v", screen.Err())
	}
	if _, err := person.WriteString("\x03"); err != nil { // Ctrl-C
		t.Fatal(err)
	}
	err := slipway.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 130 {
		t.Errorf("Slipway ended with %v, want 130, the status of a command that Ctrl-C ended", err)
	}
}
