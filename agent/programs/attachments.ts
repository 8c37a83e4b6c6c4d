import { setTimeout as pause } from "node:timers/promises";
import { each, finish, type Steps } from "../../model/steps.ts";
import type { Endpoint } from "../cni/endpoint-store.ts";
import type { Attacher, DeviceProgram } from "../kernel/attach.ts";
import { WORKLOAD_PROGRAMS } from "../kernel/attach-workload.ts";
import { cgroupMount } from "../kernel/cgroup-mount.ts";
import type { Device } from "../kernel/device-hooks.ts";
import { interfaceName } from "../kernel/interface-names.ts";
import type { LinkResult } from "../kernel/links.ts";
import type { LoadedPrograms } from "../kernel/load.ts";
import type { ProgramName } from "../kernel/programs.ts";
import type { NodeNetwork } from "../machine/node-network.ts";
import type { Logger } from "../observe/log.ts";
import { inSlices } from "../process/slices.ts";
import type { UplinkCards } from "./uplink-cards.ts";

/** How long no pod's interface was made before all others get their links: ms. */
const CALM_MS = 3_000;
/** How long an interface waits for its links where new ones come all the time: ms. */
const PATIENCE_MS = 30_000;
/** Of a regular look, before it yields to pods that start: ms. */
const LOOK_SLICE_MS = 5;

/** Attaches the right program to each interface of this node. */
export class Attachments {
  readonly #attacherOf: (programs: Pick<LoadedPrograms, "programFd">) => Attacher;
  #attacher: Attacher;
  readonly #network: NodeNetwork;
  readonly #log: Logger;
  readonly #cards: UplinkCards | undefined;
  /** Interfaces that are known to drop all packets if the dataplane's programs are missing. */
  readonly #closed = new Set<number>();
  /** New interfaces, with those who have attached the programs. */
  readonly #new = new Map<number, Attacher>();
  /** Interfaces whose programs are filters until they get their links, the oldest first, and since when. */
  readonly #awaitLinks = new Map<number, { device: Device; since: number }>();
  #lastNew = Number.NEGATIVE_INFINITY;
  #looking = false;
  #linking = false;
  #last: (() => void) | undefined;
  /** A trace switches programs back and forth, which is not worth logging. */
  #level: "info" | "debug" = "info";

  constructor(
    attacherOf: (programs: Pick<LoadedPrograms, "programFd">) => Attacher,
    programs: Pick<LoadedPrograms, "programFd">,
    network: NodeNetwork,
    log: Logger,
    cards?: UplinkCards,
  ) {
    this.#attacherOf = attacherOf;
    this.#attacher = attacherOf(programs);
    this.#network = network;
    this.#log = log;
    this.#cards = cards;
  }

  get method(): Attacher["method"] {
    return this.#attacher.method;
  }

  /** Uses these programs from now on: each hook is switched atomically, and all of them right after each other. */
  use(programs: Pick<LoadedPrograms, "programFd">): void {
    this.#attacher = this.#attacherOf(programs);
    this.#level = "debug";
    this.#last?.();
    this.#level = "info";
  }

