import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FlowJudge } from "../model/flow/judge.ts";
import type { FlowEnd } from "../model/flow/record.ts";
import type { SeenFlow, SeenFlows } from "../model/flow/seen.ts";
import { networkPolicy } from "../model/objects/networking.ts";
import { objectOf } from "./objects.ts";
import { type Suggestion, suggestPolicies } from "./suggest.ts";

const POOL = "10.244.0.0/16";
const pods = (namespace: string, workload: string, labels: Record<string, string> = { app: workload }): FlowEnd => ({
  ...{ kind: "pods", namespace, workload, labels },
});
const outside = (cidr: string): FlowEnd => ({ kind: "network", cidr });
const flow = (from: FlowEnd, to: FlowEnd, port = 80, rest: Partial<SeenFlow> = {}): SeenFlow => ({
  ...{
    from,
    to,
    port,
    protocol: "TCP",
    connections: 1,
    packetsDenied: 0,
    policies: [],
    last: 0,
    isOwnNode: false,
    reports: [],
    ...rest,
  },
});
const seen = (...flows: SeenFlow[]): SeenFlows => ({
  flows,
  nodes: ["a"],
  from: 0,
  until: 0,
  unnamed: 0,
  pools: [POOL],
  hosts: new Map(),
});

/** What the proposed policies say of flows, as the API server would take them. */
function verdicts({ policies }: Suggestion, flows: readonly SeenFlow[]) {
  const networkPolicies = policies.map((one) => networkPolicy.parse(objectOf(one)));
  const judge = new FlowJudge(
    { policies: { networkPolicies }, pools: [POOL], nodes: new Map(), namespaces: new Map() },
    flows,
  );
  return flows.map((one) => judge.judge(one).verdict);
}

const isGeneralised = ({ policies }: Suggestion) =>
  policies
    .flatMap(({ comments, ingress, egress }) => [
      ...comments,
      ...[...ingress, ...egress].flatMap((one) => one.comments),
    ])
    .some((comment) => comment.startsWith("Generalised"));

const address = fc.integer({ min: 0, max: 40 }).map((host) => outside(`192.0.2.${host}/32`));
const label = fc.dictionary(fc.constantFrom("app", "tier", "track"), fc.constantFrom("a", "b"), { maxKeys: 3 });
const somePods = fc
  .record({ namespace: fc.constantFrom("shop", "db"), workload: fc.constantFrom("w0", "w1", "w2", "w3") })
  .chain(({ namespace, workload }) => label.map((labels) => pods(namespace, workload, labels)));
const labelled = fc
  .record({ namespace: fc.constantFrom("shop", "db"), workload: fc.constantFrom("w0", "w1", "w2", "w3") })
  .map(({ namespace, workload }) => pods(namespace, workload));
const flowsOf = (ends: fc.Arbitrary<FlowEnd>) =>
  fc.array(
    fc.record({
      from: ends,
      to: ends,
      port: fc.constantFrom(53, 80, 81, 82, 443),
      protocol: fc.constantFrom("TCP", "UDP"),
    }),
    { minLength: 1, maxLength: 25 },
  );

