import { describe, expect, it } from "vitest";
import type { CapturedPacket } from "../../probe/capture.ts";
import type { Leg, Path } from "../../report/results/topology.ts";
import { fixtureTopology } from "../../report/topology.fixture.ts";
import { legsOf, type Witnessed } from "./legs.ts";

const ours = 4_115_907_450;
const { places, paths } = fixtureTopology();

function packet({ direction: way, source, destination, wrapped, evidence }: Leg, direction: "in" | "out") {
  const [from, to] = [source, destination].map((endpoint) => endpoint.split(":"));
  return {
    device: "eth0",
    direction,
    source: from?.[0] ?? "",
    sourcePort: Number(from?.[1]),
    destination: to?.[0] ?? "",
    destinationPort: Number(to?.[1]),
    ...(wrapped && { wrapped }),
    opening: { number: ours, answer: way === "reply" },
    text: evidence ?? "",
  } satisfies CapturedPacket;
}

/** What captures at each place show of these legs. */
function captures(legs: Leg[]): Witnessed[] {
  return places.map((place) => ({
    place,
    packets: legs.flatMap((leg) => [
      ...(leg.from === place.name ? [packet(leg, "out")] : []),
      ...(leg.to === place.name ? [packet(leg, "in")] : []),
    ]),
  }));
}

describe("the legs of a connection", () => {
  it.each(paths.map((path): [string, Path] => [path.mode, path]))("are found again in what %s shows", (_, { legs }) => {
    expect(legsOf(captures(legs), ours)).toEqual(legs);
    expect(legsOf(captures([...legs].reverse()), ours)).toEqual(legs);
  });

  const [proxied] = paths as [Path];

  it("are those of one connection, once, also where packets were sent again and others pass", () => {
    const noisy = captures([...proxied.legs, ...proxied.legs]).map(({ place, packets }) => ({
      place,
      packets: [
        ...packets.map((each) => ({ ...each, opening: { number: 1, answer: each.opening?.answer === true } })),
        ...packets,
      ],
    }));
    expect(legsOf(noisy, ours)).toEqual(proxied.legs);
  });

  it("do not lead through a node's inner devices, where packets look as they did elsewhere", () => {
    const [first] = proxied.legs as [Leg];
    const seen = captures(proxied.legs);
    const node = seen.find(({ place }) => place.role === "node");
    node?.packets.push({ ...packet(first, "in"), device: "ebpf-vxlan" });
    expect(legsOf(seen, ours)).toEqual(proxied.legs);
  });

  it("end where the packet was last seen", () => {
    const lost = proxied.legs.slice(0, 2);
    expect(legsOf(captures(lost), ours)).toEqual(lost);
    expect(legsOf([], ours)).toEqual([]);
  });
});
