// Random packets for every program: to and from the small cluster, of known flows, in tunnels, in fragments, and malformed.

import { isTaken } from "../../agent/kernel/test-run.fixture.ts";
import type { Family } from "../../model/address/address.ts";
import { SCTP } from "../../model/protocol.ts";
import { backendAddress, gateway, localPods, nodes, outside, secondAddress, services } from "../packets/cluster.ts";
import { ethernet, frame, type IpHeader, ip, ipip, protocols, raw, type Transport, vxlan } from "../packets/frames.ts";
import { type Meeting, neighbours, type PacketProgram } from "../packets/node.ts";
import {
  destinationPort,
  discovery,
  errorAbout,
  someDestination,
  someExtension,
  someServiceFlow,
  someSource,
  someTransport,
  sourcePort,
  transportOf,
} from "./ingredients.ts";
import { Known } from "./known.ts";
import { type Flow, keyOf, reversed } from "./model/flow.ts";
import { addressNamed } from "./model/seen.ts";
import { isOwn } from "./model/sources.ts";
import { mutate } from "./mutation.ts";
import { MARK_OWN_REQUEST } from "./outer.ts";
import type { Random } from "./random.ts";

export interface Generated {
  readonly meeting: Meeting;
  readonly frame: Buffer;
}

const WRAPPED_AT = 14 + 20 + 8 + 8 + 14;
const IPIP_AT = 14 + 20;
/** Of the backends of SCTP. */
const BACKEND_PORT = 3868;
const MARK_FORWARDED = 0xebf00001;
export const MARK_JUDGE_LATER = 0xebf00002;

export class Generator {
  readonly #random: Random;
  readonly #backends: readonly number[];
  readonly #ifindexOf: (name: string) => number;
  readonly #family: Family;
  readonly #flows = new Known<Flow>(2000);
  readonly #forwarded = new Known<{ flow: Flow; node: string }>(100);
  readonly #ofOwn: Flow[] = [];

  /** @param backends ids that nodes pass each other
   * @param family of the packets, whose addresses have the names of IPv4 (model/seen.ts) */
  constructor(random: Random, backends: readonly number[], ifindexOf: (name: string) => number, family: Family) {
    this.#random = random;
    this.#backends = backends;
    this.#ifindexOf = ifindexOf;
    this.#family = family;
  }

  /** Flows that were let through are continued in both directions. */
  remember(flow: Flow): void {
    this.#flows.remember(keyOf(flow), flow);
  }

  /** The backend's node answers flows that were wrapped for it. */
  rememberForwarded(flow: Flow, node: string): void {
    this.#forwarded.remember(keyOf(flow), { flow, node });
  }

  next(program: PacketProgram): Generated {
    for (;;) {
      const made = this.#make(program);
      if (isTaken(made.frame)) return made;
    }
  }

