import { FlowJudge, type JudgedBy } from "../../model/flow/judge.ts";
import type { Judged } from "../../model/flow/judged.ts";
import type { FlowEnd } from "../../model/flow/record.ts";
import type { SeenFlow } from "../../model/flow/seen.ts";
import { nodeDirectory } from "../../model/node/nodes.ts";
import type { HostEndpoint } from "../../model/objects/calico-policy/host-endpoint.ts";
import { node as nodeSchema } from "../../model/objects/core.ts";
import { failsafesOf } from "../../model/policy/failsafes.ts";
import { HostDirectories } from "../../model/policy/host-directory.ts";

type NodeEnd = Extract<FlowEnd, { kind: "node" }>;

/** What declared HostEndpoints say of the flows that a log has of nodes themselves: with Calico's fail-safe ports, and as if a node had the interfaces
 * that its HostEndpoints name and no others. */
export class HostJudges {
  readonly #judges = new Map<string, FlowJudge>();

  constructor(by: JudgedBy, hostEndpoints: readonly HostEndpoint[], flows: readonly SeenFlow[]) {
    const ends = flows.flatMap(({ from, to }) => [from, to]).filter((end): end is NodeEnd => end.kind === "node");
    const addresses = new Map([...by.nodes, ...ends.map((end) => [end.name, end.addresses] as const)]);
    const nodes = [...addresses].map(([name, all]) =>
      nodeSchema.parse({
        metadata: { name },
        status: { addresses: all.map((address) => ({ type: "InternalIP", address })) },
      }),
    );
    for (const name of new Set(hostEndpoints.map(({ spec }) => spec.node))) {
      const [address, ...localAddresses] = addresses.get(name) ?? [];
      if (address === undefined) continue;
      const named = hostEndpoints.filter(({ spec }) => spec.node === name && spec.interfaceName !== "*");
      const uplinks = named.map(({ metadata, spec }, index) => ({
        ...{ name: spec.interfaceName ?? metadata.name, ifindex: index + 1 },
        addresses: spec.expectedIPs.length > 0 ? spec.expectedIPs : [address, ...localAddresses],
      }));
      const others = { name: "others", ifindex: 0, addresses: [address, ...localAddresses] };
      const own = uplinks.length > 0 ? uplinks : [others];
      const facts = { nodeName: name, address, localAddresses, subnets: [], serviceSubnet: "" };
      const directory = new HostDirectories().of({ hostEndpoints, nodes }, nodeDirectory(nodes, facts), own);
      const hosts = {
        ...{ directory, uplinks: own, failsafes: failsafesOf(undefined, {}), pools: by.pools },
        ...({ toHost: "Accept", wraps: "sometimes" } as const),
      };
      this.#judges.set(name, new FlowJudge({ ...by, hosts }, flows));
    }
  }

  /** At the nodes that are ends of it, pods' policies included. */
  judge(flow: SeenFlow): Judged[] {
    return (["from", "to"] as const).flatMap((side) => {
      const end = flow[side];
      const judge = end.kind === "node" ? this.#judges.get(end.name) : undefined;
      return judge
        ? [judge.judge({ ...flow, at: flow.at === "both" ? flow.at : side === "from" ? "source" : "destination" })]
        : [];
    });
  }
}
