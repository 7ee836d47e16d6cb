// Package components holds the parts of a Kubernetes control plane as sub-commands of
// this one program, so that a whole cluster is one binary.
package components

import (
	"os"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"

	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
)

// Run executes the component called name with the rest of the command line and ends the
// process. It returns false when name is no component.
func Run(name string) bool {
	var command *cobra.Command
	switch name {
	case "etcd":
		os.Exit(runEtcd(os.Args[2:]))
	case "kube-apiserver":
		command = apiserver.NewAPIServerCommand()
	case "kube-scheduler":
		command = scheduler.NewSchedulerCommand()
	case "kube-controller-manager":
		command = controllermanager.NewControllerManagerCommand()
	case "kwok":
		os.Exit(runKwok(os.Args[2:]))
	case "kubectl":
		command = kubectl.NewDefaultKubectlCommand()
	default:
		return false
	}
	os.Args = append([]string{name}, os.Args[2:]...)
	if name == "kubectl" {
		if err := cli.RunNoErrOutput(command); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(cli.Run(command))
	return true
}
