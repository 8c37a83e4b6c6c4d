// The node under test: real programs and maps in the kernel, filled by the agent's own compiler, with real interfaces, routes
// and neighbours around them, and no traffic but the frames that a test passes to a program.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Compiler } from "../../agent/compile/compile.ts";
import type { LocalEndpoint } from "../../agent/compile/snapshot.ts";
import { ConnectionFlag } from "../../agent/kernel/layout.gen.ts";
import { libbpf } from "../../agent/kernel/libbpf.ts";
import { type Loaded, load } from "../../agent/kernel/load.ts";
import { openMap, type Pins, pinsUnder } from "../../agent/kernel/pins.ts";
import { switched } from "../../agent/kernel/resize.ts";
import { type Circumstances, type RunResult, testRun } from "../../agent/kernel/test-run.fixture.ts";
import { Reconciler } from "../../agent/reconcile/reconciler.ts";
import { SnapshotStore } from "../../agent/watch/snapshot-store.ts";
import type { Family } from "../../model/address/address.ts";
import type { MapSizes } from "../../model/mode/map-sizes.ts";
import type { Encapsulation } from "../../model/pool/encapsulation.ts";
import {
  announced,
  clusterObjects,
  type Egress,
  gateway,
  localPods,
  nodes,
  optedOut,
  outside,
  policies,
  second,
  secondAddress,
} from "./cluster.ts";
import { OutcomeCounters } from "./counters.ts";
import { type HostPolicies, writeHostPolicies } from "./hosts.ts";
import { twinOf, writeTwins } from "./twins.ts";

/** The programs that handle packets, in the order of the preamble's table. Socket hooks cannot be run this way. */
export const packetPrograms = [
  "from_uplink",
  "to_uplink",
  "from_workload",
  "to_workload",
  "from_tunnel",
  "to_tunnel",
  "from_wireguard",
  "to_wireguard",
  "to_loopback",
] as const;
export type PacketProgram = (typeof packetPrograms)[number];

/** How a frame arrives at a program. */
export interface Meeting extends Partial<Pick<Circumstances, "ingressIfindex" | "mark" | "gso">> {
  readonly program: PacketProgram;
  /** Of the interface that the program is attached to: "uplink", "tunnel", "lo", or a pod's name. */
  readonly at: string;
  /** from_tunnel: the outer headers that the kernel's device removed. */
  readonly tunnel?: { readonly node: string; readonly vni: number; readonly group?: number };
  /** A VLAN tag outside the frame, as network cards store it. */
  readonly tag?: number;
}

export interface Met extends RunResult {
  /** The names of the outcomes that were counted, each as often as it was. */
  readonly outcomes: readonly string[];
}

export interface NodeOptions {
  /** Compiled objects of the dataplane. */
  readonly objects: string;
  /** preamble.bpf.o */
  readonly preamble: string;
  /** A folder on a bpffs, and one for files. */
  readonly bpffs: string;
  readonly scratch: string;
  /** Left out: small ones. */
  readonly sizes?: Partial<MapSizes>;
}

/** Small tables, by their names in bpf/: each case clears them, and the time that takes grows with their buckets, not with their entries. */
export const SMALL = {
  ...{ proven: 3072, unproven: 1024, connections: 8192, half_open: 2048 },
  ...{ affinities: 1024, fragments: 1024, host_requests: 1024 },
  ...{ frontends: 4096, backends: 8192, slots: 32_768, members: 32_768 },
};

export interface Handling {
  readonly returnMode: "Tunnel" | "DSR";
  /** Off: kube-proxy handles services. */
  readonly services: boolean;
  /** Clients whose replies never return directly; none by default. */
  readonly optedOut?: string;
  /** Of pods' packets between nodes, in the pool `overlay`; VXLAN by default. */
  readonly encapsulation?: Encapsulation;
  /** Where node ports answer: networks; everywhere by default. */
  readonly nodePortAddresses?: string | undefined;
  /** Whether what is wrapped is encrypted, and whether the node has a device for that; not by default. */
  readonly encryption?: "WireGuard" | "without a device" | undefined;
  /** Of the packets; IPv4 by default. The maps have both. */
  readonly family?: Family;
}

export const handlings: readonly Handling[] = [
  { returnMode: "DSR", services: true, optedOut: `${optedOut}/32` },
  { returnMode: "Tunnel", services: true, optedOut: `${optedOut}/32` },
  { returnMode: "DSR", services: false, optedOut: `${optedOut}/32` },
];

