import { Latest } from "../../model/memo.ts";
import { type Bandwidths, bandwidthsOf } from "../../model/objects/bandwidth.ts";
import type { Pod } from "../../model/objects/core.ts";
import { objectName } from "../../model/objects/metadata.ts";
import { isPodOf, podOwner } from "../../model/objects/pod-of.ts";
import { BANDWIDTH_SHIFT, type Bandwidth, Direction, type Limited } from "../kernel/layout.gen.ts";
import type { Contributions, Entry } from "./desired.ts";
import type { ClusterSnapshot, LocalEndpoint } from "./snapshot.ts";

type Limits = Contributions<Limited, Bandwidth>;

/** What this node's pods may send and receive in a time. */
export class BandwidthCompiler {
  readonly #result = new Latest<Limits>();

  of({ pods, endpoints, facts }: Pick<ClusterSnapshot, "pods" | "endpoints" | "facts">): Limits {
    return this.#result.get([pods, endpoints, facts.nodeName], () => {
      const here = pods.filter(({ spec }) => spec.nodeName === facts.nodeName);
      const limited = new Map(here.flatMap((pod) => (isLimited(pod) ? [[objectName(pod), pod] as const] : [])));
      return endpoints.flatMap((endpoint) => {
        const pod = limited.get(`${endpoint.namespace}/${endpoint.pod}`);
        if (!pod || !isPodOf(pod, endpoint)) return [];
        return [{ owner: podOwner(endpoint), entries: entries(endpoint, bandwidthsOf(pod.metadata.annotations)) }];
      });
    });
  }
}

function isLimited({ metadata }: Pod): boolean {
  return Object.keys(bandwidthsOf(metadata.annotations)).length > 0;
}

function entries({ ifindex }: LocalEndpoint, { ingress, egress }: Bandwidths): Entry<Limited, Bandwidth>[] {
  const entry = (direction: number, bits: number | undefined) =>
    bits === undefined ? [] : [{ key: { interface: ifindex, direction }, value: { cost: costOf(bits), due: 0n } }];
  return [...entry(Direction.INGRESS, ingress), ...entry(Direction.EGRESS, egress)];
}

/** ns that a byte takes, as the programs count it. */
export function costOf(bits: number): bigint {
  return (8_000_000_000n << BigInt(BANDWIDTH_SHIFT)) / BigInt(bits);
}
