package typegen_test

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
	gogo "google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/slipway-go/slipway/internal/typegen"
	"github.com/slipway-go/slipway/internal/typegen/testdata/mail"
	"github.com/slipway-go/slipway/schema/proto"
)

// protocGenGo runs Go's generator in the version of this module.
func protocGenGo(t *testing.T, request []byte) map[string][]byte {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "go", "run", "google.golang.org/protobuf/cmd/protoc-gen-go")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(request), &out, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	files, err := typegen.Response(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestProtobufTypesComeFromGosOwnGenerator(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds protoc-gen-go")
	}
	c := load(t, "mail")
	request, err := typegen.Request("mail", c)
	if err != nil {
		t.Fatal(err)
	}
	again, err := typegen.Request("mail", c)
	if err != nil || !bytes.Equal(request, again) {
		t.Fatalf("asked again, it is another request: %v", err)
	}
	got := protocGenGo(t, request)
	files, err := typegen.Generate("mail", c)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(got, files)
	if len(got) != 4 { // three schemas and the handles
		t.Errorf("generated %d files, want 4", len(got))
	}
	for name, text := range got {
		file := filepath.Join("testdata", "mail", name)
		if *update {
			if err := os.WriteFile(file, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(versionless(want), versionless(text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}

// versionless leaves out which version of protoc-gen-go wrote a file.
func versionless(text []byte) string {
	return regexp.MustCompile(`(?m)^// \tprotoc-gen-go v.*$`).ReplaceAllString(string(text), "")
}

func TestAContractWithoutProtobufAsksForNothing(t *testing.T) {
	t.Parallel()
	if request, err := typegen.Request("shop", load(t, "shop")); err != nil || request != nil {
		t.Errorf("got %q, %v, want no request", request, err)
	}
}

func TestGeneratedMessagesAreBoundAndKeepEveryValue(t *testing.T) {
	t.Parallel()
	c := load(t, "mail")
	for i, value := range []gogo.Message{
		&mail.MailBounced{Id: "b", Why: new("full"), Tries: map[string]int64{"mx1": 2}, From: &mail.MailBounced_Number{Number: 3}},
		&mail.Sent_Copy{Id: "s", To: &mail.Address{Host: "example.com", Mailbox: "me"}, At: timestamppb.New(timestamppb.Now().AsTime())},
	} {
		t.Run(c.Produces[i].Name, func(t *testing.T) {
			t.Parallel()
			source := c.Produces[i].Schema.Source
			b, err := proto.Codec().Bind(source, reflect.TypeOf(value).Elem())
			if err != nil {
				t.Fatal(err)
			}
			data, err := b.Append(nil, value)
			if err != nil {
				t.Fatal(err)
			}
			read, err := b.Reader(source)
			if err != nil {
				t.Fatal(err)
			}
			got := reflect.New(reflect.TypeOf(value).Elem()).Interface().(gogo.Message)
			if err := read(data, got); err != nil {
				t.Fatal(err)
			}
			if !gogo.Equal(value, got) {
				t.Errorf("read %v, want %v", got, value)
			}
		})
	}
}
