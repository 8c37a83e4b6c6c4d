import type { NodeDirectory } from "../node/nodes.ts";
import type { SliceEndpoint } from "../objects/discovery.ts";

/** What an endpoint's hints say, seen from this node: absent where it has none. */
export interface Hints {
  readonly node?: "this" | "others";
  readonly zone?: "this" | "others";
}

const NONE: Hints = {};

/** The EndpointSlice controller derives hints from a Service's `trafficDistribution` (PreferSameZone, PreferClose,
 * PreferSameNode; KEP-3015) or topology annotation (KEP-2433). */
export function hintsOf({ hints }: SliceEndpoint, { facts, zone }: Pick<NodeDirectory, "facts" | "zone">): Hints {
  const { forNodes = [], forZones = [] } = hints ?? {};
  if (forNodes.length === 0 && forZones.length === 0) return NONE;
  const among = (names: readonly { readonly name: string }[], own: string | undefined) =>
    names.some(({ name }) => name === own) ? "this" : "others";
  return {
    ...(forNodes.length > 0 && { node: among(forNodes, facts.nodeName) }),
    ...(forZones.length > 0 && { zone: among(forZones, zone) }),
  };
}

/** Those of the ready backends that hints name for this node, else for its zone, as kube-proxy applies them: a kind of hint
 * counts only if every ready backend has it and at least one is meant for here. Otherwise all of them. */
export function nearby<T extends { readonly ready: boolean; readonly hints: Hints }>(
  backends: readonly T[],
): readonly T[] {
  const ready = backends.filter((backend) => backend.ready);
  for (const kind of ["node", "zone"] as const) {
    const near = ready.filter(({ hints }) => hints[kind] === "this");
    if (near.length > 0 && ready.every(({ hints }) => hints[kind] !== undefined)) return near;
  }
  return backends;
}
