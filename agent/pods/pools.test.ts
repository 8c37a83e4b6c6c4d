import { expect, test } from "vitest";
import { ipPool, ipReservation } from "../../model/objects/calico.ts";
import { namespace, node, pod } from "../../model/objects/core.ts";
import type { ClusterObjects } from "../compile/snapshot.ts";
import { Rounds } from "../pass/rounds.ts";
import { PodPools, reservedIn } from "./pools.ts";

const wanted = { namespace: "shop", pod: "web", uid: "u1" };
const V4 = "cni.projectcalico.org/ipv4pools";

/** A store whose objects are given one by one, as watches bring them. */
function agentWith(refused: string[] = [], podCIDRs?: string[]) {
  const objects = new Map<keyof ClusterObjects, unknown[]>();
  const rounds = new Rounds(async () => "done");
  let families: readonly ("IPv4" | "IPv6")[] | undefined = ["IPv4"];
  const pools = new PodPools({
    node: "node",
    store: { list: (kind) => (objects.get(kind) ?? []) as never },
    rounds,
    refused: () => ({ ipPools: new Set(refused), ipamBlocks: new Set() }),
    families: () => families ?? ["IPv4"],
    knowsFamilies: () => families !== undefined,
    hostLocal: podCIDRs !== undefined,
  });
  const arrives = (kind: keyof ClusterObjects, object: unknown) => {
    objects.set(kind, [...(objects.get(kind) ?? []), object]);
    rounds.trigger();
  };
  arrives("ipPools", ipPool.parse({ metadata: { name: "all" }, spec: { cidr: "10.1.0.0/16" } }));
  arrives("ipPools", ipPool.parse({ metadata: { name: "six" }, spec: { cidr: "fd00:1::/64" } }));
  const rack = { cidr: "10.2.0.0/16", blockSize: 28, nodeSelector: "rack == '1'" };
  arrives("ipPools", ipPool.parse({ metadata: { name: "rack" }, spec: rack }));
  arrives("nodes", node.parse({ metadata: { name: "node", labels: { rack: "1" } }, spec: { podCIDRs } }));
  const looks = (at: typeof families) => {
    families = at;
    rounds.trigger();
  };
  return { pools, arrives, looks };
}
const webPod = (uid: string, annotations = {}) =>
  pod.parse({ metadata: { name: "web", namespace: "shop", uid, annotations }, spec: {} });
const shop = (annotations = {}) => namespace.parse({ metadata: { name: "shop", annotations } });

test("pools are known once the pod that is meant and its namespace are", async () => {
  const { pools, arrives } = agentWith();
  let found: readonly { name: string }[] | undefined;
  const asking = pools.of(wanted).then((one) => {
    found = one;
  });
  arrives("pods", webPod("older", { [V4]: '["all"]' }));
  arrives("namespaces", shop());
  await new Promise(setImmediate);
  expect(found).toBeUndefined();
  arrives("pods", webPod("u1"));
  await asking;
  expect(found).toEqual([
    { name: "all", cidr: "10.1.0.0/16", blockSize: 26 },
    { name: "rack", cidr: "10.2.0.0/16", blockSize: 28 },
  ]);
});

test("a pod waits until the node's families are known for the pools: else it would have no IPv6 address for its life", async () => {
  const { pools, arrives, looks } = agentWith();
  looks(undefined);
  arrives("namespaces", shop());
  arrives("pods", webPod("u1"));
  await expect(pools.of(wanted, 20)).rejects.toMatchObject({ code: 11 });
  const asking = pools.of(wanted);
  await new Promise(setImmediate);
  looks(["IPv4", "IPv6"]);
  expect((await asking).map(({ name }) => name)).toEqual(["all", "rack", "six"]);
});

test("a refused pool gives no addresses, and one that is named fails the call with the reason", async () => {
  const { pools, arrives } = agentWith(["all"]);
  arrives("namespaces", shop({ [V4]: '["all"]' }));
  arrives("pods", webPod("u1"));
  await expect(pools.of(wanted)).rejects.toMatchObject({
    code: 7,
    message: `No address for shop/web: Namespace shop, metadata.annotations[${V4}]: no IPPool of IPv4 is called "all"; IPv4 has rack.`,
  });
});