describe("the proposed policies", () => {
  test("allow every connection of the log, whatever the labels", () => {
    fc.assert(
      fc.property(flowsOf(fc.oneof(somePods, address)), (given) => {
        const flows = given.map(({ from, to, port, protocol }) => flow(from, to, port, { protocol }));
        const suggestion = suggestPolicies(seen(...flows));
        expect(suggestion.uncovered).toEqual([]);
        expect(new Set(verdicts(suggestion, flows))).toEqual(new Set(["allowed"]));
      }),
      { numRuns: 300 },
    );
  });

  test("deny every other connection of the selected pods, where nothing had to be generalised", () => {
    const key = ({ from, to, port, protocol }: SeenFlow) => JSON.stringify([from, to, port, protocol]);
    let compared = 0;
    fc.assert(
      fc.property(flowsOf(fc.oneof(labelled, address)), (given) => {
        const flows = given.map(({ from, to, port, protocol }) => flow(from, to, port, { protocol }));
        const suggestion = suggestPolicies(seen(...flows));
        if (isGeneralised(suggestion)) return;
        const known = new Set(flows.map(key));
        const ends = flows.flatMap(({ from, to }) => [from, to]);
        const others = ends
          .flatMap((from) => ends.flatMap((to) => [53, 83, 443].map((port) => flow(from, to, port))))
          .filter((one) => (one.from.kind === "pods" || one.to.kind === "pods") && !known.has(key(one)));
        compared += others.length;
        expect(new Set(verdicts(suggestion, others))).toEqual(new Set(others.length > 0 ? ["denied"] : []));
      }),
      { numRuns: 100 },
    );
    expect(compared).toBeGreaterThan(10_000);
  });

  test("are one for each workload and one that denies the rest, with as few rules as ports differ", () => {
    const [web, cart, pg] = [pods("shop", "web"), pods("shop", "cart"), pods("db", "pg")];
    const { policies } = suggestPolicies(
      seen(
        flow(web, pg, 5432),
        flow(cart, pg, 5432),
        flow(web, cart),
        flow(web, cart, 81),
        flow(pg, outside("192.0.2.1/32"), 443),
      ),
    );
    expect(
      policies.map(({ namespace, name, ingress, egress }) => [namespace, name, ingress.length, egress.length]),
    ).toEqual([
      ["db", "default-deny", 0, 0],
      ["db", "pg", 1, 1],
      ["shop", "default-deny", 0, 0],
      ["shop", "cart", 1, 1],
      ["shop", "web", 0, 2],
    ]);
    expect(objectOf(policies[1] as (typeof policies)[number]).spec.ingress).toEqual([
      {
        from: ["cart", "web"]
          .map((app) => ({
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "shop" } },
            podSelector: { matchLabels: { app } },
          }))
          .reverse(),
        ports: [{ protocol: "TCP", port: 5432 }],
      },
    ]);
    expect(objectOf(policies[3] as (typeof policies)[number]).spec.ingress).toMatchObject([
      { from: [{ podSelector: { matchLabels: { app: "web" } } }], ports: [{ port: 80, endPort: 81 }] },
    ]);
  });

  test("only for the namespaces that are asked for", () => {
    const { policies } = suggestPolicies(seen(flow(pods("shop", "web"), pods("db", "pg"))), new Set(["db"]));
    expect(policies.map(({ namespace }) => namespace)).toEqual(["db", "db"]);
  });
});

describe("selectors", () => {
  const selector = (...ends: FlowEnd[]) => {
    const [first = pods("shop", "x")] = ends;
    const { policies } = suggestPolicies(seen(...ends.map((end) => flow(end, pods("db", "pg")))));
    return policies.find(({ name }) => first.kind === "pods" && name === first.workload)?.podSelector;
  };

  test("never name the hash of a version, and use the usual labels first", () => {
    const hash = { "pod-template-hash": "6d4cf56db6" };
    expect(selector(pods("shop", "web", { ...hash, team: "a" }))?.matchLabels).toEqual({ team: "a" });
    const labels = { "pod-template-hash": "6d4cf56db6", team: "a", "app.kubernetes.io/name": "web" };
    expect(selector(pods("shop", "web", labels))).toEqual({
      matchLabels: { "app.kubernetes.io/name": "web" },
      matchExpressions: [],
    });
  });

  test("use as many labels as tell the pods from others", () => {
    const web = pods("shop", "web", { app: "web", track: "stable" });
    expect(selector(web, pods("shop", "next", { app: "web", track: "canary" }))?.matchLabels).toEqual({
      track: "stable",
    });
    expect(selector(pods("shop", "web", { app: "web" }), pods("shop", "next", { app: "web", canary: "yes" }))).toEqual({
      matchLabels: { app: "web" },
      matchExpressions: [{ key: "canary", operator: "DoesNotExist", values: [] }],
    });
  });

  test("say what they select besides", () => {
    const alike = suggestPolicies(seen(flow(pods("shop", "web", { app: "x" }), pods("shop", "next", { app: "x" }))));
    expect(alike.policies[1]?.comments[0]).toContain("no label tells these pods apart from web");
    const bare = suggestPolicies(seen(flow(pods("shop", "web", {}), outside("192.0.2.1/32"))));
    expect(bare.policies[1]?.comments[0]).toContain("no labels in common");
  });
});

