import { type Address, type Family, familyOf } from "../../model/address/address.ts";
import type { HostInterface } from "../../model/policy/hosts.ts";
import type { Uplink } from "../kernel/layout.gen.ts";
import { NO_ADDRESS } from "../kernel/workload.ts";
import type { Contributions } from "./desired.ts";
import type { NodeFacts } from "./snapshot.ts";

/** What stands for pods that leave the cluster by each uplink. */
export function compileUplinks({ uplinks = [], ...facts }: NodeFacts): Contributions<number, Uplink> {
  return uplinks.map((uplink) => ({
    owner: `uplink ${uplink.name}`,
    entries: [{ key: uplink.ifindex, value: { ipv4: at(uplink, "IPv4", facts), ipv6: at(uplink, "IPv6", facts) } }],
  }));
}

/** By the node's own address, where the uplink has it: others may be a virtual router's or a load balancer's. */
function at({ addresses }: HostInterface, family: Family, own: Pick<NodeFacts, "address" | "addressIpv6">): Address {
  const those = addresses.filter((address) => familyOf(address) === family);
  return those.find((address) => address === own.address || address === own.addressIpv6) ?? those[0] ?? NO_ADDRESS;
}
