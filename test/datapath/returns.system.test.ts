import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import {
  type ClientName,
  clients,
  endpoints,
  felix,
  type KubernetesObject,
  nodes,
  service,
} from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { serveProbes } from "./traffic/serving.ts";

const ANNOTATION = "ebpf-dataplane.io/return-mode";

let cluster: BareCluster;
let far: Placed;

beforeAll(async () => {
  cluster = await BareCluster.start();
  far = await cluster.addPod("far", "node", { app: "far" });
  await serveProbes(cluster, "node", "host/node", "tcp:8080", "udp:8080");
});
afterAll(() => cluster?.close());

/** Of datagrams: one of a port that was used in the last three minutes belongs to a flow, which keeps its way. Below the ports that the
 * kernel gives to sockets. */
let sourcePort = 20_000;

/** The backends are on `node`, a pod and a process of the node itself; clients connect to `master`. */
describe.each(["DSR", "Tunnel"] as const)("replies of single services and clients, return mode %s", (mode) => {
  beforeAll(async () => {
    configure();
    for (const [protocol, port] of [
      ["TCP", 0],
      ["UDP", 10],
    ] as const) {
      for (const [name, value, index] of services) {
        const exposed = { clusterIP: `10.96.0.${20 + index + port}`, nodePort: 30020 + index + port, protocol };
        const id = `${name}-${protocol.toLowerCase()}`;
        cluster.apply(annotated(service(id, exposed), value), endpoints(id, [far], protocol));
      }
      const spec = {
        ports: [{ name: "web", protocol, port: 8080, targetPort: 8080, nodePort: 30026 + port }],
      };
      const id = `host-${protocol.toLowerCase()}`;
      const exposed = { clusterIP: `10.96.0.${26 + port}`, nodePort: 30026 + port, protocol, spec };
      const slice = endpoints(id, [{ address: nodes.node, node: "node" }], protocol);
      cluster.apply(annotated(service(id, exposed), other), {
        ...slice,
        ports: [{ name: "web", protocol, port: 8080 }],
      });
    }
    await cluster.carriedOut();
  });

  const other = mode === "DSR" ? "Tunnel" : "DSR";
  /** Name, value of the annotation, and number. */
  const services = [
    ["plain", undefined, 0],
    ["same", mode, 1],
    ["other", other, 2],
    ["misspelt", "direct", 3],
  ] as const;

  function configure(...optedOut: string[]): void {
    cluster.apply(felix({}, { bpfExternalServiceMode: mode, bpfDSROptoutCIDRs: optedOut }));
  }

  const annotated = (object: KubernetesObject, value: string | undefined): KubernetesObject =>
    value ? { ...object, metadata: { ...object.metadata, annotations: { [ANNOTATION]: value } } } : object;

  /** Which way the replies of one new connection went, as both nodes counted them. */
  async function wayOf(client: ClientName, port: number, protocol: "tcp" | "udp"): Promise<string> {
    const counted = async () => {
      const [node, master] = await Promise.all([cluster.outcomes("node"), cluster.outcomes("master")]);
      return [node.return_direct ?? 0, node.return_via_entry ?? 0, master.return_forwarded ?? 0] as const;
    };
    let way = "";
    // Both may have counted when the end of an earlier connection was still on its way.
    await until("replies that go one way", async () => {
      const before = await counted();
      const from = protocol === "udp" ? { sourcePort: sourcePort++ } : {};
      const seen = await cluster.see(client, `${nodes.master}:${port}`, { protocol, ...from });
      expect(seen).toMatch(new RegExp(`^allowed (default/far|host/node) saw ${clients[client]}$`));
      const after = await counted();
      const [direct, wrapped, forwarded] = before.map((count, index) => (after[index] ?? 0) > count);
      way = direct ? "DSR" : "Tunnel";
      return direct ? !wrapped : (wrapped ?? false) && (forwarded ?? false);
    });
    return way;
  }

  describe.each([
    ["tcp", 0],
    ["udp", 10],
  ] as const)("%s", (protocol, port) => {
    test("a service's annotation comes before the cluster's mode, a wrong one does not count", async () => {
      expect(await wayOf("client1", 30020 + port, protocol)).toBe(mode);
      expect(await wayOf("client1", 30021 + port, protocol)).toBe(mode);
      expect(await wayOf("client1", 30022 + port, protocol)).toBe(other);
      expect(await wayOf("client1", 30023 + port, protocol)).toBe(mode);
    });

    test("so it does for a backend in the node's own network", async () => {
      expect(await wayOf("client1", 30026 + port, protocol)).toBe(other);
    });

    test("a client that opted out is answered by the node that it asked, others are not concerned", async () => {
      configure(`${clients.client2}/32`, "2001:db8::/32", "::/0");
      await cluster.carriedOut();
      expect(await wayOf("client2", 30020 + port, protocol)).toBe("Tunnel");
      for (const number of [30022, 30026]) expect(await wayOf("client2", number + port, protocol)).toBe("Tunnel");
      expect(await wayOf("client1", 30020 + port, protocol)).toBe(mode);
      configure();
      await cluster.carriedOut();
      expect(await wayOf("client2", 30020 + port, protocol)).toBe(mode);
    });

    test("the annotation is followed while the service is in use", async () => {
      const name = `other-${protocol}`;
      const exposed = {
        clusterIP: `10.96.0.${22 + port}`,
        nodePort: 30022 + port,
        protocol: protocol === "tcp" ? "TCP" : "UDP",
      } as const;
      cluster.apply(annotated(service(name, exposed), mode));
      await cluster.carriedOut();
      expect(await wayOf("client1", 30022 + port, protocol)).toBe(mode);
      cluster.apply(annotated(service(name, exposed), other));
      await cluster.carriedOut();
      expect(await wayOf("client1", 30022 + port, protocol)).toBe(other);
    });
  });
});
