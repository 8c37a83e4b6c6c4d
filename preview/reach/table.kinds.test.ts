// Policies of the other kinds that agents follow: Calico's, in tiers, and ClusterNetworkPolicy.
import { describe, expect, test } from "vitest";
import type { WrittenObject } from "../declared/objects.ts";
import { deployment, from, policy, scene, service } from "../testing/objects.ts";
import { castOf } from "./cast.ts";
import { reachTable } from "./table.ts";

const rowsOf = (objects: WrittenObject[]) =>
  new Map(reachTable(castOf(scene(objects))).map((row) => [`${row.from} > ${row.to}`, row]));
const verdicts = (objects: WrittenObject[]) =>
  Object.fromEntries([...rowsOf(objects)].map(([pair, { verdict }]) => [pair, verdict]));
const calico = (kind: string, name: string, spec: object, metadata: object = {}): WrittenObject => ({
  ...{ apiVersion: "projectcalico.org/v3", kind, metadata: { name, ...metadata }, spec },
});
const nginx = [deployment("nginx", { node: "node" }), service("nginx")];
const forNginx = { selector: "app == 'nginx'", types: ["Ingress"] };

test("selectors mean the addresses that HostEndpoints expect, of nodes and of machines outside", () => {
  const expecting = (name: string, ...expectedIPs: string[]) =>
    calico(
      "HostEndpoint",
      name,
      { node: "master", interfaceName: "eth0", expectedIPs, profiles: ["projectcalico-default-allow"] },
      { labels: { role: "trusted" } },
    );
  const only = calico("GlobalNetworkPolicy", "p", {
    ...forNginx,
    ingress: [{ action: "Allow", source: { selector: "role == 'trusted'" } }],
  });
  const verdict = (whom: string, ...hosts: WrittenObject[]) =>
    verdicts([...nginx, only, ...hosts])[`${whom} > nginx:80`];
  expect(verdict("client1")).toBe("dropped");
  expect(verdict("client1", expecting("out", "172.31.1.55"))).toBe("allowed");
  expect(verdict("client2", expecting("out", "172.31.1.55"))).toBe("dropped");
  expect(verdict("other nodes", expecting("own", "172.31.1.8"))).toBe("allowed");
});

test("a Namespace that is declared with another one's name as its label is judged by its own, which the API server gives it", () => {
  const web = deployment("web", { namespace: "guest" });
  const key = "kubernetes.io/metadata.name";
  const written = { name: "guest", labels: { [key]: "trusted" } };
  const guest: WrittenObject = { apiVersion: "v1", kind: "Namespace", metadata: written };
  const trusted = { namespaceSelector: { matchExpressions: [{ key, operator: "In", values: ["trusted"] }] } };
  const byName = policy("p", "nginx", { ingress: [{ from: [trusted] }] });
  expect(verdicts([...nginx, web, guest, byName])["guest/web > nginx:80"]).toBe("dropped");
});

test("an earlier tier's denial ends it whatever later tiers and Kubernetes' policies allow, and is named", () => {
  const rows = rowsOf([
    ...nginx,
    policy("p", "nginx", from("172.31.1.0/24")),
    calico("Tier", "security", { order: 100 }),
    calico("GlobalNetworkPolicy", "security.deny-client2", {
      ...{ tier: "security", ...forNginx },
      ingress: [{ action: "Deny", source: { nets: ["172.31.1.162/32"] } }, { action: "Pass" }],
    }),
  ]);
  expect(rows.get("client1 > nginx:80")?.verdict).toBe("allowed");
  expect(rows.get("client2 > nginx:80")?.verdict).toBe("dropped");
  expect(rows.get("client2 > nginx:80")?.policies).toContain("GlobalNetworkPolicy security.deny-client2");
  expect(rows.get("other addresses > nginx:80")?.verdict).toBe("dropped");
});

