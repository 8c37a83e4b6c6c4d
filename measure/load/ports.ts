/** Ports that a client may use as its own: those below belong to services and to root. */
const first = 1024;
const last = 65_535;

/** More source ports are asked for than one address has. */
export class PortsUsedUp extends Error {}

/** How many connections one client address has ports for, each used once. */
export const portsPerAddress = last - first + 1;

/**
 * Gives out source ports, each once. A port that was used before meets what connection tracking remembers of it, in the
 * kernel's as in ours, and the time of the connection says more about that than about the path.
 */
export class SourcePorts {
  #next = first;

  /** The first of so many consecutive ports. @throws PortsUsedUp */
  take(count: number): number {
    const taken = this.#next;
    if (taken + count - 1 > last)
      throw new PortsUsedUp(
        `a client address has ${portsPerAddress} source ports, each used once, and ${last - taken + 1} are left of them: ` +
          `${count} more connections need fewer modes, rounds or --connections`,
      );
    this.#next += count;
    return taken;
  }
}