export const handlingsOfBothFamilies: readonly Handling[] = [
  ...handlings,
  ...handlings.map((handling) => ({ ...handling, family: "IPv6" as const })),
  ...handlings.map((handling) => ({ ...handling, encapsulation: "IPIP" as const })),
];

/** "other": a second network card, an uplink too. The device that encrypts is one with an Ethernet header here. */
const interfaces = ["uplink", "tunnel", "wireguard", "other", ...localPods.map((pod) => pod.name)];

const PREAMBLE_TUNNEL = 1;
const PREAMBLE_TAG = 2;

export class NodeUnderTest {
  readonly pins: Pins;
  readonly counters: OutcomeCounters;
  readonly #interfaces = new Map<string, number>();
  #loaded: Loaded;
  readonly #options: NodeOptions;
  readonly #preamble: number;
  readonly #compiler = new Compiler();
  #reconciler: Reconciler;
  #encapsulation: Encapsulation = "VXLAN";

  /** In its own network namespace, which disappears with the tests. */
  constructor(options: NodeOptions) {
    const { preamble, bpffs, scratch } = options;
    this.#options = options;
    makeInterfaces(scratch);
    for (const name of ["lo", ...interfaces]) this.#interfaces.set(name, indexOf(name));
    this.pins = pinsUnder(join(bpffs, "dataplane"));
    this.#loaded = this.#load(options.sizes ?? SMALL);
    this.counters = new OutcomeCounters(openMap(this.pins, "outcomes"));
    this.#reconciler = new Reconciler(this.#loaded.maps);
    this.#preamble = loadPreamble(preamble, join(bpffs, "preamble"), (name) => this.#loaded.programFd(name));
  }

