import { Gauge, type Registry } from "prom-client";
import { type EncryptionStatus, isSilent } from "./status/node-status.ts";

/** Series of one node's peers. */
const MOST = 100;
const OTHERS = "other nodes";

/** The kernel is read at each scrape. @param read undefined: packets are not encrypted */
export function encryptionGauges(
  read: () => EncryptionStatus | undefined,
  prefix: string,
  registers: Registry[],
): void {
  new Gauge({
    name: `${prefix}encryption_peers`,
    help:
      "Other nodes by state, where packets between nodes are encrypted: answered (WireGuard has had a handshake with it), waiting (nothing was sent to it yet), " +
      "silent (it was asked for a handshake and never answered), without_key (nothing is sent to it).",
    labelNames: ["state"],
    registers,
    collect() {
      this.reset();
      const found = read();
      if (found) for (const [state, count] of Object.entries(countsOf(found))) this.set({ state }, count);
    },
  });
  new Gauge({
    name: `${prefix}encryption_handshake_age_seconds`,
    help:
      "Seconds since WireGuard's last handshake with another node; while packets are exchanged there is one every two minutes. Absent: there was none. At most " +
      `${MOST} nodes, those whose last one is longest ago; the oldest of the rest is \`${OTHERS}\`.`,
    labelNames: ["peer"],
    registers,
    collect() {
      this.reset();
      for (const [peer, seconds] of agesOf(read())) this.set({ peer }, seconds);
    },
  });
}

function countsOf({ peers, without }: EncryptionStatus): Record<string, number> {
  const answered = peers.filter(({ handshakeSecondsAgo }) => handshakeSecondsAgo !== null).length;
  const silent = peers.filter(isSilent).length;
  return { answered, waiting: peers.length - answered - silent, silent, without_key: without.length };
}

function agesOf(found: EncryptionStatus | undefined): [string, number][] {
  const oldestFirst = (found?.peers ?? [])
    .flatMap(({ node, handshakeSecondsAgo }): [string, number][] =>
      handshakeSecondsAgo === null ? [] : [[node, handshakeSecondsAgo]],
    )
    .sort((one, other) => other[1] - one[1] || one[0].localeCompare(other[0]));
  const [next] = oldestFirst.slice(MOST);
  return [...oldestFirst.slice(0, MOST), ...(next ? [[OTHERS, next[1]] as [string, number]] : [])];
}