  #make(program: PacketProgram): Generated {
    const random = this.#random;
    const bare = this.#meeting(program);
    if (bare.mark === MARK_OWN_REQUEST && program === "from_tunnel") return this.#ofNode(bare, () => 0);
    if (program === "to_loopback" && random.oneIn(2)) return this.#ofNode(bare, () => this.#ingress(nodes.master));
    if (random.oneIn(40)) return { meeting: bare, frame: ethernet(random.bytes(20 + random.below(200)), this.#type()) };
    if (program === "from_uplink" && !this.#forwarded.isEmpty && random.oneIn(24)) {
      return { meeting: bare, frame: this.#returned(this.#forwarded.some(random)) };
    }
    if (this.#family === "IPv6" && program.startsWith("from_") && program !== "from_tunnel" && random.oneIn(40))
      return { meeting: bare, frame: this.#discovery(bare) };
    const header = this.#header(program, bare);
    const meeting = program.startsWith("to_") ? { ...bare, ingressIfindex: this.#ingress(header.source) } : bare;
    const transport = this.#transport(header);
    const wrap = program === "from_uplink" && random.oneIn(3);
    const inner = frame(this.#onWire(header), transport, this.#macs(program, header.source));
    const inIpip = wrap && this.#family === "IPv4" && random.oneIn(4);
    const whole = inIpip ? this.#inIpip(inner) : wrap ? this.#wrapped(inner) : inner;
    if (!random.oneIn(4)) return { meeting, frame: whole };
    return { meeting, frame: mutate(whole, wrap ? (inIpip ? IPIP_AT : WRAPPED_AT) : undefined, random) };
  }

  /** SCTP that a process of the node sends, as its stack makes it: to Services, to ports of nodes, and the answers of those. @param ingress of the meeting */
  #ofNode(bare: Meeting, ingress: () => number): Generated {
    const random = this.#random;
    const source = random.of([nodes.master, nodes.master, secondAddress]);
    const made = { ...someServiceFlow(source, random), protocol: SCTP };
    const known = this.#ofOwn.length > 0 && random.oneIn(2) ? random.of(this.#ofOwn) : undefined;
    // A backend in the node's network answers to the Service, which it sees as its client.
    const answer = known && { ...known, sourcePort: BACKEND_PORT, destinationPort: known.sourcePort };
    const answered = random.oneIn(4) ? answer : known;
    // What is for pods of other nodes is the device's to wrap.
    const destination = random.of([nodes.master, secondAddress, nodes.node, nodes.far, outside.client1]);
    const flow = answered ?? (random.oneIn(6) ? { ...made, destination } : made);
    if (!known) this.#ofOwn[this.#ofOwn.length < 200 ? this.#ofOwn.length : random.below(200)] = flow;
    const isLoopback = bare.program === "to_loopback";
    const meeting = isLoopback ? { ...bare, ingressIfindex: ingress() } : bare;
    const [itself, port] = ["127.0.0.1", random.of(services).nodePort];
    const own = isLoopback && random.oneIn(4);
    const sent = own ? { ...flow, source: itself, destination: itself, destinationPort: port } : flow;
    return { meeting, frame: frame({ ...this.#onWireAlone(sent), ttl: 64 }, transportOf(sent, random)) };
  }

  /** Well-formed, mostly of the pod or node whose interface it is; its hop limit says that no router has sent it on. */
  #discovery({ at }: Meeting): Buffer {
    const random = this.#random;
    const own = localPods.find(({ name }) => name === at)?.address ?? nodes.node;
    const someone = () => addressNamed(random.of([own, own, "0.0.0.0", "fe80::55", someSource(random)]));
    const destination = addressNamed(random.of(["224.0.0.1", "fe80::1", someDestination(random)]));
    return frame({ source: someone(), destination, ttl: 255 }, discovery(someone(), random));
  }

  /** In the family of the packets. */
  #onWire(header: IpHeader): IpHeader {
    if (this.#family === "IPv4") return header;
    const random = this.#random;
    const [source, destination] = [header.source, header.destination].map((name) =>
      random.oneIn(60) ? "fe80::55" : addressNamed(name),
    ) as [string, string];
    const extensions = Array.from({ length: random.oneIn(10) ? 1 + random.below(5) : 0 }, () => someExtension(random));
    return { ...header, source, destination, extensions };
  }

  #meeting(program: PacketProgram): Meeting {
    const random = this.#random;
    const at = program.endsWith("workload") ? random.of(localPods).name : (program.split("_")[1] ?? "");
    if (program === "to_loopback") return { program, at: "lo" };
    if (program === "from_tunnel" && random.oneIn(4)) return { program, at: "tunnel", mark: MARK_OWN_REQUEST };
    if (program === "from_tunnel") {
      const { vni, group } = this.#numbers();
      return { program, at: "tunnel", tunnel: { node: this.#peer(), vni, group } };
    }
    if (program === "to_uplink" || program === "to_tunnel")
      return { program, at, mark: random.of([0, 0, MARK_FORWARDED, MARK_JUDGE_LATER, random.bits()]) };
    return program !== "to_workload" && random.oneIn(50)
      ? { program, at, tag: random.of([0, 1, 100, 0x1064, 4095]) }
      : { program, at };
  }

  /** The interface where the stack received the packet: a pod's packets at that pod's, also under this node's address; forged
   * ones of other pods at an interface without a program; 0: the stack sent it itself. */
  #ingress(source: string): number {
    const random = this.#random;
    const pod = localPods.find(({ address }) => address === source);
    if (random.oneIn(2)) return 0;
    if (pod) return this.#ifindexOf(pod.name);
    if (isOwn(source)) return this.#ifindexOf(random.of(localPods).name);
    return this.#ifindexOf(isPods(source) ? "other" : random.of(["other", "uplink"]));
  }

  /** Addresses: of a known flow, or new ones. */
  #header(program: PacketProgram, { at }: Meeting): IpHeader & { flow?: Flow } {
    const random = this.#random;
    const more = {
      ttl: random.oneIn(30) ? random.below(3) : 64,
      tos: random.oneIn(10) ? random.below(256) : 0,
      identification: random.below(64),
      ...(random.oneIn(12) && { fragment: random.of([0x2000, 0x2000, 1, 8, 0x2001, 0x4000]) }),
      ...(random.oneIn(20) && { options: random.bytes(4 * (1 + random.below(10))) }),
    };
    const known = random.oneIn(2) ? this.#known(program, at) : undefined;
    if (known) return { ...more, source: known.source, destination: known.destination, flow: known };
    const pod = localPods.find(({ name }) => name === at)?.address;
    const own = random.oneIn(12) ? undefined : pod;
    const source = program === "from_workload" ? (own ?? someSource(random)) : someSource(random);
    if (program !== "to_workload" && random.oneIn(2)) {
      const flow = someServiceFlow(source, random);
      return { ...more, source, destination: flow.destination, flow };
    }
    const destination = program === "to_workload" ? (own ?? someDestination(random)) : someDestination(random);
    return { ...more, source, destination };
  }

  /** A flow that may pass this hook. */
  #known(program: PacketProgram, at: string): Flow | undefined {
    const address = localPods.find(({ name }) => name === at)?.address;
    for (let tries = 0; tries < 8 && !this.#flows.isEmpty; tries++) {
      const flow = this.#flows.some(this.#random);
      for (const way of [flow, reversed(flow)]) {
        if (
          program === "from_workload"
            ? way.source === address
            : program === "to_workload"
              ? way.destination === address
              : this.#random.oneIn(2)
        )
          return way;
      }
    }
    return undefined;
  }

  get #icmp(): number {
    return this.#family === "IPv6" ? protocols.icmpv6 : protocols.icmp;
  }

  #onWireAlone(flow: Flow): Flow {
    if (this.#family === "IPv4") return flow;
    return { ...flow, source: addressNamed(flow.source), destination: addressNamed(flow.destination) };
  }

  #transport({ flow, source, destination, fragment }: IpHeader & { flow?: Flow }): Transport {
    const random = this.#random;
    if (fragment && fragment & 0x1fff) return raw(random.of([6, 17, this.#icmp]), random.bytes(8 + random.below(60)));
    if (random.oneIn(8)) return errorAbout(this.#onWireAlone(this.#errorFlow(source, destination)), random);
    return flow ? transportOf(flow, random) : someTransport(random);
  }

  /** What an error from `source` to `destination` is about: mostly what makes sense. */
  #errorFlow(source: string, destination: string): Flow {
    const random = this.#random;
    if (!this.#flows.isEmpty && !random.oneIn(3)) {
      const flow = this.#flows.some(random);
      return random.oneIn(2) ? flow : reversed(flow);
    }
    return {
      ...{ source: destination, destination: source, protocol: random.of([6, 17, 1]) },
      ...{ sourcePort: destinationPort(random), destinationPort: sourcePort(random) },
    };
  }

  #macs(program: PacketProgram, source: string) {
    const mac = neighbours[source] ?? neighbours[nodes.node];
    return program === "from_uplink" && mac && !this.#random.oneIn(4) ? { source: mac } : {};
  }

  #wrapped(inner: Buffer): Buffer {
    const random = this.#random;
    const { vni, group } = this.#numbers();
    const source = this.#peer();
    const destination = random.oneIn(12) ? random.of([secondAddress, nodes.node, backendAddress("web")]) : nodes.master;
    const payload = random.oneIn(12) ? this.#wrapped(inner) : inner;
    const header = { source, destination, ...(random.oneIn(30) && { tos: random.below(256) }) };
    const mac = neighbours[source];
    return ethernet(
      ip(header, vxlan(49152 + random.below(99), vni, group, payload)),
      0x0800,
      mac ? { source: mac } : {},
    );
  }

  /** As #wrapped, of another encapsulation. */
  #inIpip(inner: Buffer): Buffer {
    const source = this.#peer();
    const destination = this.#random.oneIn(12) ? nodes.node : nodes.master;
    const mac = neighbours[source];
    return ethernet(ip({ source, destination }, ipip(inner.subarray(14))), 0x0800, mac ? { source: mac } : {});
  }

  #returned({ flow, node }: { flow: Flow; node: string }): Buffer {
    const answer = reversed(flow);
    const inner = frame(this.#onWireAlone(answer), transportOf(answer, this.#random));
    const header = { source: node, destination: nodes.master };
    const mac = neighbours[node === nodes.node ? node : gateway];
    return ethernet(ip(header, vxlan(50000, 3 << 22, 0, inner)), 0x0800, mac ? { source: mac } : {});
  }

  #peer(): string {
    return this.#random.oneIn(6) ? someSource(this.#random) : this.#random.of([nodes.node, nodes.far]);
  }

  #numbers(): { vni: number; group: number } {
    const random = this.#random;
    const kind = random.below(8);
    if (kind < 3) return { vni: 4096, group: 0 };
    if (kind === 7) return { vni: random.below(1 << 24), group: random.below(65536) };
    const backend = random.oneIn(3) ? 0 : random.of(this.#backends);
    return { vni: ((random.of([1, 2, 2, 3]) << 22) | (backend >>> 10)) >>> 0, group: backend & 0x3ff };
  }

  #type(): number {
    return this.#random.of([0x0800, 0x0800, 0x0806, 0x86dd, 0x8100, 0x88a8, 0x88cc, this.#random.below(65536)]);
  }
}

const isPods = (address: string): boolean => /^10\.24[45]\./.test(address);
