import type { DesiredState } from "./desired.ts";
import { compileEndpoints, endpointRoutes } from "./endpoints.ts";
import { LocationCompiler } from "./locations.ts";
import { Latest } from "./memo.ts";
import { type NodeDirectory, nodeDirectory } from "./nodes.ts";
import { PolicyCompiler } from "./policies.ts";
import { blockRoutes, type PoolDirectory, poolDirectory } from "./pools.ts";
import { ServiceCompiler } from "./services.ts";
import { compileSettings, policyRevision, settingsProblems } from "./settings.ts";
import type { ClusterSnapshot, NodeFacts } from "./snapshot.ts";

/** Turns a snapshot of the cluster into what this node's kernel should hold. Pure in what it answers: equal snapshots,
 * equal states, whatever was compiled before; what it remembers only saves work for objects that are the same. */
export class Compiler {
  readonly #facts = new Latest<NodeFacts>();
  readonly #nodes = new Latest<NodeDirectory>();
  readonly #pools = new Latest<PoolDirectory>();
  readonly #services = new ServiceCompiler();
  readonly #policies = new PolicyCompiler();
  readonly #locations = new LocationCompiler();

  compile(snapshot: ClusterSnapshot): DesiredState {
    const { felixConfigurations } = snapshot;
    // The agent looks at its machine again and again; nearly always it is as it was, and nothing hangs on a new object.
    const facts = this.#facts.get([JSON.stringify(snapshot.facts)], () => snapshot.facts);
    const nodes = this.#nodes.get([snapshot.nodes, facts], () => nodeDirectory(snapshot.nodes, facts));
    const pools = this.#pools.get([snapshot.ipPools, snapshot.ipamBlocks, nodes], () =>
      poolDirectory(snapshot.ipPools, snapshot.ipamBlocks, nodes),
    );
    const services = this.#services.compile(snapshot, nodes);
    const selection = this.#policies.select(snapshot);
    const addresses = this.#locations.compile(snapshot, selection.vocabulary, nodes, pools);
    const policies = this.#policies.compile(addresses.identities);
    const endpoints = compileEndpoints(snapshot.endpoints, addresses.endpointIdentities, selection, policies);
    const revision = policyRevision(endpoints.endpoints, addresses.locations);
    return {
      maps: {
        services: services.services,
        slots: services.slots,
        backends: services.backends,
        policies: policies.policies,
        locations: addresses.locations,
        ...endpoints,
        settings: compileSettings(facts, felixConfigurations, revision),
      },
      routes: [...endpointRoutes(snapshot.endpoints), ...blockRoutes(pools)],
      natOutgoing: pools.natOutgoing,
      problems: [...services.problems, ...selection.problems, ...settingsProblems(felixConfigurations)],
    };
  }
}
