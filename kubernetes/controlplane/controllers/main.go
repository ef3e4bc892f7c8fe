// Command controllers is what acts upon objects: kube-controller-manager and
// kube-scheduler, each under its own name as the first argument, with the flags that
// it always has.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

func main() {
	programs := map[string]func() *cobra.Command{
		"kube-controller-manager": controllers.NewControllerManagerCommand,
		"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	}
	name := ""
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	program := programs[name]
	if program == nil {
		fmt.Fprintln(os.Stderr, "usage: controllers kube-controller-manager|kube-scheduler [flag...]")
		os.Exit(2)
	}
	os.Args = append([]string{name}, os.Args[2:]...)
	os.Exit(cli.Run(program()))
}
