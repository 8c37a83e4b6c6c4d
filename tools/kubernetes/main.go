// Command kube is every program of a Kubernetes cluster in one binary: the control plane, etcd, kubelet, kube-proxy,
// kubeadm and kubectl.
//
// The components share nearly all of their packages, so one binary is 200 MB where eight are more than 700, and it is
// linked once. It is called like busybox: the program is the name it was called by (a link named kubelet is kubelet),
// or, when it was called by another name, its first argument:
//
//	kube kubelet --config ...
//	ln -s kube kubectl && ./kubectl get nodes
//
// Each component is the function that upstream's own main calls, from the module k8s.io/kubernetes; nothing is changed.
// The version that the components report is set when linking (k8s.io/component-base/version, see tools/kubernetes.ts).
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubeadm "k8s.io/kubernetes/cmd/kubeadm/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// programs maps a name to what runs it: os.Args are already the program's own, the result is the exit status.
var programs = map[string]func() int{
	"etcd":                    runEtcd,
	"kube-apiserver":          command(apiserver.NewAPIServerCommand),
	"kube-controller-manager": command(controllers.NewControllerManagerCommand),
	"kube-proxy":              command(proxy.NewProxyCommand),
	"kube-scheduler":          command(func() *cobra.Command { return scheduler.NewSchedulerCommand() }),
	"kubeadm":                 runKubeadm,
	"kubectl":                 command(kubectl.NewDefaultKubectlCommand),
	"kubelet":                 command(func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) }),
}

func main() {
	arguments := os.Args
	program, known := programs[filepath.Base(arguments[0])]
	if !known {
		if len(arguments) < 2 {
			usage("no program given")
		}
		arguments = arguments[1:]
		if program, known = programs[arguments[0]]; !known {
			usage(fmt.Sprintf("unknown program %q", arguments[0]))
		}
	}
	os.Args = arguments
	os.Exit(program())
}

// command makes a program of a component that is one cobra command. The command is built late, because building one
// reads flags and the environment.
func command(build func() *cobra.Command) func() int {
	return func() int { return cli.Run(build()) }
}

// runEtcd does not return: etcd ends the process itself.
func runEtcd() int {
	etcdmain.Main(os.Args)
	return 0
}

// runKubeadm leaves printing errors to kubeadm, which explains them step by step.
func runKubeadm() int {
	if err := kubeadm.Run(); err != nil {
		return 1
	}
	return 0
}

func usage(problem string) {
	names := strings.Join(slices.Sorted(maps.Keys(programs)), ", ")
	fmt.Fprintf(os.Stderr, "kube: %s\nusage: kube PROGRAM [ARGUMENT...], or call it by a link named like the program\nprograms: %s\n", problem, names)
	os.Exit(2)
}
