import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { type Address, addressBytes, addressOf, familyOf } from "../../model/address/address.ts";

/** Memberships of one socket, whose memory the kernel limits (net.core.optmem_max: 20 KiB on Linux 6.1, where one takes 80 bytes). */
const PER_SOCKET = 200;

/** The multicast group to which solicitations of an IPv6 address are sent (RFC 4291, 2.7.1). */
function solicitedGroup(address: Address): Address {
  return addressOf([...addressBytes("ff02::1:ff00:0").slice(0, 13), ...addressBytes(address).slice(13)]);
}

interface Membership {
  readonly group: Address;
  readonly device: string;
  readonly socket: Socket;
}

/** The solicited-node groups of IPv6 addresses that the node's stack does not have. Without a member of the group, the interface, and a
 * switch that watches listener reports (RFC 4541), drop solicitations, and no node could answer them. The kernel ends the memberships
 * with the agent. */
export class SolicitedGroups {
  /** By group and interface index. */
  readonly #memberships = new Map<string, Membership>();
  readonly #sockets = new Map<Socket, number>();

  /** Joins the groups of these addresses on these interfaces, and leaves all others. @returns what failed */
  async listen(
    addresses: Iterable<Address>,
    devices: readonly { readonly name: string; readonly ifindex: number }[],
  ): Promise<string[]> {
    const groups = new Set([...addresses].filter((one) => familyOf(one) === "IPv6").map(solicitedGroup));
    const wanted = new Map<string, { group: Address; device: string }>(
      devices.flatMap(({ name, ifindex }) =>
        [...groups].map((group) => [`${group} ${ifindex}`, { group, device: name }] as const),
      ),
    );
    for (const [key, membership] of this.#memberships) if (!wanted.has(key)) this.#leave(key, membership);
    const failed: string[] = [];
    for (const [key, { group, device }] of wanted) {
      if (this.#memberships.has(key)) continue;
      try {
        await this.#join(key, group, device);
      } catch (error) {
        failed.push(`${group} on ${device}: ${error instanceof Error ? error.message : error}`);
      }
    }
    return failed;
  }

  async #join(key: string, group: Address, device: string): Promise<void> {
    // For a name that it does not know, the system would choose an interface itself.
    if (!networkInterfaces()[device]?.some(({ family }) => family === "IPv6"))
      throw new Error("the interface is down or has no IPv6 address");
    const [free] = [...this.#sockets].find(([, count]) => count < PER_SOCKET) ?? [];
    const socket = free ?? (await open());
    if (!free) this.#sockets.set(socket, 0);
    socket.addMembership(group, `::%${device}`);
    this.#sockets.set(socket, (this.#sockets.get(socket) ?? 0) + 1);
    this.#memberships.set(key, { group, device, socket });
  }

  #leave(key: string, { group, device, socket }: Membership): void {
    this.#memberships.delete(key);
    const count = (this.#sockets.get(socket) ?? 1) - 1;
    if (count === 0) {
      this.#sockets.delete(socket);
      return void socket.close();
    }
    this.#sockets.set(socket, count);
    try {
      socket.dropMembership(group, `::%${device}`);
    } catch {
      // the interface is gone, and the membership with it
    }
  }
}

/** At the loopback address: nothing from outside reaches it. */
async function open(): Promise<Socket> {
  const socket = createSocket({ type: "udp6" });
  socket.bind({ address: "::1", port: 0, exclusive: true });
  await once(socket, "listening");
  socket.unref();
  socket.on("error", () => undefined);
  return socket;
}
