import { createSocket, type Socket } from "node:dgram";
import { networkInterfaces } from "node:os";
import { answerLine, plainAddress } from "./answer.ts";
import { ECHO } from "./echo.ts";

/** How often the local addresses are read again: a new interface's addresses appear with a delay. */
const rescanMs = 200;
/** Payload of the longest datagram over IPv4. */
const longestDatagram = 65_507;

/** A UDP port answered on every local address, also on those that appear later. */
export interface UdpListener {
  close(): void;
  /** The addresses that are answered now. */
  addresses(): string[];
}

/**
 * Answers each datagram on `port` with one line; one that asks for it is sent back whole before that line.
 *
 * One socket per local address, because a reply must come from the address the datagram was sent to: a wildcard socket
 * would let the routing table choose, which is wrong on hosts with several addresses, and Node offers no IP_PKTINFO
 * (RFC 3542 section 4, ip(7)).
 */
export async function listenUdp(
  port: number,
  server: string,
  report: (message: string) => void,
  localAddresses: () => string[] = addressesNow,
): Promise<UdpListener> {
  const sockets = new Map<string, Socket>();
  const refused = new Set<string>();

  const scan = async (): Promise<void> => {
    const wanted = new Set(localAddresses());
    for (const [address, socket] of sockets) {
      if (wanted.has(address)) continue;
      sockets.delete(address);
      socket.close();
    }
    const opened = [...wanted]
      .filter((address) => !sockets.has(address))
      .map(async (address) => {
        try {
          sockets.set(address, await open(address, port, server));
          refused.delete(address);
        } catch (error) {
          // Logged once per address: an address that is still tentative (IPv6 DAD) is tried again at the next scan.
          if (!refused.has(address)) report(`udp ${address} port ${port}: ${(error as Error).message}`);
          refused.add(address);
        }
      });
    await Promise.all(opened);
  };

  await scan();
  if (sockets.size === 0) throw new Error(`udp port ${port}: no local address could be bound`);
  const timer = setInterval(() => void scan(), rescanMs);
  return {
    close: () => {
      clearInterval(timer);
      for (const socket of sockets.values()) socket.close();
      sockets.clear();
    },
    addresses: () => [...sockets.keys()],
  };
}

function open(address: string, port: number, server: string): Promise<Socket> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.on("message", (message, peer) => {
    const line = answerLine({ server, source: plainAddress(peer.address), sourcePort: peer.port });
    const answer = message[0] === ECHO ? withEcho(message, line) : line;
    // If the client's socket is gone, its host answers with ICMP, which is ignored here.
    socket.send(answer, peer.port, peer.address, () => {});
  });
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners("error");
      socket.on("error", () => {});
      resolve(socket);
    });
  });
}

/** The line is left out where both do not fit into a datagram. */
function withEcho(message: Buffer, line: string): Buffer {
  return message.length + line.length > longestDatagram ? message : Buffer.concat([message, Buffer.from(line)]);
}

/** Every address of every interface; link-local IPv6 with its scope. */
function addressesNow(): string[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? []).map(({ address, scopeid }) => (scopeid ? `${address}%${name}` : address)),
  );
}
