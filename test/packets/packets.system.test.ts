// Packet tests (cases/): each packet is handed to the real program in the real kernel, without a network around it.
import { beforeAll, describe, expect, test } from "vitest";
import { noKernel, temporaryBpffs } from "../../agent/kernel/bpffs.fixture.ts";
import { enterNamespace } from "../../agent/kernel/namespace.fixture.ts";
import { attacks } from "./cases/attacks.ts";
import { behindStack } from "./cases/behind-stack.ts";
import { restricted } from "./cases/clients.ts";
import { closings } from "./cases/closings.ts";
import { oddities } from "./cases/oddities.ts";
import { own } from "./cases/own.ts";
import type { PacketTest } from "./cases/step.ts";
import { walks } from "./cases/walks.ts";
import { type Handling, handlings, NodeUnderTest } from "./node.ts";
import { preparedObjects } from "./objects.ts";
import { inWords } from "./words.ts";

if (noKernel) console.log(noKernel);

describe.skipIf(noKernel)("packets", () => {
  const { folder, bpf } = temporaryBpffs();
  enterNamespace();
  let node: NodeUnderTest;
  beforeAll(async () => {
    node = new NodeUnderTest({ ...(await preparedObjects(folder)), bpffs: bpf, scratch: folder });
  });

  describe.each(handlings)("$returnMode, services: $services", (handling) => {
    for (const [title, tests] of Object.entries({ walks, restricted, own, attacks, behindStack, closings, oddities })) {
      const wanted = tests.filter((item) => fits(item, handling));
      test.each(wanted)(`${title}: $say`, (item) => {
        node.write(handling);
        node.forget();
        const { open, seen, expected } = walk(node, item, handling);
        if (open && JSON.stringify(seen) !== JSON.stringify(expected)) console.log(`open: ${open}: ${item.say}`);
        else if (open) console.log(`closed, say so in the case: ${open}: ${item.say}`);
        else expect(seen).toEqual(expected);
      });
    }
  });
});

function fits({ handling }: PacketTest, { returnMode, services }: (typeof handlings)[number]): boolean {
  return (handling?.returnMode ?? returnMode) === returnMode && (handling?.services ?? services) === services;
}

/** Where a pattern fits, it stands for what was seen. */
function walk(node: NodeUnderTest, { steps, open, known: afterwards }: PacketTest, now: Handling) {
  const seen: string[] = [];
  const expected: string[] = [];
  for (const { frame, becomes, through, policies, ...known } of steps) {
    if (policies) node.write(now, policies);
    const meeting = through ? { ...known, ingressIfindex: node.ifindex(through) } : known;
    const met = node.meet(typeof frame === "function" ? frame(node) : frame, meeting);
    const words = inWords(met, meeting.program, (id) => node.maps.backends.lookup(id)?.address);
    seen.push(words);
    expected.push(typeof becomes === "string" ? becomes : becomes.test(words) ? words : String(becomes));
  }
  if (afterwards) {
    seen.push(...node.connectionsOf(afterwards.port));
    expected.push(...afterwards.as);
  }
  return { open, seen, expected };
}
