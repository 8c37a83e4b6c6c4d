import { expect, test } from "vitest";
import { stagedProblems } from "../flow/staged-problems.ts";
import { felixConfiguration } from "../objects/calico.ts";
import { globalNetworkPolicy } from "../objects/calico-policy/policies.ts";
import { stagedGlobalNetworkPolicy, stagedKubernetesNetworkPolicy } from "../objects/calico-policy/staged.ts";
import { networkPolicy } from "../objects/networking.ts";
import { asStaged, type StagedObjects } from "./staged.ts";

const enforced = (name: string, namespace = "db") => networkPolicy.parse({ metadata: { name, namespace }, spec: {} });
const staged = (name: string, spec: object = {}) =>
  stagedKubernetesNetworkPolicy.parse({ metadata: { name, namespace: "db" }, spec });
const only = (rest: Partial<StagedObjects>): StagedObjects => ({
  ...{ stagedNetworkPolicies: [], stagedGlobalNetworkPolicies: [], stagedKubernetesNetworkPolicies: [], ...rest },
});
const names = (objects: ReturnType<typeof asStaged>) =>
  objects?.networkPolicies.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);

test("a staged policy stands in place of the one with its name, or beside the others", () => {
  const networkPolicies = [enforced("a"), enforced("b"), enforced("a", "shop")];
  const set = only({ stagedKubernetesNetworkPolicies: [staged("a"), staged("new", { stagedAction: "Set" })] });
  expect(names(asStaged({ networkPolicies }, set))).toEqual(["db/b", "shop/a", "db/a", "db/new"]);
  const deleted = only({ stagedKubernetesNetworkPolicies: [staged("a", { stagedAction: "Delete" })] });
  expect(names(asStaged({ networkPolicies }, deleted))).toEqual(["db/b", "shop/a"]);
});

test("what is only learned or ignored is not staged", () => {
  const ignored = only({
    stagedKubernetesNetworkPolicies: [staged("a", { stagedAction: "Learn" }), staged("b", { stagedAction: "Ignore" })],
  });
  expect(asStaged({ networkPolicies: [enforced("a")] }, ignored)).toBeUndefined();
});

test("kinds do not stand for one another", () => {
  const known = globalNetworkPolicy.parse({ metadata: { name: "a" }, spec: { selector: "all()" } });
  const global = stagedGlobalNetworkPolicy.parse({ metadata: { name: "a" }, spec: { selector: "all()", order: 7 } });
  const result = asStaged(
    { networkPolicies: [enforced("a")], globalNetworkPolicies: [known] },
    only({ stagedGlobalNetworkPolicies: [global] }),
  );
  expect(names(result)).toEqual(["db/a"]);
  expect(result?.globalNetworkPolicies).toEqual([global]);
});

test("a staged policy without a flow log is reported", () => {
  const objects = only({ stagedKubernetesNetworkPolicies: [staged("a")] });
  const felix = (spec: object) => [felixConfiguration.parse({ metadata: { name: "default" }, spec })];
  expect(stagedProblems({ ...objects, felixConfigurations: felix({}) })).toMatchObject([
    { kind: "StagedKubernetesNetworkPolicy", namespace: "db", name: "a" },
  ]);
  expect(stagedProblems({ ...objects, felixConfigurations: felix({ flowLogsFileEnabled: true }) })).toEqual([]);
});
