import type { Measurement } from "../../components/documents/verification.ts";
import { type ClusterView, nodeAddresses } from "../../verify/cluster/view.ts";
import type { World } from "../../verify/engine/world.ts";
import type { SessionOptions } from "../../verify/session.ts";
import type { Measure } from "../../verify/verification/run.ts";
import { compareOnLab } from "./command.ts";
import { defaults } from "./options.ts";

/** Measures a deployment's target on the lab's machines, as `verify compare` does. */
export function measureOnLab({ lab, quiet }: SessionOptions): (world: World) => Measure {
  return (world) => async (measurement) => {
    const { client, modes, connections, concurrency } = measurement;
    const { service, entry } = lookedUp(await world.view(), measurement);
    const rounds = Math.min(defaults.rounds, connections);
    const options = { ...defaults, lab, client, modes, connections, concurrency, rounds, service, entry };
    return compareOnLab(options, world.stopping, quiet);
  };
}

/** The service and the node behind `tcp://172.31.1.8:30604` or `tcp://node/master:30604`. */
export function lookedUp(view: ClusterView, { to }: Measurement): { service: string; entry?: string } {
  const { host, port } = to.value;
  const service = view.services.find(({ spec }) => spec?.ports?.some(({ nodePort }) => nodePort === port))?.metadata;
  if (!service) throw new Error(`no service has the node port ${port} of ${to.text}; is its Service deployed?`);
  const owner = view.nodes.find((node) => host.kind === "address" && nodeAddresses(node).includes(host.address));
  const entry = host.kind === "node" ? host.name : owner?.metadata?.name;
  if (!entry) throw new Error(`no node has the address of ${to.text}; allowed: the address of a node, or node/NAME`);
  return { service: `${service.namespace}/${service.name}`, entry };
}
