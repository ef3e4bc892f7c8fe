package up_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/up"
)

// supervised, when set, makes the test binary run the estate that it names in
// place of the tests: a Slipway that can be killed.
const supervised = "SLIPWAY_UP_TEST_CONFIG"

func TestMain(m *testing.M) {
	if text := os.Getenv(supervised); text != "" {
		var cfg up.Config
		if err := json.Unmarshal([]byte(text), &cfg); err != nil {
			panic(err)
		}
		cfg.Stdin, cfg.Stdout, cfg.Stderr = os.Stdin, os.Stdout, os.Stderr
		got, err := up.Run(context.Background(), cfg)
		if err != nil {
			panic(err)
		}
		os.Exit(got.Status)
	}
	goleak.VerifyTestMain(m)
}

// supervise runs an estate in a process of its own.
func supervise(t *testing.T, dir, state string, command ...string) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(map[string]any{"Dir": dir, "StateDir": state, "Command": command})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), supervised+"="+string(text))
	cmd.Stderr = os.Stderr
	return cmd
}

// A nursery is where processes report. A process that ends, however it ends,
// hangs up.
type nursery struct{ net.Listener }

func newNursery(t *testing.T) nursery {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return nursery{l}
}

// reporting is a main that reports at the address, in OTEL_TEST_NURSERY, with
// its name, stays deaf to signals, and may have a child that does the same.
const reporting = `conn, err := net.Dial("tcp", os.Getenv("OTEL_TEST_NURSERY"))
	if err != nil { panic(err) }
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	name := "parent"
	if len(os.Args) > 1 { name = os.Args[1] } else {
		exe, _ := os.Executable()
		if err := exec.Command(exe, "child").Start(); err != nil { panic(err) }
	}
	fmt.Fprintln(conn, name, os.Getpid())
	for { time.Sleep(time.Hour) }`

// admit waits for a process to report and returns its line of life.
func (n nursery) admit(t *testing.T) (name string, pid int, life net.Conn) {
	t.Helper()
	n.Listener.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	life, err := n.Accept()
	if err != nil {
		t.Fatalf("no process reports: %v", err)
	}
	t.Cleanup(func() { life.Close() })
	life.SetDeadline(time.Now().Add(patience))
	line, err := bufio.NewReader(life).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
	if pid, err = strconv.Atoi(text); err != nil {
		t.Fatal(err)
	}
	return name, pid, life
}

// gone reports whether the process at the other end ends soon.
func gone(life net.Conn) bool {
	life.SetDeadline(time.Now().Add(10 * time.Second))
	_, err := life.Read(make([]byte, 1))
	return errors.Is(err, io.EOF) || err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

func TestNothingOutlivesAKilledSlipwayAndTheNextRunIsClean(t *testing.T) {
	t.Parallel()
	n := newNursery(t)
	state := t.TempDir()
	// The command is a program that go run starts: a grandchild.
	dir := write(t, goMod, contractOf("alpha"), program("alpha", reporting, "net", "os/exec", "time"),
		program("command", reporting, "net", "os/exec", "time"))
	slipway := supervise(t, dir, state, "go", "run", "./command")
	slipway.Env = append(slipway.Env, "OTEL_TEST_NURSERY="+n.Addr().String())
	if err := slipway.Start(); err != nil {
		t.Fatal(err)
	}
	lives := map[int]net.Conn{}
	for range 4 { // the service, the command, and a child of each
		_, pid, life := n.admit(t)
		lives[pid] = life
	}

	if err := slipway.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	slipway.Wait()
	for pid, life := range lives {
		if !gone(life) {
			t.Errorf("process %d outlives Slipway", pid)
		}
	}

	r := start(t, up.Config{Dir: dir, StateDir: state, Environ: slipway.Env, Command: []string{"true"}, Grace: time.Second})
	if got, err := r.wait(t); err != nil || got.Status != 0 {
		t.Errorf("the next run ends with %+v, %v", got, err)
	}
	await(t, r, func(note up.Note) bool { return strings.Contains(note.Text, "left behind") })
}

func TestASecondRunOfTheEstateIsRefusedAndNamesTheFirst(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	dir := write(t, goMod, contractOf("alpha"), program("alpha", "untilTold()"))
	first := start(t, up.Config{Dir: dir, StateDir: state})
	await(t, first, whichever[up.Ready])

	second := start(t, up.Config{Dir: dir + "/alpha/..", StateDir: state})
	_, err := second.wait(t)
	if d := find(t, err, diag.UpBusy); !strings.Contains(d.Message, "in process "+strconv.Itoa(os.Getpid())) {
		t.Errorf("message %q does not name the process", d.Message)
	}
	first.cancel(errInterrupt)
	first.wait(t)
	if died := all[up.ServiceDied](first); len(died) > 0 {
		t.Errorf("the first run was disturbed: %+v", died)
	}

	third := start(t, up.Config{Dir: dir, StateDir: state, Command: []string{"true"}})
	if _, err := third.wait(t); err != nil {
		t.Errorf("after the first has ended a run ends with %v", err)
	}
}
