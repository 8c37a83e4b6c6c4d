// The program in the cards of this node's uplinks (XDP), if it is asked for. If a card does not accept the program, its packets are handled
// at tc, as without XDP.
import { release } from "node:os";
import { isEncrypted } from "../../model/encryption/encryption.ts";
import { defaultConfiguration, modeOf } from "../../model/mode/configuration.ts";
import type { XdpMode } from "../../model/mode/mode.ts";
import type { Problem } from "../../model/problem.ts";
import type { Attacher, DeviceProgram } from "../kernel/attach.ts";
import { type Card, CardRefusal, XDP_PROGRAM } from "../kernel/xdp.ts";
import type { NodeNetwork } from "../machine/node-network.ts";
import { processorNumbers, queuesInUse, unfitForXdp, type XdpMachine } from "../network/cards.ts";
import type { NetworkDevice } from "../network/devices.ts";
import type { XdpStatus } from "../observe/status/node-status.ts";
import type { AgentOptions } from "../options.ts";
import type { SnapshotStore } from "../watch/snapshot-store.ts";

export interface UplinkCardsParts {
  readonly node: string;
  /** What FelixConfiguration asks for now. */
  readonly mode: () => XdpMode;
  /** Whether packets between nodes are encrypted: then the program handles no packets. */
  readonly encrypts: () => boolean;
  readonly uplinks: () => readonly NetworkDevice[];
  readonly devices: () => readonly NetworkDevice[];
  readonly machine: XdpMachine;
  readonly log: { info(line: string): void };
}

type Cards = Pick<Attacher, "card" | "noOtherCards">;

export class UplinkCards {
  readonly #parts: UplinkCardsParts;
  /** Why an uplink's driver refuses, by index and MTU of the uplink: it is not asked again each second. */
  readonly #refused = new Map<string, string>();
  /** What was logged of an uplink, by its index. */
  readonly #said = new Map<number, string>();

  constructor(parts: UplinkCardsParts) {
    this.#parts = parts;
  }

  /** The programs that are replaced together with those at tc. */
  hooks(): DeviceProgram[] {
    return this.#wanted().map((device) => ({ program: XDP_PROGRAM, device }));
  }

  /** Asks all drivers again. */
  lookAgain(): void {
    this.#refused.clear();
  }

  follow(attacher: Cards): void {
    const { log } = this.#parts;
    const wanted = this.#wanted();
    // Before it is attached under another MTU, which its driver may refuse.
    for (const name of attacher.noOtherCards(wanted)) {
      const why = wanted.some((card) => card.name === name) ? ", because the interface has another MTU now" : "";
      log.info(`${XDP_PROGRAM} on ${name}: detached${why}`);
    }
    for (const card of wanted) this.#attach(attacher, card);
    // The driver has refused to replace the program.
    const kept = wanted.filter((card) => this.#refusalOf(card) === undefined);
    for (const name of attacher.noOtherCards(kept)) log.info(`${XDP_PROGRAM} on ${name}: detached`);
  }

  /** Uplinks that stay at tc although XDP is asked for. */
  problems(): Problem[] {
    return (this.status() ?? []).flatMap(({ uplink, reason }) => {
      if (reason === null) return [];
      const message = `XDP is not used on the uplink ${uplink}: ${reason}. Its packets are handled at tc, as without XDP.`;
      return [{ kind: "Node", name: this.#parts.node, path: "status", message }];
    });
  }

  /** Of each uplink. Null: XDP is not asked for. */
  status(): XdpStatus | null {
    const { mode, uplinks } = this.#parts;
    if (mode() === "Disabled") return null;
    return uplinks().map((device) => {
      const reason = this.#unfit(device) ?? this.#refusalOf(device);
      return { uplink: device.name, reason: reason ?? null };
    });
  }

  #wanted(): NetworkDevice[] {
    const { mode, uplinks } = this.#parts;
    return mode() === "Native" ? uplinks().filter((device) => this.#unfit(device) === undefined) : [];
  }

  #unfit(device: NetworkDevice): string | undefined {
    if (this.#parts.encrypts()) return "what is forwarded leaves this node encrypted, which its card cannot see to";
    const { devices, machine } = this.#parts;
    return unfitForXdp(device, devices(), machine);
  }

  #refusalOf({ ifindex, mtu }: Card): string | undefined {
    return this.#refused.get(`${ifindex} ${mtu}`);
  }

  #attach(attacher: Cards, card: Card): void {
    if (this.#refusalOf(card) !== undefined) return;
    const { name, ifindex, mtu } = card;
    try {
      const result = attacher.card(card);
      if (result !== "unchanged") this.#parts.log.info(`${XDP_PROGRAM} on ${name}: ${result} (XDP)`);
      this.#said.delete(ifindex);
    } catch (error) {
      const reason = reasonOf(error);
      this.#refused.set(`${ifindex} ${mtu}`, reason);
      if (this.#said.get(ifindex) !== reason) this.#parts.log.info(`${XDP_PROGRAM} on ${name}: ${reason}`);
      this.#said.set(ifindex, reason);
    }
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EBUSY: "it has the XDP program of somebody else, which stays",
  EEXIST: "it has the XDP program of somebody else, which stays",
  ENODEV: "it is gone",
};

/** The kernel's answer for a driver without XDP. Drivers that have XDP refuse with the same number, for reasons of their own. */
const NO_NATIVE_XDP = "Underlying driver does not support XDP in native mode";

/** Drivers also refuse for an MTU that is too large, for offloads, and without free queues. Some say no more than EINVAL or EOPNOTSUPP. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const said = error instanceof CardRefusal ? error.reason : undefined;
  const code = /: (E[A-Z0-9]+): /.exec(message)?.[1] ?? "";
  const known = REASONS[code];
  if (known !== undefined) return known;
  if (said === NO_NATIVE_XDP) return "its driver has no native XDP";
  if (said !== undefined) return `its driver refuses: "${said}"`;
  return `its driver refuses (${message.replace(/\.$/, "")}), for example for its MTU, its queues or what it merges (LRO); the kernel's log can say why`;
}

/** The cards of an agent, as its cluster's FelixConfiguration asks for them. */
export function cardsOf(
  { options, network, log }: { options: AgentOptions; network: NodeNetwork } & Pick<UplinkCardsParts, "log">,
  store: Pick<SnapshotStore, "list">,
): UplinkCards {
  const felix = () => defaultConfiguration(store.list("felixConfigurations"));
  return new UplinkCards({
    ...{ node: options.node, log },
    machine: {
      onVeth: options.xdp === "veth",
      ...{ kernel: release(), processors: processorNumbers(), queuesInUse },
    },
    mode: () => modeOf(felix()).xdp,
    encrypts: () => isEncrypted(felix()),
    uplinks: () => network.uplinkDevices,
    devices: () => network.devices,
  });
}
