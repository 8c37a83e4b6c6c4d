import { expect, test } from "vitest";
import { nodeDirectory } from "../../node/nodes.ts";
import { ipPool } from "../../objects/calico.ts";
import { node, pod, type Service, service } from "../../objects/core.ts";
import { type EndpointSlice, endpointSlice } from "../../objects/discovery.ts";
import { judgePools } from "../../pool/claims.ts";
import { unusedPools, workloadPools } from "../../pool/uses.ts";
import { externalIpPolicy } from "../external-ips.ts";
import { frontendRules } from "../frontend-rules.ts";
import { type AnnouncerObjects, Announcers } from "./announcers.ts";
import { ADDRESSES, balance, REQUEST_LIMIT, SHARING } from "./claimants.ts";

const facts = {
  nodeName: "one",
  address: "172.31.1.8",
  subnets: ["172.31.1.0/24"],
  localAddresses: [],
  serviceSubnet: "10.96.0.0/12",
  loadBalancer: true,
};
const nodes = ["one", "two", "three"].map((name, index) =>
  node.parse({ metadata: { name }, status: { addresses: [{ type: "InternalIP", address: `172.31.1.${8 + index}` }] } }),
);
const directory = nodeDirectory(nodes, facts);
const poolNamed = (name: string, spec: object) => ipPool.parse({ metadata: { name }, spec });
const lb = poolNamed("lb", { cidr: "172.31.1.240/28", allowedUses: ["LoadBalancer"] });
const pods = poolNamed("pods", { cidr: "10.244.0.0/16" });
const pools = judgePools([lb, pods], facts);

function balanced(name: string, spec: object = {}, held: readonly object[] = [], annotations = {}): Service {
  return service.parse({
    metadata: { name, namespace: "default", annotations },
    spec: { type: "LoadBalancer", clusterIPs: ["10.96.0.10"], ports: [{ port: 80 }], ...spec },
    status: { loadBalancer: { ingress: held } },
  });
}
const given = (...services: Service[]) => balance(services, pools, directory);
const announcers = (services: Service[], endpointSlices: EndpointSlice[] = [], all = nodes, at = directory) =>
  new Announcers().of({ services, endpointSlices, nodes: all, pods: [] }, at, () => true);
const change = (name: string, ...addresses: string[]) => ({ namespace: "default", name, addresses });

test("a Service without a class, or with this dataplane's, gets an address; others are left alone", () => {
  const { changes, problems } = given(
    balanced("a"),
    balanced("b", { loadBalancerClass: "ebpf-dataplane.io/load-balancer" }),
    balanced("c", { loadBalancerClass: "example.com/other" }),
    balanced("d", { type: "NodePort" }),
  );
  expect(changes).toEqual([change("a", "172.31.1.240"), change("b", "172.31.1.241")]);
  expect(problems).toEqual([]);
});

test("a status that is right is not written, and another controller's entries are replaced", () => {
  expect(given(balanced("a", {}, [{ ip: "172.31.1.245", ipMode: "VIP" }])).changes).toEqual([]);
  expect(given(balanced("a", {}, [{ ip: "203.0.113.9" }])).changes).toEqual([change("a", "172.31.1.240")]);
  expect(given(balanced("a", {}, [{ hostname: "example.com" }])).changes).toEqual([change("a", "172.31.1.240")]);
});

test("without a pool nothing is written", () => {
  expect(balance([balanced("a", {}, [{ ip: "203.0.113.9" }])], judgePools([pods], facts), directory).changes).toEqual(
    [],
  );
});

test("spec.loadBalancerIP and the annotation ask for addresses, the annotation first", () => {
  const annotations = { [ADDRESSES]: "172.31.1.250, 172.31.1.251" };
  expect(given(balanced("a", { loadBalancerIP: "172.31.1.249" })).changes).toEqual([change("a", "172.31.1.249")]);
  expect(given(balanced("a", { loadBalancerIP: "172.31.1.249" }, [], annotations)).changes).toEqual([
    change("a", "172.31.1.250", "172.31.1.251"),
  ]);
});

