import { describe, expect, test } from "vitest";
import type { FlowEnd, FlowLogLine, FlowRecord } from "../../model/flow/record.ts";
import type { WrittenObject } from "../declared/objects.ts";
import { policiesOf } from "../declared/policies.ts";
import type { Preview } from "../document.ts";
import { flowsOutline } from "../print/flows.ts";
import { castOf } from "../reach/cast.ts";
import { changesOf } from "../reach/changes.ts";
import { reachTable } from "../reach/table.ts";
import { deployment, policy, scene, service } from "../testing/objects.ts";
import { impactOf } from "./impact.ts";

const pods = (workload: string, labels: Record<string, string> = { app: workload }): FlowEnd => ({
  ...{ kind: "pods", namespace: "default", workload, labels },
});
const line = (from: FlowEnd, rest: Partial<FlowRecord> = {}): FlowRecord => ({
  ...{ type: "flow", node: "node", at: "both", from, to: pods("db"), protocol: "TCP", port: 80, verdict: "allowed" },
  ...{ connections: 10, packetsRefused: 0, active: 0, packets: 0 },
  ...{ first: "2026-11-25T12:00:00.000Z", last: "2026-11-28T12:00:00.000Z", ...rest },
});
const denied = { verdict: "denied", connections: 0, packetsRefused: 3, policy: "NetworkPolicy default/old" } as const;

const stack = [deployment("db"), service("db"), deployment("web"), deployment("report")];
const onlyWeb = policy("deny-db", "db", {
  ingress: [
    { from: [{ podSelector: { matchLabels: { app: "web" } } }], ports: [{ port: 80 }] },
    { from: [{ podSelector: { matchLabels: { app: "report" } } }], ports: [{ port: 9090 }] },
  ],
});

function impact(
  objects: WrittenObject[],
  lines: FlowLogLine[],
  { before = stack, ...log }: { before?: WrittenObject[]; unusedDays?: number } = {},
) {
  const cast = castOf(scene(objects));
  const changes = changesOf(reachTable(castOf(scene(before))), reachTable(cast));
  return impactOf(cast, { what: "flows.jsonl", lines, unreadable: 0, ...log }, changes);
}

test("says which flows would be cut, which would be allowed, and what stays", () => {
  const seen = impact(
    [...stack, onlyWeb],
    [
      line(pods("web")),
      line(pods("report"), { connections: 132 }),
      line({ kind: "network", cidr: "172.31.1.55/32" }, { connections: 0, active: 1 }),
      line({ kind: "network", cidr: "192.0.2.7/32" }, denied),
      line(pods("web"), { ...denied, port: 80, to: pods("report") }),
    ],
  );
  expect(seen.cut).toEqual([
    {
      from: "default/report",
      to: "default/db:80",
      connections: 132,
      last: "2026-11-28T12:00:00.000Z",
      reason: expect.stringContaining("deny-db"),
    },
    expect.objectContaining({ from: "172.31.1.55", connections: 1 }),
  ]);
  expect(seen.opened).toMatchObject([
    { from: "default/web", to: "default/report:80", packets: 3, deniedBy: ["NetworkPolicy default/old"] },
  ]);
  expect(seen.kept).toEqual({ flows: 1, connections: 10 });
  expect(seen).toMatchObject({ from: "2026-11-25T12:00:00.000Z", nodes: ["node"] });
});

