import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import type { Flow } from "../../agent/observe/events/flow.ts";
import { ruleName, shortLine } from "./short-line.ts";

const refused: Flow = {
  ...{ time: "2026-01-02T03:04:05.678Z", node: "node", protocol: "TCP", verdict: "dropped" },
  ...{ reason: "drop_policy_ingress", text: "not allowed" },
  client: { address: "172.31.1.162", port: 40_001, name: "machine client2" },
  to: { address: "172.31.1.8", port: 30_604, name: "service default/nginx" },
  service: "default/nginx",
  backend: { address: "10.244.1.2", port: 80, name: "pod default/nginx-6d4cf56db6-x7k2p", workload: "nginx" },
  rule: "no rule of NetworkPolicy default/nginx allows it (end of tier default)",
};
const line = (flow: Flow, width = 80) => stripVTControlCharacters(shortLine(flow, width));

test("a refusal names the policy within 80 columns", () => {
  const shown = "03:04:05 node TCP client2 > default/nginx ✗ default/nginx (tier default)";
  expect(line(refused)).toBe(shown);
  expect(shown.length).toBeLessThanOrEqual(80);
});

test("an opened connection shows who, what and where", () => {
  const { reason: _, rule: __, ...rest } = refused;
  expect(line({ ...rest, verdict: "opened", node: "master>node" })).toBe(
    "03:04:05 master>node TCP client2 > default/nginx > default/nginx",
  );
});

test("long names are shortened before the policy is", () => {
  const name = `pod a-namespace-with-a-long-name/${"b".repeat(60)}`;
  const to = { address: "10.244.1.2", port: 80, name };
  const { service: _, backend: __, ...rest } = refused;
  const shown = line({ ...rest, client: { ...to, port: 1 }, to });
  expect(shown.length).toBe(80);
  expect(shown).toMatch(/ ✗ default\/nginx \(tier default\)$/);
});

test.each([
  ["tier security, GlobalNetworkPolicy deny-db, ingress rule 2", "deny-db rule 2 (tier security)"],
  ["tier default, Calico NetworkPolicy shop/p, egress rule 1", "shop/p rule 1 (tier default)"],
  ["tier admin, ClusterNetworkPolicy c, ingress rule 3 (\u001b[2Jno)", "c rule 3 (tier admin)"],
  [
    "no rule of NetworkPolicy a/b, GlobalNetworkPolicy g, Calico NetworkPolicy a/c and 2 more allows it (end of tier x)",
    "a/b, g, a/c and 2 more (tier x)",
  ],
  [
    "HostEndpoint eth0\u001b[2J is closed to what no policy allows",
    "HostEndpoint eth0�[2J is closed to what no policy allows",
  ],
])("%j is called %j", (rule, expected) => {
  expect(ruleName(rule)).toBe(expected);
});
