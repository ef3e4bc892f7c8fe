package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"github.com/slipway-go/slipway/diag"
)

// A journal is a file of one line for each event: eight hexadecimal digits of
// CRC-32C over the JSON behind them. Lines are appended and flushed to disk
// before the change is visible to anyone.
type journal struct {
	file   *os.File
	size   int64
	broken error // set once the file's end is unknown; nothing is written after
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openJournal opens or creates a journal and hands each event to apply.
func openJournal(path string, apply func(event) error) (*journal, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open registry journal: %w", err)
	}
	size, err := replay(file, apply)
	if err != nil {
		return nil, errors.Join(damaged(path, err), file.Close())
	}
	if err := settle(file, size); err != nil {
		return nil, errors.Join(fmt.Errorf("open registry journal: %w", err), file.Close())
	}
	return &journal{file: file, size: size}, nil
}

// replay reads whole lines and returns where they end. Only the last line may
// be torn: a crash tears nothing else.
func replay(file *os.File, apply func(event) error) (int64, error) {
	data, err := io.ReadAll(file)
	if err != nil {
		return 0, err
	}
	var size int64
	for len(data) > 0 {
		line, rest, whole := bytes.Cut(data, []byte("\n"))
		e, err := decodeLine(line)
		if !whole || err != nil && len(rest) == 0 {
			return size, nil
		}
		if err == nil {
			err = apply(e)
		}
		if err != nil {
			return 0, fmt.Errorf("at byte %d: %w", size, err)
		}
		size += int64(len(line)) + 1
		data = rest
	}
	return size, nil
}

// settle cuts off a torn line and makes the file's name durable.
func settle(file *os.File, size int64) error {
	if err := file.Truncate(size); err != nil {
		return err
	}
	if _, err := file.Seek(size, io.SeekStart); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(file.Name()))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// append writes one event to disk.
func (j *journal) append(e event) error {
	if j.broken != nil {
		return j.broken
	}
	line, err := encodeLine(e)
	if err != nil {
		return err
	}
	if _, err = j.file.WriteAt(line, j.size); err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		j.broken = fmt.Errorf("write registry journal: %w", err)
		return j.broken
	}
	j.size += int64(len(line))
	return nil
}

func (j *journal) close() error { return j.file.Close() }

func encodeLine(e event) ([]byte, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	line := fmt.Appendf(nil, "%08x ", crc32.Checksum(body, castagnoli))
	return append(append(line, body...), '\n'), nil
}

func decodeLine(line []byte) (event, error) {
	var e event
	var sum uint32
	head, body, ok := bytes.Cut(line, []byte(" "))
	if _, err := fmt.Sscanf(string(head), "%08x", &sum); err != nil || !ok || len(head) != 8 {
		return e, errors.New("line has no checksum")
	}
	if crc32.Checksum(body, castagnoli) != sum {
		return e, errors.New("checksum does not match")
	}
	return e, json.Unmarshal(body, &e)
}

func damaged(path string, err error) error {
	return diag.New(diag.EmbeddedDamaged, "schema registry journal %s is damaged: %v", path, err)
}