test("what is asked for and not given is said with its field; what the Service has stays", () => {
  const { changes, problems } = given(
    balanced("a", { loadBalancerIP: "203.0.113.9" }),
    balanced("b", {}, [{ ip: "172.31.1.245" }], { [ADDRESSES]: "fd00::1" }),
  );
  expect(changes).toEqual([]);
  expect(problems).toMatchObject([
    { kind: "Service", name: "a", path: "spec.loadBalancerIP" },
    { kind: "Service", name: "b", path: `metadata.annotations[${ADDRESSES}]` },
  ]);
  expect(problems[0]?.message).toContain("203.0.113.9 is in no IPPool with allowedUses: [LoadBalancer]");
  expect(problems[1]?.message).toContain("fd00::1 is an IPv6 address, and spec.ipFamilies has no IPv6");
  const [unreadable] = given(balanced("c", { loadBalancerIP: "192.0.2" })).problems;
  expect(unreadable?.message).toContain('"192.0.2" is no IP address');
});

test("one Service cannot ask for a whole pool", () => {
  const asking = (count: number) => {
    const all = Array.from({ length: count }, (_, index) => `172.31.1.${241 + index}`);
    return balanced("a", {}, [{ ip: "172.31.1.240" }], { [ADDRESSES]: `${all.join(", ")},` });
  };
  expect(given(asking(REQUEST_LIMIT)).changes[0]?.addresses).toHaveLength(REQUEST_LIMIT);
  const { changes, problems } = given(asking(REQUEST_LIMIT + 1), balanced("b"));
  expect(changes).toEqual([change("b", "172.31.1.241")]);
  expect(problems).toMatchObject([{ name: "a", path: `metadata.annotations[${ADDRESSES}]` }]);
  expect(problems[0]?.message).toContain("9 addresses are asked for, and one Service may ask for 8");
});

test("what a Service has is given to no other, when its request cannot be read, is wrong, or another proxy is to serve it", () => {
  const held = [{ ip: "172.31.1.240" }];
  const asking = (text: string) => balanced("a", {}, held, { [ADDRESSES]: text });
  const { metadata, ...rest } = balanced("a", {}, held);
  const left = { ...rest, metadata: { ...metadata, labels: { "service.kubernetes.io/service-proxy-name": "other" } } };
  for (const holder of [asking("nonsense"), asking("fd00::1"), asking("203.0.113.9"), left])
    expect(given(holder, balanced("b")).changes).toEqual([change("b", "172.31.1.241")]);
});

const lb6 = poolNamed("lb6", { cidr: "2001:db8::f0/124", blockSize: 128, allowedUses: ["LoadBalancer"] });
const bothPools = judgePools([lb, lb6, pods], facts);
const dual = { ipFamilies: ["IPv6", "IPv4"], ipFamilyPolicy: "PreferDualStack" };

test("a Service gets an address of each of its families, in their order", () => {
  const { changes, problems } = balance(
    [balanced("a", dual), balanced("b", { ipFamilies: ["IPv6"] }), balanced("c")],
    bothPools,
    directory,
  );
  expect(changes).toEqual([
    change("a", "2001:db8::f0", "172.31.1.240"),
    change("b", "2001:db8::f1"),
    change("c", "172.31.1.241"),
  ]);
  expect(problems).toEqual([]);
});

test("a request names addresses of both families, or of one: the other is any", () => {
  const asked = { ...dual, loadBalancerIP: "172.31.1.250" };
  expect(balance([balanced("a", asked)], bothPools, directory).changes).toEqual([
    change("a", "2001:db8::f0", "172.31.1.250"),
  ]);
  const annotations = { [ADDRESSES]: "172.31.1.251,2001:DB8::FE" };
  expect(balance([balanced("a", dual, [], annotations)], bothPools, directory).changes).toEqual([
    change("a", "2001:db8::fe", "172.31.1.251"),
  ]);
  const taken = [balanced("a", dual, [], annotations), balanced("b", dual, [], { [ADDRESSES]: "2001:db8::fe" })];
  const { changes, problems } = balance(taken, bothPools, directory);
  expect(changes[1]).toEqual(change("b", "172.31.1.240"));
  expect(problems).toMatchObject([{ name: "b", path: `metadata.annotations[${ADDRESSES}]` }]);
  expect(problems[0]?.message).toContain("2001:db8::fe belongs to Service default/a");
});

