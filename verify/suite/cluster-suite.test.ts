import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { checkSchema } from "../../components/documents/check.ts";
import { FakeWorld, pod } from "../engine/world.fixture.ts";
import { readChecks } from "../format/read.ts";
import { clusterSuite, suiteFile } from "./cluster-suite.ts";
import { NoNode, type SuiteClient, type SuiteFacts, suiteFacts } from "./facts.ts";

const both = ["IPv4", "IPv6"] as const;
const client = (name: string, end: string): SuiteClient => ({
  name,
  addresses: [`172.31.1.${end}`, `fd00:172:31:1::${end}`],
  families: [...both],
  listens: true,
});
/** The lab of `make up`. */
const lab: SuiteFacts = {
  near: { name: "node", families: [...both] },
  far: { name: "master", families: [...both] },
  podFamilies: [...both],
  serviceFamilies: [...both],
  clients: [client("client1", "55"), client("client2", "162")],
  masqueraded: ["IPv4"],
  dns: "kube-system/kube-dns",
  image: "ebpf-dataplane:local",
  keepsSource: true,
  nodePorts: { anyNode: 30_000, localOnly: 30_001 },
  hostPort: 18_080,
};
/** One node somewhere else, with another engine. */
const bare: SuiteFacts = {
  ...lab,
  near: { name: "only", families: ["IPv4"] },
  far: undefined,
  podFamilies: ["IPv4"],
  serviceFamilies: ["IPv4"],
  clients: [],
  dns: undefined,
  keepsSource: false,
};

const expectationsOf = (facts: SuiteFacts) =>
  checkSchema
    .parse(clusterSuite(facts).check)
    .steps.flatMap(({ name, expect }) => expect.map((one) => ({ name, ...one })));

describe("the suite", () => {
  it.each([
    ["two nodes, two families, two clients", lab, 200],
    ["one node, one family, no client, no DNS", bare, 60],
    [
      "two nodes, one family, one client",
      { ...lab, podFamilies: ["IPv6"], serviceFamilies: ["IPv6"], clients: [client("c", "9")] },
      100,
    ],
  ] as [string, SuiteFacts, number][])("is a valid check file of many cases: %s", (_, facts, least) => {
    const [check] = readChecks(suiteFile(clusterSuite(facts)), "suite");
    expect(check).toEqual(checkSchema.parse(clusterSuite(facts).check));
    expect(expectationsOf(facts).length).toBeGreaterThan(least);
  });

  it("asks for each kind of traffic", () => {
    expect(new Set(expectationsOf(lab).map(({ name }) => name))).toEqual(
      new Set([
        "DNS",
        "pods",
        "Services",
        "NodePort",
        "externalTrafficPolicy: Local",
        "hostPort",
        "MTU and large packets",
        "egress",
        "policy: nothing may enter",
        "policy: a label, a port, a namespace",
        "policy: an address outside",
        "policy: little may leave",
        "policies removed",
      ]),
    );
  });

  it("names what it cannot ask for, and why", () => {
    expect(clusterSuite({ ...lab, masqueraded: [...both] }).skipped).toEqual([]);
    expect(clusterSuite(lab).skipped.map(({ what }) => what)).toEqual([
      "pods that reach a machine outside of the cluster over IPv6",
    ]);
    const { skipped } = clusterSuite(bare);
    expect(skipped.map(({ step }) => step)).toEqual(
      expect.arrayContaining([
        "cluster: DNS",
        "cluster: NodePort",
        "cluster: hostPort",
        "cluster: egress",
        "cluster: pods",
      ]),
    );
    for (const { what, why } of skipped) expect([what, why]).not.toContain("");
    const narrow = { ...lab, near: { name: "master", families: ["IPv4" as const] } };
    expect(clusterSuite(narrow).skipped).toContainEqual({
      step: "cluster: IPv6",
      what: "cases of node master over IPv6",
      why: "pods have IPv6 addresses, node master has none",
    });
  });

  it("expects the client's address at every node only of the engine that promises it", () => {
    const sources = (facts: SuiteFacts) =>
      expectationsOf(facts).filter(
        ({ name, source, from }) => name === "NodePort" && source && from.value.kind === "machine",
      );
    expect(sources(lab).length).toBeGreaterThan(0);
    expect(sources({ ...lab, keepsSource: false })).toEqual([]);
  });

  it("needs no machine where there is none", () => {
    expect(expectationsOf(bare).filter(({ from }) => from.value.kind === "machine")).toEqual([]);
    expect(clusterSuite(bare).check.listen).toBeUndefined();
  });
});

