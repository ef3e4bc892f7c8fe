package view

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/dev"
)

type instanceDocument struct {
	Header
	dev.Instance
}

// Instance writes where a local Kafka is and how to connect to it.
func (v *View) Instance(in dev.Instance) error {
	return v.answer(instanceDocument{header("Instance"), in}, func(w io.Writer) { instance(w, in) }, []string{in.Name})
}

func instance(w io.Writer, in dev.Instance) {
	if !in.Running {
		fmt.Fprintf(w, "instance %s is not running; its directory is %s\n", diag.Escape(in.Name), diag.Escape(in.Dir))
		return
	}
	state := "starting"
	if in.Ready {
		state = "ready"
	}
	fmt.Fprintf(w, "instance %s is %s (process %d); its directory is %s\n\n", diag.Escape(in.Name), state, in.PID, diag.Escape(in.Dir))
	if len(in.Nodes) == 0 {
		return
	}
	t := newTable(w, "WHAT", "PROCESS", "CERTIFICATES", "PASSWORDS", "ANSWERS")
	for _, n := range in.Nodes {
		t.row(fmt.Sprintf("node %d", n.ID), fmt.Sprint(n.PID), n.MTLS.Address, n.SCRAM, yes(n.MTLS.Answers))
	}
	t.row("registry", "", in.Registry.Address, "", yes(in.Registry.Answers))
	t.flush()
	fmt.Fprintf(w, "\ncluster id %s\n", diag.Escape(in.ClusterID))
	if len(in.Identities) == 0 {
		return
	}
	fmt.Fprint(w, "\nTo connect as an identity, with kcat and with the Java tools (--command-config):\n\n")
	t = newTable(w, "IDENTITY", "KCAT", "JAVA")
	for _, dir := range in.Identities {
		t.row(filepath.Base(dir), "kcat -F "+filepath.Join(dir, dev.KcatFile), filepath.Join(dir, dev.PropertiesFile))
	}
	t.flush()
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
