// Command apiserver is what judges and keeps objects: etcd and kube-apiserver, each
// under its own name as the first argument, with the flags that it always has. It is
// one program, because the two have much of their code in common, and apart from the
// controllers, because whoever asks only for a judgement needs none of them.
package main

import (
	"fmt"
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	name := ""
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	os.Args = append([]string{name}, os.Args[min(2, len(os.Args)):]...)
	switch name {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		os.Exit(cli.Run(app.NewAPIServerCommand()))
	default:
		fmt.Fprintln(os.Stderr, "usage: apiserver etcd|kube-apiserver [flag...]")
		os.Exit(2)
	}
}
