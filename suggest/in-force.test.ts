// What policies that stay in force refuse is said where it is proposed.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { readFlowLog } from "../model/flow/read.ts";
import { type SeenFlow, seenFlows } from "../model/flow/seen.ts";
import { suggestCommand } from "./command.ts";
import { forbidsWith, readInForce } from "./in-force.ts";
import { suggestPolicies } from "./suggest.ts";

const pods = (workload: string) => ({ kind: "pods", namespace: "shop", workload, labels: { app: workload } });
const client = { kind: "network", cidr: "172.31.1.55/32" };
const line = (rest: object) => ({
  ...{ type: "flow", node: "master", at: "destination", from: client, to: pods("web"), protocol: "TCP", port: 80 },
  ...{ verdict: "allowed", connections: 1, packetsRefused: 0, active: 0, packets: 0 },
  ...{ first: "2026-11-28T12:00:00.000Z", last: "2026-11-28T12:00:10.000Z", ...rest },
});
const interval = {
  ...{ type: "interval", node: "master", from: "2026-11-28T12:00:00.000Z", until: "2026-11-28T12:01:00.000Z" },
  ...{ flows: 1, lostConnections: 0, lostRefusals: 0, summarised: 0, pools: ["10.244.0.0/16"], unwritten: 0 },
  host: { addresses: ["172.31.1.8"], labels: {}, uplinks: [{ name: "eth0", addresses: ["172.31.1.8"] }] },
};
const log = (...lines: object[]) => [...lines, interval].map((one) => JSON.stringify(one)).join("\n");
const HOSTS = `
apiVersion: v1
kind: List
items:
  - apiVersion: projectcalico.org/v3
    kind: HostEndpoint
    metadata: { name: eth0, labels: { role: host } }
    spec: { node: master, interfaceName: eth0 }
  - apiVersion: v1
    kind: ConfigMap
    metadata: { name: other }
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: { name: edge }
spec:
  selector: role == 'host'
  applyOnForward: true
  types: [Ingress]
  ingress: [{ action: Allow, protocol: TCP, destination: { ports: [443] } }]
`;

function said(text: string, file?: string) {
  const seen = seenFlows(readFlowLog(text).lines);
  const alone = suggestPolicies(seen);
  return file === undefined ? alone : suggestPolicies(seen, undefined, forbidsWith(readInForce(file), seen, alone));
}

test("a flow that a host policy refuses is named at its rule and at the top", () => {
  const text = log(line({}), line({ port: 443 }));
  expect(said(text).forbidden).toEqual([]);
  const { forbidden, policies } = said(text, HOSTS);
  expect(forbidden).toEqual([
    {
      flow: "172.31.1.55 → shop/web:80",
      why: "no rule of GlobalNetworkPolicy edge allows it (end of tier default)",
    },
  ]);
  const comments = policies.flatMap(({ ingress }) => ingress.flatMap((rule) => rule.comments));
  expect(comments.filter((one) => one.startsWith("Not enough for"))).toHaveLength(1);
});

test("policies of Kubernetes that are in force refuse nothing that the proposed ones allow", () => {
  const closed = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: closed, namespace: shop }
spec: { podSelector: {}, policyTypes: [Ingress, Egress] }
`;
  expect(said(log(line({})), closed).forbidden).toEqual([]);
  const calico = closed.replace("networking.k8s.io/v1", "projectcalico.org/v3").replace(/spec:.*/, "spec: {}");
  const first = calico.replace("spec: {}", "spec: { order: 1, types: [Ingress], ingress: [{ action: Deny }] }");
  expect(said(log(line({})), calico).forbidden).toEqual([]);
  expect(said(log(line({})), first).forbidden).toHaveLength(1);
});

test("what the log has denied, too, is said, unless policies of Kubernetes did", () => {
  const denied = (policy: string) =>
    log(line({}), line({ verdict: "denied", connections: 0, packetsRefused: 3, policy }));
  const why = (policy: string) => said(denied(policy)).forbidden.map((one) => one.why);
  const global = "no rule of GlobalNetworkPolicy edge allows it (end of tier default)";
  expect(why(global)).toEqual([`the log has packets of it that were denied, too (3): ${global}`]);
  expect(why("rule 1 of Calico NetworkPolicy shop/a")).toHaveLength(1);
  expect(why("HostEndpoint eth0 is closed to what no policy allows")).toHaveLength(1);
  expect(why("defaultEndpointToHostAction of the node is Drop")).toHaveLength(1);
  expect(why("no rule of NetworkPolicy shop/old allows it (end of tier default)")).toEqual([]);
});

test("only flows of the namespaces that are asked for are listed", () => {
  const seen = seenFlows(readFlowLog(log(line({}))).lines);
  const forbids = (flow: SeenFlow) => (flow.port === 80 ? "no" : undefined);
  expect(suggestPolicies(seen, new Set(["other"]), forbids).forbidden).toEqual([]);
  expect(suggestPolicies(seen, new Set(["shop"]), forbids).forbidden).toHaveLength(1);
});

test.each([
  ["kind: [", "Flow sequence"],
  ["- a", "a document of it is no object"],
  ["apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}", "it has no object that the dataplane knows"],
  [HOSTS.replace("node: master,", "").replace("eth0 }", "eth0 }"), "HostEndpoint eth0: spec.node"],
  [HOSTS.replace("action: Allow", "action: Alow"), "GlobalNetworkPolicy edge: spec.ingress[0].action"],
])("a file that cannot be used is refused with its reason: %#", (text, reason) => {
  expect(() => readInForce(text)).toThrow(reason);
});

test("the command says which file cannot be used, and what to write", () => {
  const folder = mkdtempSync(join(tmpdir(), "in-force-"));
  const error = vi.spyOn(console, "error").mockReturnValue();
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
    error.mockRestore();
  });
  const [flows, policies] = [join(folder, "flows.jsonl"), join(folder, "hosts.yaml")];
  writeFileSync(flows, log(line({})));
  writeFileSync(policies, HOSTS);
  const out = join(folder, "out.yaml");
  expect(suggestCommand(flows, { policies: join(folder, "gone"), typescript: false, out }, true)).toBe(2);
  expect(error.mock.calls[0]?.[0]).toMatch(/gone cannot be used: .*ENOENT.*kubectl get -o yaml/);
  expect(suggestCommand(flows, { policies, typescript: false, out }, true)).toBe(0);
});
