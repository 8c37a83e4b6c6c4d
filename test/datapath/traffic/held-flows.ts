import { expect } from "vitest";
import { until } from "../cluster/until.ts";
import { allGoOn, type Flows } from "./moving.ts";

/** Flows that are held (moving.ts), and what becomes of them. */
export class HeldFlows {
  readonly #seen: () => Flows | undefined;
  readonly #what: string;

  constructor(what: string, seen: () => Flows | undefined) {
    this.#what = what;
    this.#seen = seen;
  }

  get now(): Flows {
    const now = this.#seen();
    if (!now) throw new Error(`${this.#what}: nothing is seen yet`);
    return now;
  }

  async begin(): Promise<void> {
    await until(
      `${this.#what} to begin`,
      async () => this.#seen()?.tcp.every(Boolean) === true && this.now.udp.every(Boolean),
    );
  }

  async grow(protocols: readonly ("tcp" | "udp")[], many: number): Promise<void> {
    const before = this.now;
    await until(
      `${this.#what} to go on over ${protocols.join(" and ")}`,
      async () => allGoOn(before, this.now, many, protocols),
      () => JSON.stringify([before, this.now]),
    );
  }

  /** Each with the backend that it has. */
  async goesOn(): Promise<void> {
    await this.grow(["tcp", "udp"], 3);
    expect(this.now.ended, this.#what).toEqual([]);
  }

  /** The connections do, and the datagrams, which are sent at the same moments, are not answered any more. The first ones may use a next hop that is
   * remembered. */
  async goesOnByTcpAlone(): Promise<void> {
    await this.grow(["tcp"], 10);
    const before = this.now;
    await this.grow(["tcp"], 10);
    expect(this.now.udp, this.#what).toEqual(before.udp);
    expect(this.now.ended, this.#what).toEqual([]);
  }
}
