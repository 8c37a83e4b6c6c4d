import { describe, expect, test } from "vitest";
import { schemas } from "../../model/objects/schemas.ts";
import { closedCalicoPolicy, closedGlobalPolicy } from "./closed-calico-policy.ts";
import { closedClusterPolicy } from "./closed-cluster-policy.ts";
import { closedTier, readableNetworks } from "./readable-parts.ts";

const object = (spec: unknown) => ({ metadata: { name: "a", namespace: "shop" }, spec });
const actions = (rules: readonly { action: string }[] | undefined) => rules?.map(({ action }) => action).join();
const closed = (read: typeof closedCalicoPolicy | typeof closedGlobalPolicy, spec: unknown) => {
  const found = read(object(spec))?.spec;
  return (
    found && {
      place: `${found.tier} ${found.order}`,
      selector: found.selector,
      types: found.types.join(),
      rules: `${actions(found.ingress)}/${actions(found.egress)}`,
    }
  );
};

describe("a policy that cannot be read denies everything to whom it selects, at its place", () => {
  const rules = [{ action: "allow" }];
  test.each<[string, object, object]>([
    [
      "a rule",
      { tier: "t", order: 5, selector: "has(a)", ingress: rules },
      { place: "t 5", selector: "has(a)", types: "Ingress", rules: "Deny/" },
    ],
    [
      "rules of both directions",
      { ingress: rules, egress: rules },
      { place: "default undefined", selector: "all()", types: "Ingress,Egress", rules: "Deny/Deny" },
    ],
    [
      "its types",
      { selector: "has(a)", types: ["egress"] },
      { place: "default undefined", selector: "has(a)", types: "Ingress,Egress", rules: "Deny/Deny" },
    ],
    [
      "types that are said",
      { selector: "has(a)", types: ["Egress"], ingress: rules },
      { place: "default undefined", selector: "has(a)", types: "Egress", rules: "/Deny" },
    ],
    [
      "a key",
      { selector: "has(a)", egres: rules },
      { place: "default undefined", selector: "has(a)", types: "Ingress,Egress", rules: "Deny/Deny" },
    ],
    [
      "its order and tier",
      { selector: "has(a)", order: "5", tier: "A B" },
      { place: "default -1.7976931348623157e+308", selector: "has(a)", types: "Ingress", rules: "Deny/" },
    ],
  ])("%s", (_, spec, expected) => {
    expect(schemas.globalNetworkPolicies.safeParse(object(spec)).success).toBe(false);
    expect(closed(closedCalicoPolicy, spec)).toEqual(expected);
    expect(closed(closedGlobalPolicy, spec)).toEqual(expected);
  });

  test("a selector of a policy of a namespace: all of the namespace", () => {
    expect(closed(closedCalicoPolicy, { selector: "a = 'b'" })).toMatchObject({ selector: "all()", rules: "Deny/" });
  });

  const outside = "has(projectcalico.org/namespace) && projectcalico.org/namespace != 'kube-system'";
  test.each<[string, object, object | undefined]>([
    ["a selector", { selector: "a = 'b'" }, { selector: outside, types: "Ingress", rules: "Deny/" }],
    ["a misspelt selector", { selectr: "has(a)" }, { selector: outside, types: "Ingress,Egress", rules: "Deny/Deny" }],
    ["a misspelt direction of everything", { ingres: [] }, { selector: outside, rules: "Deny/Deny" }],
    [
      "one of two selectors",
      { selector: "has(a)", namespaceSelector: "b =" },
      { selector: "has(a)", namespaces: "all()" },
    ],
    ["the other one", { selector: "b =", namespaceSelector: "has(a)" }, { selector: "all()", namespaces: "has(a)" }],
    [
      "service accounts",
      { serviceAccountSelector: "b =", namespaceSelector: "has(a)" },
      { selector: "all()", namespaces: "has(a)" },
    ],
    ["a policy of hosts", { selector: "a = 'b'", preDNAT: true, applyOnForward: true }, undefined],
  ])("%s of a global one: at least those that it selects", (_, spec, expected) => {
    const found = closedGlobalPolicy(object(spec))?.spec;
    const said = found && { ...closed(closedGlobalPolicy, spec), namespaces: found.namespaceSelector };
    if (expected) expect(said).toMatchObject(expected);
    else expect(said).toBeUndefined();
  });

  test("fields for hosts that cannot stand together: an ordinary policy", () => {
    const spec = closedGlobalPolicy(object({ selector: "has(a)", preDNAT: true }))?.spec;
    expect(spec).toMatchObject({ preDNAT: false, applyOnForward: false });
    expect(closedGlobalPolicy(object({ preDNAT: true, applyOnForward: true, order: "1" }))?.spec.preDNAT).toBe(true);
  });

  test("no object", () => {
    for (const read of [closedCalicoPolicy, closedGlobalPolicy, closedClusterPolicy, closedTier, readableNetworks])
      for (const junk of [undefined, null, 1, {}, { metadata: {} }, { metadata: { name: 1 } }])
        expect(read(junk)).toBeUndefined();
  });
});

describe("a ClusterNetworkPolicy that cannot be read", () => {
  const spec = { tier: "Admin", priority: 3, subject: { namespaces: {} } };
  const directions = (more: object) => {
    const found = closedClusterPolicy(object({ ...spec, ...more }));
    return found && `${actions(found.spec.ingress)}/${actions(found.spec.egress)}`;
  };
  test("denies everything in the directions that it has rules for", () => {
    expect(directions({ ingress: [{}] })).toBe("Deny/");
    expect(directions({ ingress: [], egress: [{}] })).toBe("/Deny");
    expect(directions({ ingres: [{}] })).toBe("Deny/Deny");
    expect(directions({ ingress: {} })).toBe("Deny/Deny");
  });
  test("has the first place, and every pod outside the system's namespace, where that cannot be read", () => {
    const read = (more: object) => closedClusterPolicy(object({ ...spec, ingress: [{}], ...more }))?.spec;
    expect(read({ tier: "Before", priority: "5" })).toMatchObject({
      tier: "Admin",
      priority: 0,
      subject: { namespaces: {} },
    });
    const namespaces = {
      matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-system"] }],
    };
    for (const subject of [undefined, {}, { namespaces: {}, pods: { podSelector: {} } }])
      expect(read({ subject })).toMatchObject({ tier: "Admin", priority: 3, subject: { namespaces } });
  });
});

test("a tier that cannot be read ends in Deny", () => {
  const spec = (fields: object, name = "a") => closedTier({ metadata: { name }, spec: fields })?.spec;
  expect(spec({ order: 5, defaultAction: "Allow" })).toEqual({ order: 5, defaultAction: "Deny" });
  expect(spec({ order: "5", defaultAction: "Pass" })).toEqual({ order: undefined, defaultAction: "Pass" });
  expect(spec({ order: 5, defaultAction: "Pass" }, "default")).toEqual({ order: 1_000_000, defaultAction: "Deny" });
});

test("networks that can be read of a set are in force", () => {
  const spec = (fields: object) => readableNetworks(object(fields))?.spec.nets;
  expect(spec({ nets: ["10.0.0.0/8", "example.com", 5, "10.0.0.0/8"] })).toEqual(["10.0.0.0/8"]);
  expect(spec({ nets: "10.0.0.0/8" })).toEqual([]);
});