test("declared HostEndpoints say what nodes themselves may receive and send, but for fail-safe ports", () => {
  const calico = (kind: string, name: string, spec: object, metadata: object = {}): WrittenObject => ({
    ...{ apiVersion: "projectcalico.org/v3", kind, metadata: { name, ...metadata }, spec },
  });
  const endpoint = (name: string, spec: object) =>
    calico("HostEndpoint", name, { node: "master", ...spec }, { labels: { role: "host" } });
  const only443 = calico("GlobalNetworkPolicy", "edge", {
    ...{ selector: "role == 'host'", types: ["Ingress"] },
    ingress: [{ action: "Allow", protocol: "TCP", destination: { ports: [443] } }],
  });
  const master: FlowEnd = { kind: "node", name: "master", addresses: ["172.31.1.8"] };
  const other: FlowEnd = { kind: "node", name: "node", addresses: ["172.31.1.207"] };
  const client: FlowEnd = { kind: "network", cidr: "172.31.1.55/32" };
  const at = (port: number, to = master, rest: Partial<FlowRecord> = {}) =>
    line(client, { to, port, at: "destination", ...rest });
  const said = (host: WrittenObject, ...lines: FlowRecord[]) => {
    const { cut, kept, undecided } = impact([...stack, host, only443], lines);
    return [cut.map((one) => one.to), kept.flows, undecided.length];
  };
  const eth0 = endpoint("eth0", { interfaceName: "eth0" });
  expect(said(eth0, at(443), at(8080), at(22), at(8080, other))).toEqual([["node master:8080"], 3, 0]);
  expect(said(endpoint("any", { interfaceName: "*" }), at(443), at(8080))).toEqual([["node master:8080"], 1, 0]);
  expect(said(endpoint("ip", { expectedIPs: ["172.31.1.8"] }), at(443), at(8080))[0]).toEqual(["node master:8080"]);
  // A closed one refuses what no policy lets the node send.
  const sent = line(master, { to: client, at: "source", port: 8080 });
  expect(said(eth0, sent)).toEqual([["172.31.1.55:8080"], 0, 0]);
  // Pods of other nodes may come by the tunnel, for which nothing stands.
  expect(said(eth0, at(8080, master, { from: pods("web") }))).toEqual([[], 0, 1]);
  expect(said(eth0, line(master, { to: pods("db"), at: "both" }))).toEqual([[], 1, 0]);
});

test("what nodes forward is judged by the declared host policies, automatic endpoints with the labels that a node says it has", () => {
  const calico = (kind: string, spec: object): WrittenObject => ({
    ...{ apiVersion: "projectcalico.org/v3", kind, metadata: { name: "default" }, spec },
  });
  const automatic = calico("KubeControllersConfiguration", {
    controllers: { node: { hostEndpoint: { autoCreate: "Enabled" } } },
  });
  const edge = calico("GlobalNetworkPolicy", {
    ...{ selector: "edge == 'yes'", applyOnForward: true, types: ["Ingress"] },
    ingress: [{ action: "Allow", protocol: "TCP", destination: { ports: [443] } }],
  });
  const told: FlowLogLine = {
    ...{ type: "interval", node: "node", from: "2026-11-28T12:00:00.000Z", until: "2026-11-28T12:01:00.000Z" },
    ...{ flows: 1, lostConnections: 0, lostRefusals: 0, summarised: 0, pools: ["10.244.0.0/16"], unwritten: 0 },
    host: {
      ...{ addresses: ["172.31.1.207"], labels: { edge: "yes" } },
      uplinks: [{ name: "eth0", addresses: ["172.31.1.207"] }],
    },
  };
  const flow = line({ kind: "network", cidr: "172.31.1.55/32" }, { at: "destination" });
  const seen = impact([...stack, automatic, edge], [flow, told]);
  expect(seen.cut).toMatchObject([{ to: "default/db:80", reason: expect.stringContaining("GlobalNetworkPolicy") }]);
  expect(seen.unused).toEqual([]); // rules of hosts are not listed
  expect(impact([...stack, edge], [flow, told]).cut).toEqual([]);
});

