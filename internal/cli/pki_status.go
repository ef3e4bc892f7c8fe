package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/pki/depot"
)

// trustFile is the depot's bundle of the roots that everybody trusts now.
const trustFile = "trust.crt"

func newPKIStatusCommand(a *app) *cobra.Command {
	var args pkiTarget
	c := &cobra.Command{
		Use:   "status",
		Short: "Show authorities and certificates, and how far a replacement is",
		Long: `Shows the phase of a cluster's PKI, its generations of authorities, and every
certificate that is in use: whose it is, from which generation, how long it is
valid, and what of it does not agree with the phase. Reads the directory alone;
slipway pki inspect HOST:PORT looks at what a broker presents.` + pkiHelp,
		Example: `  slipway pki status -c kafka-prod
  slipway pki status -c kafka-prod -o json`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage),
		Args:        arguments(0, 0, "nothing"),
		RunE: func(*cobra.Command, []string) error {
			p, err := a.pkiPlace(args)
			if err != nil {
				return err
			}
			d, _, err := p.open()
			if err != nil {
				return err
			}
			return a.pkiStatus(p, d)
		},
	}
	pkiFlags(c, &args)
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
	return c
}

// pkiStatus shows a depot as it is.
func (a *app) pkiStatus(p *pkiPlace, d *depot.Depot) error {
	s, err := d.Status()
	if err != nil {
		return err
	}
	return a.view.PKI(view.PKI{Dir: p.dir, Status: s, Disagreements: append(faults(s), p.disagreements()...), Now: time.Now()})
}

// faults are why generations cannot issue.
func faults(s depot.Status) (all []string) {
	for _, g := range s.Generations {
		if g.Fault != "" {
			all = append(all, fmt.Sprintf("Generation %d: %s", g.Number, g.Fault))
		}
	}
	return all
}

// disagreements are what clusters.yaml says otherwise than the depot.
func (p *pkiPlace) disagreements() []string {
	if p.cluster == nil || p.cluster.CA.File == "" {
		return nil
	}
	named, err := p.workspace.read(p.cluster.CA.File)
	if err != nil {
		return []string{contract.ClustersFile + " names " + p.cluster.CA.File + " as the cluster's ca, which cannot be read"}
	}
	trusted, err := os.ReadFile(filepath.Join(p.dir, trustFile))
	if err == nil && !bytes.Equal(bytes.TrimSpace(named), bytes.TrimSpace(trusted)) {
		return []string{contract.ClustersFile + " names " + p.cluster.CA.File + " as the cluster's ca, which differs from " + filepath.Join(p.dir, trustFile)}
	}
	return nil
}
