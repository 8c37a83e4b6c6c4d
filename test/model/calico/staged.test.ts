// Worlds by chance whose policies are staged: what the flow log and `explain` say of flows at a node's interfaces is what Calico's documentation says,
// or that it depends on what they do not know.
import fc from "fast-check";
import { expect, test } from "vitest";
import { Ends } from "../../../agent/observe/flows/ends.ts";
import { nodeHosts } from "../../../agent/observe/flows/judged-node.ts";
import { type ExplainedVerdict, StagedVerdicts } from "../../../agent/observe/flows/staged-verdicts.ts";
import { nodeDirectory } from "../../../model/node/nodes.ts";
import type { Namespace } from "../../../model/objects/core.ts";
import { HostDirectories } from "../../../model/policy/host-directory.ts";
import { PRODUCT_FAILSAFES, worldInWords } from "./comparison.ts";
import { followed, snapshotOf } from "./compiled.ts";
import { podEntity } from "./entities.ts";
import { podVerdict, type Verdict } from "./evaluate.ts";
import { type HostQuestion, hostVerdict, ownNodeVerdict } from "./hosts.ts";
import type { Direction, Packet, World } from "./objects.ts";
import { hostQuestions, inWords, ownNodeQuestions } from "./packets.ts";
import { randomWorld } from "./random-world.ts";
import { withoutSourcePorts } from "./without-source-ports.ts";

const WORLDS = 200;
const EVERY = 41;
/** Of the flows, one in so many is explained as well. */
const EXPLAINED = 5;

interface Asked {
  readonly packet: Packet;
  readonly written?: HostQuestion["written"];
  readonly direction: Direction;
}

const labelsOf = (namespaces: readonly Namespace[]) =>
  new Map(namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}]));

/** What the node `master` says of flows if all policies of the world were staged. */
function stagedVerdicts(world: World): (asked: Asked) => string | undefined {
  const snapshot = snapshotOf(world);
  const { facts, nodes, pods, ipPools } = snapshot;
  const directory = new HostDirectories().of(snapshot, nodeDirectory(nodes, facts), facts.uplinks ?? []);
  const ends = new Ends(() => ({ ...snapshot, services: [], own: facts }));
  const hosts = nodeHosts({ directory, facts }, snapshot.felixConfigurations, ipPools);
  const now = {
    policies: { networkPolicies: [] },
    pools: ipPools.map(({ spec }) => spec.cidr),
    ...{ nodes: new Map(), namespaces: labelsOf(snapshot.namespaces), hosts },
  };
  const { namespaces: _, serviceAccounts: __, ...staged } = snapshot;
  const verdicts = new StagedVerdicts({ node: facts.nodeName, ends, staging: () => staging });
  const staging = { now, staged };
  expect(pods.length).toBeGreaterThan(0);
  let asked = 0;
  return ({ packet, written }) => {
    const { source, destination, protocol, icmp, destinationPort = 0 } = packet;
    const used = written && { destination: written.destination, destinationPort: written.destinationPort };
    const port = icmp ? (icmp.type << 8) | icmp.code : destinationPort;
    const opened = { client: source, server: destination, port, protocol, ...(used && { used }) };
    const said = verdicts.of(opened, true);
    if (asked++ % EXPLAINED === 0) isConsistent(said?.verdict, verdicts.explain(opened));
    return said?.verdict;
  };
}

/** Without other policies every end that policies tell says something else than now: together they say what becomes of the flow. A host endpoint that no
 * policy selects is closed before and after. */
function isConsistent(verdict: string | undefined, explained: ExplainedVerdict | undefined): void {
  expect(explained?.verdict).toBe(verdict);
  const decided = (explained?.ends ?? []).filter(({ undecided }) => !undecided).map((end) => end.verdict);
  if (verdict === "allowed") expect(decided.filter((one) => one !== "allowed")).toEqual([]);
  if (verdict === "denied" && explained?.differs && !explained.reason?.startsWith("defaultEndpointToHostAction"))
    expect(decided).toContain("denied");
  for (const { tiers, reason, verdict } of explained?.ends ?? [])
    expect(tiers.length > 0 || reason !== undefined || verdict === "allowed").toBe(true);
}

/** By the policies of pods of any node, at the ends of a packet. */
function atPods(world: World, packet: Packet): Verdict {
  const isDenied = (address: string, direction: Direction) =>
    world.pods.some(
      (pod) =>
        pod.status.podIPs.some(({ ip }) => ip === address) &&
        podVerdict(world, podEntity(world, pod), direction, packet) === "deny",
    );
  return isDenied(packet.source, "egress") || isDenied(packet.destination, "ingress") ? "deny" : "allow";
}

test("what is said of staged policies is what they would decide, at hosts too", () => {
  const said = { right: 0, open: 0 };
  const check = (world: World, asked: Asked, model: Verdict, judge: (asked: Asked) => string | undefined) => {
    const verdict = judge(asked);
    if (verdict === "depends") said.open++;
    else {
      said.right++;
      expect(verdict, `${inWords(asked)}\n${worldInWords(world)}\n`).toBe(model === "deny" ? "denied" : "allowed");
    }
  };
  const isOnMaster = (world: World, address: string) =>
    world.pods.some(({ spec, status }) => spec.nodeName === "master" && status.podIPs.some(({ ip }) => ip === address));
  fc.assert(
    fc.property(randomWorld, fc.nat(EVERY - 1), (whole, start) => {
      const world = withoutSourcePorts(followed(whole));
      const judge = stagedVerdicts(world);
      for (const question of hostQuestions(world, EVERY, start)) {
        const { packet, direction, way } = question;
        if (packet.sourcePort === 53) continue;
        const own = direction === "ingress" ? packet.destination : packet.source;
        if (way === "forwarded" && !isOnMaster(world, own)) continue;
        const atHost = hostVerdict(world, question, PRODUCT_FAILSAFES);
        const isRefused = atHost === "deny" || (way === "forwarded" && atPods(world, packet) === "deny");
        check(world, question, isRefused ? "deny" : "allow", judge);
      }
      for (const question of ownNodeQuestions(world, EVERY, start))
        check(world, question, ownNodeVerdict(world, question.packet, PRODUCT_FAILSAFES), judge);
    }),
    { numRuns: WORLDS },
  );
  expect(said.right).toBeGreaterThan(2000);
  expect(said.right).toBeGreaterThan(said.open);
});
