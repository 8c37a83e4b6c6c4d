// What time does to an SCTP association (bpf/connection/find.h): after a while of silence an INIT is no longer one of it.
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { noKernel, temporaryBpffs } from "../../agent/kernel/bpffs.fixture.ts";
import { enterNamespace } from "../../agent/kernel/namespace.fixture.ts";
import { asks, CLIENT, established, FORGED, SERVER } from "./cases/association.ts";
import { meet, type Step } from "./cases/step.ts";
import { NodeUnderTest } from "./node.ts";
import { preparedObjects } from "./objects.ts";

if (noKernel) console.log(noKernel);

const PORT = 6400;
const SECOND = 1_000_000_000n;

describe.skipIf(noKernel)("an association of a client that is silent", () => {
  const { folder, bpf } = temporaryBpffs();
  enterNamespace();
  let node: NodeUnderTest;
  beforeAll(async () => {
    node = new NodeUnderTest({ ...(await preparedObjects(folder)), bpffs: bpf, scratch: folder });
    node.write({ returnMode: "DSR", services: true });
  });

  const arrive = (...steps: Step[]) => {
    for (const step of steps) expect(meet(node, step).outcomes.join()).toMatch(/^to_/);
  };
  const entries = () =>
    node.maps.connections
      .entries()
      .filter(([{ sourcePort, destinationPort }]) => [sourcePort, destinationPort].includes(PORT));
  /** Of both directions. */
  const passes = (seconds: bigint) =>
    node.maps.connections.update(
      entries().map(([key, entry]) => [key, { ...entry, lastSeen: entry.lastSeen - seconds * SECOND }]),
    );

  beforeEach(() => {
    node.forget();
    arrive(...established(PORT));
  });

  test("an INIT before 210 s follows it, and neither it nor others after it keep it alive", () => {
    passes(205n);
    arrive(asks(PORT, "init", { asks: FORGED }, ""));
    expect(node.connectionsOf(PORT)).toEqual(["established", "established"]);
    passes(6n);
    arrive(asks(PORT, "init", { asks: FORGED }, ""));
    expect(node.connectionsOf(PORT)).toEqual(["half open", "half open"]);
  });

  test("other packets do, and are part of it for a day", () => {
    passes(80_000n);
    arrive(asks(PORT, "data", { tag: SERVER }, ""), asks(PORT, "init", { asks: FORGED }, ""));
    expect(node.connectionsOf(PORT)).toEqual(["established", "established"]);
  });

  test("one that ended is no obstacle", () => {
    arrive(asks(PORT, "abort", { tag: SERVER }, ""), asks(PORT, "init", { asks: CLIENT + 1 }, ""));
    expect(node.connectionsOf(PORT)).toEqual(["half open", "half open"]);
  });
});