test("an address of a family that the Service no longer has is given back", () => {
  const held = [{ ip: "2001:db8::f5" }, { ip: "172.31.1.240" }];
  expect(balance([balanced("a", dual, held)], bothPools, directory).changes).toEqual([]);
  expect(balance([balanced("a", { ipFamilies: ["IPv4"] }, held)], bothPools, directory).changes).toEqual([
    change("a", "172.31.1.240"),
  ]);
});

test("a family without a pool is said where the Service needs it, and what it has of it stays", () => {
  const { changes, problems } = given(
    balanced("a", { ...dual, ipFamilies: ["IPv4", "IPv6"] }),
    balanced("b", { ...dual, ipFamilyPolicy: "RequireDualStack" }, [{ ip: "2001:db8::f5" }]),
  );
  expect(changes).toEqual([change("a", "172.31.1.240"), change("b", "2001:db8::f5", "172.31.1.241")]);
  expect(problems).toMatchObject([{ name: "b", path: "spec.ipFamilies" }]);
  expect(problems[0]?.message).toContain("no IPPool with allowedUses: [LoadBalancer] has IPv6 addresses");
});

test("a key shares an address in its namespace", () => {
  const annotations = { [SHARING]: "web" };
  const { changes } = given(
    balanced("a", {}, [], annotations),
    balanced("b", { ports: [{ port: 443 }] }, [], annotations),
  );
  expect(changes).toEqual([change("a", "172.31.1.240"), change("b", "172.31.1.240")]);
});

test("nodes of an address: all that external load balancers use, or those with an endpoint for Local", () => {
  const slice = endpointSlice.parse({
    metadata: { name: "a-1", namespace: "default", labels: { "kubernetes.io/service-name": "a" } },
    addressType: "IPv4",
    endpoints: [
      { addresses: ["10.244.0.2"], nodeName: "two" },
      { addresses: ["10.244.0.3"], nodeName: "three", conditions: { ready: false } },
    ],
  });
  const held = [{ ip: "172.31.1.240" }, { ip: "2001:db8::f0" }];
  const of = (spec: object, slices = [slice], at = directory) =>
    announcers([balanced("a", spec, held)], slices, nodes, at);
  const local = { externalTrafficPolicy: "Local" };
  expect(of({}).get("172.31.1.240")?.toSorted()).toEqual(["one", "three", "two"]);
  expect(of(local).get("172.31.1.240")).toEqual(["two"]);
  expect(of(local).get("2001:db8::f0")).toEqual([]);
  // As its backends are placed: a node's own address is that node's, whatever the slice says.
  expect(of(local, [slice], { ...directory, nodeOf: () => "one" }).get("172.31.1.240")).toEqual(["one"]);
  const serving = { ready: false, serving: true, terminating: true };
  const ending = { ...slice, endpoints: [{ addresses: ["10.244.0.2"], nodeName: "two", conditions: serving }] };
  expect(of(local, [ending]).get("172.31.1.240")).toEqual(["two"]);
});

