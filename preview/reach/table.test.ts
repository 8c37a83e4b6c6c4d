import { describe, expect, test } from "vitest";
import type { WrittenObject } from "../declared/objects.ts";
import { deployment, from, policy, scene, service } from "../testing/objects.ts";
import { castOf, type Scene } from "./cast.ts";
import { changeInWords, changesOf } from "./changes.ts";
import { reachTable } from "./table.ts";

function verdicts(objects: WrittenObject[], more: Partial<Scene> = {}): Record<string, string> {
  const rows = reachTable(castOf(scene(objects, more)));
  return Object.fromEntries(rows.map((row) => [`${row.from} > ${row.to}`, row.verdict]));
}

const nginx = [deployment("nginx", { node: "node" }), service("nginx")];

describe("reachTable()", () => {
  test("lets everybody in where no policy isolates", () => {
    expect(new Set(Object.values(verdicts(nginx)))).toEqual(new Set(["allowed"]));
  });

  test("judges clients by their addresses, pods by their labels", () => {
    const web = deployment("web");
    const rules = policy("p", "nginx", {
      ingress: [{ from: [{ ipBlock: { cidr: "172.31.1.55/32" } }, { podSelector: { matchLabels: { app: "web" } } }] }],
    });
    expect(verdicts([...nginx, web, rules])).toMatchObject({
      "client1 > nginx:80": "allowed",
      "client2 > nginx:80": "dropped",
      "web > nginx:80": "allowed",
      "other pods of default > nginx:80": "dropped",
      "pods of other namespaces > nginx:80": "dropped",
      "other addresses > nginx:80": "dropped",
      "client1 > pods web:80": "allowed",
    });
  });

  test("has a row more for a client whose IPv6 address is treated differently, and none for others", () => {
    const clients = [{ name: "client1", address: "172.31.1.55", addressIpv6: "fd00::55" }];
    const one = verdicts([...nginx, policy("p", "nginx", from("172.31.1.55/32"))], { clients });
    expect(one).toMatchObject({ "client1 > nginx:80": "allowed", "client1 over IPv6 > nginx:80": "dropped" });
    const both = verdicts([...nginx, policy("p", "nginx", from("172.31.1.55/32", "fd00::55/128"))], { clients });
    expect(both["client1 > nginx:80"]).toBe("allowed");
    expect(Object.keys(both).filter((row) => /IPv6|fd00/.test(row))).toEqual([]);
  });

  test("checks both ends: traffic that may enter must also be allowed to leave", () => {
    const quiet = policy("quiet", "web", { policyTypes: ["Egress"], egress: [] });
    const rows = verdicts([...nginx, deployment("web"), quiet], { nameService: true });
    expect(rows).toMatchObject({
      "web > nginx:80": "dropped",
      "web > kube-system/kube-dns:53/udp": "dropped",
      "client1 > nginx:80": "allowed",
      "kube-system/coredns > nginx:80": "allowed",
    });
  });

  test("with kube-proxy everybody from outside comes as the node by which they entered", () => {
    const rules = policy("p", "nginx", from("172.31.1.55/32"));
    expect(verdicts([...nginx, rules], { keepsSource: false })).toMatchObject({
      "client1 > nginx:80": "dropped",
      "client2 > nginx:80": "dropped",
    });
    const admitted = policy("p", "nginx", from("172.31.1.8/32"));
    expect(verdicts([...nginx, admitted], { keepsSource: false })["client2 > nginx:80"]).toBe("allowed");
    const local = [deployment("nginx"), service("nginx", { externalTrafficPolicy: "Local" }), rules];
    expect(verdicts(local, { keepsSource: false })["client1 > nginx:80"]).toBe("allowed");
  });

  test("a block inside a pool depends on the address that a pod will get", () => {
    const rules = policy("p", "nginx", from("10.244.0.0/24"));
    expect(verdicts([...nginx, deployment("web"), rules])["web > nginx:80"]).toBe("depends");
    const whole = policy("p", "nginx", from("10.0.0.0/8"));
    expect(verdicts([...nginx, deployment("web"), whole])["web > nginx:80"]).toBe("allowed");
  });

  test("finds named ports in the pods, and the port behind the service's", () => {
    const ports = [{ name: "http", containerPort: 8080 }];
    const objects = [
      deployment("nginx", { ports }),
      service("nginx", { ports: [{ port: 80, targetPort: "http", nodePort: 30604 }] }),
    ];
    const allow = (port: unknown) => policy("p", "nginx", { ingress: [{ ports: [{ port }] }] });
    expect(verdicts([...objects, allow(8080)])["client1 > nginx:80"]).toBe("allowed");
    expect(verdicts([...objects, allow("http")])["client1 > nginx:80"]).toBe("allowed");
    expect(verdicts([...objects, allow(80)])["client1 > nginx:80"]).toBe("dropped");
  });

  test("shows targets without a way in, and services without pods", () => {
    const rows = verdicts([deployment("nginx"), service("nginx", { type: "ClusterIP", ports: [{ port: 80 }] })]);
    expect(rows).toMatchObject({ "client1 > nginx:80": "no way in", "other pods of default > nginx:80": "allowed" });
    expect(verdicts([service("ghost")])["client1 > ghost:80"]).toBe("rejected");
  });

  test("several kinds of pods behind one service that are judged differently depend on which answers", () => {
    const labels = { app: "nginx" };
    const canary = deployment("canary", { labels: { ...labels, track: "canary" } });
    const closed = {
      ...policy("closed", "nginx", {}),
      spec: { podSelector: { matchLabels: { track: "canary" } }, ingress: [] },
    };
    const row = reachTable(castOf(scene([...nginx, canary, closed]))).find((one) => one.to === "nginx:80");
    expect(row).toMatchObject({ verdict: "depends", policies: ["NetworkPolicy default/closed"] });
  });

  test("does not depend on the order of the program", () => {
    const objects = [...nginx, deployment("web"), policy("p", "nginx", from("172.31.1.55/32")), service("web")];
    const cast = (all: WrittenObject[]) => castOf(scene(all));
    expect(reachTable(cast([...objects].reverse()))).toEqual(reachTable(cast(objects)));
  });
});

describe("changesOf()", () => {
  const table = (...objects: WrittenObject[]) => reachTable(castOf(scene([...nginx, ...objects])));
  const told = (before: WrittenObject[], after: WrittenObject[]) =>
    changesOf(table(...before), table(...after)).map(changeInWords);

  test("shows pairs whose verdict changed", () => {
    const only1 = policy("p", "nginx", from("172.31.1.55/32"));
    expect(told([], [only1])).toContain("client2 → nginx:80 was allowed, will be dropped");
    expect(told([], [only1])).not.toContain(expect.stringContaining("client1 →"));
    expect(told([only1], [])).toContain("client2 → nginx:80 was dropped, will be allowed");
    expect(told([only1], [only1])).toEqual([]);
  });

  test("shows new pairs, and those that are no longer declared", () => {
    expect(told([], [deployment("web")])).toContain("client1 → pods web:80 is new, will be allowed");
    expect(told([deployment("web")], [])).toContain("client1 → pods web:80 was allowed, is no longer declared");
  });
});
