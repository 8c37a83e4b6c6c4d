// Command e2e is the part of Kubernetes' own end-to-end suite that concerns the network, with the server image of its pods.
//
// Both are built from the module k8s.io/kubernetes, unchanged. Upstream's binary contains the specs of all other areas too, with the clients of
// several clouds, which take most of its build.
//
// ginkgo's own command runs several processes of it side by side:
//
//	ginkgo --procs 4 e2e.test -- -kubeconfig ... -progress-file ...
package main

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	"k8s.io/component-base/logs"
	_ "k8s.io/kubernetes/test/e2e"
	"k8s.io/kubernetes/test/e2e/framework"
	"k8s.io/kubernetes/test/e2e/framework/config"
	"k8s.io/kubernetes/test/e2e/framework/testfiles"
	manifests "k8s.io/kubernetes/test/e2e/testing-manifests"

	_ "k8s.io/kubernetes/test/e2e/feature"
	_ "k8s.io/kubernetes/test/e2e/framework/debug/init"
	_ "k8s.io/kubernetes/test/e2e/framework/metrics/init"
	_ "k8s.io/kubernetes/test/e2e/framework/node/init"
	_ "k8s.io/kubernetes/test/e2e/network"
	_ "k8s.io/kubernetes/test/utils/format"
)

func main() {
	testing.Init() // ginkgo's command sets a flag of Go's testing, -test.timeout
	progress := flag.String("progress-file", "", "a file to which a line of JSON is added for each spec that has ended")
	config.CopyFlags(config.Flags, flag.CommandLine)
	framework.RegisterCommonFlags(flag.CommandLine)
	framework.RegisterClusterFlags(flag.CommandLine)
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "e2e: %q is no option\n", flag.Args())
		os.Exit(2)
	}
	testfiles.AddFileSource(manifests.GetE2ETestingManifestsFS())
	framework.AfterReadingAllFlags(&framework.TestContext)

	logs.InitLogs()
	defer logs.FlushLogs()
	gomega.RegisterFailHandler(framework.Fail)
	if *progress != "" {
		if err := reportTo(*progress); err != nil {
			fmt.Fprintf(os.Stderr, "e2e: cannot write -progress-file: %v\n", err)
			os.Exit(2)
		}
	}
	suite, reporter := framework.CreateGinkgoConfig()
	result := outcome{}
	ginkgo.RunSpecs(&result, "Kubernetes e2e suite", suite, reporter)
	if result.failed {
		os.Exit(1)
	}
}

// outcome is what ginkgo reports a failed suite to, in place of a testing.T.
type outcome struct{ failed bool }

func (one *outcome) Fail() { one.failed = true }