describe("addresses outside", () => {
  const blocks = (...cidrs: string[]) => {
    const { policies } = suggestPolicies(seen(...cidrs.map((cidr) => flow(outside(cidr), pods("shop", "web")))));
    const [rule] = policies[1]?.ingress ?? [];
    return {
      ...rule,
      text: rule?.peers.map(({ ipBlock }) => [ipBlock?.cidr, ...(ipBlock?.except ?? [])].join(" except ")),
    };
  };

  test("stay as they are, and of very many in one network become the network, with a comment", () => {
    expect(blocks("192.0.2.1/32", "2001:db8::1/128").text).toEqual(["192.0.2.1/32", "2001:db8::1/128"]);
    const many = blocks(...Array.from({ length: 9 }, (_, index) => `192.0.2.${index}/32`));
    expect(many.text).toEqual(["192.0.2.0/24"]);
    expect(many.comments?.[1]).toBe("Generalised: 192.0.2.0/24 stands for 9 addresses that were seen.");
  });

  test("everybody outside does not include pods", () => {
    expect(blocks("0.0.0.0/0", "192.0.2.1/32").text).toEqual([`0.0.0.0/0 except ${POOL}`]);
    const unknown = suggestPolicies({ ...seen(flow(outside("0.0.0.0/0"), pods("shop", "web"))), pools: [] });
    expect(unknown.policies[1]?.ingress[0]?.comments.at(-1)).toContain("may include pods");
  });
});

test.each([
  ["ICMP", { type: 8, code: 0 }, "{ action: Allow, protocol: ICMP, icmp: { type: 8, code: 0 } }"],
  ["58", undefined, "{ action: Allow, protocol: ICMPv6 }"],
])("of ICMP it is said what allows it: %s %o", (protocol, icmp, rule) => {
  const ping = flow(outside("192.0.2.1/32"), pods("shop", "web"), 0, { protocol, ...(icmp && { icmp }) });
  const [{ why } = { why: "" }] = suggestPolicies(seen(ping)).uncovered;
  expect(why).toContain("cannot name ICMP");
  expect(why).toContain(`${rule} for the ingress of shop/web`);
});

test("of ICMP between a node and an address outside, no rule of a pod's policy is named", () => {
  const ping = flow(outside("192.0.2.1/32"), { kind: "node", name: "one", addresses: ["172.31.1.8"] }, 0, {
    protocol: "ICMP",
  });
  expect(suggestPolicies(seen(ping)).uncovered.map(({ why }) => why)).toEqual([
    "NetworkPolicy has no word for ICMP without a port",
  ]);
});

test("what no NetworkPolicy can say is said, and never becomes a rule for everybody", () => {
  const web = pods("shop", "web");
  const unlabelled: FlowEnd = { kind: "pods", namespace: "shop", workload: "big" };
  const lost: FlowEnd = { kind: "node", name: "gone", addresses: [] };
  const { policies, uncovered } = suggestPolicies(
    seen(
      ...[
        flow(web, web, 0, { protocol: "ICMP" }),
        flow(unlabelled, web),
        flow(lost, web),
        flow({ kind: "others" }, web),
      ],
      flow(web, web, 80, { connections: 0, packetsDenied: 3 }),
      flow({ kind: "node", name: "a", addresses: ["172.31.1.8"] }, web, 8080, { isOwnNode: true }),
    ),
  );
  expect(uncovered.map(({ flow: one }) => one)).toEqual([
    "shop/web → shop/web (icmp)",
    "shop/big → shop/web:80",
    "node gone → shop/web:80",
    "others → shop/web:80",
  ]);
  expect(policies.flatMap(({ ingress, egress }) => [...ingress, ...egress])).toEqual([]);
});
