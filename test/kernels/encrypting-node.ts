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
import { NodeNetwork } from "../../agent/node-network.ts";
import { createLog } from "../../agent/observe/log.ts";
import { Reconciler } from "../../agent/reconcile/reconciler.ts";
import { SnapshotStore } from "../../agent/watch/snapshot-store.ts";
import { encryptedPools, PUBLIC_KEY } from "../../model/encryption/encryption.ts";
import type { IpPool } from "../../model/objects/calico.ts";

/** The annotations of both Node objects, by node. */
export type Published = Map<string, string>;

export interface EncryptingNode {
  readonly name: "a" | "b";
  readonly address: string;
  /** The address of its one pod, whose namespace is `pod-NAME`. */
  readonly pod: string;
  readonly objects: string;
  readonly published: Published;
}

const ADDRESSES = { a: "192.0.2.2", b: "198.51.100.2" } as const;
const PODS = { a: "10.244.0.2", b: "10.244.1.2" } as const;
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
    const { name, objects, published } = options;
    this.#options = options;
    this.pod = options.pod;
    const scratch = `/tmp/${name}`;
    mkdirSync(scratch, { recursive: true });
    this.#pins = pinsUnder(`/sys/fs/bpf/${name}`);
    this.#loaded = this.#inside(() =>
      load({ objects, pins: this.#pins, logFile: `${scratch}/verifier.log`, sizes: {} }),
    );
    this.#reconciler = new Reconciler(this.#loaded.maps);
    this.#network = this.#inside(
      () =>
        new NodeNetwork({
          ...{ nodeName: name, uplinks: [], mtu: undefined, salt: "salt", loadBalancer: false, countsServices: false },
          sysctls: { root: "/proc/sys", memory: `${scratch}/sysctls.json` },
          ...{ serviceSubnet: "10.96.0.0/12", serviceSubnetIpv6: undefined, apiServer: undefined },
        }),
    );
    this.#network.encrypts = () => true;
    this.#network.pools = () => encryptedPools(POOLS as unknown as IpPool[]);
    this.#encryption = new Encryption({
      ...{ node: name, runDirectory: scratch, log: createLog("warn") },
      publish: async (key) => void published.set(name, key),
      failure: () => this.#network.encryptionFailure,
      attach: () => this.#attach(),
    });
    this.#addPod();
  }

  #inside<T>(work: () => T): T {
    return inNamespace(`/run/netns/${this.#options.name}`, work);
  }

  /** This thread stays in the node's namespace until the work is done. */
  async #insideUntil<T>(work: () => Promise<T>): Promise<T> {
    const [home = 0, own = 0] = ["/proc/thread-self/ns/net", `/run/netns/${this.#options.name}`].map((path) =>
      openSync(path, "r"),
    );
    if (libbpf().setns(own, CLONE_NEWNET) < 0) throw new Error(`Cannot enter the namespace ${this.#options.name}.`);
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
      const { address, published } = this.#options;
      this.#facts ??= await this.#network.refresh({ underlay: address, ipv6: undefined });
      const facts = this.#facts;
      const store = new SnapshotStore(() => undefined);
      const objects = clusterObjects(published);
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
    const { name, pod } = this.#options;
    const ip = (inside: string, command: string) => execFileSync("ip", ["-netns", inside, ...command.split(" ")]);
    ip(
      name,
      `link add pod address ${HOST_MAC} mtu ${this.podMtuAtFirst} type veth peer name eth0 address ${POD_MAC} mtu ${this.podMtuAtFirst} netns pod-${name}`,
    );
    ip(name, "link set pod up");
    ip(name, `neighbour replace ${pod} lladdr ${POD_MAC} dev pod nud permanent`);
    for (const command of [
      `address add ${pod}/32 dev eth0`,
      "link set lo up",
      "link set eth0 up",
      `neighbour replace 169.254.1.1 lladdr ${HOST_MAC} dev eth0 nud permanent`,
      "route add default via 169.254.1.1 dev eth0 onlink",
    ])
      ip(`pod-${name}`, command);
  }

  /** Before the first round nothing is known of the uplink. */
  readonly podMtuAtFirst = 1500 - 50 - 60;

  #endpoint(): LocalEndpoint {
    const { name, pod } = this.#options;
    const ifindex = this.#inside(() => interfaceIndex("pod")) ?? 0;
    return {
      namespace: "default",
      pod: `pod-${name}`,
      uid: `pod-${name}`,
      address: pod,
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

  /** Outcomes of dropped packets, with their number; not those of IPv6, which the pods do not have here. */
  refused(): Record<string, number> {
    const all = [...outcomeReader(this.#pins)()].filter(
      ([name, { packets }]) => name.startsWith("drop_") && name !== "drop_unsupported" && packets > 0n,
    );
    return Object.fromEntries(all.map(([name, { packets }]) => [name, Number(packets)]));
  }
}

/** Not wrapped where packets are not encrypted. */
const POOLS = [
  {
    metadata: { name: "pods" },
    spec: { cidr: "10.244.0.0/16", blockSize: 26, vxlanMode: "Never", natOutgoing: false },
  },
];

/** Only pods labelled `app: a` reach those labelled `app: b`. */
function clusterObjects(published: Published): Record<string, object[]> {
  const names = ["a", "b"] as const;
  return {
    nodes: names.map((name) => ({
      metadata: { name, ...(published.has(name) && { annotations: { [PUBLIC_KEY]: published.get(name) } }) },
      status: { addresses: [{ type: "InternalIP", address: ADDRESSES[name] }] },
    })),
    namespaces: [{ metadata: { name: "default" } }],
    pods: names.map((name) => ({
      metadata: { name: `pod-${name}`, namespace: "default", uid: `pod-${name}`, labels: { app: name } },
      spec: { nodeName: name, containers: [] },
      status: { phase: "Running", podIP: PODS[name], podIPs: [{ ip: PODS[name] }] },
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
    ipPools: POOLS,
    ipamBlocks: [
      { metadata: { name: "a" }, spec: { cidr: "10.244.0.0/26", node: "a", pool: "pods" } },
      { metadata: { name: "b" }, spec: { cidr: "10.244.1.0/26", node: "b", pool: "pods" } },
    ],
    felixConfigurations: [
      { metadata: { name: "default" }, spec: { bpfExternalServiceMode: "DSR", wireguardEnabled: true } },
    ],
  };
}