test("selectors of pods' policies mean the addresses of host endpoints too", () => {
  const calico = (kind: string, name: string, spec: object, labels: object = {}): WrittenObject => ({
    ...{ apiVersion: "projectcalico.org/v3", kind, metadata: { name, ...(labels && { labels }) }, spec },
  });
  const nodeOf = (name: string, address: string): FlowEnd => ({ kind: "node", name, addresses: [address] });
  const [master, node] = [nodeOf("master", "172.31.1.8"), nodeOf("node", "172.31.1.207")];
  const outside = (cidr: string): FlowEnd => ({ kind: "network", cidr });
  const ends = [master, node, outside("172.31.1.55/32"), outside("172.31.1.56/32"), outside("172.31.1.48/29")];
  const flows = ends.map((from) => line(from, { at: "destination" }));
  const expecting = (name: string, expectedIPs: string[]) =>
    calico(
      "HostEndpoint",
      name,
      { node: "master", interfaceName: "eth0", expectedIPs, profiles: ["projectcalico-default-allow"] },
      { role: "trusted" },
    );
  const said = (action: string, ...more: WrittenObject[]) => {
    const rules = [{ action, source: { selector: "role == 'trusted'" } }];
    const rest = action === "Deny" ? [{ action: "Allow" }] : [];
    const spec = { selector: "app == 'db'", types: ["Ingress"], ingress: [...rules, ...rest] };
    const { cut, undecided } = impact([...stack, ...more, calico("GlobalNetworkPolicy", "p", spec)], flows);
    return [cut, undecided].map((list) => list.map((one) => one.from).sort());
  };
  const hosts = [expecting("own", ["172.31.1.8"]), expecting("machine", ["172.31.1.55"])];
  expect(said("Deny", ...hosts)).toEqual([["172.31.1.55", "node master"], ["172.31.1.48/29"]]);
  expect(said("Allow", ...hosts)).toEqual([["172.31.1.56", "node node"], ["172.31.1.48/29"]]);
  // The log says nothing of nodes' labels, which automatic endpoints have.
  const automatic = calico("KubeControllersConfiguration", "default", {
    controllers: { node: { hostEndpoint: { autoCreate: "Enabled" } } },
  });
  expect(said("Deny", automatic)).toEqual([[], ["node master", "node node"]]);
});

test("pods of declared workloads are judged with the labels that they will have", () => {
  const old = pods("web", { app: "old", "statefulset.kubernetes.io/pod-name": "web-0" });
  expect(impact([...stack, onlyWeb], [line(old)]).kept.flows).toBe(1);
  expect(impact([...stack, onlyWeb], [line(pods("other", { app: "web" }))]).kept.flows).toBe(1);
  expect(impact([...stack, onlyWeb], [line(pods("other"))]).cut).toHaveLength(1);
});

test("says what is allowed and unused, and what will be dropped and unused", () => {
  const seen = impact([...stack, onlyWeb], [line(pods("web")), line({ kind: "network", cidr: "172.31.1.55/32" })]);
  expect(seen.unused).toEqual([
    {
      policy: "NetworkPolicy default/deny-db",
      rule: "ingress rule 2: from pods app=report in namespace default, TCP 9090",
    },
  ]);
  const dropped = seen.droppedUnused.map(({ from }) => from);
  expect(dropped).toContain("report");
  expect(dropped).not.toContain("client1"); // it is cut, and used
  expect(dropped).not.toContain("web"); // it stays
});

