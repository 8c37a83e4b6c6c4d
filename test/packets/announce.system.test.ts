// What the agent sends when it begins to announce an address, and what hosts on the link make of it.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { gratuitousArp } from "../../agent/balancer/gratuitous-arp.ts";
import { noKernel, temporaryBpffs } from "../../agent/kernel/bpffs.fixture.ts";
import { enterNamespace } from "../../agent/kernel/namespace.fixture.ts";
import { sendFrame } from "../../agent/kernel/send-frame.ts";
import { announced } from "./cluster.ts";
import { NodeUnderTest } from "./node.ts";
import { preparedObjects } from "./objects.ts";

if (noKernel) console.log(noKernel);

describe.skipIf(noKernel)("announcing an address", () => {
  const { folder, bpf } = temporaryBpffs();
  enterNamespace();
  let node: NodeUnderTest;
  const neighbour = () => {
    const [entry] = JSON.parse(
      execFileSync("ip", ["-json", "neighbour", "show", announced.address, "dev", "uplink-peer"], { encoding: "utf8" }),
    );
    return entry?.lladdr;
  };
  const announce = () =>
    sendFrame(node.programFd("announce"), node.ifindex("uplink"), gratuitousArp(announced.address, announced.mac));

  beforeAll(async () => {
    node = new NodeUnderTest({ ...(await preparedObjects(folder)), bpffs: bpf, scratch: folder });
    // The other end of the link takes addresses that nobody asked for, like a host that had the address before.
    writeFileSync("/proc/sys/net/ipv4/conf/uplink-peer/arp_accept", "1");
  });

  test("hosts on the link learn its hardware address, without a raw socket", async () => {
    expect(neighbour()).toBeUndefined();
    expect(announce()).toBeUndefined();
    await expect.poll(neighbour).toBe(announced.mac);
  });

  test("an interface that is gone is said", () => {
    expect(sendFrame(node.programFd("announce"), 9999, gratuitousArp(announced.address, announced.mac))).toMatch(
      /^E(INVAL|NODEV)/,
    );
  });
});