  #load(sizes: NodeOptions["sizes"] = {}): Loaded {
    const { objects, scratch } = this.#options;
    return load({ objects, pins: this.pins, logFile: join(scratch, "verifier.log"), sizes });
  }

  /** As an agent that starts again with other sizes; steps with a preamble keep the old programs. `meanwhile` still meets those. */
  resize(sizes: NonNullable<NodeOptions["sizes"]>, handling: Handling, meanwhile = () => {}): string[] {
    const [before, after] = [this.#loaded, this.#load(sizes)];
    this.#loaded = after;
    this.#reconciler = new Reconciler(after.maps);
    this.write(handling);
    return switched(this.pins, after.maps, () => {
      this.#loaded = { ...after, programFd: before.programFd };
      meanwhile();
      this.#loaded = after;
    });
  }

  /** Writes the small cluster to the maps, optionally with other policies. */
  write(
    { returnMode, services, optedOut, encapsulation = "VXLAN", nodePortAddresses, encryption }: Handling,
    networkPolicies: readonly object[] = policies,
    calicoNetworkPolicies: readonly object[] = [],
    egress: Egress = {},
  ): void {
    this.#encapsulation = encapsulation;
    const store = new SnapshotStore(() => undefined);
    const handling = services ? "Ebpf" : "KubeProxyIptables";
    const objects: Record<string, object[]> = {
      ...clusterObjects(encapsulation, egress),
      networkPolicies: [...networkPolicies],
      calicoNetworkPolicies: [...calicoNetworkPolicies],
      felixConfigurations: [
        {
          metadata: {
            name: "default",
            annotations: {
              "ebpf-dataplane.io/service-handling": handling,
              ...(nodePortAddresses && { "ebpf-dataplane.io/node-port-addresses": nodePortAddresses }),
            },
          },
          spec: {
            bpfExternalServiceMode: returnMode,
            ...(optedOut && { bpfDSROptoutCIDRs: [optedOut] }),
            ...(encryption && { wireguardEnabled: true }),
          },
        },
      ],
    };
    // Its own kinds: a benchmark runs an older agent, which knows fewer.
    for (const kind of store.missing()) store.replace(kind, objects[kind] ?? []);
    const snapshot = store.snapshot(
      { ...this.#facts(), ...(encryption === "WireGuard" && { wireguardIfindex: this.ifindex("wireguard") }) },
      localPods.map((_, index) => this.#endpoint(index)),
    );
    const { written, problems, changed } = this.#reconciler.sync(this.#compiler.compile(snapshot).maps);
    if (problems.length > 0 || store.problems().length > 0)
      throw new Error(
        `The small cluster is not in the maps (${written} written): ${JSON.stringify([problems, store.problems()])}`,
      );
    writeTwins(this.#loaded.maps, changed);
    this.#announce();
  }

  /** Replaces the policies of the node itself. */
  writeHosts(policies: HostPolicies): void {
    writeHostPolicies(this.#loaded.maps, policies, (name) => this.ifindex(name));
  }

  #announce(): void {
    const { address, mac, ended } = announced;
    const uplink = this.ifindex("uplink");
    const entry = (name: string, until: bigint) =>
      [
        { address: name, interface: uplink },
        { until, mac },
      ] as const;
    const inBoth = (name: string, until: bigint) => [entry(name, until), entry(twinOf(name), until)];
    this.#loaded.maps.announced?.update([...inBoth(address, 1n << 62n), ...inBoth(ended, 1n)]);
  }

  /** As it was written last. */
  get encapsulation(): Encapsulation {
    return this.#encapsulation;
  }

  get maps(): Loaded["maps"] {
    return this.#loaded.maps;
  }

  /** Clears all state of earlier packets. */
  forget(): void {
    const { connections, halfOpen, fragments, affinities, hostRequests } = this.#loaded.maps;
    for (const map of [connections, halfOpen, fragments, affinities, hostRequests])
      map?.delete(map.entries().map(([key]) => key as never)); // another version (bench/) may lack one
  }

  /** When a forwarded connection has made room for another one last (bpf/connection/place.h), ns. */
  madeRoom(at: bigint): void {
    const map = openMap(this.pins, "room_made");
    libbpf().update(map, word(0), new Uint8Array(BigUint64Array.of(at).buffer), 0n);
  }

  /** What madeRoom() or the agent has written. */
  roomMadeAt(): bigint {
    const value = new Uint8Array(8);
    libbpf().lookup(openMap(this.pins, "room_made"), word(0), value);
    return new DataView(value.buffer).getBigUint64(0, true);
  }

  /** The connections of a client's port: both directions, each with its state. */
  connectionsOf(port: number): string[] {
    const { connections, halfOpen } = this.#loaded.maps;
    const tables = Object.entries({ established: connections, "half open": halfOpen });
    return tables.flatMap(([state, map]) =>
      map.entries().flatMap(([{ sourcePort, destinationPort }, { flags }]) => {
        if (sourcePort !== port && destinationPort !== port) return [];
        const ends = (["RESET", "FIN", "CLOSED"] as const).filter((name) => flags & ConnectionFlag[name]);
        return [[state, ...ends.map((name) => name.toLowerCase())].join(", ")];
      }),
    );
  }

  /** The id of a service's backend in packets between nodes. */
  backendId(address: string): number {
    const found = this.#loaded.maps.backends.entries().find(([, backend]) => backend.address === address);
    if (!found) throw new Error(`No service of the small cluster has the backend ${address}.`);
    return found[0];
  }

  ifindex(name: string): number {
    const found = this.#interfaces.get(name);
    if (found === undefined) throw new Error(`The node under test has no interface ${name}.`);
    return found;
  }

  /** Passes a frame to a program. The next call overwrites the result. */
  meet(frame: Uint8Array, meeting: Meeting): Met {
    return { ...this.run(frame, meeting), outcomes: this.counters.since() };
  }

  /** The same without reading the counters. */
  run(frame: Uint8Array, { program, at, tunnel, tag, ...circumstances }: Meeting): RunResult {
    const ifindex = this.ifindex(at);
    const extras = (tunnel ? PREAMBLE_TUNNEL : 0) | (tag === undefined ? 0 : PREAMBLE_TAG);
    if (extras === 0) return testRun(this.programFd(program), frame, { ...circumstances, ifindex });
    return testRun(this.#preamble, frame, {
      ...circumstances,
      ifindex,
      control: [
        extras | (packetPrograms.indexOf(program) << 16),
        tunnel ? bigEndianNumber(tunnel.node) : 0,
        tunnel?.vni ?? 0,
        tunnel?.group ?? 0,
        tag ?? 0,
      ],
    });
  }

  programFd(name: PacketProgram | "announce" | "xdp_uplink" | "outlived_sockets"): number {
    return this.#loaded.programFd(name);
  }

  #facts() {
    return {
      nodeName: "master",
      address: nodes.master,
      subnets: ["172.31.1.0/24"],
      serviceSubnet: "10.96.0.0/12",
      localAddresses: [secondAddress, second.address],
      uplinkIfindex: this.ifindex("uplink"),
      uplinks: [
        { name: "uplink", ifindex: this.ifindex("uplink"), addresses: [nodes.master, secondAddress] },
        { name: "other", ifindex: this.ifindex("other"), addresses: [second.address] },
      ],
      tunnelIfindex: this.ifindex("tunnel"),
    };
  }

  #endpoint(index: number): LocalEndpoint {
    const { name, address } = localPods[index] as (typeof localPods)[number];
    const macs = podMacs(name);
    return {
      namespace: "default",
      pod: name,
      uid: name,
      address,
      ifindex: this.ifindex(name),
      mac: macs.pod,
      hostMac: macs.host,
    };
  }
}