describe("what nobody used for some days", () => {
  const calico = (kind: string, name: string, spec: object, namespace?: string): WrittenObject => ({
    ...{ apiVersion: "projectcalico.org/v3", kind, metadata: { name, ...(namespace && { namespace }) }, spec },
  });
  const app = (name: string) => ({ source: { selector: `app == '${name}'` } });
  const day = (number: number) => ({ last: `2026-11-${number}T12:00:00.000Z` });
  const objects: WrittenObject[] = [
    policy("kubernetes", "db", { ingress: [{ from: [{ podSelector: { matchLabels: { app: "web" } } }] }] }),
    calico(
      "NetworkPolicy",
      "calico",
      {
        ...{ selector: "app == 'db'", types: ["Ingress"] },
        ingress: [
          { action: "Allow", protocol: "TCP", ...app("report"), destination: { ports: [80] } },
          { action: "Allow", protocol: "ICMP", icmp: { type: 8, code: 0 } },
          { action: "Deny", ...app("nobody") },
          { action: "Allow", source: { services: { name: "web" } } },
        ],
      },
      "default",
    ),
    calico("GlobalNetworkPolicy", "global", {
      selector: "app == 'db'",
      ingress: [
        { action: "Allow", ...app("web") },
        { action: "Allow", ...app("gone") },
      ],
    }),
    {
      ...{
        apiVersion: "policy.networking.k8s.io/v1alpha2",
        kind: "ClusterNetworkPolicy",
        metadata: { name: "cluster" },
      },
      spec: {
        ...{ tier: "Admin", priority: 1, subject: { namespaces: {} } },
        ingress: ["web", "gone"].map((one) => ({
          ...{ name: one, action: "Accept" },
          from: [{ pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: one } } } }],
        })),
      },
    },
  ];
  const ping = { protocol: "ICMP", port: 0, icmp: { type: 8, code: 0 } };
  const lines = [
    line(pods("web"), day(28)),
    line(pods("report"), day(20)),
    line(pods("report"), { ...ping, ...day(26) }),
  ];
  const unused = (unusedDays?: number, more: FlowRecord[] = []) =>
    impact([...stack, ...objects], [...lines, ...more], unusedDays === undefined ? {} : { unusedDays }).unused.map(
      ({ policy: owner, rule, lastUsed }) => [owner, rule.slice(0, 14), lastUsed?.slice(0, 10)],
    );
  const never = [
    ["GlobalNetworkPolicy global", "ingress rule 2", undefined],
    ["ClusterNetworkPolicy cluster", "ingress rule 2", undefined],
  ];

  test("is named for policies of every kind, with its last use", () => {
    expect(unused()).toEqual(never);
    expect(unused(7)).toEqual([["Calico NetworkPolicy default/calico", "ingress rule 1", "2026-11-20"], ...never]);
    expect(unused(1)).toEqual([
      ["Calico NetworkPolicy default/calico", "ingress rule 1", "2026-11-20"],
      ["Calico NetworkPolicy default/calico", "ingress rule 2", "2026-11-26"],
      ...never,
    ]);
    expect(unused(7, [line(pods("report"), day(22))])).toEqual(never);
  });

  test("is no use that another message than the rule's, or a refused packet, would be", () => {
    const [, ...others] = lines.with(2, line(pods("report"), { ...ping, icmp: { type: 13, code: 0 }, ...day(27) }));
    const seen = impact([...stack, ...objects], [line(pods("gone"), { ...denied, ...day(28) }), ...others]).unused;
    expect(seen.map(({ policy: owner, rule }) => [owner, rule.slice(0, 14)])).toContainEqual([
      "Calico NetworkPolicy default/calico",
      "ingress rule 2",
    ]);
    expect(seen.filter(({ rule }) => rule.includes("gone"))).toHaveLength(2);
  });

  describe("of rules about Services and nodes", () => {
    const allow = (name: string, spec: object) =>
      calico("NetworkPolicy", name, { selector: "app == 'db'", ...spec }, "default");
    const node: FlowEnd = { kind: "node", name: "worker", addresses: ["172.31.1.8"] };
    const judged = (policies: WrittenObject[], lines: FlowRecord[], declared = stack) => {
      const { unused, cut, kept, undecided } = impact([...declared, ...policies], lines, { before: declared });
      return {
        unused: unused.map(({ policy: owner, rule }) => `${owner}, ${rule}`),
        ...{ cut: cut.length, kept: kept.flows, undecided: undecided.length },
      };
    };
    const toWeb = line(pods("db"), { to: pods("web"), port: 8080 });
    const withWeb = [
      ...[deployment("db"), service("db"), deployment("report")],
      deployment("web", { ports: [{ name: "http", containerPort: 8080 }] }),
      service("web", { ports: [{ port: 80, targetPort: "http" }] }),
    ];

    test("is told by the labels that declared Services select", () => {
      const from = allow("from", { ingress: [{ action: "Allow", source: { services: { name: "web" } } }] });
      const to = allow("to", {
        types: ["Egress"],
        egress: [{ action: "Allow", destination: { services: { name: "web" } } }],
      });
      expect(judged([from], [line(pods("web"))], withWeb)).toEqual({ unused: [], cut: 0, kept: 1, undecided: 0 });
      expect(judged([from], [line(pods("report"))], withWeb)).toMatchObject({
        unused: [
          "Calico NetworkPolicy default/from, ingress rule 1: from endpoints of Service default/web, every port",
        ],
        cut: 1,
      });
      expect(judged([to], [toWeb], withWeb)).toEqual({ unused: [], cut: 0, kept: 1, undecided: 0 });
      expect(judged([to], [{ ...toWeb, port: 9090 }], withWeb)).toMatchObject({
        unused: [expect.stringContaining("default/to, egress rule 1: to endpoints of Service default/web")],
        cut: 1,
      });
      // Not declared: who its endpoints are is not known.
      expect(judged([from], [line(pods("report"))])).toEqual({ unused: [], cut: 0, kept: 0, undecided: 1 });
    });

    test("is by any node: their labels are not in the log", () => {
      const objects: WrittenObject[] = [
        {
          ...{ apiVersion: "policy.networking.k8s.io/v1alpha2", kind: "ClusterNetworkPolicy" },
          metadata: { name: "to-nodes" },
          spec: {
            ...{ tier: "Admin", priority: 1, subject: { namespaces: {} } },
            egress: [
              {
                ...{ name: "kubelet", action: "Accept", protocols: [{ tcp: { destinationPort: { number: 10250 } } }] },
                to: [{ nodes: { matchLabels: { pool: "a" } } }],
              },
              { name: "rest", action: "Deny", to: [{ networks: ["172.31.0.0/16"] }] },
            ],
          },
        },
      ];
      const to = (port: number) => line(pods("web"), { to: node, port, at: "source" });
      expect(judged(objects, [to(10250)])).toEqual({ unused: [], cut: 0, kept: 0, undecided: 1 });
      expect(judged(objects, [to(443)])).toMatchObject({
        unused: ["ClusterNetworkPolicy to-nodes, egress rule 1 (kubelet): to nodes pool=a, TCP 10250"],
        cut: 1,
      });
    });
  });

  test("is printed with the time, also where the log is shorter", () => {
    const text = (unusedDays: number) =>
      flowsOutline(
        { flows: impact([...stack, ...objects], lines, { unusedDays }) } as Preview,
        Date.parse("2026-11-29T12:00:00.000Z"),
      ).lines.join("\n");
    expect(text(2)).toContain("is allowed, and nobody used it in its last 2 days:");
    expect(text(2)).toContain('NetworkPolicy default/calico, ingress rule 1: from endpoints app == "report"');
    expect(text(2)).toContain("(last used 9 days ago)");
    expect(text(90)).toMatch(/nobody used it in the \d+ days of the log, which is shorter than 90 days:/);
  });
});

