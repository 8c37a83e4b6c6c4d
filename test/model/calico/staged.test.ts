// Worlds by chance whose policies are staged: what the flow log and `explain` say of flows at a node's interfaces is what Calico's documentation says,
// or that it depends on what they do not know.
import fc from "fast-check";
import { expect, test } from "vitest";
import { Ends } from "../../../agent/observe/flows/ends.ts";
import { nodeHosts } from "../../../agent/observe/flows/judged-node.ts";
import { StagedVerdicts } from "../../../agent/observe/flows/staged-verdicts.ts";
import { nodeDirectory } from "../../../model/node/nodes.ts";
import type { Namespace } from "../../../model/objects/core.ts";
import { HostDirectories } from "../../../model/policy/host-directory.ts";
import { PRODUCT_FAILSAFES, worldInWords } from "./comparison.ts";
import { followed, snapshotOf } from "./compiled.ts";
import { podEntity } from "./entities.ts";
import { podVerdict, type Verdict } from "./evaluate.ts";
import { type HostQuestion, hostVerdict, ownNodeVerdict } from "./hosts.ts";
import type { CalicoPolicy, Direction, GlobalPolicy, Packet, World } from "./objects.ts";
import { hostQuestions, inWords, ownNodeQuestions } from "./packets.ts";
import { randomWorld } from "./random-world.ts";

const WORLDS = 200;
const EVERY = 41;

interface Asked {
  readonly packet: Packet;
  readonly written?: HostQuestion["written"];
  readonly direction: Direction;
}

/** A flow log does not have source ports, by which rules and the answers of fail-safe ports may be told. */
function withoutSourcePorts(world: World): World {
  const isPlain = ({ spec: { ingress = [], egress = [] } }: CalicoPolicy | GlobalPolicy) =>
    ![...ingress, ...egress].some(({ source }) => source?.ports || source?.notPorts);
  return {
    ...world,
    calicoNetworkPolicies: world.calicoNetworkPolicies.filter(isPlain),
    globalNetworkPolicies: world.globalNetworkPolicies.filter(isPlain),
  };
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
  return ({ packet, written }) => {
    const { source, destination, protocol, icmp, destinationPort = 0 } = packet;
    const used = written && { destination: written.destination, destinationPort: written.destinationPort };
    const port = icmp ? (icmp.type << 8) | icmp.code : destinationPort;
    return verdicts.of({ client: source, server: destination, port, protocol, ...(used && { used }) }, true)?.verdict;
  };
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
