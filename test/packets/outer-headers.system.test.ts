// The outer headers that the programs write: ports that spread flows over receive queues, identifications that tell fragments apart.
import { beforeAll, describe, expect, test } from "vitest";
import { noKernel, temporaryBpffs } from "../../agent/kernel/bpffs.fixture.ts";
import { enterNamespace } from "../../agent/kernel/namespace.fixture.ts";
import type { Family } from "../../model/address/address.ts";
import { arrives, meet, sends } from "./cases/step.ts";
import { backendAddress, nodes, outside } from "./cluster.ts";
import { ethernet, ip, ipip, tcp, udp } from "./frames.ts";
import { NodeUnderTest, neighbours } from "./node.ts";
import { preparedObjects } from "./objects.ts";
import { readFrame } from "./reading.ts";

if (noKernel) console.log(noKernel);

/** The node port of a service whose backend is on another node. */
const REMOTE_PORT = 30089;
/** Of the outer IPv4 header behind Ethernet, and of the UDP header behind that. */
const TOS = 14 + 1;
const IDENTIFICATION = 14 + 4;
const FRAGMENT = 14 + 6;
const SOURCE_PORT = 14 + 20;
const [web, web2] = ["web", "web2"].map(backendAddress) as [string, string];

describe.skipIf(noKernel)("outer headers", () => {
  const { folder, bpf } = temporaryBpffs();
  enterNamespace();
  let node: NodeUnderTest;
  beforeAll(async () => {
    node = new NodeUnderTest({ ...(await preparedObjects(folder)), bpffs: bpf, scratch: folder });
    node.write({ returnMode: "DSR", services: true });
  });

  /** Big-endian, of the wrapped packet of a client's flow. */
  const wrapped = (port: number, marks: string) => {
    const ends = { source: outside.client1, destination: nodes.master };
    const met = meet(node, arrives(ends, tcp(port, REMOTE_PORT, marks), ""));
    expect(met.outcomes).toEqual(["forward_service"]);
    const bytes = Buffer.from(met.frame);
    return { port: bytes.readUInt16BE(SOURCE_PORT), identification: bytes.readUInt16BE(IDENTIFICATION) };
  };
  const flows = Array.from({ length: 200 }, (_, index) => 20_000 + index);

  test("a flow keeps its source port, and flows spread evenly over the dynamic range", () => {
    const ports = flows.map((flow) => wrapped(flow, "S").port);
    expect(flows.map((flow) => wrapped(flow, "A").port)).toEqual(ports);
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(49_152);
    expect(new Set(ports).size).toBeGreaterThan(190);
    // A receiver with eight queues takes the port modulo eight, or its upper bits.
    for (const queueOf of [(port: number) => port % 8, (port: number) => (port - 49_152) >> 11]) {
      const loads = Map.groupBy(ports, queueOf);
      expect(loads.size).toBe(8);
      expect(Math.max(...[...loads.values()].map((queue) => queue.length))).toBeLessThan(50);
    }
  });

  test("routers may cut what its sender lets them cut, and IPv6 of 1280 bytes, which every link takes", () => {
    const isWhole = (family: Family, size: number, fragment?: number) => {
      const ends = { source: outside.client1, destination: nodes.master, ...(fragment !== undefined && { fragment }) };
      const met = meet(node, arrives(ends, tcp(21_000, REMOTE_PORT, "S", Buffer.alloc(size)), ""), family);
      expect(met.outcomes).toEqual(["forward_service"]);
      return (Buffer.from(met.frame).readUInt16BE(FRAGMENT) & 0x4000) !== 0;
    };
    expect(isWhole("IPv4", 0)).toBe(false);
    expect(isWhole("IPv4", 0, 0x4000)).toBe(true);
    expect(isWhole("IPv6", 1220)).toBe(false);
    expect(isWhole("IPv6", 1221)).toBe(true);
  });

  describe("in IPIP", () => {
    beforeAll(() => node.write({ returnMode: "DSR", services: true, encapsulation: "IPIP" }));

    test("a packet is never cut between nodes, since no device joins its pieces", () => {
      const outer = (fragment: number, tos = 0) => {
        const ends = { source: web, destination: web2, fragment, tos };
        const met = meet(node, sends("web", ends, udp(5500, 80), ""));
        expect(met.outcomes).toEqual(["to_overlay"]);
        return Buffer.from(met.frame);
      };
      expect([0, 0x4000].map((fragment) => outer(fragment).readUInt16BE(FRAGMENT))).toEqual([0x4000, 0x4000]);
      // RFC 6040: who can be told of congestion is known outside, what was congested before is not.
      expect([0, 1, 2, 3].map((tos) => outer(0, tos)[TOS])).toEqual([0, 1, 2, 2]);
    });

    test("congestion between nodes reaches the packet inside", () => {
      const inside = (outer: number, tos: number) => {
        const packet = ip({ source: web2, destination: web, tos }, udp(5501, 80));
        const bytes = ip({ source: nodes.node, destination: nodes.master, tos: outer }, ipip(packet));
        const source = neighbours[nodes.node] as string;
        const met = node.meet(ethernet(bytes, 0x0800, { source }), { program: "from_uplink", at: "uplink" });
        const read = met.action === 2 ? undefined : readFrame(met.frame).ip;
        return [read?.tos, read?.headerChecksumRight].join();
      };
      expect(inside(3, 0b1001)).toBe("11,true");
      expect(inside(3, 0b1010)).toBe("11,true");
      expect(inside(2, 0b1010)).toBe("10,true");
      expect(inside(3, 0b1000)).toBe(","); // dropped
    });
  });

  test("packets of one processor have different identifications", () => {
    const seen = flows.map((flow) => wrapped(flow, "A").identification);
    const same = seen.filter((one, index) => one === seen[index - 1]);
    expect(same.length).toBeLessThan(10); // the test may change processors, each of which counts
  });
});
