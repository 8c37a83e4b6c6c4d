// While connections are taken over from another layout (decision 31): what waits for that, what does not, and until when.
import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { noKernel, temporaryBpffs } from "../../agent/kernel/bpffs.fixture.ts";
import { enterNamespace } from "../../agent/kernel/namespace.fixture.ts";
import { switched, TAKING_OVER_SECONDS } from "../../agent/kernel/resize.ts";
import { answers } from "./cases/external.ts";
import { addresses, arrives, arrivesWrapped, bytesOf, meet, of, type Step, sends } from "./cases/step.ts";
import { nodes, outside, pods } from "./cluster.ts";
import { frame, tcp } from "./frames.ts";
import { type Handling, handlings, NodeUnderTest, SMALL } from "./node.ts";
import { preparedObjects } from "./objects.ts";
import { sctp } from "./sctp.ts";
import { cases, fits, leavesPolicies, walk } from "./walk.ts";

if (noKernel) console.log(noKernel);

const HANDLING: Handling = { returnMode: "DSR", services: true };
const WAITS = "drop_unrelated";
const PORT = 4100;

/** Of the clock that the packet path reads. */
const seconds = () => Number(process.hrtime.bigint() / 1_000_000_000n);

/** SCTP of the node's own to a Service, where its programs take it up. */
const ownRequest: Step = {
  ...{ program: "from_tunnel", at: "tunnel", mark: 0xebf00005, becomes: "" },
  frame: (_, family) => {
    const ends = of({ source: nodes.master, destination: "10.96.0.24" }, family);
    return frame(ends, sctp(PORT, 80, "data", { tag: 7 }));
  },
};

/** Whatever is written, connections are being taken over, if `isTakingOver`. */
class Node extends NodeUnderTest {
  isTakingOver = false;

  override write(...all: Parameters<NodeUnderTest["write"]>): void {
    super.write(...all);
    if (this.isTakingOver) this.flag = true;
  }

  get flag(): boolean {
    return (this.maps.settings.lookup(0)?.takingOverUntil ?? 0) > 0;
  }

  set flag(is: boolean) {
    this.takingOverUntil = is ? seconds() + 3600 : 0;
  }

  set takingOverUntil(takingOverUntil: number) {
    const settings = this.maps.settings.lookup(0);
    if (!settings) throw new Error("The node under test has no settings.");
    this.maps.settings.update([[0, { ...settings, takingOverUntil }]]);
  }
}