test("after each change the nodes of addresses are those of a fresh look, and of others the same objects", () => {
  const kept = new Announcers();
  const [pools, at] = [() => true, directory];
  const sliceOf = (name: string, nodeName?: string) =>
    endpointSlice.parse({
      metadata: { name: `${name}-1`, namespace: "default", labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      endpoints: [{ addresses: ["10.244.0.2"], nodeName }],
    });
  const podAt = (nodeName: string) =>
    pod.parse({
      metadata: { name: "p", namespace: "default" },
      spec: { nodeName, containers: [{}] },
      status: { phase: "Running", podIPs: [{ ip: "10.244.0.2" }] },
    });
  const local = (name: string, ip: string) => balanced(name, { externalTrafficPolicy: "Local" }, [{ ip }]);
  const [a, b] = [local("a", "172.31.1.240"), local("b", "172.31.1.241")];
  const [sliceB, some] = [sliceOf("b", "three"), balanced("c", {}, [{ ip: "172.31.1.242" }])];
  let all: AnnouncerObjects = { services: [a, b, some], endpointSlices: [sliceB], nodes, pods: [] };
  const ofB = kept.of(all, at, pools).get("172.31.1.241");
  expect(ofB).toEqual(["three"]);
  const changes: (Partial<AnnouncerObjects> & { readonly asks?: boolean })[] = [
    { endpointSlices: [sliceB, sliceOf("a", "one")] },
    { endpointSlices: [sliceB, sliceOf("a")], asks: true },
    { pods: [podAt("two")], asks: true },
    { pods: [podAt("one")], asks: true },
    { endpointSlices: [sliceB] },
    { services: [balanced("a", {}, [{ ip: "172.31.1.240" }]), b, some] },
  ];
  for (const { asks = false, ...change } of changes) {
    all = { ...all, ...change };
    const now = kept.of(all, at, pools);
    expect(now).toEqual(new Announcers().of(all, at, pools));
    expect(kept.asksPods).toBe(asks);
    expect(now.get("172.31.1.241")).toBe(ofB);
  }
  all = { ...all, nodes: nodes.slice(0, 2) };
  expect(kept.of(all, at, pools)).toEqual(new Announcers().of(all, at, pools));
});

test("nodes that are not ready are the last to try", () => {
  const unready = ["u1", "u2", "u3"].map((name) =>
    node.parse({ metadata: { name }, status: { conditions: [{ type: "Ready", status: "Unknown" }] } }),
  );
  const service = balanced("a", {}, [{ ip: "172.31.1.240" }]);
  const order = announcers([service], [], [...unready, ...nodes]).get("172.31.1.240");
  expect(order?.slice(0, 3).toSorted()).toEqual(["one", "three", "two"]);
  expect(order?.slice(3).toSorted()).toEqual(["u1", "u2", "u3"]);
});

test("addresses spread over the nodes", () => {
  const services = Array.from({ length: 60 }, (_, index) => balanced(`a${index}`, {}, [{ ip: `192.0.2.${index}` }]));
  const first = [...announcers(services).values()].map(([name]) => name);
  for (const { metadata } of nodes) expect(first.filter((name) => name === metadata.name).length).toBeGreaterThan(8);
});

test("no pod has an address of such a pool, and it is no exception from natOutgoing", () => {
  expect(workloadPools(pools).accepted.map(({ object }) => object.metadata.name)).toEqual(["pods"]);
});

test("a pool from which no addresses are assigned is reported", () => {
  expect(unusedPools(pools, facts)).toEqual([]);
  expect(unusedPools(pools, { ...facts, loadBalancer: false })).toMatchObject([
    { kind: "IPPool", name: "lb", path: "spec.allowedUses" },
  ]);
});

test("an address in a status is served if the Service's load balancer may give it", () => {
  const rulesOf = (loadBalancer: boolean) =>
    frontendRules(pools, [], externalIpPolicy(undefined), nodeDirectory(nodes, { ...facts, loadBalancer }));
  const key = (address: string) => ({ address, port: 80, protocol: 6 });
  const [own, other] = [balanced("a"), balanced("a", { loadBalancerClass: "example.com/other" })];
  const on = rulesOf(true);
  expect(on.refusal("load balancer", key("172.31.1.240"), own)).toBeUndefined();
  expect(on.refusal("load balancer", key("203.0.113.9"), other)).toBeUndefined();
  expect(on.refusal("load balancer", key("203.0.113.9"), own)).toContain(
    "in no IPPool with allowedUses: [LoadBalancer]",
  );
  expect(on.refusal("load balancer", key("172.31.1.240"), other)).toContain("whose addresses the agents assign");
  expect(on.refusal("external IP", key("172.31.1.240"), own)).toContain("whose addresses the agents assign");
  expect(on.refusal("load balancer", key("10.244.0.9"), own)).toContain("is a pod's");
  expect(rulesOf(false).refusal("load balancer", key("203.0.113.9"), own)).toBeUndefined();
});
