// Whole frames on a bare cluster: sent from anywhere, and captured where they must not arrive.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BareCluster } from "../cluster/bare-cluster.ts";
import type { ClientName, NodeName } from "../cluster/objects.ts";
import type { Placed } from "../cluster/placed.ts";

type Machine = NodeName | ClientName;

/** What a capture saw of one kind of frame. */
export interface Watch {
  /** How many frames with these bytes came in so far. */
  count(bytes: string): number;
}

export class Attacker {
  readonly #cluster: BareCluster;
  // Machines have their own /tmp, and see the checkout.
  readonly #folder = mkdtempSync(join(import.meta.dirname, "..", "..", "..", "dist", ".frames-"));
  readonly #program = join(this.#folder, "frames");
  #files = 0;

  constructor(cluster: BareCluster) {
    this.#cluster = cluster;
    execFileSync("clang", ["-O1", "-Wall", "-Werror", "-o", this.#program, join(import.meta.dirname, "frames.c")]);
  }

  close(): void {
    rmSync(this.#folder, { recursive: true });
  }

  /** Sends frames from a machine's network as root could: bypassing the dataplane's own program there. */
  send(machine: Machine, ...frames: Buffer[]): Promise<string> {
    return this.#cluster.run(machine, this.#sending(frames));
  }

  /** The same from inside a pod. */
  sendFrom(pod: Placed, ...frames: Buffer[]): Promise<string> {
    return this.#cluster.run(pod.node, ["nsenter", `--net=/run/netns/${pod.name}`, ...this.#sending(frames)]);
  }

  /** Sends a frame many times, each time from another address and port of its source's /16. */
  flood(machine: Machine, frame: Buffer, count: number): Promise<string> {
    return this.#cluster.run(machine, [this.#program, "flood", "eth0", this.#write([frame]), String(count)]);
  }

  #sending(frames: readonly Buffer[]): string[] {
    return [this.#program, "send", "eth0", this.#write(frames)];
  }

  #write(frames: readonly Buffer[]): string {
    const file = join(this.#folder, `${this.#files++}.hex`);
    writeFileSync(file, frames.map((frame) => `${frame.toString("hex")}\n`).join(""));
    return file;
  }

  /** Watches what comes in at a machine, or a pod. */
  async watch(where: Machine | Placed): Promise<Watch> {
    const words = [this.#program, "receive", "eth0"];
    const child =
      typeof where === "string"
        ? this.#cluster.spawn(where, words)
        : this.#cluster.spawn(where.node, ["nsenter", `--net=/run/netns/${where.name}`, ...words]);
    let seen = "";
    await new Promise<void>((resolve, reject) => {
      child.stdout?.on("data", (text: Buffer) => {
        seen += text;
        if (seen.includes("listening")) resolve();
      });
      child.once("exit", (code) => reject(new Error(`the capture ended with ${code}`)));
    });
    return { count: (bytes) => seen.split("\n").filter((line) => line.includes(hex(bytes))).length };
  }

  /** Hardware address of an uplink. */
  async mac(machine: Machine): Promise<string> {
    return (await this.#cluster.run(machine, ["cat", "/sys/class/net/eth0/address"])).trim();
  }
}

function hex(text: string): string {
  return Buffer.from(text).toString("hex");
}
