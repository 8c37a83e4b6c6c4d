// Machines, pods and services without IPv4: the tunnels between the nodes are of IPv6 too.
import { afterAll, beforeAll, expect, test } from "vitest";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import { clientsIpv6, endpoints, type NodeName, nodesIpv6, onlyFrom, returnMode, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";

let cluster: BareCluster;
let web: Placed;
let near: Placed;
let far: Placed;

const slice = (name: string, protocol: string) => ({
  ...endpoints(name, [{ address: web.address, node: web.node }], protocol),
  addressType: "IPv6",
});
const ofIpv6 = { ipFamilies: ["IPv6"], ipFamilyPolicy: "SingleStack" };

beforeAll(async () => {
  cluster = await BareCluster.start({ vxlanMode: "Always", stack: "IPv6" });
  [web, near, far] = await Promise.all([
    cluster.addPod("web", "node", { app: "web" }),
    cluster.addPod("near", "node", { app: "near" }),
    cluster.addPod("far", "master", { app: "far" }),
  ]);
  cluster.apply(
    returnMode("DSR"),
    service("web", { clusterIP: "fd00:10:96::10", nodePort: 30604, spec: ofIpv6 }),
    slice("web", "TCP"),
    service("dns", { clusterIP: "fd00:10:96::11", nodePort: 30053, protocol: "UDP", spec: ofIpv6 }),
    slice("dns", "UDP"),
  );
  await cluster.carriedOut();
  await until("the service", async () =>
    (await cluster.see("client1", `[${nodesIpv6.master}]:30604`)).startsWith("allowed"),
  );
});
afterAll(() => cluster?.close());

test("a pod has one address, and room for the tunnel's 70 bytes", async () => {
  expect(web.address).toMatch(/^fd00:10:244:1::[1-3]$/);
  expect(web.addressIpv6).toBeUndefined();
  const link = await cluster.run("node", ["nsenter", "--net=/run/netns/web", "ip", "link", "show", "eth0"]);
  expect(link).toContain("mtu 1430");
});

test("pods see each other's addresses, on one node and across nodes, directly and by the service", async () => {
  for (const pod of [near, far]) {
    const seen = `allowed default/web saw ${pod.address}`;
    for (const to of [web.address, "fd00:10:96::10"])
      expect(await cluster.see(`default/${pod.name}`, `[${to}]:80`), `${pod.name} to ${to}`).toBe(seen);
    for (const to of [web.address, "fd00:10:96::11"])
      expect(await cluster.see(`default/${pod.name}`, `[${to}]:80`, { protocol: "udp" }), pod.name).toBe(seen);
  }
});

test.each(["DSR", "Tunnel"] as const)(
  "clients reach node ports of both nodes, and are seen, in return mode %s",
  async (mode) => {
    cluster.apply(returnMode(mode));
    await cluster.carriedOut();
    const returned = async () => (await cluster.outcomes("master")).return_forwarded ?? 0;
    const seen = `allowed default/web saw ${clientsIpv6.client1}`;
    const ask = (entry: NodeName, port: number, protocol: "tcp" | "udp") =>
      cluster.see("client1", `[${nodesIpv6[entry]}]:${port}`, { protocol });
    // The end of an earlier connection may still be on its way.
    await until("the replies to go this way", async () => {
      const before = await returned();
      expect(await ask("master", 30604, "tcp")).toBe(seen);
      return (await returned()) > before === (mode === "Tunnel");
    });
    for (const entry of Object.keys(nodesIpv6) as NodeName[]) {
      expect(await ask(entry, 30604, "tcp"), entry).toBe(seen);
      expect(await ask(entry, 30053, "udp"), entry).toBe(seen);
    }
  },
);

test("a datagram that needs several frames arrives whole between pods, and by a remote node port once the client knows the path's MTU", async () => {
  const big = { protocol: "udp", size: 8000 } as const;
  expect(await cluster.probe("default/far", { to: `[${web.address}]:80`, ...big })).toMatchObject([
    { verdict: "allowed", echoed: 8000 },
  ]);
  // The first is answered by "packet too big" (RFC 8201): only the sender divides a packet of IPv6.
  const to = `[${nodesIpv6.master}]:30053`;
  await cluster.probe("client1", { to, ...big });
  expect(await cluster.probe("client1", { to, ...big })).toMatchObject([{ verdict: "allowed", echoed: 8000 }]);
});

test("nodes reach pods, their own and the other's, and services", async () => {
  for (const name of ["node", "master"] as const)
    for (const to of [web.address, "fd00:10:96::10"])
      expect(await cluster.see(name, `[${to}]:80`), `${name} to ${to}`).toBe(
        `allowed default/web saw ${nodesIpv6[name]}`,
      );
});

test("a policy tells clients apart", async () => {
  const policy = onlyFrom("web", `${clientsIpv6.client1}/128`);
  cluster.apply(policy);
  const entry = `[${nodesIpv6.master}]:30604`;
  await cluster.carriedOut();
  expect(await cluster.see("client2", entry)).toBe("dropped");
  expect(await cluster.see("client1", entry)).toBe(`allowed default/web saw ${clientsIpv6.client1}`);
  cluster.remove(policy);
  await cluster.carriedOut();
});

test("what a client wraps for a pod is dropped", async () => {
  const before = (await cluster.outcomes("node")).drop_unknown_tunnel_peer ?? 0;
  const device = ["ip", "link", "add", "forged", "type", "vxlan", "id", "4096", "dstport", "4789"];
  await cluster.run("client1", [...device, "remote", nodesIpv6.node, "dev", "eth0"]);
  await cluster.run("client1", ["ip", "link", "set", "forged", "up"]);
  await cluster.run("client1", ["ip", "-6", "address", "add", far.address, "dev", "forged", "nodad"]);
  await cluster.run("client1", ["ip", "-6", "route", "add", web.address, "dev", "forged"]);
  await cluster.run("client1", [
    "ip",
    "-6",
    "neigh",
    "add",
    web.address,
    "lladdr",
    "02:00:00:00:00:01",
    "dev",
    "forged",
  ]);
  expect(await cluster.see("client1", `[${web.address}]:80`)).toBe("dropped");
  expect((await cluster.outcomes("node")).drop_unknown_tunnel_peer).toBeGreaterThan(before);
  await cluster.run("client1", ["ip", "link", "delete", "forged"]);
});
