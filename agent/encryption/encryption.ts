import type { EncryptionPlan } from "../../model/encryption/encryption.ts";
import type { Problem } from "../../model/problem.ts";
import { MARK_FORWARDED, WIREGUARD_PORT } from "../kernel/layout.gen.ts";
import { changeWireguard, type WireguardDevice, wireguardDevice } from "../kernel/wireguard.ts";
import { WIREGUARD_DEVICE } from "../network/wireguard.ts";
import type { Logger } from "../observe/log.ts";
import type { EncryptionStatus } from "../observe/status/node-status.ts";
import { runFile, WIREGUARD_FILE } from "../options.ts";
import { NodeKeys } from "./keys.ts";

export interface EncryptionParts {
  readonly node: string;
  /** Folder of the file with the private keys. */
  readonly runDirectory: string;
  /** Writes the public key into this node's Node object. */
  readonly publish: (publicKey: string) => Promise<void>;
  readonly log: Logger;
  /** Why there is no device. */
  readonly failure: () => string | undefined;
  /** Attaches the device's programs, which must happen before it has peers. @returns false: not yet, another pass follows */
  readonly attach: () => boolean;
  readonly change?: typeof changeWireguard;
  readonly read?: typeof wireguardDevice;
}

/** This node's part of the encryption between nodes: its keys, and the peers of its device. */
export class Encryption {
  readonly #parts: EncryptionParts;
  readonly #change: typeof changeWireguard;
  readonly #read: typeof wireguardDevice;
  #keys: NodeKeys | undefined;
  #written = "";
  #plan: EncryptionPlan | undefined;
  #publishing: string | undefined;
  #publishFailure: string | undefined;

  constructor(parts: EncryptionParts) {
    this.#parts = parts;
    this.#change = parts.change ?? changeWireguard;
    this.#read = parts.read ?? wireguardDevice;
  }

  /** In the next pass, compare with the device and the Node object again. */
  lookAgain(): void {
    this.#written = "";
    this.#publishing = undefined;
  }

  /** @returns what is wrong here; the plan's own problems are not included */
  apply(plan: EncryptionPlan | undefined): readonly Problem[] {
    const failure = this.#parts.failure();
    this.#plan = plan;
    if (!plan) {
      this.#written = "";
      this.#publishFailure = undefined;
      return [];
    }
    if (failure) return [this.#problem(withoutDevice(failure))];
    try {
      this.#follow(plan);
    } catch (error) {
      this.#written = "";
      return [
        this.#problem(
          `encryption: ${messageOf(error)}. Other nodes and this one send each other's pods nothing that they cannot encrypt.`,
        ),
      ];
    }
    return this.#publishFailure ? [this.#problem(this.#publishFailure)] : [];
  }

  #follow({ published, peers }: EncryptionPlan): void {
    this.#keys ??= new NodeKeys(runFile(this.#parts, WIREGUARD_FILE));
    const { use, publish } = this.#keys.follow(published);
    if (publish) this.#publish(publish);
    else this.#publishFailure = undefined;
    const text = JSON.stringify([use?.publicKey, peers]);
    if (text === this.#written) return;
    if (!this.#parts.attach()) return;
    const present = this.#read(WIREGUARD_DEVICE);
    const privateKey = use && present.publicKey !== use.publicKey ? use.privateKey : undefined;
    const change = { privateKey, port: WIREGUARD_PORT, mark: MARK_FORWARDED, ...difference(present, peers) };
    this.#change(WIREGUARD_DEVICE, change);
    if (privateKey) this.#parts.log.info(`encryption: this node uses the key ${use?.publicKey}`);
    this.#written = text;
  }

  /** Publishes the key. Success arrives as a change of the Node object. A failure is tried again with the next look, not with every
   * pass. */
  #publish(publicKey: string): void {
    if (this.#publishing === publicKey) return;
    this.#publishing = publicKey;
    void this.#parts
      .publish(publicKey)
      .then(
        () => undefined,
        (error: unknown) =>
          `encryption: the public key of this node cannot be written into its Node object: ${messageOf(error)}. Other nodes send its pods nothing until then. Next: set encryption in the Dataplane, which gives agents that right.`,
      )
      .then((problem) => {
        this.#publishFailure = problem;
      });
  }

  #problem(message: string): Problem {
    return { kind: "Node", name: this.#parts.node, path: "status", message };
  }

  /** As the kernel has it, with the nodes that have no key; undefined: packets are not encrypted. @param now milliseconds since 1970 */
  status(now: number): EncryptionStatus | undefined {
    if (!this.#plan) return undefined;
    const { peers, without } = this.#plan;
    const known = new Map((this.device?.peers ?? []).map((peer) => [peer.publicKey, peer]));
    return {
      without: [...without],
      peers: peers.map(({ node, publicKey }) => {
        const { lastHandshake = 0, sent = 0n } = known.get(publicKey) ?? {};
        const secondsAgo = Math.max(0, Math.round(now / 1000 - lastHandshake));
        return { node, handshakeSecondsAgo: lastHandshake > 0 ? secondsAgo : null, asked: sent > 0n };
      }),
    };
  }

  /** As the kernel has it; undefined: there is none. */
  get device(): WireguardDevice | undefined {
    try {
      return this.#read(WIREGUARD_DEVICE);
    } catch {
      return undefined;
    }
  }
}

/** Peers that stay are not written again, so that their sessions continue. */
export function difference(
  present: Pick<WireguardDevice, "peers">,
  peers: EncryptionPlan["peers"],
): { remove: string[]; peers: EncryptionPlan["peers"][number][] } {
  const wanted = new Set(peers.map(({ publicKey }) => publicKey));
  const known = new Map(present.peers.map(({ publicKey, address }) => [publicKey, address]));
  return {
    remove: [...known.keys()].filter((key) => !wanted.has(key)),
    peers: peers.filter(({ publicKey, address }) => known.get(publicKey) !== address),
  };
}

function withoutDevice(failure: string): string {
  return `encryption: this node has no WireGuard (${failure}), so its pods and those of other nodes reach each other no more: nothing is sent that is not encrypted. Next: load the kernel's module wireguard on the node, or set encryption to None.`;
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
