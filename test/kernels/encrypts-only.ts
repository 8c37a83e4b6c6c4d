import { expect } from "vitest";
import { FAMILIES, type Family } from "../../model/address/address.ts";
import { PLACES } from "./encrypting-places.ts";
import type { Findings } from "./findings.ts";

/** The client's address as the kernel prints that of the server's socket. */
const SEEN: Readonly<Record<Family, RegExp>> = { IPv4: /0200F40A$/, IPv6: /^100000FD000044020000000002000000$/ };

/** In each family, pods of two nodes speak through WireGuard only, as themselves, and keep their connection when a node changes its key. */
export function expectEncrypted(findings: Findings): void {
  for (const family of FAMILIES) {
    const seen = findings.encryption[family];
    if (!seen) expect.fail(`the two nodes of ${family} ended without a result`);
    expect(seen, family).toMatchObject({
      ...{ same: true, rotated: [true, false], silent: [[false], [false]], handshakes: [[true], [true]] },
      ...{ podMtu: 1500 - PLACES[family].headers, wire: { readable: 0 }, refused: [{}, {}] },
    });
    expect(seen.seenBy).toMatch(SEEN[family]);
    const { "udp > 51820": encrypted = 0, ...others } = seen.wire.kinds;
    expect(encrypted).toBeGreaterThan(2 * 2 * (100_000 / 1500)); // there and back, at both of the router's interfaces
    expect(Object.keys(others).filter((kind) => !["arp", "discovery", "other"].includes(kind))).toEqual([]);
  }
}
