import { PRODUCT_FAILSAFES } from "../calico/comparison.ts";
import { followed } from "../calico/compiled.ts";
import { egressOf } from "../calico/egress.ts";
import { podEntity } from "../calico/entities.ts";
import { podVerdict } from "../calico/evaluate.ts";
import { interfacesOf } from "../calico/families.ts";
import { egressToOwnNode, hostVerdict, ownNodeVerdict } from "../calico/hosts.ts";
import type { Direction, Packet, World } from "../calico/objects.ts";
import { hostQuestions, inWords, ownNodeQuestions, questions } from "../calico/packets.ts";
import { fromOwnNodeRun, hostRun, opensConnection, podRun, type Run } from "./run.ts";
import type { WorldNode } from "./world-node.ts";

export interface Counts {
  packets: number;
  refused: number;
}

/** Every so-manieth packet of a world, beginning at `start`. */
export interface Choice {
  readonly every: number;
  readonly start: number;
}

type Refusal = "drop_policy_egress" | "drop_policy_ingress" | "drop_no_egress_gateway";

interface Asked {
  readonly say: string;
  /** Its outcome where policies allow it. */
  readonly goesOn: "to_endpoint" | "to_network" | "pass_to_stack" | "to_overlay" | "forward_external";
  readonly run: Run;
  refusal(world: World): Refusal | undefined;
}

/** Outcomes of what leaves the cluster, where policies allow it. */
const LEAVES = {
  plain: "to_network",
  here: "forward_external",
  elsewhere: "to_overlay",
  nowhere: "to_network",
} as const;

/** The packets about which evaluator and programs differ, in words. The policies of `others` follow those of the first world one after the
 * other, while its connections exist. */
export function differences(
  node: WorldNode,
  [first, ...others]: readonly [World, ...World[]],
  choice: Choice,
  counts: Counts = { packets: 0, refused: 0 },
): string[] {
  const begun = followed(first);
  const worlds = [begun, ...others.map((other) => changed(begun, followed(other)))];
  const all = [podPackets, hostPackets, forwardedPackets, toOwnNode, fromOwnNode].flatMap((packets) =>
    packets(begun, choice),
  );
  // A flow that comes in by two interfaces has one connection, which is of one of them.
  const asked = [...new Map(all.map((one) => [one.say.replace(/^forwarded, at \w+, /, ""), one])).values()];
  node.forget();
  return worlds.flatMap((world, index) => {
    node.write(world);
    return asked.flatMap(({ say, run, goesOn, refusal }) => {
      const [outcome, right] = [node.run(run), refusal(world) ?? goesOn];
      counts.packets++;
      if (right !== goesOn) counts.refused++;
      return outcome === right ? [] : [`world ${index + 1}: ${say}: expected ${right}, ${run.program}: ${outcome}`];
    });
  });
}

/** The same pods, addresses and gateways under other policies and labels. */
function changed({ pods, endpointSlices, nodes, egressGateways }: World, other: World): World {
  const relabelled = nodes.map((node, index) => ({ ...node, metadata: other.nodes[index]?.metadata ?? node.metadata }));
  return { ...other, pods, endpointSlices, egressGateways, nodes: relabelled };
}

function podPackets(world: World, { every, start }: Choice): Asked[] {
  const asked = questions(world, every, start).filter(({ packet }) => opensConnection(packet));
  return asked.map(({ packet, direction }, index) => ({
    say: inWords({ direction, packet }),
    run: podRun(packet, (address) => isLocal(world, address), index),
    goesOn: isLocal(world, packet.destination) ? "to_endpoint" : LEAVES[egressOf(world, packet)],
    refusal: (now) => refusalOf(now, packet),
  }));
}

/** Judged where it comes in, where it leaves its pod, where it arrives, and where it leaves the node.
 * @param at the interface by which it comes in from others */
