import type { Address } from "../../model/address/address.ts";
import { protocolName } from "../../model/protocol.ts";
import { frontendText } from "../../model/service/frontend.ts";
import {
  ANY_INTERFACE,
  BackendFlag,
  Direction,
  FROM_WORKLOADS,
  HostStage,
  hostStageNames,
  type JudgedHost,
  type KeyOf,
  type ValueOf,
} from "../kernel/layout.gen.ts";
import type { WrittenMap } from "./desired.ts";

/** The key of each map in words: what identifies an entry in the desired state, in the kernel's, and in messages. */
export const keyText: { readonly [M in WrittenMap]: (key: KeyOf<M>) => string } = {
  backends: (id) => `backend ${hex(id)}`,
  bandwidths: ({ interface: ifindex, direction }) =>
    `what interface ${ifindex} may ${direction === Direction.EGRESS ? "send" : "receive"}`,
  members: ({ backendList, backend }) => `${hex(backend)} of ${hex(backendList)}`,
  slots: ({ backendList, index }) => `${hex(backendList)}[${index}]`,
  frontends: frontendText,
  sourceRanges: ({ prefixLength, set, client }) => `${prefixText(client, prefixLength - 32)} of ${hex(set)}`,
  policies: ({ prefixLength, policy, identity, direction, protocol, port }) =>
    `${hex(policy)} ${hex(identity)} ${direction ? "egress" : "ingress"} ${portText(prefixLength, protocol, port)}`,
  locations: ({ prefixLength, address }) => prefixText(address, prefixLength),
  endpoints: (address) => address,
  hostEndpoints: hostEndpointText,
  failsafes: ({ prefixLength, direction, protocol, port, peer }) =>
    `${protocolName(protocol)} ${port} ${direction ? "to" : "from"} ${prefixText(peer, prefixLength - 32)}`,
  interfaces: (ifindex) => `interface ${ifindex}`,
  namespaces: ({ cookie }) => `network namespace ${cookie}`,
  settings: () => "settings",
  egressGroups: (address) => `how ${address} leaves the cluster`,
  egressWays: ({ prefixLength, group, destination }) =>
    `${hex(group)} to ${prefixText(destination, prefixLength - 32)}`,
  uplinks: (ifindex) => `addresses at interface ${ifindex}`,
};

/** Which of two values for one key wins, where the owners' order does not decide: negative for the first.
 * A backend that one service drains and another still uses is in use. */
export const preference: { readonly [M in WrittenMap]?: (a: ValueOf<M>, b: ValueOf<M>) => number } = {
  backends: (a, b) => (a.flags & BackendFlag.DRAINING) - (b.flags & BackendFlag.DRAINING),
};

/** A value as the agent writes it, where the packet path changes a part of it. */
export const asWritten: { readonly [M in WrittenMap]?: (value: ValueOf<M>) => ValueOf<M> } = {
  bandwidths: (value) => ({ ...value, due: 0n }),
};

function hostEndpointText({ interface: ifindex, stage }: JudgedHost): string {
  if (ifindex === FROM_WORKLOADS) return "this node for its workloads";
  const where = ifindex === ANY_INTERFACE ? "any interface" : `interface ${ifindex}`;
  return `this node on ${where}${stage === HostStage.OWN ? "" : `, ${hostStageNames.get(stage)}`}`;
}

export function hex(id: number): string {
  return id.toString(16).padStart(8, "0");
}

/** "10.244.0.0/16", of an address whose prefix counts 128 bits. */
export function prefixText(address: Address, prefixLength: number): string {
  return `${address}/${address.includes(":") ? prefixLength : prefixLength - 96}`;
}

function portText(prefixLength: number, protocol: number, port: number): string {
  if (prefixLength <= 72) return "any";
  if (prefixLength <= 80) return protocolName(protocol);
  const last = port + 2 ** (96 - prefixLength) - 1;
  return `${protocolName(protocol)} ${last === port ? port : `${port}-${last}`}`;
}
