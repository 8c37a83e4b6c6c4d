import { afterAll, beforeAll, describe, test } from "vitest";
import { BareCluster, until } from "./bare-cluster.ts";
import { endpoints, type NodeName, nodes, returnMode, service } from "./objects.ts";

// What is refused is answered at once, with the address that the sender used: a TCP RST, or an ICMP error.
describe.each(["DSR", "Tunnel"] as const)("refusals, return mode %s", (mode) => {
  let cluster: BareCluster;
  const entries = Object.keys(nodes) as NodeName[];

  beforeAll(async () => {
    cluster = await BareCluster.start();
    cluster.apply(returnMode(mode), service("host", { clusterIP: "10.96.0.12", nodePort: 30091, protocol: "UDP" }), {
      ...endpoints("host", [{ address: nodes.node, node: "node" }], "UDP"),
      ports: [closed],
    });
    await until("the service", async () => (await cluster.outcomes("node")).pass_to_stack !== undefined);
  });
  afterAll(() => cluster?.close());

  test.each(entries)("through %s: a closed UDP port of a backend on its node's network", async (entry) => {
    await until(
      "the refusal",
      async () => (await cluster.see("client1", `${nodes[entry]}:30091`, { protocol: "udp" })) === "rejected",
    );
  });
});

/** A port on which nothing listens. */
const closed = { name: "web", protocol: "UDP", port: 999 };
