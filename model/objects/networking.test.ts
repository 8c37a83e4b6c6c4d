import { expect, test } from "vitest";
import { SnapshotStore } from "../../agent/watch/snapshot-store.ts";

const rule = { from: [{ podSelector: {} }], ports: [{ port: 80 }] };
const spec = { podSelector: {}, policyTypes: ["Ingress"], ingress: [rule] };

/** What a cluster's agent makes of a policy that it sees for the first time. */
function seen(changed: object) {
  const store = new SnapshotStore(() => {});
  store.put("networkPolicies", { metadata: { name: "web", namespace: "shop" }, spec: changed });
  return { paths: store.problems().map(({ path }) => path), ingress: store.list("networkPolicies")[0]?.spec.ingress };
}

test.each([
  ["spec.subject", { ...spec, subject: {} }],
  ["spec.podSelector.matchFields", { ...spec, podSelector: { matchFields: [] } }],
  ["spec.ingress[0].users", { ...spec, ingress: [{ ...rule, users: ["alice"] }] }],
  [
    "spec.ingress[0].from[0].serviceAccountSelector",
    { ...spec, ingress: [{ from: [{ podSelector: {}, serviceAccountSelector: {} }] }] },
  ],
  [
    "spec.ingress[0].from[0].ipBlock.only",
    { ...spec, ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8", only: [] } }] }] },
  ],
  ["spec.ingress[0].from[0].nodeSelector", { ...spec, ingress: [{ from: [{ nodeSelector: {} }] }] }],
  ["spec.ingress[0].ports[0].icmpType", { ...spec, ingress: [{ ports: [{ icmpType: 8 }] }] }],
  ["spec.ingress[0].ports[0].protocol", { ...spec, ingress: [{ ports: [{ protocol: "ICMP" }] }] }],
  ["spec.ingress[0].ports[0].endPort", { ...spec, ingress: [{ ports: [{ port: "web", endPort: 90 }] }] }],
  ["spec.ingress[0].ports[0].endPort", { ...spec, ingress: [{ ports: [{ endPort: 90 }] }] }],
  ["spec.policyTypes[0]", { ...spec, policyTypes: ["Sideways"] }],
])("a policy with an unknown %s allows nothing", (path, changed) => {
  const { paths, ingress } = seen(changed);
  expect(paths).toContain(path);
  expect(ingress).toEqual([]);
});

test("one that is understood is in force", () => {
  expect(seen(spec)).toMatchObject({ paths: [], ingress: [{ ports: [{ port: 80 }] }] });
});
