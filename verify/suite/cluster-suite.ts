// The ready-made suite "cluster": what every Kubernetes cluster must do, as a check file. A pure function of what the cluster has.
import { stringify } from "yaml";
import type { Skipped } from "../../report/results/verification.ts";
import { egress, hostPorts, largePackets, localOnly, nodePorts, OUTSIDE, outsideServer } from "./across.ts";
import { nodesOf, type SuiteFacts } from "./facts.ts";
import type { WrittenCheck } from "./group.ts";
import { names, pods, services } from "./inside.ts";
import { suiteObjects } from "./objects.ts";
import { policies } from "./policies.ts";

export const SUITE = "cluster";

/** Until images are pulled and pods run, and until a change has reached every node of a busy cluster. */
const [FIRST_SECONDS, SECONDS] = [300, 120];

export interface Suite {
  check: WrittenCheck;
  skipped: Skipped[];
}

export function clusterSuite(facts: SuiteFacts): Suite {
  const groups = [
    names(facts),
    pods(facts),
    services(facts),
    nodePorts(facts),
    localOnly(facts),
    hostPorts(facts),
    largePackets(facts),
    egress(facts),
    ...policies(facts),
  ];
  const listener = outsideServer(facts);
  const check: WrittenCheck = {
    name: SUITE,
    ...(listener && { listen: [{ at: listener.name, tcp: String(OUTSIDE), udp: String(OUTSIDE) }] }),
    setup: suiteObjects(facts),
    steps: groups
      .filter(({ expect }) => expect.length > 0)
      .map(({ skipped: _, ...step }, index) => ({ ...step, within: index === 0 ? FIRST_SECONDS : SECONDS })),
  };
  const skipped = groups.flatMap((group) => group.skipped.map((one) => ({ step: `${SUITE}: ${group.name}`, ...one })));
  return { check, skipped: [...skipped, ...missingFamilies(facts)] };
}

/** As a file that can be changed and run; what is skipped here is a comment. */
export function suiteFile({ check, skipped }: Suite): string {
  const comments = skipped.map(({ step, what, why }) => `# not here: ${step}: ${what}: ${why}\n`);
  const { name, ...rest } = check;
  return `# The suite "${name}" for one cluster, by ebpf-dataplane: node names, addresses and ports are that cluster's.\n${comments.join("")}${stringify({ name, ...rest }, { lineWidth: 0 })}`;
}

/** Cases over a family that pods have and a place does not have. */
function missingFamilies(facts: SuiteFacts): Skipped[] {
  const { podFamilies, serviceFamilies, clients } = facts;
  const places = [
    ...nodesOf(facts).map((node) => ({ what: `node ${node.name}`, families: node.families })),
    ...clients.map((client) => ({ what: client.name, families: client.families })),
    { what: "Services", families: serviceFamilies },
  ];
  return podFamilies.flatMap((family) =>
    places
      .filter(({ families }) => !families.includes(family))
      .map(({ what }) => ({
        step: `${SUITE}: ${family}`,
        what: `cases of ${what} over ${family}`,
        why: `pods have ${family} addresses, ${what} ${what === "Services" ? "have" : "has"} none`,
      })),
  );
}
