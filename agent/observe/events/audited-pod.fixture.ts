// A pod whose policies log and pass in one tier, and allow one port in the next.
import { schemas } from "../../../model/objects/schemas.ts";
import { Compiler } from "../../compile/compile.ts";
import { entriesOf } from "../../compile/desired.ts";
import { type ClusterSnapshot, noObjects } from "../../compile/snapshot.ts";
import { Direction, type Event } from "../../kernel/layout.gen.ts";
import { Names } from "./names.ts";

const facts: ClusterSnapshot["facts"] = {
  ...{ nodeName: "node", address: "172.31.1.207", subnets: ["172.31.1.0/24"], serviceSubnet: "10.96.0.0/12" },
  ...{ localAddresses: [], uplinkIfindex: 2, tunnelIfindex: 9 },
  ...{ uplinks: [{ name: "eth0", ifindex: 2, addresses: ["172.31.1.207"] }] },
};
export const db = schemas.pods.parse({
  metadata: { name: "db", namespace: "default", labels: { app: "db" } },
  spec: { nodeName: "node", containers: [{}] },
  status: { phase: "Running", podIPs: [{ ip: "10.244.0.66" }] },
});
const endpoint = { namespace: "default", pod: "db", address: "10.244.0.66", ifindex: 7 };
const macs = { mac: "02:00:00:00:00:07", hostMac: "02:00:00:00:01:07" };
const tcp = (action: string, port: number) => ({ action, protocol: "TCP", destination: { ports: [port] } });
const audit = schemas.globalNetworkPolicies.parse({
  metadata: { name: "security.audit" },
  spec: {
    ...{ tier: "security", selector: "app == 'db'", types: ["Ingress"] },
    ingress: [tcp("Log", 5432), tcp("Log", 22), { action: "Pass" }],
  },
});
const open = schemas.networkPolicies.parse({
  metadata: { name: "open", namespace: "default" },
  spec: { podSelector: {}, ingress: [{ ports: [{ port: 5432 }] }] },
});
const security = schemas.tiers.parse({ metadata: { name: "security" }, spec: { order: 100 } });

export const state = new Compiler().compile({
  ...{ ...noObjects, facts, pods: [db], endpoints: [{ ...endpoint, ...macs }] },
  ...{ tiers: [security], globalNetworkPolicies: [audit], networkPolicies: [open] },
});

export const names = new Names(
  () => ({ nodes: [], pods: [db], services: [] }),
  () => state.names,
);

/** What the packet path reports about a client's connection to a port, according to the compiled maps. */
export function eventAt(port: number, kind: number): Event {
  const entries = [...entriesOf(state.maps.policies)];
  const found = entries.find(({ key }) => key.prefixLength === 96 && key.port === port);
  const { policy = 0 } = found?.key ?? {};
  const { verdict = 0, rule = 0 } = found?.value ?? {};
  const packet = {
    source: "172.31.1.55",
    sourcePort: 40_000,
    destination: "10.244.0.66",
    destinationPort: port,
    protocol: 6,
  };
  const rest = { time: 0n, address: "::", node: "::", port: 0, direction: Direction.INGRESS, flags: 0, identity: 0 };
  return { ...rest, kind, packet, verdict, policy, rule } as Event;
}
