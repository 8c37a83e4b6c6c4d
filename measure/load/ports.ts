/** Source ports for clients: lower ones belong to services and to root. */
const first = 1024;
const last = 65_535;

/** More source ports were requested than one address has. */
export class PortsUsedUp extends Error {}

/** How many connections one client address has ports for, each used once. */
export const portsPerAddress = last - first + 1;

/**
 * Allocates source ports, each once. A reused port matches an old connection tracking entry, in the
 * kernel's table or in ours, and the connection's time would depend on that entry more than on the path.
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
