// Command controlplane is what a Kubernetes cluster consists of but for its nodes:
// etcd, kube-apiserver, kube-controller-manager and kube-scheduler, each under its
// own name as the first argument, with the flags that it always has. The tests
// build it from the modules that this one pins. It is one program, because the four
// have most of their code in common.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register" // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

func main() {
	programs := map[string]func() *cobra.Command{
		"kube-apiserver":          apiserver.NewAPIServerCommand,
		"kube-controller-manager": controllers.NewControllerManagerCommand,
		"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	}
	name := ""
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	os.Args = append([]string{name}, os.Args[min(2, len(os.Args)):]...)
	switch program := programs[name]; {
	case name == "etcd":
		etcdmain.Main(os.Args)
	case program != nil:
		os.Exit(cli.Run(program()))
	default:
		fmt.Fprintln(os.Stderr, "usage: controlplane etcd|kube-apiserver|kube-controller-manager|kube-scheduler [flag...]")
		os.Exit(2)
	}
}
