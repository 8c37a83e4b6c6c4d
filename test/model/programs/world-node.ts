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
import { addressesOf } from "../../../model/objects/pod-of.ts";
import { OutcomeCounters } from "../../packets/counters.ts";
import { ownMac, SMALL } from "../../packets/node.ts";
import { isReasonFor } from "../../packets/verdict.ts";
import { contains } from "../calico/addresses.ts";
import { snapshotOf, unexpectedProblems } from "../calico/compiled.ts";
import { CLIENTS, interfacesOf, isIpv6, NODES, twinOf } from "../calico/families.ts";
import type { World } from "../calico/objects.ts";
import { MOST_PODS } from "../calico/random-world.ts";
import type { Run } from "./run.ts";

const GATEWAY = "172.31.1.1";
const PODS = "10.244.0.0/16";
const FIRST_POD = 100;
const PEERS = 1000;

/** With the addresses of both families, whatever the nodes of a world have. */
const INTERFACES = interfacesOf({
  nodes: [
    {
      metadata: { name: "master" },
      status: { addresses: [NODES.master, twinOf(NODES.master)].map((address) => ({ type: "InternalIP", address })) },
    },
  ],
});
/** As snapshotOf() has them. */
const IFINDEX: Readonly<Record<string, number>> = {
  ...Object.fromEntries(INTERFACES.map(({ name }, index) => [name, 2 + 2 * index])),
  tunnel: 3,
  ...Object.fromEntries(Array.from({ length: MOST_PODS }, (_, index) => [`pod${index}`, FIRST_POD + index])),
};
const ON_LINK = [GATEWAY, NODES.node, ...CLIENTS.filter((address) => address.startsWith("172.31.1."))];

/** The hardware address from which packets of an address come in by the uplink. */
export function neighbourMac(address: string): string {
  const isPods = [PODS, twinOf(PODS)].some((block) => contains(block, address));
  const known = ON_LINK.find((one) => one === address || twinOf(one) === address);
  const hop = known ?? (isPods ? NODES.node : GATEWAY);
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
    const state = this.#compiler.compile(snapshot);
    const { problems, pending } = this.#reconciler.sync(state.maps);
    const wrong = [...unexpectedProblems(state.problems), ...problems];
    if (wrong.length > 0 || pending > 0) throw new Error(`not written: ${JSON.stringify(wrong)}`);
    this.#places = new Map(
      snapshot.endpoints.flatMap((endpoint, index) =>
        addressesOf(endpoint).map((address) => [address, `pod${index}`] as const),
      ),
    );
  }

  forget(): void {
    const { connections, halfOpen, hostRequests } = this.#loaded.maps;
    for (const map of [connections, halfOpen, hostRequests]) map.delete(map.entries().map(([key]) => key as never));
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

function makeInterfaces(scratch: string): void {
  const lines = Object.entries(IFINDEX).flatMap(([name, index]) => [
    `link add ${name} index ${index} address ${ownMac} type veth peer name ${name}-peer index ${PEERS + index}`,
    `link set ${name} up`,
    `link set ${name}-peer up`,
  ]);
  for (const { name, addresses } of INTERFACES)
    for (const address of addresses)
      lines.push(`address add ${address}/${isIpv6(address) ? 64 : 24} dev ${name}${isIpv6(address) ? " nodad" : ""}`);
  for (const ofFamily of [(text: string) => text, twinOf]) {
    for (const address of ON_LINK.map(ofFamily))
      lines.push(`neighbour replace ${address} lladdr ${neighbourMac(address)} dev eth0 nud permanent`);
    lines.push(`route add default via ${ofFamily(GATEWAY)}`, `route add ${ofFamily(PODS)} via ${ofFamily(NODES.node)}`);
  }
  const batch = join(scratch, "interfaces.ip");
  writeFileSync(batch, `${lines.join("\n")}\n`);
  execFileSync("ip", ["-batch", batch]);
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
  writeFileSync("/proc/sys/net/ipv6/conf/all/forwarding", "1");
}
