import { describe, expect, test } from "vitest";
import { networkPolicy } from "../../model/objects/networking.ts";
import { OPEN } from "../../model/policy/rules.ts";
import { finish } from "../../model/steps.ts";
import { snapshotOf } from "../../test/model/random-snapshot.ts";
import { Compiler } from "./compile.ts";
import { entriesOf } from "./desired.ts";
import { JudgedPolicy } from "./judged-policy.ts";

const pod = (name: string, app: string, local: boolean) => ({
  name,
  namespace: "alpha",
  labels: { app },
  http: undefined,
  dns: undefined,
  local,
});
const fromWeb = {
  metadata: { name: "db", namespace: "alpha" },
  spec: {
    podSelector: { matchLabels: { app: "db" } },
    ingress: [{ from: [{ podSelector: { matchLabels: { app: "web" } } }] }],
  },
};
const fromOps = {
  metadata: { name: "cache", namespace: "alpha" },
  spec: {
    podSelector: { matchLabels: { app: "cache" } },
    ingress: [{ from: [{ podSelector: { matchLabels: { app: "ops" } } }] }],
  },
};

/** The pods db (10.244.0.1), cache (.2) and plain (.3) on this node, and `others` (.4, .5 …) on another one. */
function clusterWith(...others: string[]) {
  return snapshotOf({
    namespaceLabels: { alpha: {} },
    pods: [
      pod("db", "db", true),
      pod("cache", "cache", true),
      pod("plain", "plain", true),
      ...others.map((app, index) => pod(`other-${index}`, app, false)),
    ],
    policies: [fromWeb, fromOps],
  });
}

function revisionsOf(compiler: Compiler, ...others: string[]) {
  const { endpoints, settings } = compiler.compile(clusterWith(...others)).maps;
  const byAddress = Object.fromEntries(entriesOf(endpoints).map(({ key, value }) => [key, value.revision]));
  return {
    db: byAddress["10.244.0.1"],
    cache: byAddress["10.244.0.2"],
    plain: byAddress["10.244.0.3"],
    node: entriesOf(settings)[0]?.value.policyRevision,
  };
}

describe("when a pod elsewhere", () => {
  const compiler = new Compiler();
  const before = revisionsOf(compiler, "other");

  test("appears that one policy distinguishes, only endpoints with that policy have a new revision", () => {
    const after = revisionsOf(compiler, "other", "web");
    expect(after).toEqual({ ...before, db: expect.any(Number), node: expect.any(Number) });
    expect(after.db).not.toBe(before.db);
    expect(after.node).not.toBe(before.node);
  });

  test("appears that no policy distinguishes, no revision changes", () => {
    expect(revisionsOf(compiler, "other", "another")).toEqual(before);
  });

  test("gets other labels or goes, the same holds", () => {
    const web = revisionsOf(compiler, "web");
    expect(web.db).not.toBe(before.db);
    expect(revisionsOf(compiler, "ops").db).toBe(before.db);
    expect(revisionsOf(compiler).db).toBe(before.db);
  });

  test("takes another address, the same holds", () => {
    expect(revisionsOf(compiler, "web", "other").db).not.toBe(revisionsOf(compiler, "other", "web").db);
  });
});

test("an endpoint's revision changes with its own policy", () => {
  const compiler = new Compiler();
  const before = revisionsOf(compiler);
  const snapshot = clusterWith();
  const endpoints = compiler.compile({ ...snapshot, networkPolicies: snapshot.networkPolicies.slice(1) }).maps
    .endpoints;
  const revisions = entriesOf(endpoints).map(({ value }) => value.revision);
  expect(revisions).not.toContain(before.db);
  expect(revisions).toEqual(expect.arrayContaining([before.cache, before.plain]));
});

test("an address of which a policy says the same under another identity has nothing judged again", () => {
  const compiler = new Compiler();
  const from = (app: string, port: number) => ({
    from: [{ podSelector: { matchLabels: { app } } }],
    ports: [{ port }],
  });
  const revision = (app: string) => {
    const snapshot = clusterWith(app);
    const ingress = [from("web", 80), from("api", 80), from("ops", 81)];
    const policy = networkPolicy.parse({ ...fromWeb, spec: { ...fromWeb.spec, ingress } });
    const { endpoints, locations } = compiler.compile({ ...snapshot, networkPolicies: [policy] }).maps;
    const { identity } = entriesOf(locations).find(({ key }) => key.address === "10.244.0.4")?.value ?? {};
    return { db: entriesOf(endpoints).find(({ key }) => key === "10.244.0.1")?.value.revision, identity };
  };
  const [web, api, ops] = [revision("web"), revision("api"), revision("ops")];
  expect(api.identity).not.toBe(web.identity);
  expect(api.db).toBe(web.db);
  expect(ops.db).not.toBe(web.db);
});

test("whom a policy names is distinguished even where the policy treats it like any other", () => {
  const tiers = [
    {
      name: "default",
      order: 0,
      rules: [
        { verdict: "deny", reason: "first", peers: [{ selectors: ["bad"] }] },
        { verdict: "allow", reason: "second", peers: [{ cidrs: ["10.0.0.0/8"] }] },
      ],
      otherwise: "deny",
      reason: "end",
    },
  ] as const;
  const policy = new JudgedPolicy({
    name: { name: "p", hash: 1 },
    owner: "p",
    sources: "p",
    ingress: tiers,
    afterwards: OPEN,
  });
  const identity = (selectors: string[], cidrs: string[]) => ({
    name: { name: `${selectors} ${cidrs}`, hash: 1 },
    selectors: new Set(selectors),
    cidrs: new Set(cidrs),
    ports: new Map(),
  });
  const identities = new Map([
    [identity([], ["10.0.0.0/8"]), 1],
    [identity(["bad"], ["10.0.0.0/8"]), 2], // a pod: its location hides that of 10.0.0.0/8
    [identity(["bad"], []), 3], // refused as others are, for a reason of its own
    [identity(["other"], ["192.0.2.0/24"]), 4],
  ]);
  finish(policy.entries(7, identities, 100));
  expect([...policy.distinguished.keys()]).toEqual([1, 2, 3]);
  // The second and the third are refused by the same verdicts as anybody.
  expect(policy.distinguished.get(2)).toBe(policy.distinguished.get(3));
  expect(policy.distinguished.get(1)).not.toBe(policy.distinguished.get(2));
});