function refusalOf(world: World, packet: Packet, at = "eth0"): Refusal | undefined {
  const [begins, ends] = [packet.source, packet.destination].map((address) => isLocal(world, address));
  const egress = egressOf(world, packet);
  if (begins && egress === "nowhere") return "drop_no_egress_gateway"; // before policies are asked
  if (!begins && atInterface(world, "ingress", at, packet) === "deny") return "drop_policy_ingress";
  if (says(world, "egress", packet.source, packet) === "deny") return "drop_policy_egress";
  if (says(world, "ingress", packet.destination, packet) === "deny") return "drop_policy_ingress";
  const by = egress === "elsewhere" ? "the tunnel" : "eth0";
  return !ends && atInterface(world, "egress", by, packet) === "deny" ? "drop_policy_egress" : undefined;
}

/** What is said there of forwarded packets. */
function atInterface(world: World, direction: Direction, name: string, packet: Packet) {
  const known = [...interfacesOf(world), { name: "the tunnel", addresses: [] }];
  const found = known.find((one) => one.name === name);
  if (!found) throw new Error(`master has no interface ${name}`);
  const question = { node: "master", interface: found, direction, way: "forwarded", packet } as const;
  return hostVerdict(world, question, PRODUCT_FAILSAFES);
}

function says(world: World, direction: Direction, address: string, packet: Packet) {
  const pod = podAt(world, address);
  return pod && isLocal(world, address) ? podVerdict(world, podEntity(world, pod), direction, packet) : "allow";
}

function podAt({ pods }: World, address: string) {
  return pods.find(({ status }) => status.podIPs.some(({ ip }) => ip === address));
}

function isLocal(world: World, address: string): boolean {
  return podAt(world, address)?.spec.nodeName === "master";
}

function hostPackets(world: World, { every, start }: Choice): Asked[] {
  const asked = hostQuestions(world, every, start).filter(
    ({ way, packet }) => way === "own" && opensConnection(packet),
  );
  return asked.map((question, index) => ({
    say: `at ${question.interface.name}, ${inWords(question)}`,
    run: hostRun(question, 10_000 + index),
    goesOn: "pass_to_stack",
    refusal: (now) =>
      hostVerdict(now, question, PRODUCT_FAILSAFES) === "deny" ? `drop_policy_${question.direction}` : undefined,
  }));
}

/** From others to pods of this node, and to those of another one, for which the node is a router. */
function forwardedPackets(world: World, { every, start }: Choice): Asked[] {
  const asked = hostQuestions(world, every, start).filter(
    ({ way, direction, written, packet }) =>
      way === "forwarded" && direction === "ingress" && !written && opensConnection(packet),
  );
  return asked.map((question, index) => {
    const { packet, interface: at } = question;
    return {
      say: `forwarded, at ${at.name}, ${inWords(question)}`,
      run: hostRun(question, 40_000 + index),
      goesOn: isLocal(world, packet.destination) ? "to_endpoint" : "pass_to_stack",
      refusal: (now) => refusalOf(now, packet, at.name),
    };
  });
}

function toOwnNode(world: World, { every, start }: Choice): Asked[] {
  const asked = ownNodeQuestions(world, every, start).filter(({ packet }) => opensConnection(packet));
  return asked.map(({ packet }, index) => ({
    say: `to its own node, ${inWords({ direction: "egress", packet })}`,
    run: podRun(packet, () => true, 20_000 + index),
    goesOn: "pass_to_stack",
    refusal: (now) => {
      if (egressToOwnNode(now, packet) === "deny") return "drop_policy_egress";
      return ownNodeVerdict(now, packet, PRODUCT_FAILSAFES) === "deny" ? "drop_policy_ingress" : undefined;
    },
  }));
}

function fromOwnNode(world: World, { every, start }: Choice): Asked[] {
  const asked = ownNodeQuestions(world, every, start + 1).filter(({ packet }) => opensConnection(packet));
  return asked.map(({ packet }, index) => {
    const back = { ...packet, source: packet.destination, destination: packet.source };
    return {
      say: `from its own node, ${inWords({ direction: "ingress", packet: back })}`,
      run: fromOwnNodeRun(back, 30_000 + index),
      goesOn: "to_endpoint",
      refusal: () => undefined,
    };
  });
}
