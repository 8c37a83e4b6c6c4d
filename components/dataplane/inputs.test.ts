import { expect, test } from "vitest";
import { AssignmentMode, IpipMode, IpPoolUse, VxlanMode } from "../ip-pool/args.ts";
import { Protocol } from "../network-policy/args.ts";
import { recordResources } from "../testing/program.ts";
import {
  type DataplaneArgs,
  ExternalIPs,
  type ReturnMode,
  type ServiceHandling,
  type SocketTranslation,
} from "./args.ts";
import { Dataplane } from "./component.ts";
import { FlowLogsLocalReporter } from "./flow-log-args.ts";
import type { Xdp } from "./uplinks.ts";

const apiServer = { host: "172.31.1.8", port: 6443 };

test.each<[Partial<DataplaneArgs>, string]>([
  [
    { returnMode: "DSR" as ReturnMode },
    'Dataplane "dp": returnMode is "DSR", but must be "dsr" or "tunnel" (did you mean "dsr"?).',
  ],
  [{ socketTranslation: "Off" as SocketTranslation }, 'socketTranslation is "Off", but must be "All" or "HostOnly"'],
  [{ xdp: "Generic" as Xdp }, 'xdp is "Generic", but must be "Disabled" or "Native"'],
  [{ socketTranslation: "Host" as SocketTranslation }, 'socketTranslation is "Host", but must be "All" or "HostOnly"'],
  [
    { serviceHandling: "KubeProxy" as ServiceHandling },
    'serviceHandling is "KubeProxy", but must be "Ebpf", "KubeProxyIptables" or "KubeProxyNftables"',
  ],
  [
    { flowLogsLocalReporter: "enabled" as FlowLogsLocalReporter },
    'flowLogsLocalReporter is "enabled", but must be "Enabled" or "Disabled" (did you mean "Enabled"?).',
  ],
  [
    { flowLog: {}, flowLogsLocalReporter: FlowLogsLocalReporter.Disabled },
    'flowLogsLocalReporter is "Disabled", but must be Enabled, or left out: with flowLog agents keep the latest flows',
  ],
  [{ mtu: 1000 }, "mtu is 1000, but must be a whole number from 1280 to 65535"],
  [{ uplinks: ["a/b"] }, 'uplinks[0] is "a/b", but must be an interface\'s name'],
  [{ ipPools: [] }, "ipPools is [], but must be at least one pool"],
  [
    { ipPools: [{ cidr: "10.96.0.0/16" }] },
    'ipPools[0].cidr is "10.96.0.0/16", but must be apart from serviceSubnet 10.96.0.0/12',
  ],
  [{ ipPools: [{ cidr: "10.0.0.0/24", blockSize: 20 }] }, "ipPools[0].blockSize is 20, but must be at least 24"],
  [
    { ipPools: [{ cidr: "10.0.0.0/16", vxlanMode: "Sometimes" as VxlanMode }] },
    'must be "Always", "CrossSubnet" or "Never"',
  ],
  [
    { ipPools: [{ cidr: "10.0.0.0/16", vxlanMode: VxlanMode.CrossSubnet, ipipMode: IpipMode.Always }] },
    'ipPools[0].ipipMode is "Always", but must be Never, or left out, beside vxlanMode CrossSubnet',
  ],
  [
    { ipPools: [{ cidr: "fd00:10:244::/56", ipipMode: IpipMode.CrossSubnet }] },
    'ipPools[0].ipipMode is "CrossSubnet", but must be Never, or left out, for IPv6: use vxlanMode',
  ],
  [
    { ipPools: [{ cidr: "10.0.0.0/16" }, { name: "b", cidr: "10.0.128.0/24" }] },
    'ipPools[1].cidr is "10.0.128.0/24", but must be apart from ipPools[0].cidr 10.0.0.0/16',
  ],
  [{ ipPools: [{ cidr: "10.0.0.0/16" }, { cidr: "10.1.0.0/16" }] }, "ipPools[1].name"],
  [
    { ipPools: [{ cidr: "10.0.0.0/16" }, { cidr: "fd00:10:244::/56" }] },
    "serviceSubnetIpv6 is undefined, but must be given beside the IPv6 network fd00:10:244::/56 of ipPools[1].cidr",
  ],
  [
    { ipPools: [{ cidr: "fd00:10:244::/56" }] },
    "serviceSubnetIpv6 is undefined, but must be given beside the IPv6 network fd00:10:244::/56 of ipPools[0].cidr",
  ],
  [
    { ipPools: [{ cidr: "10.0.0.0/16" }, { cidr: "fd00:10:96::/64" }], serviceSubnetIpv6: "fd00:10:96::/112" },
    'ipPools[1].cidr is "fd00:10:96::/64", but must be apart from serviceSubnetIpv6 fd00:10:96::/112',
  ],
  [{ serviceSubnetIpv6: "10.96.0.0/12" }, 'serviceSubnetIpv6 is "10.96.0.0/12", but must be an IPv6 network'],
  [{ serviceSubnetIpv6: "fd00:10:244::/112" }, "must be apart from serviceSubnetIpv6 fd00:10:244::/112"],
  [
    { ipPools: [{ cidr: "10.0.0.0/16" }, { name: "lb", cidr: "192.0.2.0/28", allowedUses: [IpPoolUse.LoadBalancer] }] },
    "must be true: ipPools[1] is for load balancers",
  ],
  [
    { loadBalancer: true, ipPools: [{ cidr: "192.0.2.0/28", allowedUses: [IpPoolUse.LoadBalancer] }] },
    "must be at least one pool for pods",
  ],
  [
    { ipPools: [{ cidr: "10.0.0.0/16", allowedUses: [IpPoolUse.Workload, IpPoolUse.LoadBalancer] }] },
    "LoadBalancer alone, or other uses without it",
  ],
  [
    {
      loadBalancer: true,
      ipPools: [
        { cidr: "10.0.0.0/16" },
        { name: "lb", cidr: "192.0.2.0/28", allowedUses: [IpPoolUse.LoadBalancer], nodeSelector: "all()" },
      ],
    },
    'ipPools[1].nodeSelector is "all()", but must be left out in a pool for LoadBalancer',
  ],
  [
    { ipPools: [{ cidr: "10.0.0.0/16", assignmentMode: AssignmentMode.Manual }] },
    "must be at least one pool for pods that name none",
  ],
  [
    { ipPools: [{ cidr: "10.0.0.0/16", nodeSelector: "rack = '1'" }] },
    "ipPools[0].nodeSelector: column 6: expected an operator",
  ],
  [
    { networkPolicies: [{ name: "Nginx" }] },
    'networkPolicies[0].name is "Nginx", but must be a Kubernetes object name',
  ],
  [{ networkPolicies: [{ name: "a" }, { name: "a" }] }, "networkPolicies[1]"],
  [{ image: "agent:1", imageRegistry: "registry.example" }, "imageRegistry is"],
  [{ externalIPs: "deny" as ExternalIPs }, 'externalIPs is "deny", but must be "Allow" or "Deny"'],
  [{ externalIPNetworks: ["203.0.113.1"] }, "externalIPNetworks[0]"],
  [{ externalIPNetworks: [] }, "externalIPNetworks"],
  [{ nodePortAddresses: [] }, "nodePortAddresses"],
  [{ flowLog: { intervalSeconds: 0 } }, "flowLog.intervalSeconds"],
  [{ flowLog: { maxFiles: 1.5 } }, "flowLog.maxFiles"],
  [{ serviceMetrics: { limit: 0 } }, "serviceMetrics.limit"],
  [{ serviceMetrics: { limit: 5001 } }, "serviceMetrics.limit is 5001"],
  [{ serviceMetrics: { namespaces: [] } }, "serviceMetrics.namespaces"],
  [{ serviceMetrics: { namespaces: ["shop", "Shop"] } }, "serviceMetrics.namespaces[1]"],
  [{ serviceMetrics: { limits: 3 } as object }, 'serviceMetrics: unknown key "limits"; did you mean "limit"?'],
  [{ mapSizes: { connections: 1000 } }, "mapSizes.connections"],
  [{ mapSizes: { endpoints: 2 ** 23 } }, "mapSizes.endpoints"],
  [{ failsafeInboundHostPorts: [{ protocol: Protocol.Tcp, port: 70_000 }] }, "failsafeInboundHostPorts[0].port"],
  [
    { failsafeOutboundHostPorts: [{ protocol: Protocol.Udp, port: 53, net: "10.0.0.1/8" }] },
    "failsafeOutboundHostPorts[0].net",
  ],
  [{ nodePortAddresses: ["primary", "172.31.0.0/16"] }, "nodePortAddresses[0]"],
  [{ nodePortAddresses: ["172.31.1.8"] }, "nodePortAddresses[0]"],
  [{ dsrOptOutNetworks: ["2001:db8::7/64"] }, "did you mean 2001:db8::/64?"],
  [{ dsrOptOutNetworks: ["192.168.7.3/24"] }, "dsrOptOutNetworks[0]"],
  [{ dsrOptOutNetworks: ["10.0.0.0/8", "2001:db8::1/64"] }, "dsrOptOutNetworks[1]"],
  [{ nodePortAddresses: ["fd00::8"] }, "nodePortAddresses[0]"],
  [{ externalIPs: ExternalIPs.Deny, externalIPNetworks: ["203.0.113.0/24"] }, "externalIPNetworks"],
])("Dataplane refuses %j", async (args, message) => {
  await recordResources();
  expect(() => new Dataplane("dp", { apiServer, ...args })).toThrow(message);
});
