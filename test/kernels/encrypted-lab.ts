// The cluster of encrypted-cluster.ts: two nodes that encrypt, a pod on each, Services of one of them, and a capture of what the nodes send each other.
import { switchNamespace } from "../../lab/names.ts";
import type { Probe } from "../../probe/batch.ts";
import { BareCluster, type From, until } from "../datapath/cluster/bare-cluster.ts";
import { endpoints, endpointsIpv6, felix, type KubernetesObject, nodes, service } from "../datapath/cluster/objects.ts";
import type { Placed } from "../datapath/cluster/placed.ts";
import { serveEchoes } from "../datapath/traffic/serving.ts";
import { NodesWire } from "./nodes-wire.ts";
import { PublishedKeys } from "./published-keys.ts";
import { tell } from "./told.ts";

/** An emulated processor can take seconds for what takes milliseconds. A packet that is dropped has to be waited for as long. */
export const PATIENCE = { timeoutMs: 10_000 };
export const DROPPED = { timeoutMs: 3_000 };
/** Tests send it, and nobody may read it between the nodes. */
export const MARKER = "nobody-between-the-nodes-reads-this";
/** 1500, less what WireGuard and VXLAN add. */
export const POD_MTU = 1390;
/** Node ports of the Services on master. */
export const AT_MASTER = { web: `${nodes.master}:30604`, echo: `${nodes.master}:30082`, dns: `${nodes.master}:30053` };

export const configuration = (mode: "DSR" | "Tunnel", wireguardEnabled = true): KubernetesObject =>
  felix({}, { bpfExternalServiceMode: mode, wireguardEnabled });

export interface EncryptedLab {
  readonly cluster: BareCluster;
  readonly wire: NodesWire;
  readonly keys: PublishedKeys;
  /** On node; behind all Services. */
  readonly web: Placed;
  /** On master. */
  readonly shop: Placed;
}

export async function startEncryptedLab(): Promise<EncryptedLab> {
  let lab = "";
  const prepare = async (name: string) => {
    lab = name;
  };
  const cluster = await BareCluster.start({ stack: "dual", prepare });
  try {
    const web = await cluster.addPod("web", "node", { app: "web" });
    const shop = await cluster.addPod("shop", "master", { app: "shop" });
    const echoPort = { name: "web", protocol: "TCP", port: 80, targetPort: 82, nodePort: 30082 };
    cluster.apply(
      service("web", { clusterIP: "10.96.0.10", clusterIPv6: "fd00:10:96::10", nodePort: 30604 }),
      endpoints("web", [web]),
      endpointsIpv6("web", [web]),
      service("dns", { clusterIP: "10.96.0.11", nodePort: 30053, protocol: "UDP" }),
      endpoints("dns", [web], "UDP"),
      service("echo", { clusterIP: "10.96.0.12", nodePort: 30082, spec: { ports: [echoPort] } }),
      { ...endpoints("echo", [web]), ports: [{ name: "web", protocol: "TCP", port: 82 }] },
      configuration("DSR"),
    );
    const keys = new PublishedKeys(cluster);
    for (const name of ["master", "node"] as const) await keys.publish(name);
    await cluster.podsHaveMtu(POD_MTU);
    await serveEchoes(cluster, web);
    const wire = await NodesWire.of(cluster, switchNamespace(lab), [MARKER, "default/web", "default/shop"]);
    const started = { cluster, wire, keys, web, shop };
    await untilPodsSpeak(started);
    wire.begin();
    return started;
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

/** Both nodes know each other's keys, and whether packets are encrypted. */
export async function untilPodsSpeak({ cluster, web, shop }: EncryptedLab): Promise<void> {
  await until(
    "pods of both nodes to reach each other",
    async () =>
      (await cluster.see("default/shop", `${web.address}:80`)).startsWith("allowed") &&
      (await cluster.see("default/web", `${shop.address}:80`)).startsWith("allowed"),
    () => `${cluster.log("master")}${cluster.log("node")}`,
  );
}

/** Sends one probe, and tells what it showed. */
export async function tellProbe(
  { cluster }: EncryptedLab,
  title: string,
  [from, to]: readonly [from: From, to: string],
  expected: string,
  more: Partial<Probe> = expected === "dropped" ? DROPPED : PATIENCE,
): Promise<void> {
  tell("connections", title, await cluster.see(from, to, more), expected);
}
