// One node of a small cluster that encrypts: the agent's parts, in a network namespace of the node's name.
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { Compiler } from "../../agent/compile/compile.ts";
import type { LocalEndpoint, NodeFacts } from "../../agent/compile/snapshot.ts";
import { Encryption } from "../../agent/encryption/encryption.ts";
import { attacher } from "../../agent/kernel/attach.ts";
import { interfaceIndex } from "../../agent/kernel/interface-names.ts";
import { libbpf } from "../../agent/kernel/libbpf.ts";
import { type Loaded, load } from "../../agent/kernel/load.ts";
import { inNamespace } from "../../agent/kernel/network-namespace.ts";
import { outcomeReader } from "../../agent/kernel/outcomes.ts";
import { type Pins, pinsUnder } from "../../agent/kernel/pins.ts";
import { NodeNetwork } from "../../agent/machine/node-network.ts";
import { createLog } from "../../agent/observe/log.ts";
import { Reconciler } from "../../agent/reconcile/reconciler.ts";
import { SnapshotStore } from "../../agent/watch/snapshot-store.ts";
import type { Family } from "../../model/address/address.ts";
import { encryptedPools, PUBLIC_KEY } from "../../model/encryption/encryption.ts";
import type { IpPool } from "../../model/objects/calico.ts";
import { type EncryptingName, PLACES, placeName, podPlace } from "./encrypting-places.ts";

/** The annotations of both Node objects, by node. */
export type Published = Map<string, string>;

export interface EncryptingNode {
  readonly name: EncryptingName;
  /** The only one of its addresses and its pod's. */
  readonly family: Family;
  readonly objects: string;
  readonly published: Published;
}

const CLONE_NEWNET = 0x40000000;
const HOST_MAC = "02:00:00:00:00:01";
const POD_MAC = "02:00:00:00:00:02";

export class NodeThatEncrypts {
  readonly pod: string;
  readonly #options: EncryptingNode;
  readonly #pins: Pins;
  readonly #loaded: Loaded;
  readonly #compiler = new Compiler();
  readonly #reconciler: Reconciler;
  readonly #network: NodeNetwork;
  readonly #encryption: Encryption;
  #facts: NodeFacts | undefined;

