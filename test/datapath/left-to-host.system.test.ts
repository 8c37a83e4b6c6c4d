import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import {
  endpoints,
  type KubernetesObject,
  type NodeName,
  nodes,
  onlyFrom,
  pool,
  returnMode,
  service,
} from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { DatagramFlows } from "./traffic/datagram-flows.ts";

const CLUSTER_IP = "10.96.0.10";
const DNS = "10.96.0.11";

let cluster: BareCluster;
let here: Placed;
let there: Placed;
let asker: Placed;

beforeAll(async () => {
  cluster = await BareCluster.start();
  here = await cluster.addPod("web", "node", { app: "web" });
  there = await cluster.addPod("far", "master", { app: "far" });
  asker = await cluster.addPod("asker", "node", { app: "asker" });
});
afterAll(() => cluster?.close());

/** Both, so that traffic left to the host's stack is judged on the uplink and at the tunnel. */
describe.each(["CrossSubnet", "Always"] as const)("services left to the host's stack, %s", (vxlanMode) => {
  beforeAll(async () => {
    cluster.apply(
      pool(vxlanMode),
      handledBy("KubeProxyNftables"),
      service("web", { clusterIP: CLUSTER_IP, nodePort: 30604 }),
      endpoints("web", [here]),
      service("dns", { clusterIP: DNS, nodePort: 30605, protocol: "UDP" }),
      endpoints("dns", [here], "UDP"),
    );
    await pointTo(here);
    await cluster.carriedOut();
  });

  /** The rules of kube-proxy for one backend. */
  async function pointTo({ address }: Placed): Promise<void> {
    const rules = `
      table ip stand_in { }
      delete table ip stand_in
      table ip stand_in {
        chain destination {
          type nat hook prerouting priority dstnat; policy accept;
          ip daddr ${CLUSTER_IP} tcp dport 80 dnat to ${address}:80
          ip daddr ${DNS} udp dport 80 dnat to ${address}:80
          fib daddr type local tcp dport 30604 dnat to ${address}:80
        }
        chain source {
          type nat hook postrouting priority srcnat; policy accept;
          ct status dnat ip saddr != 10.244.0.0/16 masquerade
          ct status dnat ip saddr ${address} masquerade
        }
      }`;
    for (const node of Object.keys(nodes) as NodeName[]) await cluster.run(node, ["nft", rules]);
  }

  const seeNodePort = (entry: NodeName) => cluster.see("client1", `${nodes[entry]}:30604`);
  const seeService = (from = "default/asker" as const) => cluster.see(from, `${CLUSTER_IP}:80`);

  /** Runs while these objects are in force. */
  async function under(objects: KubernetesObject[], holds: () => Promise<void>): Promise<void> {
    cluster.apply(...objects);
    await cluster.carriedOut();
    try {
      await holds();
    } finally {
      cluster.remove(...objects);
      await cluster.carriedOut();
    }
  }

  test.each(Object.keys(nodes) as NodeName[])("through %s: the pod sees that node, not the client", async (entry) => {
    expect(await seeNodePort(entry)).toBe(`allowed default/web saw ${nodes[entry]}`);
  });

  test("a policy without the client's address keeps the client out, also where the pod's own node masqueraded it", async () => {
    await under([onlyFrom("web", "172.31.1.55/32")], async () => {
      for (const entry of Object.keys(nodes) as NodeName[])
        await until(`${entry} to be kept out`, async () => (await seeNodePort(entry)) === "dropped");
    });
    await until("the path to be open again", async () => (await seeNodePort("node")).startsWith("allowed"));
  });

  test("a policy that allows the node's address lets it in", async () => {
    await under([onlyFrom("web", "172.31.1.8/32")], async () => {
      await until("node to be kept out", async () => (await seeNodePort("node")) === "dropped");
      expect(await seeNodePort("master")).toBe("allowed default/web saw 172.31.1.8");
    });
  });

  test("pods reach a service, and each other, with their own addresses, in both directions of each connection", async () => {
    expect(await seeService()).toBe(`allowed default/web saw ${asker.address}`);
    const seen = await cluster.see("default/asker", `${there.address}:80`);
    expect(seen).toBe(`allowed default/far saw ${asker.address}`);
    expect(await cluster.see("default/far", `${here.address}:80`)).toBe(`allowed default/web saw ${there.address}`);
  });

  test("a pod that reaches itself through a service gets its answer", async () => {
    expect(await cluster.see("default/web", `${CLUSTER_IP}:80`)).toMatch(/^allowed default\/web saw /);
  });

  test("the node reaches its pods regardless of their policy, and through the service's own rules too", async () => {
    await under([onlyFrom("web", "192.0.2.1/32")], async () => {
      await until("the client to be kept out", async () => (await seeNodePort("master")) === "dropped");
      expect(await cluster.see("node", `${here.address}:80`)).toBe("allowed default/web saw 172.31.1.207");
    });
  });

  test.each([
    ["on the same node", () => here],
    ["on another node", () => there],
  ])("egress policy is judged on the backend, %s", async (_, backend) => {
    const { name, labels } = backend();
    await pointTo(backend());
    try {
      await under([egressOnlyTo({ app: "nothing" })], async () => {
        await until("the service to be out of reach", async () => (await seeService()) === "dropped");
        expect(await cluster.see("default/asker", `${backend().address}:80`)).toBe("dropped");
      });
      await under([egressOnlyTo(labels)], async () => {
        await until("the service to be in reach", async () =>
          (await seeService()).startsWith(`allowed default/${name}`),
        );
      });
    } finally {
      await pointTo(here);
    }
  });

  test("when we handle services again, the pod sees the client, and an egress policy still matches backends", async () => {
    cluster.apply(handledBy("Ebpf"));
    await cluster.carriedOut();
    try {
      await until("the client's own address", async () => (await seeNodePort("master")).endsWith("saw 172.31.1.55"));
      await until("it through the other node", async () => (await seeNodePort("node")).endsWith("saw 172.31.1.55"));
      await under([egressOnlyTo({ app: "nothing" })], async () => {
        await until("the service to be out of reach", async () => (await seeService()) === "dropped");
      });
    } finally {
      cluster.apply(handledBy("KubeProxyNftables"));
      await cluster.carriedOut();
    }
    await until("the node's address again", async () => (await seeNodePort("master")).endsWith("saw 172.31.1.8"));
  });

  test("a pod's UDP flows, connected or not, go on when we handle services again, and when kube-proxy does", async () => {
    const flows = new DatagramFlows("the flows", cluster, asker, vxlanMode === "Always" ? 43_100 : 43_000, 2, DNS);
    try {
      await flows.begin();
      for (const mode of ["Ebpf", "KubeProxyNftables"]) {
        cluster.apply(handledBy(mode));
        await cluster.carriedOut();
        await flows.grow(30); // the agent looks at pods' sockets once a second
      }
      expect(flows.now.flatMap(({ errors, otherSources }) => [...errors, ...otherSources])).toEqual([]);
    } finally {
      cluster.apply(handledBy("KubeProxyNftables"));
      flows.end();
    }
  });

  test("a client that reuses a source port across the handover is served", async () => {
    const sourcePort = vxlanMode === "Always" ? 40_002 : 40_001;
    const again = () => cluster.see("client1", `${nodes.master}:30604`, { sourcePort });
    cluster.apply(handledBy("Ebpf"));
    try {
      await cluster.carriedOut();
      expect(await again()).toBe("allowed default/web saw 172.31.1.55");
      cluster.apply(handledBy("KubeProxyNftables"));
      await cluster.carriedOut();
      expect(await again()).toBe("allowed default/web saw 172.31.1.8");
      cluster.apply(handledBy("Ebpf"));
      await cluster.carriedOut();
      expect(await again()).toBe("allowed default/web saw 172.31.1.55");
    } finally {
      cluster.apply(handledBy("KubeProxyNftables"));
    }
  });
});

function handledBy(mode: string): KubernetesObject {
  const { metadata, ...rest } = returnMode("DSR");
  return { ...rest, metadata: { ...metadata, annotations: { "ebpf-dataplane.io/service-handling": mode } } };
}

function egressOnlyTo(labels: Record<string, string>): KubernetesObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "egress-of-asker", namespace: "default" },
    spec: {
      podSelector: { matchLabels: { app: "asker" } },
      policyTypes: ["Egress"],
      egress: [{ to: [{ podSelector: { matchLabels: labels } }] }],
    },
  };
}