/** Each pod has its own hardware addresses, so that a frame shows its receiver. */
export function podMacs(name: string): { pod: string; host: string } {
  const index = localPods.findIndex((pod) => pod.name === name);
  return { pod: `02:00:00:00:01:0${index}`, host: `02:00:00:00:02:0${index}` };
}

/** Of the interfaces of the node under test: what frames.ts sends to. */
export const ownMac = "02:00:00:00:00:01";

/** Of machines on the uplinks. */
export const neighbours: Readonly<Record<string, string>> = {
  [gateway]: "02:00:00:00:03:01",
  [nodes.node]: "02:00:00:00:03:02",
  [outside.client1]: "02:00:00:00:03:03",
  [outside.client2]: "02:00:00:00:03:04",
  [second.router]: "02:00:00:00:03:05",
};

const onLinks = Object.entries(neighbours).map(
  ([address, mac]) => [address, mac, address === second.router ? "other" : "uplink"] as const,
);

function makeInterfaces(scratch: string): void {
  const lines = interfaces.flatMap((name) => [
    `link add ${name} address ${ownMac} type veth peer name ${name}-peer`,
    `link set ${name} up`,
    `link set ${name}-peer up`,
  ]);
  lines.push(
    `address add ${nodes.master}/24 dev uplink`,
    `address add ${secondAddress}/32 dev uplink`,
    `address add ${second.address}/24 dev other`,
  );
  for (const [address, mac, device] of onLinks)
    lines.push(`neighbour replace ${address} lladdr ${mac} dev ${device} nud permanent`);
  lines.push(
    "route add unreachable 198.18.0.0/15",
    `route add ${second.network} via ${second.router}`,
    `route add default via ${gateway}`,
    `route add 10.245.1.0/26 via ${nodes.node}`,
  );
  lines.push(...twinsOfNetwork());
  const batch = join(scratch, "interfaces.ip");
  writeFileSync(batch, `${lines.join("\n")}\n`);
  execFileSync("ip", ["-batch", batch]);
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
  writeFileSync("/proc/sys/net/ipv6/conf/all/forwarding", "1");
}

/** The same for the twins. */
function twinsOfNetwork(): string[] {
  return [
    `address add ${twinOf(nodes.master)}/120 dev uplink nodad`,
    `address add ${twinOf(secondAddress)}/128 dev uplink nodad`,
    `address add ${twinOf(second.address)}/120 dev other nodad`,
    ...onLinks.map(
      ([address, mac, device]) => `neighbour replace ${twinOf(address)} lladdr ${mac} dev ${device} nud permanent`,
    ),
    `route add ${twinOf(second.network.replace("/24", ""))}/120 via ${twinOf(second.router)}`,
    `route add unreachable ${twinOf("198.18.0.1")}/128`,
    `route add default via ${twinOf(gateway)}`,
    `route add ${twinOf("10.245.1.0")}/122 via ${twinOf(nodes.node)}`,
  ];
}

function indexOf(name: string): number {
  const [link] = JSON.parse(execFileSync("ip", ["-json", "link", "show", "dev", name], { encoding: "utf8" }));
  return link.ifindex;
}

function loadPreamble(path: string, pins: string, programFd: (name: PacketProgram) => number): number {
  execFileSync("bpftool", ["prog", "loadall", path, pins, "pinmaps", pins]);
  const table = libbpf().getPinned(join(pins, "programs"));
  packetPrograms.forEach((name, index) => {
    const fd = programFd(name) as number | undefined;
    if (fd === undefined) return; // another version's objects (bench/) may have fewer
    const result = libbpf().update(table, word(index), word(fd), 0n);
    if (result < 0) throw new Error(`Cannot put ${name} behind the preamble: error ${-result}.`);
  });
  return libbpf().getPinned(join(pins, "preamble"));
}

const word = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);

function bigEndianNumber(address: string): number {
  return address.split(".").reduce((value, part) => value * 256 + Number(part), 0);
}