  constructor(options: EncryptingNode) {
    const { name, family, objects, published } = options;
    this.#options = options;
    this.pod = PLACES[family].pods[name];
    this.podMtuAtFirst = 1500 - PLACES[family].headers;
    const scratch = `/tmp/${placeName(family, name)}`;
    mkdirSync(scratch, { recursive: true });
    this.#pins = pinsUnder(`/sys/fs/bpf/${placeName(family, name)}`);
    this.#loaded = this.#inside(() =>
      load({ objects, pins: this.#pins, logFile: `${scratch}/verifier.log`, sizes: {} }),
    );
    this.#reconciler = new Reconciler(this.#loaded.maps);
    this.#network = this.#inside(
      () =>
        new NodeNetwork({
          ...{ nodeName: name, uplinks: [], mtu: undefined, salt: "salt", loadBalancer: false, countsServices: false },
          sysctls: { root: "/proc/sys", memory: `${scratch}/sysctls.json` },
          ...{ serviceSubnet: "10.96.0.0/12", serviceSubnetIpv6: "fd00:10:96::/108", apiServer: undefined },
        }),
    );
    this.#network.encrypts = () => true;
    this.#network.pools = () => encryptedPools(poolsOf(family) as unknown as IpPool[]);
    this.#encryption = new Encryption({
      ...{ node: name, runDirectory: scratch, log: createLog("warn") },
      publish: async (key) => void published.set(name, key),
      failure: () => this.#network.encryptionFailure,
      attach: () => this.#attach(),
    });
    this.#addPod();
  }

  #inside<T>(work: () => T): T {
    const { family, name } = this.#options;
    return inNamespace(`/run/netns/${placeName(family, name)}`, work);
  }

  /** This thread stays in the node's namespace until the work is done. */
  async #insideUntil<T>(work: () => Promise<T>): Promise<T> {
    const place = placeName(this.#options.family, this.#options.name);
    const [home = 0, own = 0] = ["/proc/thread-self/ns/net", `/run/netns/${place}`].map((path) => openSync(path, "r"));
    if (libbpf().setns(own, CLONE_NEWNET) < 0) throw new Error(`Cannot enter the namespace ${place}.`);
    try {
      return await work();
    } finally {
      libbpf().setns(home, CLONE_NEWNET);
      for (const fd of [home, own]) closeSync(fd);
    }
  }

  /** What an agent does after a change. */
  round(): Promise<void> {
    return this.#insideUntil(async () => {
      const { name, family, published } = this.#options;
      const underlay = PLACES[family].nodes[name];
      this.#facts ??= await this.#network.refresh({ underlay, ipv6: family === "IPv6" ? underlay : undefined });
      const facts = this.#facts;
      const store = new SnapshotStore(() => undefined);
      const objects = clusterObjects(family, published);
      for (const kind of store.missing()) store.replace(kind, objects[kind] ?? []);
      const desired = this.#compiler.compile(store.snapshot(facts, [this.#endpoint()]));
      const { problems } = this.#reconciler.sync(desired.maps);
      await this.#network.route(desired.routes, facts);
      const found = this.#encryption.apply(desired.encryption);
      const all = [...store.problems(), ...problems, ...desired.problems, ...found];
      if (all.length > 0) throw new Error(JSON.stringify(all));
    });
  }

  #attach(): boolean {
    const { tunnel, wireguard, uplinkDevices } = this.#network;
    if (!tunnel || !wireguard) return false;
    const attach = attacher(this.#loaded, this.#pins, true);
    attach.device("to_tunnel", tunnel);
    attach.device("from_tunnel", tunnel);
    attach.device("to_wireguard", wireguard);
    attach.device("from_wireguard", wireguard);
    const pod = { name: "pod", ifindex: this.#endpoint().ifindex };
    attach.device("to_workload", pod);
    attach.device("from_workload", pod);
    for (const uplink of uplinkDevices) {
      attach.device("to_uplink", uplink);
      attach.device("from_uplink", uplink);
    }
    return true;
  }

  #addPod(): void {
    const { name, family } = this.#options;
    const [node, inside, pod] = [placeName(family, name), podPlace(family, name), this.pod];
    const { lengths, podRouter } = PLACES[family];
    const ip = (where: string, ...commands: string[]) => {
      for (const command of commands) execFileSync("ip", ["-netns", where, ...command.split(" ")]);
    };
    const mtu = `mtu ${this.podMtuAtFirst}`;
    ip(
      node,
      `link add pod address ${HOST_MAC} ${mtu} type veth peer name eth0 address ${POD_MAC} ${mtu} netns ${inside}`,
      "link set pod addrgenmode none up",
      `neighbour replace ${pod} lladdr ${POD_MAC} dev pod nud permanent`,
    );
    ip(
      inside,
      `address add ${pod}/${lengths.pod} dev eth0${family === "IPv6" ? " nodad" : ""}`,
      "link set lo up",
      "link set eth0 up",
      `neighbour replace ${podRouter} lladdr ${HOST_MAC} dev eth0 nud permanent`,
      `route add default via ${podRouter} dev eth0 onlink`,
    );
  }

  /** Before the first round nothing is known of the uplink. */
  readonly podMtuAtFirst: number;

  #endpoint(): LocalEndpoint {
    const { name } = this.#options;
    const ifindex = this.#inside(() => interfaceIndex("pod")) ?? 0;
    return {
      namespace: "default",
      pod: `pod-${name}`,
      uid: `pod-${name}`,
      address: this.pod,
      ifindex,
      mac: POD_MAC,
      hostMac: HOST_MAC,
    };
  }

  get keyInUse(): string | undefined {
    return this.#inside(() => this.#encryption.device?.publicKey);
  }

  get podMtu(): number {
    return this.#network.podMtu;
  }

  status() {
    return this.#inside(() => this.#encryption.status(Date.now()));
  }

  /** Outcomes of dropped packets, with their number; not those of what each interface says of itself in IPv6. */
  refused(): Record<string, number> {
    const all = [...outcomeReader(this.#pins)()].filter(
      ([name, { packets }]) => name.startsWith("drop_") && name !== "drop_unsupported" && packets > 0n,
    );
    return Object.fromEntries(all.map(([name, { packets }]) => [name, Number(packets)]));
  }
}

/** Not wrapped where packets are not encrypted. */
const poolsOf = (family: Family) => [
  { metadata: { name: "pods" }, spec: { ...PLACES[family].pool, vxlanMode: "Never", natOutgoing: false } },
];

/** Only pods labelled `app: a` reach those labelled `app: b`. */
function clusterObjects(family: Family, published: Published): Record<string, object[]> {
  const names = ["a", "b"] as const;
  const { nodes, pods, blocks } = PLACES[family];
  return {
    nodes: names.map((name) => ({
      metadata: { name, ...(published.has(name) && { annotations: { [PUBLIC_KEY]: published.get(name) } }) },
      status: { addresses: [{ type: "InternalIP", address: nodes[name] }] },
    })),
    namespaces: [{ metadata: { name: "default" } }],
    pods: names.map((name) => ({
      metadata: { name: `pod-${name}`, namespace: "default", uid: `pod-${name}`, labels: { app: name } },
      spec: { nodeName: name, containers: [] },
      status: { phase: "Running", podIP: pods[name], podIPs: [{ ip: pods[name] }] },
    })),
    networkPolicies: [
      {
        metadata: { name: "b", namespace: "default" },
        spec: {
          podSelector: { matchLabels: { app: "b" } },
          policyTypes: ["Ingress"],
          ingress: [{ from: [{ podSelector: { matchLabels: { app: "a" } } }] }],
        },
      },
    ],
    ipPools: poolsOf(family),
    ipamBlocks: names.map((name) => ({ metadata: { name }, spec: { cidr: blocks[name], node: name, pool: "pods" } })),
    felixConfigurations: [
      { metadata: { name: "default" }, spec: { bpfExternalServiceMode: "DSR", wireguardEnabled: true } },
    ],
  };
}