  /** Attaches programs that are missing or of an older version. Pods come first: a packet that an uplink's new program
   * delivers must not reach an interface without a program. @param replaced called once older programs are replaced, before what takes longer */
  ensure(endpoints: () => readonly Endpoint[], cgroupRoot: string, replaced: () => void = () => {}): void {
    this.#last = () => this.ensure(endpoints, cgroupRoot);
    this.#takeNothingForGranted();
    const present = endpoints();
    for (const { program, device } of this.#attacher.replace(this.#hooks(present)))
      this.#log[this.#level](`${program} on ${device.name}: replaced`);
    replaced();
    this.repair(present);
    this.#attacher.cgroup(cgroupMount(cgroupRoot));
    this.sweep();
  }

  /** The part that costs only system calls: every program on its interface. Interfaces that do not exist, or disappear
   * meanwhile, are skipped. @returns that it is done */
  repair(endpoints: readonly Endpoint[]): true {
    return finish(this.#repairing(endpoints));
  }

  *#repairing(endpoints: readonly Endpoint[]): Steps<true> {
    yield* each(endpoints, (endpoint) => this.#whereItIs(() => this.endpoint(endpoint)), 1);
    this.#whereItIs(() => {
      for (const { program, device } of this.#nodeHooks()) this.#attach(program, device);
    });
    // Every packet between processes of the node would pass it.
    if (!this.#network.loopback) this.#whereItIs(() => this.#attacher.detach("to_loopback", LOOPBACK));
    this.#cards?.follow(this.#attacher);
    return true;
  }

  /** The same, and links for the interfaces that wait for them, while other work goes on. Links of many pods take seconds, during which each call looks. */
  async look(endpoints: readonly Endpoint[]): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      await inSlices(this.#repairing(endpoints), LOOK_SLICE_MS);
    } finally {
      this.#looking = false;
    }
    if (this.#linking) return;
    this.#linking = true;
    try {
      await this.#link();
    } finally {
      this.#linking = false;
    }
  }

  /** Looks at what look() takes for granted, or has the next one look at it. */
  lookAgain(cgroupRoot: string): void {
    this.#takeNothingForGranted();
    this.#attacher.cgroup(cgroupMount(cgroupRoot));
    this.sweep();
  }

  #takeNothingForGranted(): void {
    this.#closed.clear();
    this.#cards?.lookAgain();
  }

  #whereItIs(attach: () => void): void {
    try {
      attach();
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  #hooks(endpoints: readonly Endpoint[]): DeviceProgram[] {
    return [...endpoints.flatMap(podHooks), ...this.#nodeHooks(), ...(this.#cards?.hooks() ?? [])];
  }

  #nodeHooks(): DeviceProgram[] {
    const { tunnel, wireguard, uplinkDevices, loopback } = this.#network;
    // to_tunnel must set its marks before to_uplink checks for them.
    return [
      ...(tunnel ? on(tunnel, "to_tunnel", "from_tunnel") : []),
      ...(wireguard ? on(wireguard, "to_wireguard", "from_wireguard") : []),
      ...uplinkDevices.flatMap((device) => on(device, "to_uplink", "from_uplink")),
      ...(loopback ? on(loopback, "to_loopback") : []),
    ];
  }

  /** A workload's interface is about to be made: no link keeps it waiting. */
  expectNew(): void {
    this.#lastNew = performance.now();
  }

  /** Attaches both directions of a workload's new interface, which is down, and sets it up. endpoint() does what is left. */
  async newEndpoint(...made: Parameters<Attacher["newWorkload"]>): Promise<void> {
    this.expectNew();
    const attacher = this.#attacher;
    if (await attacher.newWorkload(...made)) this.#new.set(made[0].ifindex, attacher);
  }

  /** Attaches both directions of a workload's interface. */
  endpoint({ hostInterface, ifindex }: Endpoint): void {
    const device = { name: hostInterface, ifindex };
    const by = this.#new.get(ifindex);
    this.#new.delete(ifindex);
    // Meanwhile a trace may have begun or ended.
    if (by !== undefined && by === this.#attacher) {
      this.#log[this.#level](`${WORKLOAD_PROGRAMS.join(" and ")} on ${hostInterface}: created (clsact)`);
      this.#closed.add(ifindex);
      this.#awaitLinks.set(ifindex, { device, since: performance.now() });
      return;
    }
    const { results, awaitsLinks } = this.#attacher.workload(device, !this.#closed.has(ifindex));
    for (const { program, result } of results) this.#say(program, device, result);
    this.#closed.add(ifindex);
    const since = this.#awaitLinks.get(ifindex)?.since ?? performance.now();
    if (awaitsLinks) this.#awaitLinks.set(ifindex, { device, since });
    else this.#awaitLinks.delete(ifindex);
  }

  /** Gives interfaces of workloads their links in place of filters, while no other interface is made: the kernel changes none meanwhile, which would keep a
   * pod from starting. Where new ones come all the time, one at a time that has waited long. */
  async #link(): Promise<void> {
    const isDue = (since: number) => performance.now() - Math.max(since, this.#lastNew) > CALM_MS;
    const isOverdue = (since: number) => performance.now() - since > PATIENCE_MS;
    for (const { device, since } of [...this.#awaitLinks.values()]) {
      for (const program of WORKLOAD_PROGRAMS) {
        if (!isDue(since) && !isOverdue(since)) return;
        if (!this.#awaitLinks.has(device.ifindex)) break; // it has gone meanwhile
        const begun = performance.now();
        this.#whereItIs(() => this.#attacher.link(program, device));
        // Who waits for the kernel gets as much time: the lock goes to the first that asks, not to the one that has waited longest.
        await pause(performance.now() - begun);
      }
      this.#awaitLinks.delete(device.ifindex);
      if (!isDue(since)) return;
    }
  }

  /** Forgets a removed interface. */
  gone({ hostInterface, ifindex }: Pick<Endpoint, "hostInterface" | "ifindex">): void {
    for (const known of [this.#new, this.#awaitLinks, this.#closed]) known.delete(ifindex);
    this.#attacher.forget({ name: hostInterface, ifindex });
  }

  /** Forgets removed interfaces. */
  sweep(): void {
    for (const ifindex of this.#new.keys()) if (interfaceName(ifindex) === undefined) this.#new.delete(ifindex);
    this.#attacher.sweep();
  }

  #attach(program: ProgramName, device: Device): void {
    this.#say(program, device, this.#attacher.device(program, device));
  }

  #say(program: ProgramName, { name }: Device, result: LinkResult): void {
    if (result !== "unchanged") this.#log[this.#level](`${program} on ${name}: ${result} (${this.#attacher.method})`);
  }
}

const LOOPBACK: Device = { name: "lo", ifindex: 1 }; // of every network namespace

const podHooks = ({ hostInterface, ifindex }: Endpoint) => on({ name: hostInterface, ifindex }, ...WORKLOAD_PROGRAMS);

const on = <Name extends ProgramName>(device: Device, ...programs: Name[]) =>
  programs.map((program) => ({ program, device }));

function isGone(error: unknown): boolean {
  return error instanceof Error && /: ENODEV:/.test(error.message);
}