test("rules that ask about the pods themselves hold for them", () => {
  const whom = { destination: { selector: "app == 'nginx'" } };
  const allow = (destination: object) =>
    calico("GlobalNetworkPolicy", "own", { ...forNginx, ingress: [{ action: "Allow", ...destination }] });
  expect(verdicts([...nginx, allow(whom)])).toMatchObject({ "client1 > nginx:80": "allowed" });
  const others = { destination: { selector: "app == 'web'" } };
  expect(verdicts([...nginx, allow(others)])).toMatchObject({ "client1 > nginx:80": "dropped" });
  const nets = (...blocks: string[]) => verdicts([...nginx, allow({ destination: { nets: blocks } })]);
  expect(nets("10.244.0.0/16")).toMatchObject({ "client1 > nginx:80": "allowed" });
  expect(nets("10.244.7.0/24")).toMatchObject({ "client1 > nginx:80": "depends" });
});

test("a network set has a row where it is treated differently from other addresses", () => {
  const set = calico(
    "NetworkSet",
    "office",
    { nets: ["192.0.2.0/24", "198.51.100.7"] },
    { labels: { role: "office" } },
  );
  const elsewhere = calico(
    "GlobalNetworkSet",
    "partners",
    { nets: ["203.0.113.0/24"] },
    { labels: { role: "partner" } },
  );
  const allow = calico("NetworkPolicy", "office", {
    ...forNginx,
    ingress: [{ action: "Allow", protocol: "TCP", source: { selector: "role == 'office'" } }],
  });
  const rows = verdicts([...nginx, set, elsewhere, allow]);
  expect(rows).toMatchObject({
    "NetworkSet office > nginx:80": "allowed",
    "other addresses > nginx:80": "dropped",
    "client1 > nginx:80": "dropped",
  });
  expect(Object.keys(rows).filter((row) => row.includes("partners"))).toEqual([]);
});

test("pods are told apart by namespaces' labels and by service accounts", () => {
  const team = { apiVersion: "v1", kind: "Namespace", metadata: { name: "team", labels: { trust: "high" } } };
  const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "robot", labels: { may: "ask" } } };
  const robot = {
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "robot", labels: { app: "robot" } } },
    spec: { serviceAccountName: "robot", containers: [{ image: "robot" }] },
  };
  const inTeam = deployment("report", { namespace: "team" });
  const allow = calico("GlobalNetworkPolicy", "known", {
    ...forNginx,
    ingress: [
      { action: "Allow", source: { namespaceSelector: "trust == 'high'" } },
      { action: "Allow", source: { serviceAccounts: { selector: "may == 'ask'" } } },
    ],
  });
  expect(verdicts([...nginx, team, account, robot, inTeam, deployment("web"), allow])).toMatchObject({
    "team/report > nginx:80": "allowed",
    "robot > nginx:80": "allowed",
    "web > nginx:80": "dropped",
    "pods of other namespaces > nginx:80": "dropped",
  });
});

test("a ClusterNetworkPolicy holds before Kubernetes' own policies, or after them", () => {
  const cluster = (tier: string, action: string): WrittenObject => ({
    ...{ apiVersion: "policy.networking.k8s.io/v1alpha2", kind: "ClusterNetworkPolicy", metadata: { name: "all" } },
    spec: {
      ...{ tier, priority: 10, subject: { namespaces: {} } },
      ingress: [{ action, from: [{ pods: { podSelector: { matchLabels: { app: "web" } } } }] }],
    },
  });
  const web = deployment("web");
  const closed = policy("closed", "nginx", { ingress: [] });
  const pair = "web > nginx:80";
  expect(verdicts([...nginx, web, closed, cluster("Admin", "Accept")])[pair]).toBe("allowed");
  expect(verdicts([...nginx, web, closed, cluster("Baseline", "Accept")])[pair]).toBe("dropped");
  expect(verdicts([...nginx, web, cluster("Baseline", "Deny")])[pair]).toBe("dropped");
});

