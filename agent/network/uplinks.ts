import { covers, hostCidr, parseCidr } from "../../model/address/address.ts";
import type { NetworkDevice } from "./devices.ts";

/** The interfaces that face other nodes and clients, the first being the one with the node's own address. */
export interface Uplinks {
  readonly primary: NetworkDevice;
  readonly all: readonly NetworkDevice[];
  /** Subnets on the uplinks: nodes in them are reached without a router ("172.31.1.0/24"). */
  readonly subnets: readonly string[];
}

/** Finds the uplinks. `patterns` are names or regular expressions for complete names; without any, the interface with
 * the node's address is the uplink. */
export function findUplinks(
  devices: readonly NetworkDevice[],
  nodeAddress: string,
  patterns: readonly string[],
): Uplinks {
  const owner = devices.find((device) => device.addresses.some(({ address }) => address === nodeAddress));
  if (!owner) {
    const seen = devices.flatMap((device) => device.addresses.map(({ address }) => `${device.name} ${address}`));
    throw new Error(
      `No interface of this machine has the node's address ${nodeAddress} (found: ${seen.join(", ")}). ` +
        "Next: does the Node object's InternalIP name an address of this machine?",
    );
  }
  const expressions = patterns.map((pattern) => new RegExp(`^(?:${pattern})$`));
  const matching = devices.filter(
    (device) => device !== owner && expressions.some((expression) => expression.test(device.name)),
  );
  const all = [owner, ...matching];
  return { primary: owner, all, subnets: all.flatMap(subnetsOf) };
}

/** Name of the uplink with a subnet that contains the address; undefined: it is behind a router. */
export function deviceTowards({ all }: Uplinks, address: string): string | undefined {
  const wanted = hostCidr(address);
  return all.find((device) => subnetsOf(device).some((subnet) => covers(parseCidr(subnet), wanted)))?.name;
}

function subnetsOf({ addresses }: NetworkDevice): string[] {
  return addresses.map(({ address, prefixLength }) => parseCidr(`${address}/${prefixLength}`).text);
}
