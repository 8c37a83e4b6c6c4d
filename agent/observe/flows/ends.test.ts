import { expect, test } from "vitest";
import { namespace, node, pod, serviceAccount } from "../../../model/objects/core.ts";
import { Ends, Outside } from "./ends.ts";

const objects = () => ({
  nodes: [
    node.parse({
      metadata: { name: "master" },
      status: { addresses: [{ type: "InternalIP", address: "172.31.1.8" }] },
    }),
  ],
  services: [],
  serviceAccounts: [serviceAccount.parse({ metadata: { name: "runner", namespace: "shop", labels: { role: "web" } } })],
  namespaces: [namespace.parse({ metadata: { name: "shop", labels: { team: "a" } } })],
  pods: [
    pod.parse({
      metadata: {
        name: "web-6d4cf56db6-x7k2p",
        namespace: "shop",
        labels: { app: "web", "pod-template-hash": "6d4cf56db6" },
      },
      spec: {
        nodeName: "master",
        serviceAccountName: "runner",
        containers: [{ ports: [{ name: "http", containerPort: 8080 }] }],
      },
      status: { podIPs: [{ ip: "10.244.0.5" }, { ip: "fd00::5" }] },
    }),
    pod.parse({
      metadata: { name: "big", namespace: "shop", labels: { app: "x".repeat(5000) } },
      spec: { containers: [] },
      status: { podIPs: [{ ip: "10.244.0.6" }] },
    }),
    pod.parse({
      metadata: { name: "done", namespace: "shop" },
      spec: { containers: [] },
      status: { phase: "Succeeded", podIPs: [{ ip: "10.244.0.7" }] },
    }),
  ],
});

test("addresses have the names of pods' workloads with their labels, and of nodes", () => {
  const same = objects();
  const ends = new Ends(() => same);
  expect(ends.inside("fd00::5")?.end).toEqual({
    kind: "pods",
    namespace: "shop",
    workload: "web",
    labels: { app: "web" },
    namespaceLabels: { team: "a" },
    serviceAccount: "runner",
    serviceAccountLabels: { role: "web" },
    ports: [{ name: "http", protocol: "TCP", port: 8080 }],
  });
  expect(ends.inside("172.31.1.8")?.end).toEqual({ kind: "node", name: "master", addresses: ["172.31.1.8"] });
  expect(ends.inside("10.244.0.7")).toBeUndefined();
  expect(["10.244.0.5", "172.31.1.8", "10.244.0.6"].map((one) => ends.isOn("master", one))).toEqual([
    true,
    true,
    false,
  ]);
});

test("addresses that the node's object does not have are known of the node itself", () => {
  const own = { nodeName: "master", address: "172.31.1.8", localAddresses: ["10.9.0.8"] };
  const same = { ...objects(), own };
  const ends = new Ends(() => same);
  expect(ends.inside("10.9.0.8")?.end).toEqual({ kind: "node", name: "master", addresses: ["172.31.1.8"] });
  expect(ends.isOn("master", "10.9.0.8")).toBe(true);
});

test("labels that are too long for every line are left out, as not known", () => {
  const same = objects();
  expect(new Ends(() => same).inside("10.244.0.6")?.end).not.toHaveProperty("labels");
});

test("of very many addresses outside, blocks are recorded, and at last everybody", () => {
  const outside = new Outside(2);
  const found = new Set<string>();
  for (let index = 0; index < 10_000; index++) {
    const { end } = outside.end(`10.${index >> 8}.${index & 255}.7`, "to web");
    if (end.kind === "network") found.add(end.cidr);
  }
  expect(found.size).toBe(65);
  expect([...found].map((cidr) => cidr.split("/")[1])).toEqual([...Array(32).fill("32"), ...Array(32).fill("24"), "0"]);
  expect(outside.end("10.0.0.7", "to web").end).toEqual({ kind: "network", cidr: "10.0.0.7/32" });
  expect(outside.end("fd00::7", "to db").end).toEqual({ kind: "network", cidr: "fd00::7/128" });
  expect(outside.end("fd00::7", "to more").end).toEqual({ kind: "network", cidr: "::/0" });
});
