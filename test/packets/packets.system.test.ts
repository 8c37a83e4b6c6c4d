// Packet tests (cases/): each packet is passed to the real program in the real kernel, without a network.
import { beforeAll, describe, expect, test } from "vitest";
import { noKernel, temporaryBpffs } from "../../agent/kernel/bpffs.fixture.ts";
import { enterNamespace } from "../../agent/kernel/namespace.fixture.ts";
import { handlingsOfBothFamilies, NodeUnderTest } from "./node.ts";
import { preparedObjects } from "./objects.ts";
import { cases, fits, leavesPolicies, walk } from "./walk.ts";

if (noKernel) console.log(noKernel);

describe.skipIf(noKernel)("packets", () => {
  const { folder, bpf } = temporaryBpffs();
  enterNamespace();
  let node: NodeUnderTest;
  /** What the maps hold: writing them takes longer than a case. */
  let written: unknown;
  beforeAll(async () => {
    node = new NodeUnderTest({ ...(await preparedObjects(folder)), bpffs: bpf, scratch: folder });
  });

  const named = handlingsOfBothFamilies.map((handling) => ({
    ...({ family: "IPv4", encapsulation: "VXLAN" } as const),
    ...handling,
  }));
  describe.each(named)("$returnMode, services: $services, $family, $encapsulation", (handling) => {
    for (const [title, tests] of Object.entries(cases)) {
      const wanted = tests.filter((item) => fits(item, handling));
      test.each(wanted)(`${title}: $say`, (item) => {
        if (written !== handling) node.write(handling);
        written = leavesPolicies(item) ? undefined : handling;
        node.forget();
        const { seen, expected } = walk(node, item, handling);
        if (item.steps.some(({ hosts }) => hosts)) node.writeHosts({});
        if (item.open && JSON.stringify(seen) !== JSON.stringify(expected))
          console.log(`open: ${item.open}: ${item.say}`);
        else if (item.open) console.log(`closed, say so in the case: ${item.open}: ${item.say}`);
        else expect(seen).toEqual(expected);
      });
    }
  });
});