test("a pod that stays unknown is tried again later", async () => {
  const { pools } = agentWith();
  await expect(pools.of(wanted, 10)).rejects.toMatchObject({ code: 11, message: expect.stringContaining("shop/web") });
});

test("a pod that asks for an address gets that one, unless another pod or no pool of this node's families has it", async () => {
  const asking = (text: string) => {
    const one = agentWith();
    one.arrives("namespaces", shop());
    one.arrives("pods", webPod("u1", { "cni.projectcalico.org/ipAddrs": text }));
    one.arrives("pods", pod.parse({ metadata: { name: "db" }, spec: {}, status: { podIPs: [{ ip: "10.1.0.8" }] } }));
    return one.pools.of(wanted);
  };
  const place = "No address for shop/web: Pod web, metadata.annotations[cni.projectcalico.org/ipAddrs]: ";
  expect(await asking('["10.1.0.7"]')).toEqual([{ name: "all", cidr: "10.1.0.0/16", blockSize: 26, only: "10.1.0.7" }]);
  await expect(asking('["10.1.0.8"]')).rejects.toThrow("10.1.0.8 is the address of the pod db");
  await expect(asking('["10.9.0.8"]')).rejects.toThrow(`${place}10.9.0.8 is in no IPPool`);
  await expect(asking('["fd00:1::7"]')).rejects.toThrow("this node gives no IPv6 address like fd00:1::7");
});

test("reservations that come later are followed", () => {
  let list = [ipReservation.parse({ metadata: { name: "a" }, spec: { reservedCIDRs: ["10.1.0.0/30"] } })];
  const reserved = reservedIn({ list: () => list as never });
  expect([reserved().has("10.1.0.3"), reserved().has("10.1.0.4")]).toEqual([true, false]);
  list = [...list, ipReservation.parse({ metadata: { name: "b" }, spec: { reservedCIDRs: ["10.1.0.4"] } })];
  expect(reserved().has("10.1.0.4")).toBe(true);
});

test("with ipam HostLocal a pod gets addresses of its node's networks alone", async () => {
  const asking = (podCIDRs: string[], annotations = {}) => {
    const one = agentWith([], podCIDRs);
    one.arrives("namespaces", shop());
    one.arrives("pods", webPod("u1", annotations));
    return one.pools.of(wanted);
  };
  expect(await asking(["10.1.4.0/24", "10.2.4.0/24"])).toEqual([
    { name: "all", cidr: "10.1.4.0/24", blockSize: 26 },
    { name: "rack", cidr: "10.2.4.0/24", blockSize: 28 },
  ]);
  const named = { [V4]: '["rack"]' };
  expect(await asking(["10.1.4.0/24", "10.2.4.0/24"], named)).toEqual([
    { name: "rack", cidr: "10.2.4.0/24", blockSize: 28 },
  ]);
  await expect(asking(["10.1.4.0/24"], named)).rejects.toThrow(
    "No address for shop/web: no block of the IP pools rack (10.2.0.0/16) fits into spec.podCIDRs of node node (10.1.4.0/24; ipam HostLocal).",
  );
  const asked = { "cni.projectcalico.org/ipAddrs": '["10.1.5.7"]' };
  await expect(asking(["10.1.4.0/24"], asked)).rejects.toThrow("10.1.5.7 is not in spec.podCIDRs of node node");
  await expect(asking([])).rejects.toThrow("node node has no spec.podCIDRs of IPv4");
  expect(agentWith([], ["10.1.4.0/24"]).pools.serveNode()).toBe(true);
  expect(agentWith([], ["10.9.4.0/24"]).pools.serveNode()).toBe(false);
});

test("with ipam HostLocal a block outside the node's networks gives no more addresses", () => {
  const { pools } = agentWith([], ["10.1.4.0/24"]);
  const gives = (cidr: string, pool = "all") => pools.gives({ cidr, pool });
  expect([gives("10.1.4.64/26"), gives("10.1.5.0/26"), gives("10.1.4.0/26", "rack")]).toEqual([true, false, false]);
  expect(agentWith().pools.gives({ cidr: "10.1.5.0/26", pool: "all" })).toBe(true);
});
