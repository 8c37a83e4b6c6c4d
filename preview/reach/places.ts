// On which nodes both ends of a connection may be: host endpoints on the way, and a pod's own node, depend on it.

import { hostCidr, parseCidr } from "../../model/address/address.ts";
import type { FlowEnd } from "../../model/flow/record.ts";
import type { Workload } from "../declared/objects.ts";
import type { Cast } from "./cast.ts";
import { declaredNodes } from "./judged-by.ts";
import type { Peer } from "./reachability.ts";

/** One end at one place. */
export interface Side {
  readonly end: FlowEnd;
  /** Absent: outside of the cluster. */
  readonly node?: string;
}

/** Two nodes that stand for those of a cluster whose nodes are not declared. */
const SOME = ["a node that is not declared", "another node that is not declared"];

/** The nodes of a cluster, as far as they are known, and where pods may be. */
export class Places {
  /** All that are declared or named, with their addresses; empty: not known. */
  readonly nodes: ReadonlyMap<string, readonly string[]>;
  /** Where a pod may be that is bound to no node. */
  readonly #anywhere: readonly string[];

  constructor({ nodes, workloads, hosts }: Cast) {
    const declared = declaredNodes({ nodes });
    const named = workloads.flatMap(({ node }) => node ?? []);
    const ofHosts = (hosts.hostEndpoints ?? []).map(({ spec }) => spec.node);
    const others = declared.size > 0 ? named : [...named, ...ofHosts, ...SOME];
    this.nodes = new Map([...others.map((name): [string, string[]] => [name, []]), ...declared]);
    this.#anywhere = declared.size > 0 ? [...declared.keys()] : [...this.nodes.keys()];
  }

  /** Every place of the sender with every place of the receiver. @param podsOf the end that pods of a workload are */
  pairs(from: Peer, to: Workload, podsOf: (peer: Peer) => FlowEnd): [Side, Side][] {
    const receivers = this.#sides({ kind: "workload", workload: to }, podsOf);
    const pairs = this.#sides(from, podsOf).flatMap((a) => receivers.map((b): [Side, Side] => [a, b]));
    if (from.kind !== "nodes") return pairs;
    const apart = pairs.filter(([a, b]) => a.node !== b.node);
    // Where there is no other node, whoever might join has no host endpoint yet.
    return apart.length > 0 ? apart : pairs.map(([{ end }, b]) => [{ end }, b]);
  }

  #sides(peer: Peer, podsOf: (peer: Peer) => FlowEnd): Side[] {
    switch (peer.kind) {
      case "address":
        return [{ end: { kind: "network", cidr: hostCidr(peer.address).text } }];
      case "blocks":
        return peer.cidrs.map((cidr) => ({ end: { kind: "network", cidr: parseCidr(cidr).text } }));
      case "nodes":
        return this.#anywhere.map((node) => this.#itself(node));
      case "stranger":
        return this.#anywhere.map((node) => ({ end: podsOf(peer), node }));
      case "workload": {
        const { node, hostNetwork } = peer.workload;
        const places = node === undefined ? this.#anywhere : [node];
        return places.map((one) => (hostNetwork ? this.#itself(one) : { end: podsOf(peer), node: one }));
      }
    }
  }

  #itself(node: string): Side {
    return { end: { kind: "node", name: node, addresses: [...(this.nodes.get(node) ?? [])] }, node };
  }
}
