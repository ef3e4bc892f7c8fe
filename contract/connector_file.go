package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/slipway-go/slipway/diag"
)

// parseConnectorFile reads the settings of a connector from JSON: an object of
// them, or one that has them below config, as POST /connectors takes it.
// Numbers and booleans are taken as written. No fault repeats a value.
func parseConnectorFile(file string, data []byte) (map[string]setting, diag.List) {
	r := &connectorFile{file: file, data: data, dec: json.NewDecoder(bytes.NewReader(data)), line: 1, column: 1, settings: map[string]setting{}}
	r.dec.UseNumber()
	if !utf8.Valid(data) {
		r.fault(diag.Position{File: file}, diag.ContractEncoding, "", "the file is not UTF-8")
		return r.settings, r.list
	}
	if err := r.read(); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("it ends too early")
		}
		r.fault(r.here(), diag.ContractConnector, `write {"connector.class": "…", …}`, "the file cannot be read: %v", err)
	}
	return r.settings, r.list
}

// connectorFile is one run over a file. Its place only goes forward, so that a
// long file costs no more than its length.
type connectorFile struct {
	file     string
	data     []byte
	dec      *json.Decoder
	settings map[string]setting
	list     diag.List

	seen         int // bytes that the place has gone through
	line, column int
}

func (r *connectorFile) read() error {
	open, err := r.dec.Token()
	if err != nil {
		return err
	}
	if open != json.Delim('{') {
		return errNoObject
	}
	if err := r.object(true); err != nil {
		return err
	}
	switch _, err := r.dec.Token(); {
	case err == nil:
		return errors.New("something follows the object")
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

// object reads the entries of one whose brace has been read.
func (r *connectorFile) object(outer bool) error {
	wrapped := false
	var beside []setting // of the wrapper, value being the key
	for r.dec.More() {
		at := r.here()
		key, err := r.dec.Token()
		if err != nil {
			return err
		}
		name, ok := key.(string)
		if !ok {
			return errNoObject
		}
		value, err := r.dec.Token()
		switch {
		case err != nil:
			return err
		case outer && name == connectorConfigIn && value == json.Delim('{'):
			wrapped = true
			if err := r.object(false); err != nil {
				return err
			}
			continue
		case outer && name != connectorNameKey:
			beside = append(beside, setting{name, at})
		}
		if err := r.entry(name, value, at); err != nil {
			return err
		}
	}
	if _, err := r.dec.Token(); err != nil {
		return err
	}
	for _, b := range beside {
		if wrapped {
			r.fault(b.at, diag.ContractConnector, "move it into config, or remove it", "%s is beside config, where only name belongs", quoteEmpty(b.value))
		}
	}
	return nil
}

func (r *connectorFile) entry(name string, value json.Token, at diag.Position) error {
	first, twice := r.settings[name]
	err := settingNames.check(name)
	switch delim, compound := value.(json.Delim); {
	case compound:
		what := map[json.Delim]string{'{': "a mapping", '[': "a list"}[delim]
		r.fault(at, diag.ContractConnector, "write one value; several go into one text, with commas", "%s is %s, want text", quoteEmpty(name), what)
		return r.skip()
	case value == nil:
		r.fault(at, diag.ContractConnector, "remove the setting, or give it a value", "%s has no value", quoteEmpty(name))
	case err != nil:
		r.fault(at, diag.ContractName, settingNames.fix, "%v", err)
	case twice:
		r.fault(at, diag.ContractDuplicateKey, "", "%s is here twice, first in line %d", name, first.at.Line)
	default:
		text := fmt.Sprint(value)
		switch c := strings.IndexFunc(text, hidden); {
		case c >= 0:
			bad, _ := utf8.DecodeRuneInString(text[c:])
			r.fault(at, diag.ContractEncoding, "", "the value of %s contains the character %U", name, bad)
		case utf8.RuneCountInString(text) > maxSetting:
			r.fault(at, diag.ContractConnector, "shorten it", "the value of %s is longer than %d characters", name, maxSetting)
		}
		r.settings[name] = setting{text, at}
	}
	return nil
}

// skip reads to the end of what has been opened.
func (r *connectorFile) skip() error {
	for depth := 1; depth > 0; {
		token, err := r.dec.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
	return nil
}

// here is the place of what is read next.
func (r *connectorFile) here() diag.Position {
	to := min(int(r.dec.InputOffset()), len(r.data))
	for to < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[to]) >= 0 {
		to++
	}
	for ; r.seen < to; r.seen++ {
		switch b := r.data[r.seen]; {
		case b == '\n':
			r.line, r.column = r.line+1, 1
		case utf8.RuneStart(b):
			r.column++
		}
	}
	return diag.Position{File: r.file, Line: r.line, Column: r.column}
}

func (r *connectorFile) fault(at diag.Position, code diag.Code, fix, format string, args ...any) {
	if len(r.list) < maxFaults {
		d := diag.New(code, format, args...).At(at)
		d.Fix = fix
		r.list.Add(d)
	}
}
