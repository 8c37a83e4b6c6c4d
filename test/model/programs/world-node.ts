// The node `master` of any world: the real programs in the real kernel, their maps written by the agent's own compiler and reconciler, and
// the interfaces, routes and neighbours that their lookups need. Nothing is attached: packets are passed to the programs one by one.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Compiler } from "../../../agent/compile/compile.ts";
import { type Loaded, load } from "../../../agent/kernel/load.ts";
import { openMap, pinsUnder } from "../../../agent/kernel/pins.ts";
import { testRun } from "../../../agent/kernel/test-run.fixture.ts";
import { Reconciler } from "../../../agent/reconcile/reconciler.ts";
import { OutcomeCounters } from "../../packets/counters.ts";
import { ownMac, SMALL } from "../../packets/node.ts";
import { isReasonFor } from "../../packets/verdict.ts";
import { snapshotOf, unexpectedProblems } from "../calico/compiled.ts";
import type { World } from "../calico/objects.ts";
import { INTERFACES } from "../calico/packets.ts";
import { CLIENTS, MOST_PODS, NODES } from "../calico/random-world.ts";
import type { Run } from "./run.ts";

const GATEWAY = "172.31.1.1";
const FIRST_POD = 100;
const PEERS = 1000;

/** As snapshotOf() has them. */
const IFINDEX: Readonly<Record<string, number>> = {
  ...Object.fromEntries(INTERFACES.map(({ name }, index) => [name, 2 + 2 * index])),
  tunnel: 3,
  ...Object.fromEntries(Array.from({ length: MOST_PODS }, (_, index) => [`pod${index}`, FIRST_POD + index])),
};

const ON_LINK = [GATEWAY, NODES.node, ...CLIENTS.filter((address) => address.startsWith("172.31.1."))];

/** The hardware address from which packets of an address come in by the uplink. */
export function neighbourMac(address: string): string {
  const hop = ON_LINK.includes(address) ? address : address.startsWith("10.244.") ? NODES.node : GATEWAY;
  return `02:00:00:00:03:${ON_LINK.indexOf(hop).toString(16).padStart(2, "0")}`;
}

export class WorldNode {
  readonly #loaded: Loaded;
  readonly #counters: OutcomeCounters;
  readonly #reconciler: Reconciler;
  readonly #compiler = new Compiler();
  /** Where each pod of the world under test is attached. */
  #places = new Map<string, string>();

  /** In a network namespace of its own. */
  constructor({ objects, bpffs, scratch }: { objects: string; bpffs: string; scratch: string }) {
    makeInterfaces(scratch);
    const pins = pinsUnder(join(bpffs, "dataplane"));
    this.#loaded = load({ objects, pins, logFile: join(scratch, "verifier.log"), sizes: SMALL });
    this.#counters = new OutcomeCounters(openMap(pins, "outcomes"));
    this.#reconciler = new Reconciler(this.#loaded.maps);
  }

  /** As an agent that sees these objects from now on. Connections stay, and are judged again. */
  write(world: World): void {
    const snapshot = snapshotOf(world);
    const state = this.#compiler.compile({
      ...snapshot,
      facts: { ...snapshot.facts, localAddresses: OTHER_ADDRESSES },
    });
    const { problems, pending } = this.#reconciler.sync(state.maps);
    const wrong = [...unexpectedProblems(state.problems), ...problems];
    if (wrong.length > 0 || pending > 0) throw new Error(`not written: ${JSON.stringify(wrong)}`);
    this.#places = new Map(snapshot.endpoints.map(({ address }, index) => [address, `pod${index}`]));
  }

  forget(): void {
    const { connections, halfOpen } = this.#loaded.maps;
    for (const map of [connections, halfOpen]) map.delete(map.entries().map(([key]) => key));
  }

  /** Whether a pod of this node has the address. */
  isHere(address: string): boolean {
    return this.#places.has(address);
  }

  /** What became of a packet. @throws Error if it was counted by no outcome or several, or its outcome does not allow its action */
  run({ program, at, through, frame }: Run): string {
    const { action } = testRun(this.#loaded.programFd(program), frame, {
      ifindex: this.#ifindex(at),
      ...(through && { ingressIfindex: this.#ifindex(through) }),
    });
    const [outcome = "none", ...more] = this.#counters.since();
    if (more.length > 0 || !isReasonFor(outcome, action, program))
      throw new Error(`${program} counted ${[outcome, ...more].join(" and ")} and answered ${action}`);
    return outcome;
  }

  /** @param at an interface's name, or a pod's address */
  #ifindex(at: string): number {
    const found = IFINDEX[this.#places.get(at) ?? at];
    if (found === undefined) throw new Error(`The node has no interface ${at}.`);
    return found;
  }
}

/** Of all interfaces but the first. */
const OTHER_ADDRESSES = INTERFACES.slice(1).flatMap(({ addresses }) => addresses);

function makeInterfaces(scratch: string): void {
  const lines = Object.entries(IFINDEX).flatMap(([name, index]) => [
    `link add ${name} index ${index} address ${ownMac} type veth peer name ${name}-peer index ${PEERS + index}`,
    `link set ${name} up`,
    `link set ${name}-peer up`,
  ]);
  for (const { name, addresses } of INTERFACES)
    lines.push(...addresses.map((address) => `address add ${address}/24 dev ${name}`));
  for (const address of ON_LINK)
    lines.push(`neighbour replace ${address} lladdr ${neighbourMac(address)} dev eth0 nud permanent`);
  lines.push(`route add default via ${GATEWAY}`, `route add 10.244.0.0/16 via ${NODES.node}`);
  const batch = join(scratch, "interfaces.ip");
  writeFileSync(batch, `${lines.join("\n")}\n`);
  execFileSync("ip", ["-batch", batch]);
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
}
