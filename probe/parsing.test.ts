import { describe, expect, it } from "vitest";
import { findAnswer, plainAddress } from "./answer.ts";
import { type CapturedPacket, packetParser } from "./capture.ts";
import { parsePorts } from "./ports.ts";
import { candidates } from "./resolve.ts";

describe("ports", () => {
  it("reads a list", () => expect(parsePorts("80, 81")).toEqual([80, 81]));
  it.each(["0", "70000", "x", "80,,81", "80,80"])("refuses %s", (text) =>
    expect(() => parsePorts(text)).toThrow(/port/),
  );
});

describe("answers", () => {
  it("are found in a raw line and in an HTTP body", () => {
    const line = '{"server":"a/b","source":"10.0.0.1","sourcePort":7}';
    const answer = { server: "a/b", source: "10.0.0.1", sourcePort: 7 };
    expect(findAnswer(`${line}\n`)).toEqual(answer);
    expect(findAnswer(`HTTP/1.1 200 OK\r\nX: {\r\n\r\n${line}\n`)).toEqual(answer);
    expect(findAnswer("<html>{}")).toBeUndefined();
  });
  it("print IPv4-mapped addresses as IPv4", () => {
    expect(plainAddress("::ffff:10.0.0.1")).toBe("10.0.0.1");
    expect(plainAddress("fd00::1")).toBe("fd00::1");
  });
});

describe("names of a pod's resolver", () => {
  const dns = { servers: ["10.96.0.10"], search: ["shop.svc.cluster.local", "svc.cluster.local"], ndots: 5 };
  it("try the search domains first below ndots", () => {
    expect(candidates("web", dns)).toEqual(["web.shop.svc.cluster.local", "web.svc.cluster.local", "web"]);
  });
  it("leave a name with a final dot alone", () => expect(candidates("web.", dns)).toEqual(["web."]));
});

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