test("policies of all pods hold for those that are declared elsewhere too", () => {
  const quiet = calico("GlobalNetworkPolicy", "quiet", { selector: "all()", types: ["Egress"], egress: [] });
  expect(verdicts([...nginx, quiet])).toMatchObject({
    "other pods of default > nginx:80": "dropped",
    "pods of other namespaces > nginx:80": "dropped",
    "client1 > nginx:80": "allowed",
  });
});

test("staged policies decide nothing", () => {
  const staged = calico("StagedGlobalNetworkPolicy", "next", { ...forNginx, ingress: [] });
  expect(verdicts([...nginx, deployment("web"), staged])["web > nginx:80"]).toBe("allowed");
});

describe("what a rule says of a Service", () => {
  const to = (name: string) =>
    calico("NetworkPolicy", "to-service", {
      ...{ selector: "app == 'web'", types: ["Egress"] },
      egress: [{ action: "Allow", destination: { services: { name } } }],
    });
  const from = (name: string) =>
    calico("NetworkPolicy", "from-service", {
      ...forNginx,
      ingress: [{ action: "Allow", source: { services: { name } } }],
    });
  const web = deployment("web");
  const other = deployment("other");
  const http = (name: string, more: object) =>
    deployment(name, { ports: [{ name: "http", containerPort: 8080 }], ...more });
  const named = { ports: [{ port: 80, targetPort: "http" }] };

  test("is of the pods that the declared Service selects, and of the ports behind it", () => {
    expect(verdicts([...nginx, web, other, to("nginx")])).toMatchObject({
      "web > nginx:80": "allowed",
      "web > pods other:80": "dropped",
      "other > nginx:80": "allowed",
    });
    const more = service("more", { selector: { app: "nginx" }, ports: [{ port: 9090 }] });
    expect(verdicts([...nginx, web, more, to("nginx")])).toMatchObject({
      "web > nginx:80": "allowed",
      "web > more:9090": "dropped",
    });
    expect(verdicts([http("api", {}), service("api", named), web, to("api")])["web > api:80"]).toBe("allowed");
  });

  test("as a source is of all that the pods send, and of nobody else", () => {
    const rows = rowsOf([...nginx, web, other, service("web"), from("web")]);
    const verdict = (pair: string) => rows.get(pair)?.verdict;
    expect(verdict("web > nginx:80")).toBe("allowed");
    expect(verdict("other > nginx:80")).toBe("dropped");
    expect(verdict("client1 > nginx:80")).toBe("dropped");
    expect(verdict("other pods of default > nginx:80")).toBe("dropped");
    expect(rows.get("other > nginx:80")?.policies).toEqual(["Calico NetworkPolicy default/from-service"]);
  });

  test.each([
    ["that is not declared", [], "elsewhere"],
    ["without a selector", [service("elsewhere", { selector: {} })], "elsewhere"],
    ["that is another name", [service("elsewhere", { type: "ExternalName" })], "elsewhere"],
    [
      "whose port has several numbers",
      [
        http("a", {}),
        http("b", { labels: { app: "a" }, ports: [{ name: "http", containerPort: 81 }] }),
        service("a", named),
      ],
      "a",
    ],
    ["whose port has no number yet", [service("elsewhere", named)], "elsewhere"],
    ["with pods in the host's network", [{ ...deployment("host"), ...hostNetwork("host") }, service("host")], "host"],
  ])("%s depends on its endpoints", (_, objects, name) => {
    expect(verdicts([...nginx, web, ...objects, to(name)])["web > nginx:80"]).toBe("depends");
    expect(verdicts([...nginx, web, ...objects, from(name)])["web > nginx:80"]).toBe("depends");
    expect(verdicts([...nginx, web, ...objects])["web > nginx:80"]).toBe("allowed");
  });
});

function hostNetwork(app: string): object {
  const template = { metadata: { labels: { app } }, spec: { hostNetwork: true, containers: [{ image: "a" }] } };
  return { spec: { replicas: 1, template } };
}
