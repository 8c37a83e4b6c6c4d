import { beforeAll, describe, expect, test } from "vitest";
import { noKernel, temporaryBpffs } from "../../agent/kernel/bpffs.fixture.ts";
import { enterNamespace } from "../../agent/kernel/namespace.fixture.ts";
import { NodeUnderTest } from "../packets/node.ts";
import { preparedObjects } from "../packets/objects.ts";
import { campaign } from "./campaign.ts";

if (noKernel) console.log(noKernel);
describe.skipIf(noKernel)("packets by chance", () => {
  const { folder, bpf } = temporaryBpffs();
  enterNamespace();
  let node: NodeUnderTest;
  beforeAll(async () => {
    node = new NodeUnderTest({ ...(await preparedObjects(folder)), bpffs: bpf, scratch: folder });
  });
  test("x", () => {
    const start = performance.now();
    const report = campaign(node, Number(process.env.SEED ?? 1), Number(process.env.PACKETS ?? 10000), console.log);
    console.log(report.packets, performance.now() - start, "ms");
    console.log(
      [...report.outcomes]
        .sort()
        .map(([a, b]) => `${a} ${b}`)
        .join("\n"),
    );
    for (const [rule, { count, first }] of report.failures)
      console.log(
        rule,
        count,
        JSON.stringify(
          first.map(({ why, became, meeting, frame }) => ({ why, became, meeting, frame: frame.slice(0, 200) })),
          null,
          1,
        ),
      );
    expect(1).toBe(1);
  });
});
