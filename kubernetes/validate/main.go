// Command validate is kubectl-validate without what is built into it, which ends with
// Kubernetes 1.30: it knows the OpenAPI documents of an archive, and nothing else. It
// reads objects, a JSON array, and answers with an array of what is wrong with each,
// or "".
//
//	validate openapi.zip <objects.json
//
// Its module is apart because kubectl-validate is the whole of an API server but for
// its main function, and of an older one than the manifests are for.
package main

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"sigs.k8s.io/kubectl-validate/pkg/openapiclient"
	"sigs.k8s.io/kubectl-validate/pkg/validator"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: validate ARCHIVE <OBJECTS")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "validate:", err)
		os.Exit(1)
	}
}

func run(path string, in io.Reader, out io.Writer) error {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer archive.Close()
	v, err := validator.New(openapiclient.NewLocalSchemaFiles(archive))
	if err != nil {
		return err
	}
	var objects []json.RawMessage
	if err := json.NewDecoder(in).Decode(&objects); err != nil {
		return fmt.Errorf("read objects: %w", err)
	}
	found := make([]string, len(objects))
	for i, object := range objects {
		if err := judge(v, object); err != nil {
			found[i] = err.Error()
		}
	}
	return json.NewEncoder(out).Encode(found)
}

// judge parses strictly, as kubectl-validate does, and validates what it has parsed.
func judge(v *validator.Validator, object []byte) error {
	_, parsed, err := v.Parse(object)
	if err != nil {
		return err
	}
	return v.Validate(parsed)
}