describe.skipIf(noKernel)("while connections are taken over", () => {
  const { folder, bpf } = temporaryBpffs();
  enterNamespace();
  let node: Node;
  beforeAll(async () => {
    node = new Node({ ...(await preparedObjects(folder)), bpffs: bpf, scratch: folder });
  });
  beforeEach(() => {
    node.write(HANDLING);
    node.flag = false;
    node.forget();
  });

  const outcome = (step: Step) => meet(node, step).outcomes.join();
  const toNode = (port: number, flags: string) =>
    arrives({ source: outside.client1, destination: nodes.master }, tcp(PORT, port, flags), "");
  const entries = () => [...node.maps.connections.entries(), ...node.maps.halfOpen.entries()];

  test("the answer to a pod that has the node's address outside waits, so that the node's stack does not reset it", () => {
    expect(outcome(sends("open", { destination: outside.remote }, tcp(PORT, 80, "S"), ""))).toBe("forward_external");
    const answer = answers((port) => tcp(80, port, "SA"), "");
    const unknown = { ...answer, frame: bytesOf(answer, node) };
    node.flag = true;
    expect(outcome(unknown)).toBe("to_endpoint");
    node.forget();
    expect(outcome(unknown)).toBe(WAITS);
    node.flag = false;
    expect(outcome(unknown)).toBe("pass_to_stack");
  });

  test("nothing waits for an agent that has ended, once its time is over", () => {
    const unknown = arrives({ source: outside.client1, destination: nodes.master }, tcp(PORT, 30082, "A"), "");
    node.takingOverUntil = seconds() + 3600;
    expect(outcome(unknown)).toBe(WAITS);
    node.takingOverUntil = seconds() - 1;
    expect(outcome(unknown)).toBe("pass_to_stack");
  });

  test("what no connection is known of waits, and begins none", () => {
    node.flag = true;
    const elsewhere = pods.find(({ node: at }) => at === "node")?.address ?? "";
    const unknown = [
      arrives({ source: outside.client1, destination: nodes.master }, tcp(PORT, 30082, "A"), ""),
      arrivesWrapped(
        { kind: "forward direct", for: "db" },
        { source: outside.client1, destination: nodes.master },
        tcp(PORT, 30082, "A"),
        "",
      ),
      arrivesWrapped(
        { kind: "overlay" },
        { source: elsewhere, destination: addresses.open as string },
        tcp(PORT, 80, "SA"),
        "",
      ),
      sends("open", { destination: outside.remote }, tcp(80, PORT, "SA"), ""),
      sends("open", { destination: elsewhere }, tcp(80, PORT, "PA"), ""),
      sends("open", { destination: nodes.master }, tcp(PORT, 30082, "A"), ""),
      ownRequest,
    ];
    expect(unknown.map(outcome)).toEqual(unknown.map(() => WAITS));
    expect(entries()).toEqual([]);
  });

  test("what a socket of the node gets does not wait, but for a RST, which may answer a backend's packet that went out untranslated", async () => {
    const server = createServer().listen(0, "0.0.0.0");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    node.flag = true;
    const passing = [toNode(port, "A"), sends("open", { destination: nodes.master }, tcp(PORT, port, "A"), "")];
    const waiting = [
      toNode(port, "R"),
      toNode(port, "RA"),
      sends("open", { destination: outside.remote }, tcp(PORT, port, "A"), ""),
    ];
    const seen = [...passing, ...waiting].map(outcome);
    server.close();
    await once(server, "close");
    expect([...seen, outcome(toNode(port, "A"))]).toEqual([
      ...passing.map(() => "pass_to_stack"),
      ...waiting.map(() => WAITS),
      WAITS,
    ]);
  });

  /** Each packet of all cases: as otherwise, or it waits. So nothing passes that a policy forbids. */
  const [direct, , byKubeProxy] = handlings as [Handling, Handling, Handling];
  const judged = [direct, { ...byKubeProxy, family: "IPv6" as const }];
  test.each(judged)("nothing passes that does not otherwise: %j", (handling) => {
    node.isTakingOver = true;
    let isWritten = false;
    const steps = Object.values(cases)
      .flatMap((some) => some.filter((item) => fits(item, handling) && !item.open))
      .flatMap((item) => {
        if (!isWritten) node.write(handling);
        isWritten = !leavesPolicies(item);
        node.forget();
        const { say, steps: packets } = item;
        const { seen, expected } = walk(node, { say, steps: packets }, handling);
        if (packets.some(({ hosts }) => hosts)) node.writeHosts({});
        return seen.map((line, index) => ({ say, index, seen: line, otherwise: expected[index] }));
      });
    node.isTakingOver = false;
    const others = steps.filter(({ seen, otherwise }) => seen !== otherwise);
    expect(others.filter(({ seen }) => seen !== WAITS)).toEqual([]);
    expect([steps.length > 500, others.length > 0]).toEqual([true, true]);
  });

  describe("the agent", () => {
    const older = () => join(node.pins.root, "0123456789ab");
    const forgetOlder = () => rmSync(older(), { recursive: true, force: true });
    beforeEach(() => mkdirSync(older()));
    afterEach(forgetOlder);
    const during = (act: () => void = () => {}) => {
      const flags: boolean[] = [];
      switched(node.pins, node.maps, () => {
        flags.push(node.flag);
        act();
      });
      return [...flags, node.flag];
    };

    test("says so from its first look until its last one, for a minute at most, also when attaching fails", () => {
      expect(during()).toEqual([true, false]);
      during(() => {
        const left = (node.maps.settings.lookup(0)?.takingOverUntil ?? 0) - seconds();
        expect([left > 50, left <= TAKING_OVER_SECONDS]).toEqual([true, true]);
      });
      const fails = () =>
        during(() => {
          throw new Error("no such device");
        });
      expect(fails).toThrow("no such device");
      expect(node.flag).toBe(false);
    });

    test("of a killed one the next does not go on saying it", () => {
      node.flag = true;
      expect(during()).toEqual([true, false]);
      node.flag = true;
      forgetOlder();
      const flags: boolean[] = [];
      node.resize(SMALL, HANDLING, () => flags.push(node.flag));
      expect([...flags, node.flag]).toEqual([false, false]);
    });
  });
});
