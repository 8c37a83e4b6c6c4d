// What people bring along: documents of Kubernetes, Calico and Cilium in our fields, values as Helm has them, settings of kind, and outputs where
// they cannot be.
import { component, type WrongInput } from "./case.ts";

const apiServer = { host: "172.31.1.8", port: 6443 };
const kubeconfig = "apiVersion: v1";
const proof = {
  ...{ kubeconfig, clients: [{ name: "client1", address: "172.31.1.55" }], entryAddress: "172.31.1.8" },
  ...{ nodePort: 30604, podLabels: { app: "nginx" } },
};
const cidr = "10.244.0.0/16";
const gateway = { name: "out", podSelector: "app == 'db'", nodeSelector: "has(egress)" };
const admin = { name: "n", tier: "Admin", priority: 1, subject: { namespaces: {} } };
const peer = { name: "tor", peerIP: "172.31.1.250", asNumber: 64_513 };

export const PASTED: readonly WrongInput[] = [
  // Values as Cilium's chart and Calico's Installation have them.
  ...component("Dataplane", { apiServer }, [
    [{ kubeProxyReplacement: true }, 'unknown key "kubeProxyReplacement"', 'who handles Services is "serviceHandling"'],
    [{ k8sServiceHost: "172.31.1.8" }, 'unknown key "k8sServiceHost"', '"apiServer": { host, port }'],
    [{ apiServer: "https://172.31.1.8:6443" }, 'apiServer is "https://', "an object with host, port"],
    [{ calicoNetwork: { bgp: "Disabled" } }, 'unknown key "calicoNetwork"', 'pools stand in "ipPools"'],
    [{ routingMode: "native" }, 'unknown key "routingMode"', '"vxlanMode" or "ipipMode" of each of "ipPools"'],
    [{ ipPools: [{ cidr, encapsulation: "VXLAN" }] }, 'ipPools[0]: unknown key "encapsulation"', '"vxlanMode"'],
    [{ ipPools: [{ cidr, natOutgoing: "Enabled" }] }, 'ipPools[0].natOutgoing is "Enabled"', "did you mean true"],
    [{ ipPools: { cidr } }, "ipPools is {", "a list, also of one (put it in [ ])"],
    [{ ipPools: [{ cidr, vxlanMode: "VXLANCrossSubnet" }] }, "ipPools[0].vxlanMode", 'did you mean "CrossSubnet"?'],
    [{ encryption: { enabled: true, type: "wireguard" } }, "encryption is {", '"None" or "WireGuard"'],
    [{ wireguardEnabled: true }, 'unknown key "wireguardEnabled"', 'it is "encryption": "WireGuard"'],
    [{ image: { repository: "r/a", tag: "1" } }, "image is {", "a text"],
    [{ hubble: { relay: { enabled: true } } }, 'unknown key "hubble"', '"flowLog"'],
    [{ monitoring: { serviceMonitor: { enabled: true } } }, "monitoring.serviceMonitor: unknown key", "leave it out"],
    [{ serviceHandling: "iptables" }, 'serviceHandling is "iptables"', 'did you mean "KubeProxyIptables"?'],
    [{ logLevel: "warning" }, 'logLevel is "warning"', 'did you mean "warn"?'],
    [{ nodePortAddresses: "primary" }, 'nodePortAddresses is "primary"', 'did you mean ["primary"]?'],
    [{ failsafeInboundHostPorts: ["tcp:22"] }, 'failsafeInboundHostPorts[0] is "tcp:22"', "protocol, port, net"],
    [{ serviceSubnet: "10.96.0.0/12,fd00::/112" }, "serviceSubnet is", "an IPv4 network like"],
    [{ ipFamilies: ["IPv4"] }, 'unknown key "ipFamilies"', '"serviceSubnetIpv6"'],
    [{ mtu: null }, "mtu is null", "a number, or left out"],
    [{ resources: { limits: { cpu: 0.5 } } }, "resources.limits.cpu is 0.5", 'did you mean "0.5"?'],
    [{ imagePullSecrets: ["regcred"] }, 'imagePullSecrets[0] is "regcred"', "an object with name"],
    [
      { networkPolicies: [{ apiVersion: "v1", name: "a" }] },
      'networkPolicies[0]: unknown key "apiVersion"',
      "one kind",
    ],
    // Outputs.
    ["{ returnMode: later }", "returnMode is an output of another resource", "before any resource exists"],
    ["{ ipPools: pulumi.output([]) }", "ipPools is an output of another resource", "a list that the program knows"],
    [
      '{ apiServer: { host: "" + later, port: 6443 } }',
      "apiServer.host: is a text with an output",
      "pulumi.interpolate",
    ],
    ["{ serviceSubnet: JSON.stringify(later) }", "serviceSubnet: is a text with an output", "pulumi.jsonStringify"],
    ["{ mtu: pulumi.output({ a: ['1450'] }).a[0] }", 'mtu is "1450"', "did you mean 1450, without quotes?"],
  ]),
  ...component("LocalCluster", {}, [
    [{ nodes: [{ role: "worker" }] }, 'unknown key "nodes"', 'they stand in "machines"'],
    [{ networking: { ipFamily: "dual" } }, 'unknown key "networking"', 'families "ipFamilies"'],
    [{ kubernetesVersion: 1.35 }, "kubernetesVersion is 1.35", "a text"],
    [{ ipFamilies: "IPv4,IPv6" }, 'ipFamilies is "IPv4,IPv6"', 'did you mean ["IPv4","IPv6"]?'],
    ["{ name: later }", "name is an output of another resource", "a text that the program knows"],
  ]),
  ...component("AwsCluster", { adminCidrs: ["203.0.113.7/32"] }, [
    [{ instanceType: "t3.medium" }, 'unknown key "instanceType"', 'one of each of "machines"'],
    [{ nodeCount: "2" }, 'unknown key "nodeCount"', 'they stand in "machines"'],
    [{ region: "eu-central-1" }, 'unknown key "region"', "pulumi config set aws:region"],
    [{ tags: { costCenter: 4711 } }, "tags.costCenter is 4711", 'did you mean "4711"?'],
  ]),
  ...component("ClientMachines", {}, [[{ count: 2 }, 'unknown key "count"', 'they stand in "machines"']]),
  ...component("ExistingCluster", { kubeconfig, dataplane: { apiServer } }, [
    [{ context: "prod" }, 'unknown key "context"', "--minify --context NAME"],
    [{ kubeconfigPath: "~/.kube/config" }, 'unknown key "kubeconfigPath"', "the content of the file"],
    [{ kubeconfig: { apiVersion: "v1" } }, "kubeconfig is {", "a text"],
    [{ existingKubeProxy: true }, "existingKubeProxy is true", '"refuse" or "remove"'],
  ]),
  ...component("KubeProxyRemoval", { kubeconfig }, [
    [{ kubeconfig: "~/.kube/config" }, "kubeconfig:", "the content of a kubeconfig"],
    [{ enabled: true }, 'unknown key "enabled"', "allowed: kubeconfig, clusterId"],
  ]),
  ...component("SourceIpVerification", proof, [
    [{ clients: ["172.31.1.55"] }, 'clients[0] is "172.31.1.55"', "an object with name, address"],
    [{ podLabels: "app=nginx" }, 'podLabels is "app=nginx"', "an object with texts as values"],
    [{ nodePort: "30604" }, 'nodePort is "30604"', "did you mean 30604, without quotes?"],
    [{ comparisonModes: ["iptables"] }, 'comparisonModes[0] is "iptables"', 'did you mean "KubeProxyIptables"?'],
  ]),
  // Whole objects, and words of other kinds of policies.
  ...component("IpPool", { cidr }, [
    [{ spec: { cidr } }, 'unknown key "spec"', "its fields stand here"],
    [{ nodeSelector: { zone: "a" } }, "nodeSelector is {", `did you mean "zone == 'a'"?`],
    [{ cidr: "10.244.0.0-10.244.255.255" }, "cidr is", "an IPv4 network like"],
    [{ disabled: "no" }, 'disabled is "no"', "did you mean false, without quotes?"],
  ]),
  ...component("IpReservation", { name: "r" }, [
    [{ reservedCIDRs: "10.244.0.0/24" }, 'reservedCIDRs is "10.244.0.0/24"', 'did you mean ["10.244.0.0/24"]?'],
  ]),
  ...component("NetworkPolicy", { name: "p" }, [
    [{ kind: "NetworkPolicy" }, 'unknown key "kind"', "has its fields alone"],
    [{ endpointSelector: {} }, 'unknown key "endpointSelector"', 'it is "podSelector"'],
    [{ ingress: [{ fromEndpoints: [{}] }] }, 'ingress[0]: unknown key "fromEndpoints"', '"from": [{ podSelector'],
    [{ ingress: [{ toPorts: [{}] }] }, 'ingress[0]: unknown key "toPorts"', '"ports": [{ port, protocol }]'],
    [{ egress: [{ toFQDNs: [{ matchName: "a.example" }] }] }, 'egress[0]: unknown key "toFQDNs"', "not supported"],
    [{ ingress: [{ action: "Allow" }] }, 'ingress[0]: unknown key "action"', "CalicoNetworkPolicy"],
    [{ selector: "app == 'a'" }, 'unknown key "selector"', "CalicoNetworkPolicy"],
    [{ ingress: [{ from: { podSelector: {} } }] }, "ingress[0].from is an object", "also of one (put it in [ ])"],
    [{ ingress: [{ from: [{ cidr: "10.0.0.0/8" }] }] }, 'ingress[0].from[0]: unknown key "cidr"', '"ipBlock"'],
    [{ ingress: [{ from: [{ ipBlock: "10.0.0.0/8" }] }] }, "ingress[0].from[0].ipBlock is", "an object with cidr"],
    [{ ingress: [{ ports: [{ port: "80" }] }] }, 'ingress[0].ports[0].port is "80"', "did you mean 80"],
    [{ podSelector: { matchExpressions: [{ key: "a", operator: "in" }] } }, "podSelector.matchExpressions[0]", '"In"'],
    ["{ ingress: later }", "ingress is an output of another resource", "a list that the program knows"],
    ["{ ingress: [{ from: undefined }] }", "ingress[0].from is undefined", "without it the policy allows more"],
  ]),
  ...component("CalicoNetworkPolicy", { name: "c" }, [
    [{ podSelector: { matchLabels: {} } }, 'unknown key "podSelector"', `"selector": "app == 'db'"`],
    [
      { ingress: [{ action: "Allow", ports: [80] }] },
      'ingress[0]: unknown key "ports"',
      'in "source" or "destination"',
    ],
    [{ egress: [{ action: "Allow", http: {} }] }, 'egress[0]: unknown key "http"', "not supported"],
    [
      { egress: [{ action: "Allow", destination: { domains: [] } }] },
      "egress[0].destination: unknown",
      "not supported",
    ],
    [{ ingress: [{ action: "Permit" }] }, 'ingress[0].action is "Permit"', '"Allow", "Deny"'],
    [{ order: "10" }, 'order is "10"', "did you mean 10, without quotes?"],
  ]),
  ...component("GlobalNetworkPolicy", { name: "g" }, [
    [{ selector: { app: "db" } }, "selector is {", `did you mean "app == 'db'"?`],
    [{ namespace: "default" }, 'unknown key "namespace"', "CalicoNetworkPolicy is one of a namespace"],
    [{ applyOnForward: "yes" }, 'applyOnForward is "yes"', "did you mean true, without quotes?"],
  ]),
  ...component("StagedNetworkPolicy", { name: "s" }, [
    [{ stagedAction: "set" }, 'stagedAction is "set"', 'did you mean "Set"?'],
    [{ podSelector: {} }, 'unknown key "podSelector"', "selector"],
  ]),
  ...component("StagedGlobalNetworkPolicy", { name: "s" }, [
    [{ ingress: [{ action: "drop" }] }, 'ingress[0].action is "drop"', '"Allow", "Deny"'],
  ]),
  ...component("StagedKubernetesNetworkPolicy", { name: "s" }, [
    [{ ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0" } }] }] }, "ingress[0].from[0].ipBlock.cidr", "/32?"],
  ]),
  ...component("ClusterNetworkPolicy", admin, [
    [{ ingress: [{ action: "Allow" }] }, 'ingress[0].action is "Allow"', '"Accept", "Deny" or "Pass"'],
    [{ priority: "1" }, 'priority is "1"', "did you mean 1, without quotes?"],
  ]),
  ...component("Tier", { name: "t" }, [[{ defaultAction: "deny" }, 'defaultAction is "deny"', 'did you mean "Deny"?']]),
  ...component("HostEndpoint", { name: "h", node: "n", interfaceName: "*" }, [
    [{ nodeName: "n" }, 'unknown key "nodeName"', 'it is "node"'],
    [{ expectedIPs: "10.0.0.1" }, 'expectedIPs is "10.0.0.1"', 'did you mean ["10.0.0.1"]?'],
  ]),
  ...component("GlobalNetworkSet", { name: "s" }, [
    [{ allowedEgressDomains: ["a.example"] }, 'unknown key "allowedEgressDomains"', "not supported"],
  ]),
  ...component("KubeControllersConfiguration", {}, [
    [{ controllers: { node: { hostEndpoint: { autoCreate: true } } } }, "controllers.node.hostEndpoint", '"Enabled"'],
  ]),
  ...component("BgpConfiguration", {}, [[{ asNumber: "AS64512" }, 'asNumber is "AS64512"', "a number"]]),
  ...component("BgpPeer", peer, [[{ password: "secret" }, 'password is "secret"', "an object with secretKeyRef"]]),
  ...component("BgpFilter", { name: "f" }, [
    [{ importV4: { action: "Accept" } }, "importV4 is {", "a list, also of one (put it in [ ])"],
  ]),
  ...component("EgressGateway", gateway, [
    [{ podSelector: { matchLabels: { app: "db" } } }, "podSelector is an object", `did you mean "app == 'db'"?`],
    [{ egressIP: "192.0.2.1" }, 'unknown key "egressIP"', 'they are "addresses"'],
    [{ destinationCIDRs: ["0.0.0.0/0"] }, 'unknown key "destinationCIDRs"', 'they are "destinations"'],
  ]),
];
