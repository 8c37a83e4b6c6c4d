// Whose sockets are given a backend is changed while pods use theirs. A flow goes on as it began: kube-proxy has no such setting, and an application must
// not notice it.
import { afterAll, beforeAll, expect, test } from "vitest";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import { endpoints, endpointsIpv6, felix, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { type DatagramFlow, DatagramFlows } from "./traffic/datagram-flows.ts";

const ADDRESSES = ["10.96.0.30", "fd00:10:96::30"];
/** Also as Java's sockets ask, of AF_INET6. */
const ASKED = [...ADDRESSES, "::ffff:10.96.0.30"];
const WITNESS = "10.96.0.31";

let cluster: BareCluster;
let servers: Placed[];
let asker: Placed;

beforeAll(async () => {
  cluster = await BareCluster.start({ stack: "dual" });
  servers = await Promise.all([
    cluster.addPod("one", "master", { app: "dns" }),
    cluster.addPod("two", "node", { app: "dns" }),
    cluster.addPod("three", "node", { app: "dns" }),
  ]);
  asker = await cluster.addPod("asker", "master", { app: "asker" });
  const [clusterIP = "", clusterIPv6 = ""] = ADDRESSES;
  cluster.apply(service("dns", { clusterIP, clusterIPv6, nodePort: 30630, protocol: "UDP" }), ...slices(servers));
});
afterAll(() => cluster?.close());

const slices = (pods: readonly Placed[]) => [endpoints("dns", pods, "UDP"), endpointsIpv6("dns", pods, "UDP")];

function giveTo(sockets: "All" | "HostOnly"): Promise<void> {
  cluster.apply(felix({ "ebpf-dataplane.io/socket-translation": sockets }));
  return cluster.carriedOut();
}

/** What is wrong with a flow that goes on as it began. */
const faults = (flows: readonly DatagramFlow[]) =>
  flows.filter(({ servers, otherPorts, otherSources, errors }) => {
    return servers.length !== 1 || otherPorts.length + otherSources.length + errors.length > 0;
  });

/** Waits until the agent has looked at all sockets of the asker: it ends one whose Service is gone. */
async function looked(first: number): Promise<void> {
  const objects = [
    service("witness", { clusterIP: WITNESS, nodePort: 30631, protocol: "UDP" }),
    endpoints("witness", servers.slice(0, 1), "UDP"),
  ];
  cluster.apply(...objects);
  await cluster.carriedOut();
  const witness = new DatagramFlows("the witness", cluster, asker, first, 1, WITNESS);
  await witness.begin();
  cluster.remove(...objects);
  await until(
    "the agent to end the witness",
    async () => witness.now.some(({ errors }) => errors.includes("ECONNABORTED")),
    () => JSON.stringify(witness.now),
  );
  witness.end();
}

test("a pod's UDP flows go on with their backend and port, from HostOnly to All and back, over both families", async () => {
  await giveTo("HostOnly");
  const old = new DatagramFlows("flows of before", cluster, asker, 42_000, 4, ...ASKED);
  await old.begin();
  expect(new Set(old.now.flatMap((flow) => flow.servers)).size).toBe(3);

  await giveTo("All");
  await looked(42_900);
  await old.grow();
  expect(faults(old.now)).toEqual([]);

  const young = new DatagramFlows("flows of meanwhile", cluster, asker, 42_100, 4, ...ASKED);
  await young.begin();
  await giveTo("HostOnly");
  for (const flows of [old, young]) {
    await flows.grow();
    expect(faults(flows.now)).toEqual([]);
  }

  // What has lost its backend moves. Only a socket that connect() has bound to it is ended.
  const gone = `default/${servers[0]?.name}`;
  const had = (flow: DatagramFlow) => flow.servers.includes(gone);
  const bound = young.now.map((flow) => had(flow) && flow.how === "connected");
  cluster.apply(...slices(servers.slice(1)));
  await until(
    "the bound ones to be ended",
    async () => young.now.every((flow, at) => !bound[at] || flow.errors.includes("ECONNABORTED")),
    () => JSON.stringify(young.now),
  );
  await until(
    "the others to move",
    async () =>
      [...old.now, ...young.now.filter((_, at) => !bound[at])].every((flow) => !had(flow) || flow.servers.length > 1),
    () => JSON.stringify([old.now, young.now]),
  );
  await old.grow();
  expect(old.now.flatMap(({ errors }) => errors)).toEqual([]);
  expect(young.now.filter((_, at) => !bound[at]).flatMap(({ errors }) => errors)).toEqual([]);
  for (const flows of [old, young]) flows.end();
});
