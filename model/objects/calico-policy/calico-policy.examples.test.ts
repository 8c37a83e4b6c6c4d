import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { apiVersionOf, kindNames, kinds } from "../kinds.ts";
import { schemas } from "../schemas.ts";

const text = readFileSync(new URL("../../../examples/policies/calico.yaml", import.meta.url), "utf8");
const objects = parseAllDocuments(text).map((document) => document.toJS() as { apiVersion: string; kind: string });

function read(object: (typeof objects)[number]) {
  const name = kindNames.find(
    (one) => kinds[one].kind === object.kind && apiVersionOf(kinds[one]) === object.apiVersion,
  );
  if (!name) throw new Error(`${object.apiVersion} ${object.kind} is no kind that is read`);
  return schemas[name].parse(object) as { spec: Record<string, unknown> };
}

test("a manifest of Calico's users is read as it is written", () => {
  expect(objects.map(({ kind }) => kind)).toEqual(["NetworkPolicy", "Tier", "GlobalNetworkSet", "GlobalNetworkPolicy"]);
  const [policy, tier, networks, global] = objects.map((object) => read(object).spec);
  expect(policy).toMatchObject({
    tier: "default",
    selector: "color == 'red'",
    types: ["Ingress"],
    ingress: [
      {
        action: "Allow",
        protocol: 6,
        source: { selector: "color == 'blue'" },
        destination: { ports: [{ first: 6379, last: 6379 }] },
      },
    ],
    egress: [],
  });
  expect(tier).toEqual({ order: 100, defaultAction: "Pass" });
  expect(networks).toEqual({ nets: ["192.0.2.0/24", "198.51.100.7/32"] });
  expect(global).toMatchObject({ tier: "security", order: 10, types: ["Ingress", "Egress"] });
});
