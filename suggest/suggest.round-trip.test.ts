// From the lines of a flow log to policies, and back: what the log saw is allowed by what is proposed from it.
import fc from "fast-check";
import { expect, test } from "vitest";
import { FlowJudge } from "../model/flow/judge.ts";
import { readFlowLog } from "../model/flow/read.ts";
import { endText, type FlowEnd, type FlowLogLine, targetText } from "../model/flow/record.ts";
import { seenFlows } from "../model/flow/seen.ts";
import { networkPolicy } from "../model/objects/networking.ts";
import { objectOf } from "./objects.ts";
import { suggestPolicies } from "./suggest.ts";

const POOLS = ["10.244.0.0/16", "fd00:10:244::/56"];
const NODES = new Map([
  ["a", ["172.31.1.8", "fd00:172:31:1::8"]],
  ["b", ["172.31.1.207"]],
]);

const pods = fc
  .record({
    namespace: fc.constantFrom("shop", "db"),
    workload: fc.constantFrom("w0", "w1", "w2"),
    hasPort: fc.boolean(),
  })
  .chain(({ namespace, workload, hasPort }) =>
    fc.dictionary(fc.constantFrom("app", "tier"), fc.constantFrom("a", "b"), { maxKeys: 2 }).map(
      (labels): FlowEnd => ({
        ...{ kind: "pods", namespace, workload, labels, namespaceLabels: { "kubernetes.io/metadata.name": namespace } },
        ...(hasPort && { ports: [{ name: "http", protocol: "TCP", port: 80 }] }),
      }),
    ),
  );
const node = fc
  .constantFrom(...NODES.keys())
  .map((name): FlowEnd => ({ kind: "node", name, addresses: NODES.get(name) ?? [] }));
const outside = fc
  .oneof(
    fc.integer({ min: 0, max: 20 }).map((host) => `192.0.2.${host}/32`),
    fc.integer({ min: 1, max: 20 }).map((host) => `2001:db8::${host.toString(16)}/128`),
    fc.constantFrom("198.51.100.0/24", "2001:db8:1::/64"),
  )
  .map((cidr): FlowEnd => ({ kind: "network", cidr }));
const octet = fc.constantFrom(0, 1, 8, 13, 128);
const target = fc.oneof(
  fc.record({ protocol: fc.constantFrom("TCP", "UDP", "SCTP"), port: fc.constantFrom(53, 80, 81, 443, 5432) }),
  fc.record({
    protocol: fc.constantFrom("ICMP", "58"),
    port: fc.constant(0),
    icmp: fc.record({ type: octet, code: octet }),
  }),
);
const line = fc
  .record({
    ends: fc.oneof(fc.tuple(pods, fc.oneof(pods, node, outside)), fc.tuple(fc.oneof(pods, node, outside), pods)),
    target,
    at: fc.constantFrom("source", "destination", "both"),
    service: fc.option(fc.constantFrom("shop/web:http", "db/pg"), { nil: undefined }),
    isDenied: fc.boolean(),
  })
  .map(({ ends: [from, to], target: where, at, service, isDenied }) => ({
    ...{ type: "flow", node: "a", at, from, to, ...where, ...(service && { service }) },
    ...(isDenied
      ? { verdict: "denied", connections: 0, packetsRefused: 2, policy: "NetworkPolicy shop/old, ingress rule 1" }
      : { verdict: "allowed", connections: 1, packetsRefused: 0 }),
    ...{ active: 0, packets: 0, first: "2026-11-28T12:00:00.000Z", last: "2026-11-28T12:00:10.000Z" },
  }));
const interval = {
  ...{ type: "interval", node: "a", from: "2026-11-28T12:00:00.000Z", until: "2026-11-28T12:01:00.000Z", flows: 1 },
  ...{ lostConnections: 0, lostRefusals: 0, summarised: 0, pools: POOLS, unwritten: 0 },
};

test("the proposed policies allow every flow of the log: of hosts, clients and Services, over IPv4 and IPv6, but for ICMP, which is listed", () => {
  let [compared, listed] = [0, 0];
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 25 }), (written) => {
      const text = [...written, interval].map((one) => JSON.stringify(one satisfies object as FlowLogLine)).join("\n");
      const { lines, unreadable } = readFlowLog(text);
      expect(unreadable).toBe(0);
      const seen = seenFlows(lines);
      const { policies, uncovered } = suggestPolicies(seen);
      const networkPolicies = policies.map((one) => networkPolicy.parse(objectOf(one)));
      const by = { policies: { networkPolicies }, pools: POOLS, nodes: new Map(), namespaces: new Map() };
      const used = seen.flows.filter(({ connections }) => connections > 0);
      const judge = new FlowJudge(by, used);
      for (const flow of used) {
        const name = `${endText(flow.from)} → ${targetText(flow)}`;
        const isListed = uncovered.some((one) => one.flow === name);
        expect([name, isListed]).toEqual([name, flow.icmp !== undefined && !flow.isOwnNode]);
        if (isListed) listed++;
        else expect([name, judge.judge(flow).verdict]).toEqual([name, "allowed"]);
        compared++;
      }
    }),
    { numRuns: 200 },
  );
  expect(compared).toBeGreaterThan(400);
  expect(listed).toBeGreaterThan(50);
});
