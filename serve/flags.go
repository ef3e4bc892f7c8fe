package serve

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"text/tabwriter"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/telemetry"
)

// flags are what the command line of a service says.
type flags struct {
	dir            string            // --config-path
	set            map[string]string // --set
	print, version bool
	help           bool
}

// parseFlags reads the arguments of a service.
func parseFlags(args []string) (flags, error) {
	f := flags{set: make(map[string]string)}
	set := flag.NewFlagSet("service", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&f.dir, "config-path", "", "")
	set.BoolVar(&f.print, "print-config", false, "")
	set.BoolVar(&f.version, "version", false, "")
	set.Func("set", "", func(s string) error {
		key, value, ok := strings.Cut(s, "=")
		if !ok || key == "" {
			return errors.New("want key=value")
		}
		f.set[key] = value
		return nil
	})
	switch err := set.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		f.help = true
	case err != nil:
		return f, diag.New(diag.ServiceFlagsInvalid, "%s", blamed(err))
	case set.NArg() > 0:
		return f, diag.New(diag.ServiceFlagsInvalid, "there is an argument %q, and the service takes flags only", set.Arg(0))
	}
	return f, nil
}

// blamed is what is wrong with flags, without the value of --set: it may be a
// secret.
func blamed(err error) string {
	if text := err.Error(); strings.Contains(text, "flag -set:") {
		return "--set wants key=value"
	}
	return err.Error()
}

// inform answers what needs no configuration, and reports whether that was all
// that was asked for.
func (p process) inform() (done bool, err error) {
	switch {
	case p.flags.help:
		return true, p.usage()
	case p.flags.version:
		return true, p.tellVersion()
	default:
		return false, nil
	}
}

// usage lists the flags, and the keys of this very service.
func (p process) usage() error {
	svc, faults := contract.Parse(p.Files, contractFile)
	if err := faults.Err(); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, `%s runs until SIGINT or SIGTERM and then drains.

Flags:
  --set key=value     give a key a value, over everything but the program; repeatable
  --config-path DIR   a directory with common.yaml and <environment>.yaml, laid over
                      the files in the program; as CONFIG_PATH
  --print-config      print the value of every key and where it comes from, and exit
  --version           print the versions of program and contract, and exit
  --help              print this, and exit

ENVIRONMENT says which environment this is. Every key below can be set in
config/common.yaml and config/<environment>.yaml, by its variable, or by --set.

`, svc.Name)
	t := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "KEY\tTYPE\tDEFAULT\tCHANGES\tVARIABLE")
	for _, k := range config.KeysOf(svc) {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", k.Name, k.Type, k.Default, changes(k), strings.Join(k.Variables, ", "))
	}
	return t.Flush()
}

// changes says when a key's change takes effect.
func changes(k config.Key) string {
	if k.Live {
		return "live"
	}
	return "restart"
}

func (p process) tellVersion() error {
	svc, faults := contract.Parse(p.Files, contractFile)
	if err := faults.Err(); err != nil {
		return err
	}
	program, sdk := versions()
	_, err := fmt.Fprintf(p.stdout, "%s %s\ncontract %s\nslipway %s\n", svc.Name, program, svc.Hash()[:12], sdk)
	return err
}

const sdkModule = "github.com/slipway-go/slipway"

// versions are those of the program and of the SDK in it, as the build noted
// them.
func versions() (program, sdk string) {
	program = cmp.Or(telemetry.BuildVersion(), "(devel)")
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return program, "unknown"
	}
	sdk = info.Main.Version
	for _, m := range info.Deps {
		if m.Path == sdkModule {
			sdk = m.Version
		}
	}
	return program, sdk
}
