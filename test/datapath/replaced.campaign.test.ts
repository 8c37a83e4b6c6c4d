// Agents and their programs are replaced, and settings change, under constant questions: to cluster addresses and node ports of both nodes, in both families, from a
// pod, a node and a client. TIMES=10: how often each (default: 3).
import { afterAll, beforeAll, expect, test } from "vitest";
import { layoutHash } from "../../agent/kernel/layout.gen.ts";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import { endpoints, endpointsIpv6, felix, type NodeName, nodes, nodesIpv6, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { Asking } from "./traffic/asking.ts";

const TIMES = Number(process.env.TIMES || 3);
/** Sockets a second, of each that asks. */
const RATE = 60;
const NODE_PORT = 30604;
const pins = "/sys/fs/bpf/ebpf-dataplane";
const names = Object.keys(nodes) as NodeName[];

let cluster: BareCluster;
let asker: Placed;

beforeAll(async () => {
  cluster = await BareCluster.start({ stack: "dual", xdp: true });
  const pods = await Promise.all(names.map((on) => cluster.addPod(`on-${on}`, on, { app: "web" })));
  asker = await cluster.addPod("asker", "master", { app: "asker" });
  for (const protocol of ["TCP", "UDP"] as const) {
    const name = protocol.toLowerCase();
    const addresses = { clusterIP: "10.96.0.10", clusterIPv6: "fd00:10:96::10" };
    cluster.apply(service(name, { ...addresses, nodePort: NODE_PORT, protocol }));
    cluster.apply(endpoints(name, pods, protocol), endpointsIpv6(name, pods, protocol));
  }
  await cluster.carriedOut();
});
afterAll(() => cluster?.close());

const both = (place: string) => [`tcp:${place}`, `udp:${place}`];
const atNodes = names
  .flatMap((name) => [`${nodes[name]}:${NODE_PORT}`, `[${nodesIpv6[name]}]:${NODE_PORT}`])
  .flatMap(both);
const inCluster = [...["10.96.0.10:80", "[fd00:10:96::10]:80"].flatMap(both), ...atNodes];

/** How many packets both nodes have dropped as of no connection. */
async function dropped(): Promise<number> {
  const outcomes = await Promise.all(names.map((name) => cluster.outcomes(name)));
  return outcomes.reduce((sum, { drop_unrelated = 0 }) => sum + drop_unrelated, 0);
}

/** Does it `TIMES` times on each node while everybody asks. @returns what was not answered, and how many packets were dropped */
async function lostDuring(what: (name: NodeName, time: number) => Promise<void>) {
  const asking = [
    await Asking.begin(cluster, "client1", RATE, atNodes),
    await Asking.begin(cluster, asker, RATE, inCluster),
    await Asking.begin(cluster, "master", RATE, inCluster),
  ];
  const more = () => JSON.stringify(asking.map(({ counted, said }) => [counted, said]));
  const haveAnswers = async (many: number) => {
    const before = asking.map(({ counted }) => counted?.answered ?? 0);
    const goOn = async () => asking.every(({ counted }, at) => (counted?.answered ?? 0) > (before[at] ?? 0) + many);
    await until("more answers", goOn, more);
  };
  try {
    await haveAnswers(RATE);
    const before = await dropped();
    for (let time = 0; time < TIMES; time++) {
      for (const name of names) {
        await what(name, time);
        await haveAnswers(RATE);
      }
    }
    for (const one of asking) one.ends();
    await until("the last answers", async () => asking.every(({ isOver }) => isOver), more);
    const sum = (of: "asked" | "refused" | "unansweredTcp" | "unansweredUdp" | "keptAsked" | "keptAnswered") =>
      asking.reduce((total, { counted }) => total + (counted?.[of] ?? 0), 0);
    const seen = {
      ...{ refused: sum("refused"), unansweredTcp: sum("unansweredTcp"), unansweredUdp: sum("unansweredUdp") },
      unansweredKept: sum("keptAsked") - sum("keptAnswered"),
      dropped: (await dropped()) - before,
    };
    console.log(
      `of ${sum("asked")} questions and ${sum("keptAsked")} on kept sockets:`,
      seen,
      asking.map(({ said }) => said).join(""),
    );
    return seen;
  } finally {
    for (const one of asking) one.kill();
  }
}

const NOTHING = { refused: 0, unansweredTcp: 0, unansweredUdp: 0, unansweredKept: 0, dropped: 0 };

test("an agent of the same version: nothing is lost", { timeout: 600_000 }, async () => {
  const lost = await lostDuring(async (name) => {
    await cluster.killAgent(name);
    await cluster.startAgent(name);
  });
  expect(lost).toEqual(NOTHING);
});

test("settings that change: nothing is lost", { timeout: 600_000 }, async () => {
  const lost = await lostDuring(async (name, time) => {
    const sockets = { "ebpf-dataplane.io/socket-translation": name === "master" ? "HostOnly" : "All" };
    cluster.apply(felix(sockets, { bpfExternalServiceMode: time % 2 === 0 ? "Tunnel" : "DSR" }));
    await cluster.carriedOut();
  });
  expect(lost).toEqual(NOTHING);
});

// Packets of flows that the old programs have opened last wait until these are known: TCP sends them again, and of datagrams no more is lost than
// these programs count as dropped.
test("programs with another layout of the maps: no connection is lost", { timeout: 900_000 }, async () => {
  const { dropped, unansweredUdp, unansweredKept, ...lost } = await lostDuring(async (name) => {
    await cluster.killAgent(name);
    await cluster.run(name, ["mv", `${pins}/${layoutHash}`, `${pins}/older`]);
    await cluster.startAgent(name);
  });
  expect(lost).toEqual({ refused: 0, unansweredTcp: 0 });
  expect(unansweredUdp + unansweredKept).toBeLessThanOrEqual(dropped);
});
