package compat

import (
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/jsonvalue"
)

func unreadableJSON(writer, reader schema.Source) ([]Fault, error) {
	found, err := jsonvalue.Unreadable(schema.Source{Schema: writer.Schema}, schema.Source{Schema: reader.Schema})
	if err != nil {
		return nil, err
	}
	faults := make([]Fault, len(found))
	for i, f := range found {
		kind := Accepted
		if f.Missing() {
			kind = Missing
		}
		faults[i] = Fault{Kind: kind, Path: f.Path, Text: f.Text}
	}
	return faults, nil
}
