import { type Cidr, hostCidr, parseCidr } from "../address/address.ts";
import type { NodeFacts } from "../node/facts.ts";
import type { FelixConfiguration } from "../objects/calico.ts";
import { portProtocol } from "../protocol.ts";

/** A port of a node that no host policy closes. */
export interface Failsafe {
  readonly direction: "ingress" | "egress";
  readonly protocol: number;
  readonly port: number;
  /** Absent: for every other end. */
  readonly net?: Cidr;
}

type Written = NonNullable<FelixConfiguration["spec"]["failsafeInboundHostPorts"]>;

const tcp = (...ports: number[]): Written => ports.map((port) => ({ protocol: "TCP", port }));
const udp = (...ports: number[]): Written => ports.map((port) => ({ protocol: "UDP", port }));

/** Calico's (SSH, DHCP, BGP, etcd, Typha, API server, kubeadm's etcd), and DHCPv6, the kubelet and the tunnel. */
const INBOUND = [...tcp(22, 179, 2379, 2380, 5473, 6443, 6666, 6667, 10250), ...udp(68, 546, 4789)];

/** The same towards the servers, and DNS. */
const OUTBOUND = [...tcp(53, 179, 2379, 2380, 5473, 6443, 6666, 6667, 10250), ...udp(53, 67, 547, 4789)];

/** The fail-safe ports that are in force. The agent always reaches the API server, and answers the kubelet's questions over no port. */
export function failsafesOf(
  configuration: FelixConfiguration | undefined,
  { apiServer }: Pick<NodeFacts, "apiServer">,
): Failsafe[] {
  const { failsafeInboundHostPorts, failsafeOutboundHostPorts } = configuration?.spec ?? {};
  const listed = (direction: Failsafe["direction"], ports: Written): Failsafe[] =>
    ports.map(({ protocol, port, net }) => ({
      direction,
      protocol: portProtocol(protocol),
      port,
      ...(net != null && { net: parseCidr(net) }),
    }));
  return [
    ...listed("ingress", failsafeInboundHostPorts ?? INBOUND),
    ...listed("egress", failsafeOutboundHostPorts ?? OUTBOUND),
    ...(apiServer
      ? [{ direction: "egress" as const, protocol: 6, port: apiServer.port, net: hostCidr(apiServer.address) }]
      : []),
  ];
}
