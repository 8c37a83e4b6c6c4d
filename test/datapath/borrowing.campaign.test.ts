// A node that has no block of a full pool: its pods have addresses of another node's block, and their packets find them. Real agents and a server for their objects.
import { afterAll, beforeAll, expect, test } from "vitest";
import { covers, hostCidr, parseCidr } from "../../model/address/address.ts";
import { kinds, resourcePath } from "../../model/objects/kinds.ts";
import { BareCluster } from "./cluster/bare-cluster.ts";
import { pool } from "./cluster/objects.ts";

let cluster: BareCluster;
beforeAll(async () => {
  cluster = await BareCluster.start({ server: true });
}, 120_000);
afterAll(() => cluster?.close());

interface Written {
  metadata: { name: string };
  spec: { borrows?: string; lent?: { address: string }[] };
}
const blocks = async () => (await cluster.at<{ items: Written[] }>(resourcePath(kinds.ipamBlocks))).items;
const lent = async () => (await blocks()).flatMap(({ spec }) => spec.lent ?? []).map(({ address }) => address);
const requests = async () => (await blocks()).filter(({ spec }) => spec.borrows).length;

test("a pod of a node without a block is reached at an address of another node's block, which comes back", async () => {
  const whole = pool("CrossSubnet");
  // All that is left of the pool is master's block.
  cluster.apply({ ...whole, spec: { ...(whole.spec as object), cidr: "10.244.0.0/26" } });
  const here = await cluster.addPod("here", "master", { app: "web" });
  const there = await cluster.addPod("there", "node", { app: "web" });
  expect(covers(parseCidr("10.244.0.0/26"), hostCidr(there.address))).toBe(true);
  expect(await lent()).toEqual([there.address]);
  expect(await cluster.see("default/here", `${there.address}:80`)).toBe(`allowed default/there saw ${here.address}`);
  expect(await cluster.see("default/there", `${here.address}:80`)).toBe(`allowed default/here saw ${there.address}`);
  expect(await cluster.see("master", `${there.address}:80`)).toMatch(/^allowed/);
  await cluster.killAgent("master");
  await cluster.startAgent("master");
  await cluster.killAgent("node");
  await cluster.startAgent("node");
  const again = await cluster.addPod("again", "node", { app: "web" });
  expect([...(await lent())].sort()).toEqual([there.address, again.address].sort());
  expect(await cluster.see("default/again", `${there.address}:80`)).toBe(`allowed default/there saw ${again.address}`);
  for (const name of ["there", "again"]) await cluster.removePod(name);
  await expect.poll(requests, { timeout: 240_000, interval: 5_000 }).toBe(0);
  await expect.poll(lent, { timeout: 60_000, interval: 1_000 }).toEqual([]);
}, 420_000);
