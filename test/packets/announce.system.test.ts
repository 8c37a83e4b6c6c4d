// What the agent sends when it begins to announce an address, and what hosts on the link make of it.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { announcementFrame } from "../../agent/balancer/announcement-frame.ts";
import { SolicitedGroups } from "../../agent/balancer/solicited-groups.ts";
import { noKernel, temporaryBpffs } from "../../agent/kernel/bpffs.fixture.ts";
import { enterNamespace } from "../../agent/kernel/namespace.fixture.ts";
import { sendFrame } from "../../agent/kernel/send-frame.ts";
import { announced } from "./cluster.ts";
import { NodeUnderTest } from "./node.ts";
import { preparedObjects } from "./objects.ts";
import { twinOf } from "./twins.ts";

if (noKernel) console.log(noKernel);

describe.skipIf(noKernel)("announcing an address", () => {
  const { folder, bpf } = temporaryBpffs();
  enterNamespace();
  let node: NodeUnderTest;
  const twin = twinOf(announced.address);
  const neighbour = (address: string) => {
    const [entry] = JSON.parse(
      execFileSync("ip", ["-json", "neighbour", "show", address, "dev", "uplink-peer"], { encoding: "utf8" }),
    );
    return entry?.lladdr;
  };
  const announce = (address: string) =>
    sendFrame(node.programFd("announce"), node.ifindex("uplink"), announcementFrame(address, announced.mac));

  beforeAll(async () => {
    node = new NodeUnderTest({ ...(await preparedObjects(folder)), bpffs: bpf, scratch: folder });
    // The other end of the link takes addresses that nobody asked for, like a host that had the address before.
    writeFileSync("/proc/sys/net/ipv4/conf/uplink-peer/arp_accept", "1");
  });

  test("hosts on the link learn its hardware address, without a raw socket", async () => {
    expect(neighbour(announced.address)).toBeUndefined();
    expect(announce(announced.address)).toBeUndefined();
    await expect.poll(() => neighbour(announced.address)).toBe(announced.mac);
  });

  test("hosts that knew another owner of an IPv6 address learn the new one", async () => {
    const former = [
      "neighbour",
      "replace",
      twin,
      "lladdr",
      "02:00:00:00:0e:0e",
      "dev",
      "uplink-peer",
      "nud",
      "reachable",
    ];
    execFileSync("ip", former);
    expect(announce(twin)).toBeUndefined();
    await expect.poll(() => neighbour(twin)).toBe(announced.mac);
  });

  test("the uplink hears solicitations of an IPv6 address while it is announced", async () => {
    const groups = new SolicitedGroups();
    const hears = () => /^\d+ +uplink .* 3333ff1f01f0$/m.test(readFileSync("/proc/net/dev_mcast", "utf8"));
    const reported = () =>
      /^\d+ +uplink +ff0200000000000000000001ff1f01f0 /m.test(readFileSync("/proc/net/igmp6", "utf8"));
    const uplink = { name: "uplink", ifindex: node.ifindex("uplink") };
    expect([hears(), reported()]).toEqual([false, false]);
    expect(await groups.listen([twin, announced.address], [uplink])).toEqual([]);
    expect([hears(), reported()]).toEqual([true, true]);
    expect(await groups.listen([twin], [{ name: "nowhere", ifindex: 9999 }])).toHaveLength(1);
    expect([hears(), reported()]).toEqual([false, false]);
    const many = Array.from({ length: 600 }, (_, index) => `2001:db8::1:${index.toString(16)}`);
    expect(await groups.listen(many, [uplink])).toEqual([]);
    expect(await groups.listen([], [uplink])).toEqual([]);
  });

  test("an interface that is gone is said", () => {
    expect(sendFrame(node.programFd("announce"), 9999, announcementFrame(announced.address, announced.mac))).toMatch(
      /^E(INVAL|NODEV)/,
    );
  });
});
