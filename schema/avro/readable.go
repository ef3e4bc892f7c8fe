package avro

import (
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/avro"

	"github.com/slipway-go/slipway/schema"
)

// Readable returns nil if every value written under one schema can be read
// under another, by Avro's rules of resolution, and else an error that names
// the first field at fault and the reason. It needs no Go type, so that a
// schema can be judged by those who only know the contracts.
func Readable(writer, reader schema.Source) error {
	w, err := parse(writer)
	if err != nil {
		return fmt.Errorf("the writer's schema: %w", err)
	}
	r, err := parse(reader)
	if err != nil {
		return fmt.Errorf("the reader's schema: %w", err)
	}
	err = avro.CheckCompatibility(w, r)
	fault, ok := errors.AsType[*avro.CompatibilityError](err)
	if !ok {
		return err
	}
	text := fmt.Sprintf("field %.200s: %s", strings.TrimPrefix(fault.Path, "."), fault.Detail)
	switch {
	case fault.WriterType != "" && fault.ReaderType != "":
		text += fmt.Sprintf(" (written as %.100s, read as %.100s)", fault.WriterType, fault.ReaderType)
	case fault.ReaderType != "":
		text += fmt.Sprintf(" (read as %.100s)", fault.ReaderType)
	}
	return errors.New(text)
}
