import type { Endpoint } from "./cni/endpoint-store.ts";
import type { Attacher, Device, DeviceProgram } from "./kernel/attach.ts";
import { cgroupMount } from "./kernel/cgroup-mount.ts";
import type { LoadedPrograms } from "./kernel/load.ts";
import type { ProgramName } from "./kernel/programs.ts";
import type { NodeNetwork } from "./node-network.ts";
import type { Logger } from "./observe/log.ts";
import type { UplinkCards } from "./uplink-cards.ts";

/** Attaches the right program to each interface of this node. */
export class Attachments {
  readonly #attacherOf: (programs: Pick<LoadedPrograms, "programFd">) => Attacher;
  #attacher: Attacher;
  readonly #network: NodeNetwork;
  readonly #log: Logger;
  readonly #cards: UplinkCards | undefined;
  /** Interfaces that are known to drop all packets if the dataplane's programs are missing. */
  readonly #closed = new Set<number>();
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
   * delivers must not reach an interface without a program. */
  ensure(endpoints: () => readonly Endpoint[], cgroupRoot: string): void {
    this.#last = () => this.ensure(endpoints, cgroupRoot);
    this.#closed.clear();
    this.#cards?.lookAgain();
    const present = endpoints();
    for (const { program, device } of this.#attacher.replace(this.#hooks(present)))
      this.#log[this.#level](`${program} on ${device.name}: replaced`);
    this.repair(present);
    this.#attacher.cgroup(cgroupMount(cgroupRoot));
    this.sweep();
  }

  /** The part that costs only system calls: every program on its interface. Interfaces that do not exist, or disappear
   * meanwhile, are skipped. @returns that it is done */
  repair(endpoints: readonly Endpoint[]): true {
    for (const endpoint of endpoints) this.#whereItIs(() => this.endpoint(endpoint));
    this.#whereItIs(() => {
      for (const { program, device } of this.#nodeHooks()) this.#attach(program, device);
    });
    this.#cards?.follow(this.#attacher);
    return true;
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
    const { tunnel, wireguard, uplinkDevices } = this.#network;
    // to_tunnel must set its marks before to_uplink checks for them.
    return [
      ...(tunnel ? on(tunnel, "to_tunnel", "from_tunnel") : []),
      ...(wireguard ? on(wireguard, "to_wireguard", "from_wireguard") : []),
      ...uplinkDevices.flatMap((device) => on(device, "to_uplink", "from_uplink")),
    ];
  }

  /** Attaches both directions of a workload's interface. */
  endpoint(endpoint: Endpoint): void {
    const isClosed = this.#closed.has(endpoint.ifindex);
    for (const { program, device } of podHooks(endpoint)) {
      this.#attach(program, device);
      if (!isClosed) this.#attacher.closeBehind(program, device);
    }
    this.#closed.add(endpoint.ifindex);
  }

  /** Forgets removed interfaces. */
  sweep(): void {
    this.#attacher.sweep();
  }

  #attach(program: ProgramName, device: Device): void {
    const result = this.#attacher.device(program, device);
    if (result !== "unchanged")
      this.#log[this.#level](`${program} on ${device.name}: ${result} (${this.#attacher.method})`);
  }
}

const podHooks = ({ hostInterface, ifindex }: Endpoint) =>
  on({ name: hostInterface, ifindex }, "to_workload", "from_workload");

const on = (device: Device, ...programs: ProgramName[]) => programs.map((program) => ({ program, device }));

function isGone(error: unknown): boolean {
  return error instanceof Error && /: ENODEV:/.test(error.message);
}
