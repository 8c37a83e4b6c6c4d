// Command coredns is CoreDNS with the plugins that a cluster's Corefile, as kubeadm writes it, names.
//
// A plugin of CoreDNS is compiled in by importing it; upstream's binary imports some forty, most of which talk to
// clouds. The order of the imports means nothing: the order in which plugins see a query is CoreDNS' own list
// (core/dnsserver/zdirectives.go).
//
// Corefile syntax: https://coredns.io/manual/configuration/
// kubeadm's Corefile: k8s.io/kubernetes/cmd/kubeadm/app/phases/addons/dns/manifests.go
package main

import (
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/log"
	_ "github.com/coredns/coredns/plugin/loop"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/reload"
	_ "github.com/coredns/coredns/plugin/whoami"

	"github.com/coredns/coredns/coremain"
)

func main() {
	coremain.Run()
}
