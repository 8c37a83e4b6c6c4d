import { describe, expect, it } from "vitest";
import { type CapturedPacket, packetParser } from "./capture.ts";

describe("captured packets", () => {
  function read(...lines: string[]): CapturedPacket[] {
    const parse = packetParser();
    return lines.flatMap((line) => parse(line) ?? []);
  }

  it("are read from tcpdump's lines for the any device", () => {
    const [answer] = read(
      "eth0  Out IP 172.31.1.8.30604 > 172.31.1.55.40001: Flags [S.], seq 7, ack 43, win 9, options [mss 1410], length 0",
    );
    expect(answer).toEqual({
      device: "eth0",
      direction: "out",
      source: "172.31.1.8",
      sourcePort: 30604,
      destination: "172.31.1.55",
      destinationPort: 40001,
      opening: { number: 42, answer: true },
      text: "Flags [S.], seq 7, ack 43, win 9, length 0",
    });
    const [datagram] = read("eth0  In  IP6 fd00::8.30604 > fd00::55.40001: UDP, length 4");
    expect(datagram).toMatchObject({ direction: "in", destination: "fd00::55" });
    expect(datagram?.opening).toBeUndefined();
  });
  it("have the outer addresses when they came inside VXLAN", () => {
    const inside = "IP 172.31.1.55.40001 > 172.31.1.8.30604: Flags [SEW], seq 42, win 9, length 0";
    expect(read("eth0  In  IP 172.31.1.8.61234 > 172.31.1.207.4789: VXLAN, flags [I] (0x08), vni 3", inside)).toEqual([
      expect.objectContaining({
        device: "eth0",
        direction: "in",
        source: "172.31.1.55",
        wrapped: { source: "172.31.1.8", destination: "172.31.1.207" },
        opening: { number: 42, answer: false },
      }),
    ]);
    expect(read(inside)).toEqual([]); // whose line of outer headers was not seen
  });
  it("are none of loopback's", () =>
    expect(read("lo    Out IP 172.31.1.8.30604 > 172.31.1.8.40001: Flags [.], length 0")).toEqual([]));
});
