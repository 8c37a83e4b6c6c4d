import { describe, expect, test } from "vitest";
import { askedOf, type Known } from "./filter-names.ts";

const named = (namespace: string, name: string, labels = {}) => ({ metadata: { namespace, name, labels } });
const known: Known = {
  pods: [
    named("shop", "web-6d4cf56db6-x7k2p", { "pod-template-hash": "6d4cf56db6" }),
    named("shop", "api", {}),
    named("db", "pg-0", { "statefulset.kubernetes.io/pod-name": "pg-0" }),
  ],
  services: [named("shop", "api"), named("db", "pg"), named("monitor", "web")],
  nodes: [{ metadata: { name: "master" } }, { metadata: { name: "node" } }],
  namespaces: ["shop", "db", "monitor", "client2", "node"],
  policies: ["shop/web", "deny-db", "db/pg"],
  machines: [
    { name: "master", address: "172.31.1.8" },
    { name: "client1", address: "172.31.1.55", addressIpv6: "fd00::55" },
    { name: "client2", address: "172.31.1.162" },
  ],
};

describe("names as people write them", () => {
  test.each([
    ["shop/web", ["pod/shop/web"]],
    ["shop/web-6d4cf56db6-x7k2p", ["pod/shop/web-6d4cf56db6-x7k2p"]],
    ["shop/api", ["pod/shop/api", "service/shop/api"]],
    ["pod/shop/api", ["pod/shop/api"]],
    ["service/shop/api", ["service/shop/api"]],
    ["db/pg", ["pod/db/pg", "service/db/pg"]],
    ["shop", ["namespace/shop"]],
    ["namespace/node", ["namespace/node"]],
    ["master", ["node/master"]],
    ["client1", ["172.31.1.55", "fd00::55"]],
    ["10.244.0.0/16", ["10.244.0.0/16"]],
    ["fd00::1", ["fd00::1"]],
  ])("--to %s asks for %j", (word, expected) => {
    expect(askedOf({ to: [word] }, known).to).toEqual(expected);
  });

  test("a Service sends nothing: its name stands for the pod", () => {
    expect(askedOf({ from: ["shop/api"] }, known).from).toEqual(["pod/shop/api"]);
  });

  test("words of one option are alternatives, and the rest stays as it is", () => {
    const asked = askedOf({ from: ["client1", "shop"], service: ["shop/api:http"], refused: true, dns: false }, known);
    expect(asked).toMatchObject({ from: ["172.31.1.55", "fd00::55", "namespace/shop"], refused: true, dns: false });
    expect(asked.service).toEqual(["service/shop/api"]);
  });

  test.each([
    [{ from: ["clinet1"] }, 'there is no namespace, node or client "clinet1"; did you mean "client1"?'],
    [{ from: ["client2"] }, '"client2" has several meanings; allowed: 172.31.1.162, namespace/client2'],
    [{ to: ["node"] }, '"node" has several meanings; allowed: node/node, namespace/node'],
    [{ to: ["shop/wbe"] }, 'there is no pod, workload or Service "shop/wbe"; did you mean "shop/web"?'],
    [{ from: ["monitor/web"] }, 'there is no pod or workload "monitor/web"'],
    [{ to: ["10.0.0.0/33"] }, '"10.0.0.0/33" is no CIDR; allowed: for example 10.244.0.0/16'],
    [{ to: ["node/masetr"] }, 'there is no node "masetr"; did you mean "master"?'],
    [{ service: ["web"] }, 'there is no Service "web"; did you mean monitor/web?'],
    [{ namespace: ["shpo"] }, 'there is no namespace "shpo"; did you mean "shop"?'],
    [{ policy: ["deny-bd"] }, 'there is no policy "deny-bd"; did you mean "deny-db"?'],
    [{ policy: ["pg"] }, 'there is no policy "pg"; did you mean db/pg?'],
  ])("%j is refused", (filter, message) => {
    expect(() => askedOf(filter, known)).toThrow(message);
  });
});