test("is printed with what is cut first", () => {
  const flows = impact([...stack, onlyWeb], [line(pods("report"), { connections: 132 }), line(pods("web"))]);
  const { title, lines } = flowsOutline({ flows } as Preview, Date.parse("2026-11-28T12:02:00.000Z"));
  expect(title).toBe("Flows in flows.jsonl (3 days until 2026-11-28T12:00:00.000Z, 1 node)");
  expect(lines.slice(0, 3)).toEqual([
    "would cut 132 connections of 1 flow:",
    expect.stringMatching(
      /^ {2}default\/report → default\/db:80: 132 connections \(last seen 2 min ago\): .*NetworkPolicy default\/deny-db/,
    ),
    "keeps 10 connections of 1 flow",
  ]);
  expect(lines).toContain("is allowed, and nobody used it in the 3 days of the log:");
});

test("Calico's policies are judged in their tiers, and named with tier and rule", () => {
  const calico = "projectcalico.org/v3";
  const objects: WrittenObject[] = [
    { apiVersion: calico, kind: "Tier", metadata: { name: "security" }, spec: { order: 100, defaultAction: "Pass" } },
    {
      ...{ apiVersion: calico, kind: "GlobalNetworkPolicy", metadata: { name: "security.deny-db" } },
      spec: {
        ...{ tier: "security", order: 10, selector: "app == 'db'", types: ["Ingress"] },
        ingress: [{ action: "Deny", source: { selector: "app == 'report'" } }],
      },
    },
  ];
  const lines = [line(pods("web")), line(pods("report"))];
  expect(impact([...stack, ...objects], lines)).toMatchObject({
    cut: [{ from: "default/report", reason: "tier security, GlobalNetworkPolicy security.deny-db, ingress rule 1" }],
    kept: { flows: 1 },
  });
  // Kinds that agents do not follow yet change nothing.
  expect(policiesOf(objects, () => false)).toMatchObject({ globalNetworkPolicies: [], tiers: [] });
});
