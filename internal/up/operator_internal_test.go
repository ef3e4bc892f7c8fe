package up

import (
	"errors"
	"testing"

	"github.com/slipway-go/slipway/diag"
)

func TestAnEstateThatIsStillStartingIsToldFromOneThatIsNotUp(t *testing.T) {
	t.Parallel()
	base, dir := t.TempDir(), t.TempDir()
	if _, err := Find(base, dir, "dev"); !errors.Is(err, diag.UpNotRunning) {
		t.Errorf("before: %v, want %s", err, diag.UpNotRunning)
	}
	s, err := openState(base, dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Find(base, dir, "dev"); !errors.Is(err, diag.UpStarting) {
		t.Errorf("while it starts: %v, want %s", err, diag.UpStarting)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(base, dir, "dev"); !errors.Is(err, diag.UpNotRunning) {
		t.Errorf("afterwards: %v, want %s", err, diag.UpNotRunning)
	}
}

// Whoever looks takes the lock for a moment; nobody who starts then may be
// told that the estate is up.
func TestLookingForARunKeepsNobodyFromStartingOne(t *testing.T) {
	t.Parallel()
	base, dir := t.TempDir(), t.TempDir()
	ended := make(chan struct{})
	looking := make(chan struct{})
	go func() {
		defer close(looking)
		for {
			select {
			case <-ended:
				return
			default:
				_, _ = Find(base, dir, "dev")
			}
		}
	}()
	for range 50 {
		s, err := openState(base, dir)
		if err != nil {
			t.Errorf("start: %v", err)
			break
		}
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}
	close(ended)
	<-looking
}
