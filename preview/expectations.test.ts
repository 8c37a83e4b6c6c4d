import { expect, test } from "vitest";
import { readChecks } from "../verify/format/read.ts";
import { holdExpectations } from "./expectations.ts";
import { deployment, from, policy, scene, service } from "./testing/objects.ts";

const nginx = [
  deployment("nginx", { node: "node" }),
  service("nginx"),
  policy("nginx", "nginx", from("172.31.1.55/32")),
];
const held = (text: string, more = {}) =>
  holdExpectations(scene(nginx, more), readChecks(`name: c\nsteps:\n${text}`, "c.yaml"));

const step = (from: string, to: string, verdict: string, rest = "") =>
  `  - ${rest}expect: [{from: ${from}, to: "${to}", verdict: ${verdict}}]\n`;

test("an expectation that the declared policies do not meet is reported with the deciding policy", () => {
  const wrong = held(step("client2", "tcp://172.31.1.8:30604", "allowed"));
  expect(wrong).toEqual({
    contradictions: [
      {
        check: "c",
        from: "client2",
        to: "tcp://172.31.1.8:30604",
        expected: "allowed",
        declared: "dropped",
        policies: ["NetworkPolicy default/nginx"],
      },
    ],
    met: 0,
    open: 0,
  });
  expect(held(step("client1", "tcp://node/master:30604", "allowed"))).toMatchObject({ contradictions: [], met: 1 });
});

test("a client is judged by its address of the destination's family", () => {
  const both = {
    clients: [{ name: "client1", address: "172.31.1.55", addressIpv6: "fd00::55" }],
    nodes: [{ name: "master", address: "172.31.1.8", addressIpv6: "fd00::8" }],
  };
  expect(held(step("client1", "tcp://172.31.1.8:30604", "allowed"), both)).toMatchObject({ met: 1 });
  expect(held(step("client1", "tcp://[fd00::8]:30604", "dropped"), both)).toMatchObject({ met: 1 });
});

test("objects that a check applies and deletes count from their step on", () => {
  const opening = `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: open, namespace: default}, spec: {podSelector: {}, ingress: [{}]}}`;
  const reference = `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: open, namespace: default}}`;
  const to = "tcp://172.31.1.8:30604";
  const text = [
    step("client2", to, "dropped"),
    step("client2", to, "allowed", `apply: [${opening}]\n    `),
    step("client2", to, "dropped", `delete: [${reference}]\n    `),
  ].join("");
  expect(held(text)).toEqual({ contradictions: [], met: 3, open: 0 });
});

test("pods are found by labels and by the name of their workload, services by their name", () => {
  expect(held(step("pod/default/app=nginx", "tcp://service/default/nginx:80", "dropped")).met).toBe(1);
  expect(held(step("client2", "tcp://pod/default/app=nginx:80", "dropped")).met).toBe(1);
  const dns = held(step("pod/default/app=nginx", "udp://service/kube-system/kube-dns:53", "dropped"), {
    nameService: true,
  });
  expect(dns.contradictions).toMatchObject([{ expected: "dropped", declared: "allowed" }]);
});

test("expectations that only a cluster can decide stay open", () => {
  expect(held(step("node/master", "tcp://172.31.1.8:30604", "allowed"))).toMatchObject({ met: 0, open: 1 });
  expect(held(step("client1", "tcp://web.example.com:80", "allowed"))).toMatchObject({ met: 0, open: 1 });
  expect(held(step("client1", "tcp://172.31.1.8:31000", "allowed"))).toMatchObject({ met: 0, open: 1 });
});