test("the file beside this test is the suite of the lab of `make up` (otherwise: npx vitest run -u)", async () => {
  await expect(suiteFile(clusterSuite(lab))).toMatchFileSnapshot(join(import.meta.dirname, "lab.check.yaml"));
});

describe("facts of a cluster", () => {
  const settings = { clients: [], image: "i", serviceNetworks: ["10.96.0.0/12", "fd00:10:96::/112"], pools: [] };
  function view() {
    const { cluster } = new FakeWorld();
    for (const node of cluster.nodes) node.status = { ...node.status, conditions: [{ type: "Ready", status: "True" }] };
    return cluster;
  }

  it("put pods on ready nodes, on those that take every pod first", () => {
    const cluster = view();
    expect(suiteFacts(cluster, settings)).toMatchObject({ near: { name: "master" }, far: { name: "node" } });
    const [master, node] = cluster.nodes;
    Object.assign(master ?? {}, { spec: { taints: [{ key: "k", effect: "NoSchedule" }] } });
    expect(suiteFacts(cluster, settings)).toMatchObject({ near: { name: "node" }, far: { name: "master" } });
    Object.assign(node ?? {}, { spec: { unschedulable: true } });
    const facts = suiteFacts(cluster, settings);
    expect([facts.near.name, facts.far]).toEqual(["master", undefined]);
    Object.assign(master?.status ?? {}, { conditions: [{ type: "Ready", status: "Unknown" }] });
    expect(() => suiteFacts(cluster, settings)).toThrow(NoNode);
  });

  it("have the families of pods, and of Services where pods have them too", () => {
    const cluster = view();
    expect(suiteFacts(cluster, settings)).toMatchObject({ podFamilies: ["IPv4"], serviceFamilies: ["IPv4"] });
    const dual = pod("dual", "node", "10.244.1.9");
    dual.status = { phase: "Running", podIPs: [{ ip: "10.244.1.9" }, { ip: "fd00::9" }] };
    cluster.pods.push(dual);
    expect(suiteFacts(cluster, settings)).toMatchObject({ podFamilies: both, serviceFamilies: both });
  });

  it("say in which family a machine outside answers pods", () => {
    const pools = [
      { cidr: "10.244.0.0/16" },
      { cidr: "10.245.0.0/16", natOutgoing: true },
      { cidr: "fd00::/56", natOutgoing: true },
    ];
    expect(suiteFacts(view(), settings).masqueraded).toEqual(["IPv4"]);
    expect(suiteFacts(view(), { ...settings, pools }).masqueraded).toEqual(["IPv4"]);
    expect(suiteFacts(view(), { ...settings, pools: pools.slice(0, 1) }).masqueraded).toEqual([]);
  });

  it("take ports that nobody claims", () => {
    const cluster = view();
    cluster.services.push({
      metadata: { name: "a" },
      spec: { ports: [{ port: 1, nodePort: 30_000 }], healthCheckNodePort: 30_002 },
    });
    cluster.pods.push({ spec: { containers: [{ name: "a", ports: [{ containerPort: 80, hostPort: 18_080 }] }] } });
    expect(suiteFacts(cluster, settings)).toMatchObject({
      nodePorts: { anyNode: 30_001, localOnly: 30_003 },
      hostPort: 18_081,
    });
    const every = Array.from({ length: 2_767 }, (_, at) => ({ port: 1, nodePort: 30_000 + at }));
    cluster.services.push({ metadata: { name: "b" }, spec: { ports: every } });
    expect(() => suiteFacts(cluster, settings)).toThrow("needs 2 free node ports between 30000 and 32767");
  });

  it("say whether the engine keeps sources", () => {
    const cluster = view();
    expect(suiteFacts(cluster, settings).keepsSource).toBe(true);
    expect(suiteFacts({ ...cluster, serviceHandling: "KubeProxyIptables" }, settings).keepsSource).toBe(false);
    expect(suiteFacts({ ...cluster, pods: [] }, settings).keepsSource).toBe(false);
  });
});
