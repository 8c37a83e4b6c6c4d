// How many identities n policies make of m sets of labels.
import { Compiler } from "../../../agent/compile/compile.ts";
import { endpointAt, facts, range } from "../../../agent/compile/policy-cluster.fixture.ts";
import { noObjects } from "../../../agent/compile/snapshot.ts";
import { namespace, pod } from "../../../model/objects/core.ts";
import { networkPolicy } from "../../../model/objects/networking.ts";

export interface IdentityCount {
  readonly policies: number;
  readonly labelSets: number;
  /** Each policy names one set of labels. */
  readonly apart: number;
  /** Each policy names half of the sets, and no two the same half. */
  readonly overlapping: number;
}

const SIZES = [1, 10, 100, 1000];

export function countIdentities(): IdentityCount[] {
  return [10, 1000].flatMap((labelSets) =>
    SIZES.map((policies) => ({
      policies,
      labelSets,
      apart: identities(policies, labelSets, (index) => [`app-${index}`, "yes"]),
      overlapping: identities(policies, labelSets, (index) => [`bit-${index}`, "1"]),
    })),
  );
}

function identities(policies: number, labelSets: number, peer: (index: number) => [string, string]): number {
  const bits = Math.ceil(Math.log2(labelSets));
  const labelsOf = (set: number) => ({
    [`app-${set}`]: "yes",
    ...Object.fromEntries(range(bits, (bit) => [`bit-${bit}`, String((set >> bit) & 1)])),
  });
  const snapshot = {
    ...noObjects,
    facts,
    endpoints: [endpointAt(0)],
    namespaces: [namespace.parse({ metadata: { name: "default" } })],
    pods: range(labelSets, (set) =>
      pod.parse({
        metadata: { name: `p${set}`, namespace: "default", labels: labelsOf(set) },
        spec: { nodeName: set === 0 ? facts.nodeName : "node-1", containers: [{}] },
        status: { phase: "Running", podIPs: [{ ip: `10.128.${set >> 8}.${set & 255}` }] },
      }),
    ),
    networkPolicies: range(policies, (index) =>
      networkPolicy.parse({
        metadata: { name: `n${index}`, namespace: "default" },
        spec: {
          podSelector: {},
          ingress: [{ from: [{ podSelector: { matchLabels: Object.fromEntries([peer(index)]) } }] }],
        },
      }),
    ),
  };
  return new Compiler().compile(snapshot).names.identities.size;
}
