package slipway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

const (
	tuningEvery  = 5 * time.Second
	maxTuningLen = 1 << 20
)

// A tuningFile tunes entries as a file says, and again whenever the file's
// content changes. Its content is compared, not its time: that is right however
// it was put there, also where a link is swapped as Kubernetes does.
//
// What the file does not mention stays as it is; what it mentioned and no longer
// does goes back to what the contract says. A file that is wrong changes
// nothing.
type tuningFile struct {
	app  *App
	path string

	seen    []byte // the content that was acted on, nil for none
	told    string // the trouble that was told of
	applied map[string]Tuning
}

// followTuning begins to follow the tuning file, if there is one, once it was
// read for the first time.
func (a *App) followTuning(start func(string, func(context.Context) error)) {
	path := a.cfg.Environment.TuningFile
	if path == "" {
		return
	}
	f := &tuningFile{app: a, path: path}
	f.look()
	start("follow tuning file", func(ctx context.Context) error {
		for waitFor(ctx, tuningEvery) {
			f.look()
		}
		return nil
	})
}

// look reads the file and acts on it if it has changed.
func (f *tuningFile) look() {
	content, err := readTuning(f.path)
	if err == nil {
		if f.seen != nil && bytes.Equal(content, f.seen) {
			f.told = "" // an unreadable file is back as it was
			return
		}
		f.seen = append([]byte{}, content...)
		err = f.apply(content)
	}
	f.tell(err)
}

// tell tells of what is wrong with the file, once.
func (f *tuningFile) tell(err error) {
	if err == nil {
		f.told = ""
		return
	}
	if err.Error() == f.told {
		return
	}
	f.told = err.Error()
	f.app.log.Warn("tuning file not used, all stays as it is", "code", diag.RuntimeTuningUnread, "file", f.path, "error", err)
}

func readTuning(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxTuningLen+1))
	if err == nil && len(content) > maxTuningLen {
		err = fmt.Errorf("it is longer than %d bytes", maxTuningLen)
	}
	return content, err
}

// apply tunes what the content says, or nothing if anything of it is wrong.
func (f *tuningFile) apply(content []byte) error {
	wanted, err := parseTunings(content)
	if err != nil {
		return err
	}
	var faults []error
	for name, t := range wanted {
		if _, e := f.app.consumption(name); e == nil {
			faults = append(faults, fmt.Errorf("entry %q is not consumed; the service consumes %s", name, list(f.app.entries)))
		}
		if err := t.validate().Err(); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
	}
	if len(faults) > 0 {
		slices.SortFunc(faults, func(a, b error) int { return bytes.Compare([]byte(a.Error()), []byte(b.Error())) })
		return errors.Join(faults...)
	}
	for _, name := range slices.Sorted(maps.Keys(f.app.entries)) {
		change := f.app.entries[name].contracted().without(f.applied[name], wanted[name])
		if change == (Tuning{}) {
			continue
		}
		if _, err := f.app.Tune(name, change); err != nil {
			return err
		}
	}
	f.applied = wanted
	return nil
}

// contracted is how the contract wants an entry to be consumed.
func (e *entry) contracted() Tuning {
	return Tuning{
		Concurrency: new(e.Concurrency), Bulkhead: new(e.Bulkhead), Rate: new(float64(e.Consume.Rate)),
		TimeoutMillis: new(e.Timeout.Milliseconds()), Paused: new(false), Held: new([]string{}),
	}
}

// without is what has to be changed when one tuning follows another: all that
// the new one says, and of what only the old one said, t.
func (t Tuning) without(old, now Tuning) Tuning {
	return Tuning{
		Concurrency:   follow(t.Concurrency, old.Concurrency, now.Concurrency),
		Bulkhead:      follow(t.Bulkhead, old.Bulkhead, now.Bulkhead),
		Rate:          follow(t.Rate, old.Rate, now.Rate),
		TimeoutMillis: follow(t.TimeoutMillis, old.TimeoutMillis, now.TimeoutMillis),
		Paused:        follow(t.Paused, old.Paused, now.Paused),
		Held:          follow(t.Held, old.Held, now.Held),
	}
}

func follow[T any](base, old, now *T) *T {
	if now == nil && old != nil {
		return base
	}
	return now
}

// tuningText is a tuning as the file has it, with the contract's units.
type tuningText struct {
	Concurrency *int      `yaml:"concurrency"`
	Bulkhead    *int      `yaml:"bulkhead"`
	Rate        *string   `yaml:"rate"`
	Timeout     *string   `yaml:"timeout"`
	Paused      *bool     `yaml:"paused"`
	Held        *[]string `yaml:"held"`
}

// parseTunings reads a tuning file: YAML or JSON, tunings by entry.
func parseTunings(content []byte) (map[string]Tuning, error) {
	texts := make(map[string]tuningText)
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&texts); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document")
	}
	all := make(map[string]Tuning, len(texts))
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		t, err := texts[name].tuning()
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
		all[name] = t
	}
	return all, errors.Join(faults...)
}

func (t tuningText) tuning() (Tuning, error) {
	read := Tuning{Concurrency: t.Concurrency, Bulkhead: t.Bulkhead, Paused: t.Paused, Held: t.Held}
	if t.Rate != nil {
		rate, err := contract.ParseRate(*t.Rate)
		if err != nil {
			return Tuning{}, err
		}
		read.Rate = new(float64(rate))
	}
	if t.Timeout != nil {
		d, err := contract.ParseDuration(*t.Timeout)
		if err != nil {
			return Tuning{}, err
		}
		read.TimeoutMillis = new(d.Milliseconds())
	}
	return read, nil
}
