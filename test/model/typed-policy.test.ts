// Typed policies with fields misspelt, moved and removed at random: an accepted one admits nothing that Kubernetes would not.
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { expect, test } from "vitest";
import { requireArguments } from "../../components/arguments/arguments.ts";
import type { NetworkPolicySpec } from "../../components/network-policy/args.ts";
import { requirePolicy } from "../../components/network-policy/inputs.ts";
import { argumentsOf } from "../../components/refusal/refusal.ts";
import { mayReceive, maySend, type Policy, type Traffic } from "./network-policy.ts";
import { parties, type RandomCluster, randomCluster } from "./random-cluster.ts";

type Tree = Record<string, unknown>;

/** The fields below each field, from the Kubernetes API documentation; labels are users' own keys. */
const WORDS: Record<string, string[]> = {
  "": ["name", "namespace", "podSelector", "policyTypes", "ingress", "egress"],
  podSelector: ["matchLabels", "matchExpressions"],
  namespaceSelector: ["matchLabels", "matchExpressions"],
  matchExpressions: ["key", "operator", "values"],
  ingress: ["from", "ports"],
  egress: ["to", "ports"],
  from: ["podSelector", "namespaceSelector", "ipBlock"],
  to: ["podSelector", "namespaceSelector", "ipBlock"],
  ipBlock: ["cidr", "except"],
  ports: ["protocol", "port", "endPort"],
};

/** What the component would declare, or undefined where it refuses; any other error fails the test. */
function declared(args: Tree): Policy | undefined {
  const place = argumentsOf("NetworkPolicy", "p");
  try {
    const policy = requirePolicy(place, requireArguments(place, "NetworkPolicy", args as unknown as NetworkPolicySpec));
    return asPolicy(policy as unknown as Tree);
  } catch (error) {
    if (error instanceof pulumi.RunError) return undefined;
    throw error;
  }
}

function asPolicy({ name, namespace = "default", ...spec }: Tree): Policy {
  return { metadata: { name, namespace }, spec: { podSelector: {}, ...spec } } as Policy;
}

/** Every object in a tree, with the field that contains it. */
function objects(tree: unknown, word = "", found: { object: Tree; word: string }[] = []) {
  if (Array.isArray(tree)) for (const item of tree) objects(item, word, found);
  else if (typeof tree === "object" && tree !== null) {
    found.push({ object: tree as Tree, word });
    for (const [key, value] of Object.entries(tree)) if (word !== "matchLabels") objects(value, key, found);
  }
  return found;
}

/** Keys that Kubernetes would refuse at their place. */
function strangeKeys(args: Tree): string[] {
  return objects(args)
    .filter(({ word }) => word !== "matchLabels")
    .flatMap(({ object, word }) => Object.keys(object).filter((key) => !WORDS[word]?.includes(key)));
}

const slip = fc.record({
  kind: fc.constantFrom("misspell", "move", "drop"),
  from: fc.nat(),
  key: fc.nat(),
  to: fc.nat(),
  letter: fc.nat(),
});

/** One slip in a copy of the arguments. */
function slipped(
  args: Tree,
  { kind, from, key, to, letter }: { kind: string } & Record<"from" | "key" | "to" | "letter", number>,
) {
  const copy = structuredClone(args);
  const places = objects(copy).filter(({ object, word }) => word !== "matchLabels" && Object.keys(object).length > 0);
  const { object } = places[from % places.length] as { object: Tree };
  const word = Object.keys(object)[key % Object.keys(object).length] as string;
  const value = object[word];
  delete object[word];
  const at = letter % word.length;
  if (kind === "misspell") object[word.slice(0, at) + word.slice(at + 1)] = value;
  if (kind === "move") {
    const target = places[to % places.length]?.object as Tree;
    // Not into itself: a document cannot contain that.
    if (target !== object && !objects(value).some((inside) => inside.object === target)) target[word] = value;
  }
  return copy;
}

/** Traffic that one policy, alone in its cluster, lets through. */
function admitted(cluster: RandomCluster, policy: Policy): Set<string> {
  const all = parties(cluster);
  const through = new Set<string>();
  for (const from of all)
    for (const to of all)
      for (const port of [1, 53, 80, 999, 1000, 1053, 2100, 8080])
        for (const protocol of ["TCP", "UDP"]) {
          const traffic: Traffic = { from, to, protocol, port };
          const row = `${from.address} ${to.address} ${protocol} ${port}`;
          if (mayReceive([policy], traffic)) through.add(`in ${row}`);
          if (maySend([policy], traffic)) through.add(`out ${row}`);
        }
  return through;
}

test("an accepted policy admits nothing that Kubernetes would not, and unknown fields are refused", () => {
  let [accepted, refused] = [0, 0];
  fc.assert(
    fc.property(randomCluster, fc.array(slip, { maxLength: 2 }), (cluster, slips) => {
      for (const { metadata, spec } of cluster.policies) {
        const args = slips.reduce<Tree>(slipped, { ...metadata, ...spec } as Tree);
        const policy = declared(args);
        if (!policy) {
          refused++;
          continue;
        }
        accepted++;
        expect(strangeKeys(args)).toEqual([]);
        const kubernetes = admitted(cluster, asPolicy(args));
        expect([...admitted(cluster, policy)].filter((row) => !kubernetes.has(row))).toEqual([]);
      }
    }),
    { numRuns: 1500 },
  );
  // Both accepted and refused policies occurred.
  expect(accepted).toBeGreaterThan(30);
  expect(refused).toBeGreaterThan(30);
});
