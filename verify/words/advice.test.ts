import { expect, test } from "vitest";
import { expectationOf } from "../../components/documents/check.ts";
import type { Reason } from "../engine/reason.ts";
import { advice } from "./advice.ts";

const asked = (changed: object = {}) =>
  expectationOf({ from: "client1", to: "tcp://172.31.1.8:30604", verdict: "allowed", ...changed });
const first = (expectation: ReturnType<typeof asked>, ...reasons: Reason[]) => advice(expectation, reasons)[0];
const saw = { source: "172.31.1.8", allowed: ["client1"] };

test.each<[Reason, string]>([
  [{ code: "sourceRewritten", ...saw, node: "master", onServerNode: false }, "on node master: nft list ruleset"],
  [{ code: "replyDetour", node: "master", configured: "Tunnel" }, "kubectl get felixconfiguration default"],
  [{ code: "replyDetour", node: "master", kubeProxy: "kube-system/kube-proxy-a" }, "inspect connections"],
  [{ code: "unsent", from: "client1", why: "no route" }, "on client1: ip -brief link"],
  [{ code: "apiUnreachable", message: "away" }, "kubectl get nodes"],
  [{ code: "proberLost", message: "no pod", onNode: true }, "kubectl get nodes -o wide"],
  [{ code: "unresolved", message: "x does not resolve" }, "kubectl -n kube-system get pods -l k8s-app=kube-dns"],
  [{ code: "otherVerdict", observed: "dropped", expected: "allowed" }, "inspect outcomes"],
  [{ code: "otherVerdict", observed: "rejected", expected: "allowed" }, "kubectl get endpointslices -A"],
  [{ code: "otherSource", ...saw }, "inspect connections"],
])("%j is looked into where it shows", (reason, command) => expect(first(asked(), reason)).toContain(command));

test("what names pods and services of namespaces is looked into there, each once", () => {
  const named = asked({ from: "pod/web/app=a", to: "tcp://service/web/nginx:80" });
  expect(advice(named, [{ code: "missing", what: "pod web/a" }])).toEqual([
    "kubectl -n web get pods,services,endpointslices -o wide",
  ]);
});

test("a direct reply that is dropped may be the network's, and a connection that should not be is a policy's", () => {
  const dropped: Reason = { code: "otherVerdict", observed: "dropped", expected: "allowed" };
  expect(first(asked({ reply: "direct" }), dropped)).toContain("sourceDestCheck");
  const served: Reason = { code: "otherVerdict", observed: "allowed", expected: "dropped" };
  expect(first(asked({ verdict: "dropped" }), served)).toContain("inspect policies");
});
