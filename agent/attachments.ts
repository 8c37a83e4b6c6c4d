import type { Endpoint } from "./cni/endpoint-store.ts";
import type { Attacher, Device } from "./kernel/attach.ts";
import { cgroupMount } from "./kernel/cgroup-mount.ts";
import type { LoadedPrograms } from "./kernel/load.ts";
import type { ProgramName } from "./kernel/programs.ts";
import type { NodeNetwork } from "./node-network.ts";
import type { Logger } from "./observe/log.ts";

/** Attaches the right program to each interface of this node. */
export class Attachments {
  readonly #attacherOf: (programs: Pick<LoadedPrograms, "programFd">) => Attacher;
  #attacher: Attacher;
  readonly #network: NodeNetwork;
  readonly #log: Logger;
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
  ) {
    this.#attacherOf = attacherOf;
    this.#attacher = attacherOf(programs);
    this.#network = network;
    this.#log = log;
  }

  get method(): Attacher["method"] {
    return this.#attacher.method;
  }

  /** Uses these programs from now on: each hook is switched atomically. */
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
    this.repair(endpoints());
    this.#attacher.cgroup(cgroupMount(cgroupRoot));
    this.sweep();
  }

  /** The part that costs only system calls: every program on its interface. Interfaces that do not exist, or disappear
   * meanwhile, are skipped. */
  repair(endpoints: readonly Endpoint[]): void {
    for (const endpoint of endpoints) this.#whereItIs(() => this.endpoint(endpoint));
    this.#whereItIs(() => this.#nodeInterfaces());
  }

  #whereItIs(attach: () => void): void {
    try {
      attach();
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  #nodeInterfaces(): void {
    // to_tunnel must set its marks before to_uplink checks for them.
    if (this.#network.tunnel) {
      this.#attach("to_tunnel", this.#network.tunnel);
      this.#attach("from_tunnel", this.#network.tunnel);
    }
    for (const device of this.#network.uplinkDevices) {
      this.#attach("to_uplink", device);
      this.#attach("from_uplink", device);
    }
  }

  /** Attaches both directions of a workload's interface. */
  endpoint({ hostInterface, ifindex }: Endpoint): void {
    const device = { name: hostInterface, ifindex };
    for (const program of ["to_workload", "from_workload"] as const) {
      this.#attach(program, device);
      if (!this.#closed.has(ifindex)) this.#attacher.closeBehind(program, device);
    }
    this.#closed.add(ifindex);
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

function isGone(error: unknown): boolean {
  return error instanceof Error && /: ENODEV:/.test(error.message);
}
