// The program in the cards of this node's uplinks (XDP), where that is asked for. What a card does not take is handled at tc, as without it.
import { isEncrypted } from "../model/encryption/encryption.ts";
import { defaultConfiguration, modeOf } from "../model/mode/configuration.ts";
import type { XdpMode } from "../model/mode/mode.ts";
import type { Problem } from "../model/problem.ts";
import type { Attacher, DeviceProgram } from "./kernel/attach.ts";
import type { Device } from "./kernel/device-hooks.ts";
import { XDP_PROGRAM } from "./kernel/xdp.ts";
import { unfitForXdp } from "./network/cards.ts";
import type { NetworkDevice } from "./network/devices.ts";
import type { NodeNetwork } from "./node-network.ts";
import type { AgentOptions } from "./options.ts";
import type { SnapshotStore } from "./watch/snapshot-store.ts";

export interface UplinkCardsParts {
  readonly node: string;
  /** What FelixConfiguration asks for now. */
  readonly mode: () => XdpMode;
  /** Whether packets between nodes are encrypted: the program takes none then. */
  readonly encrypts: () => boolean;
  readonly uplinks: () => readonly NetworkDevice[];
  readonly devices: () => readonly NetworkDevice[];
  readonly onVeth: boolean;
  readonly log: { info(line: string): void };
}

type Cards = Pick<Attacher, "card" | "noOtherCards">;

export class UplinkCards {
  readonly #parts: UplinkCardsParts;
  /** Why an uplink's driver refuses, by the uplink's index: it is not asked again each second. */
  readonly #refused = new Map<number, string>();
  /** The same, as it was logged. */
  readonly #said = new Map<number, string>();

  constructor(parts: UplinkCardsParts) {
    this.#parts = parts;
  }

  /** Whose programs are replaced together with those at tc. */
  hooks(): DeviceProgram[] {
    return this.#wanted().map((device) => ({ program: XDP_PROGRAM, device }));
  }

  /** Ask all drivers again. */
  lookAgain(): void {
    this.#refused.clear();
  }

  follow(attacher: Cards): void {
    const { log } = this.#parts;
    const wanted = this.#wanted();
    for (const device of wanted) this.#attach(attacher, device);
    const kept = wanted.filter(({ ifindex }) => !this.#refused.has(ifindex));
    for (const name of attacher.noOtherCards(kept)) log.info(`${XDP_PROGRAM} on ${name}: detached`);
  }

  /** Uplinks that stay at tc although XDP is asked for. */
  problems(): Problem[] {
    const { mode, node, uplinks } = this.#parts;
    if (mode() === "Disabled") return [];
    return uplinks().flatMap((device) => {
      const reason = this.#unfit(device) ?? this.#refused.get(device.ifindex);
      if (reason === undefined) return [];
      const message = `XDP is not used on the uplink ${device.name}: ${reason}. Its packets are handled at tc, as without XDP.`;
      return [{ kind: "Node", name: node, path: "status", message }];
    });
  }

  #wanted(): NetworkDevice[] {
    const { mode, uplinks } = this.#parts;
    return mode() === "Native" ? uplinks().filter((device) => this.#unfit(device) === undefined) : [];
  }

  #unfit(device: NetworkDevice): string | undefined {
    if (this.#parts.encrypts()) return "what is forwarded leaves this node encrypted, which its card cannot see to";
    return unfitForXdp(device, this.#parts.devices(), this.#parts.onVeth);
  }

  #attach(attacher: Cards, device: Device): void {
    if (this.#refused.has(device.ifindex)) return;
    try {
      const result = attacher.card(device);
      if (result !== "unchanged") this.#parts.log.info(`${XDP_PROGRAM} on ${device.name}: ${result} (XDP)`);
    } catch (error) {
      const reason = reasonOf(error instanceof Error ? error.message : String(error));
      this.#refused.set(device.ifindex, reason);
      if (this.#said.get(device.ifindex) !== reason)
        this.#parts.log.info(`${XDP_PROGRAM} on ${device.name}: ${reason}`);
      this.#said.set(device.ifindex, reason);
    }
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EBUSY: "it has the XDP program of somebody else, which stays",
  EEXIST: "it has the XDP program of somebody else, which stays",
  ENOTSUP: "its driver has no native XDP",
  ENODEV: "it is gone",
};

/** Drivers also refuse for an MTU that is too large, for offloads, and without free queues; most say no more than EINVAL. */
function reasonOf(message: string): string {
  const code = /: (E[A-Z0-9]+): /.exec(message)?.[1] ?? "";
  return (
    REASONS[code] ??
    `its driver refuses (${message.replace(/\.$/, "")}), for example because its MTU is too large for XDP`
  );
}

/** Those of an agent, as its cluster's FelixConfiguration asks for them. */
export function cardsOf(
  { options, network, log }: { options: AgentOptions; network: NodeNetwork } & Pick<UplinkCardsParts, "log">,
  store: Pick<SnapshotStore, "list">,
): UplinkCards {
  const felix = () => defaultConfiguration(store.list("felixConfigurations"));
  return new UplinkCards({
    ...{ node: options.node, onVeth: options.xdp === "veth", log },
    mode: () => modeOf(felix()).xdp,
    encrypts: () => isEncrypted(felix()),
    uplinks: () => network.uplinkDevices,
    devices: () => network.devices,
  });
}
