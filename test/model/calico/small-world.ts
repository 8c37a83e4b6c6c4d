// A small cluster for tables: two namespaces, four pods, a client outside.
import { podEntity } from "./entities.ts";
import { podVerdict, type Verdict } from "./evaluate.ts";
import {
  type CalicoPolicy,
  type Direction,
  emptyWorld,
  type GlobalPolicy,
  type Labels,
  type Packet,
  type Pod,
  type Rule,
  type Tier,
  type World,
} from "./objects.ts";

export const ADDRESSES = {
  web: "10.244.0.1",
  db: "10.244.0.2",
  job: "10.244.0.3",
  other: "10.244.0.4",
  client: "172.31.1.55",
};
export type Name = keyof typeof ADDRESSES;

function pod(name: Name, namespace: string, labels: Labels, account: string, port?: number): Pod {
  return {
    metadata: { name, namespace, labels },
    spec: {
      nodeName: "master",
      serviceAccountName: account,
      containers: [{ ports: port === undefined ? [] : [{ name: "http", containerPort: port, protocol: "TCP" }] }],
    },
    status: { podIPs: [{ ip: ADDRESSES[name] }] },
  };
}

export function smallWorld(parts: Partial<World> = {}): World {
  return {
    ...emptyWorld(),
    namespaces: [
      { metadata: { name: "shop", labels: { team: "a" } } },
      { metadata: { name: "lab", labels: { team: "b" } } },
    ],
    serviceAccounts: [
      { metadata: { namespace: "shop", name: "robot", labels: { role: "api" } } },
      { metadata: { namespace: "lab", name: "robot", labels: { role: "api" } } },
      { metadata: { namespace: "shop", name: "default" } },
    ],
    pods: [
      pod("web", "shop", { app: "web", tier: "front-end" }, "robot", 8080),
      pod("db", "shop", { app: "db" }, "default", 5432),
      pod("job", "lab", { app: "web", job: "yes" }, "robot"),
      pod("other", "lab", {}, "default"),
    ],
    ...parts,
  };
}

export function policy(name: string, spec: CalicoPolicy["spec"], namespace = "shop"): CalicoPolicy {
  return { metadata: { name, namespace }, spec };
}

export function globalPolicy(name: string, spec: GlobalPolicy["spec"]): GlobalPolicy {
  return { metadata: { name }, spec };
}

export function tier(name: string, order?: number, defaultAction?: "Deny" | "Pass"): Tier {
  return {
    metadata: { name },
    spec: { ...(order !== undefined && { order }), ...(defaultAction && { defaultAction }) },
  };
}

export const ALLOW: Rule = { action: "Allow" };
export const DENY: Rule = { action: "Deny" };
export const PASS: Rule = { action: "Pass" };

/** "web -> db tcp/5432", "web -> db icmp/8.0", "web -> db 47", with ":PORT" after the sender for a source port. */
export function packetOf(text: string): Packet {
  const [, from = "", sourcePort, to = "", protocol = "", port, code] =
    /^(\w+)(?::(\d+))? -> (\w+) (\w+)(?:\/(\d+)(?:\.(\d+))?)?$/.exec(text) ?? [];
  const ends = { source: ADDRESSES[from as Name], destination: ADDRESSES[to as Name] };
  if (protocol === "icmp") return { ...ends, protocol: 1, icmp: { type: Number(port), code: Number(code ?? 0) } };
  const number = { tcp: 6, udp: 17, sctp: 132 }[protocol];
  if (number === undefined) return { ...ends, protocol: Number(protocol) };
  return { ...ends, protocol: number, sourcePort: Number(sourcePort ?? 40000), destinationPort: Number(port) };
}

/** What the policies of the receiver, or for egress of the sender, say. */
export function verdictOf(world: World, text: string, direction: Direction = "ingress"): Verdict {
  const packet = packetOf(text);
  const address = direction === "ingress" ? packet.destination : packet.source;
  const subject = world.pods.find(({ status }) => status.podIPs[0]?.ip === address);
  if (!subject) throw new Error(`${address} is no pod`);
  return podVerdict(world, podEntity(world, subject), direction, packet);
}
