import { describe, expect, test } from "vitest";
import { kindNames } from "../../model/objects/kinds.ts";
import { ProblemReporter, problemText } from "./problem-reporter.ts";
import { SnapshotStore } from "./snapshot-store.ts";

const pod = (name: string, more: object = {}) => ({
  metadata: { name, namespace: "default", managedFields: [{ manager: "kubelet" }], resourceVersion: "7", ...more },
  spec: { nodeName: "node", containers: [{ name: "c", image: "nginx", env: [{ name: "A", value: "b" }] }] },
  status: { phase: "Running", podIPs: [{ ip: "10.244.0.66" }], conditions: [{ type: "Ready" }] },
});

function counted() {
  const count = { changes: 0 };
  const store = new SnapshotStore(() => {
    count.changes++;
  });
  return { store, count };
}

describe("SnapshotStore", () => {
  test("is complete only when every kind was listed", () => {
    const { store } = counted();
    for (const name of kindNames.slice(1)) store.replace(name, []);
    expect(store.missing()).toEqual([kindNames[0]]);
    expect(store.complete).toBe(false);
    store.replace("nodes", []);
    expect(store.complete).toBe(true);
  });

  test("keeps what the agent reads and nothing else", () => {
    const { store } = counted();
    store.put("pods", pod("a"));
    expect(JSON.stringify(store.list("pods"))).not.toMatch(/managedFields|image|env|conditions|resourceVersion/);
  });

  test("a change in nothing the agent reads is no change", () => {
    const { store, count } = counted();
    store.put("pods", pod("a"));
    const [before, list] = [store.list("pods")[0], store.list("pods")];
    store.put("pods", { ...pod("a", { resourceVersion: "8" }) });
    expect(count.changes).toBe(1);
    expect(store.list("pods")).toBe(list);
    store.put("pods", pod("a", { labels: { app: "web" } }));
    expect(count.changes).toBe(2);
    expect(store.list("pods")[0]).not.toBe(before);
  });

  test("a complete list removes objects that are not in it", () => {
    const { store } = counted();
    store.replace("pods", [pod("a"), pod("b")]);
    const b = store.list("pods")[1];
    store.replace("pods", [pod("b"), pod("c")]);
    expect(store.list("pods").map(({ metadata }) => metadata.name)).toEqual(["b", "c"]);
    expect(store.list("pods")[0]).toBe(b);
  });

  test("unsupported values are refused with a message", () => {
    const { store } = counted();
    store.put("globalNetworkPolicies", {
      metadata: { name: "deny" },
      spec: { ingress: [{ action: "Allow", http: {} }] },
    });
    const [problem] = store.problems();
    expect(problem && problemText(problem)).toMatch(/^GlobalNetworkPolicy deny, spec.*: not supported/);
  });

  test("finds the object of a problem, with its uid for the Event", () => {
    const { store } = counted();
    store.put("ipPools", { metadata: { name: "p", uid: "u-1" }, spec: { cidr: "fd00::/64", ipipMode: "Always" } });
    const [problem] = store.problems();
    expect(problem).toMatchObject({ kind: "IPPool", name: "p", path: "spec.ipipMode" });
    expect(problem && store.reference(problem)).toMatchObject({ kind: "IPPool", name: "p", uid: "u-1" });
  });

  test("of two kinds with one name each finds its own object", () => {
    const { store } = counted();
    const named = { metadata: { name: "p", namespace: "shop" }, spec: { unknown: true } };
    store.put("networkPolicies", { ...named, metadata: { ...named.metadata, uid: "kubernetes" } });
    store.put("calicoNetworkPolicies", { ...named, metadata: { ...named.metadata, uid: "calico" } });
    const problems = store.problems();
    expect(problems.map((problem) => store.reference(problem)?.uid)).toEqual(["kubernetes", "calico"]);
    expect(problems.map((problem) => problemText(problem).split(",")[0])).toEqual([
      "NetworkPolicy shop/p",
      "NetworkPolicy.projectcalico.org shop/p",
    ]);
  });

  test("an object with a hundred thousand faults is no hundred thousand Events, and no long one", () => {
    const { store } = counted();
    const annotations = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`!${index}`, ""]));
    const unknown = Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`unknown-${index}`, 1]));
    const ingress = [
      { action: "Allow", metadata: { annotations } },
      { action: "Allow", ...unknown },
    ];
    store.put("calicoNetworkPolicies", { metadata: { name: "huge", namespace: "shop" }, spec: { ingress } });
    const problems = store.problems();
    expect(problems.length).toBe(11);
    expect(problems.at(-1)?.message).toMatch(/^and 9999\d more faults of this object/);
    store.put("calicoNetworkPolicies", { metadata: { name: "keys", namespace: "shop" }, spec: unknown });
    const [long] = store.problems().filter(({ name }) => name === "keys");
    expect(long?.message).toMatch(/^.{799}…; it .*is fixed\.$|; .*\.$/);
    expect(long?.message.length).toBeLessThan(1_024);
  });

  test("a problem disappears with its object", () => {
    const { store } = counted();
    const broken = { metadata: { name: "p" }, spec: { cidr: "10.0.0.0" } };
    store.put("ipPools", broken);
    expect(store.problems().length).toBe(1);
    store.remove("ipPools", broken);
    expect(store.problems()).toEqual([]);
  });
});

test("ProblemReporter reports each problem once, and when it is gone", () => {
  const lines: string[] = [];
  const say = (_: object, message: string) => void lines.push(message);
  const published: string[] = [];
  const reporter = new ProblemReporter({ info: say, warn: say, error: say }, ({ name }) => published.push(name));
  const problem = {
    kind: "Service",
    namespace: "default",
    name: "dns",
    path: "spec.ports[0].protocol",
    message: "no.",
  };
  reporter.report([problem]);
  reporter.report([{ ...problem }]);
  reporter.report([]);
  expect(lines).toEqual([
    "Service default/dns, spec.ports[0].protocol: no.",
    "no longer: Service default/dns, spec.ports[0].protocol: no.",
  ]);
  expect(published).toEqual(["dns"]);
});
