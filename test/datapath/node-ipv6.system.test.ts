import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addressBytes } from "../../model/address/address.ts";
import { checksum, ethernet } from "../packets/frames.ts";
import { BareCluster, program, until } from "./cluster/bare-cluster.ts";
import { node, poolIpv6 } from "./cluster/objects.ts";
import { Attacker } from "./traffic/attacker.ts";

const SENDER = "fe80::aa";
const ALL_NODES = "ff02::1";
const ROUTER_LIFETIME = 1800;

/** A router advertisement without options (RFC 4861, 4.2): the sender is a default router. */
function routerAdvertisement(source: string): Buffer {
  const message = Buffer.alloc(16);
  message.set([134, 0, 0, 0, 64, 0]);
  message.writeUInt16BE(ROUTER_LIFETIME, 6);
  const ends = Buffer.from([...addressBytes(SENDER), ...addressBytes(ALL_NODES)]);
  const pseudoHeader = Buffer.concat([ends, Buffer.from([0, 0, 0, message.length, 0, 0, 0, 58])]);
  message.writeUInt16BE(checksum(Buffer.concat([pseudoHeader, message])), 2);
  const header = Buffer.from([0x60, 0, 0, 0, 0, message.length, 58, 255]);
  const macs = { source, destination: "33:33:00:00:00:01" };
  return ethernet(Buffer.concat([header, ends, message]), 0x86dd, macs);
}

// What a node's own IPv6 was before, it is afterwards.
describe("a node's own IPv6", () => {
  let cluster: BareCluster;
  let attacker: Attacker;

  beforeAll(async () => {
    cluster = await BareCluster.start({ vxlanMode: "Never" });
    attacker = new Attacker(cluster);
  });
  afterAll(async () => {
    attacker?.close();
    await cluster?.close();
  });

  const setting = async (name: string) => (await cluster.run("node", ["sysctl", "-n", `net.ipv6.conf.${name}`])).trim();
  const routes = async () =>
    (await cluster.run("node", ["ip", "-6", "route", "show", "default"])).replaceAll(/ expires \d+sec/g, "");
  const advertise = async () => attacker.send("client1", routerAdvertisement(await attacker.mac("client1")));
  const advertised = async () => (await routes()).includes(`via ${SENDER} dev eth0 proto ra`);

  test("without an IPv6 pool it is not touched: nothing is forwarded, and pods have no IPv6 address", async () => {
    const pod = await cluster.addPod("only4", "node", { app: "only4" });
    expect(pod.addressIpv6).toBeUndefined();
    expect(await setting("all.forwarding")).toBe("0");
    expect(await setting("eth0.accept_ra")).toBe("1");
    const inPod = ["nsenter", "--net=/run/netns/only4", "ip", "-6"];
    expect(await cluster.run("node", [...inPod, "address", "show", "scope", "global"])).toBe("");
    expect(await cluster.run("node", [...inPod, "route", "show", "default"])).toBe("");
    await advertise();
    await until("the router's route", advertised, () => "");
  });

  test("with one, it forwards, and keeps the default route that a router advertised, and the next advertisement", async () => {
    cluster.apply(node("master", undefined, "dual"), node("node", undefined, "dual"), poolIpv6("Never"));
    await until("forwarding", async () => (await setting("all.forwarding")) === "1");
    expect(await setting("eth0.accept_ra")).toBe("2");
    expect(await advertised()).toBe(true);
    await cluster.run("node", ["ip", "-6", "route", "delete", "default", "proto", "ra"]);
    await advertise();
    await until("the router's route again", advertised);
  });

  test("a pod cannot become its node's router, nor another pod's", async () => {
    const pod = await cluster.addPod("rogue", "node", { app: "rogue" });
    const other = await cluster.addPod("other", "node", { app: "other" });
    expect(pod.addressIpv6).toMatch(/^fd00:10:244:/);
    const before = await routes();
    const mac = await cluster.run("node", ["nsenter", "--net=/run/netns/rogue", "cat", "/sys/class/net/eth0/address"]);
    const dropped = async () => (await cluster.outcomes("node")).drop_spoofed_source ?? 0;
    const earlier = await dropped();
    await attacker.sendFrom(pod, routerAdvertisement(mac.trim()));
    await until("the advertisement to be dropped", async () => (await dropped()) > earlier);
    expect(await routes()).toBe(before);
    const inOther = ["nsenter", "--net=/run/netns/other", "ip", "-6", "route", "show", "default"];
    expect(await cluster.run(other.node, inOther)).toMatch(/^default via fe80::1 dev eth0 [^\n]*\n$/);
    // Another defence, if the programs were missing.
    const host = (await cluster.run("node", ["ip", "-6", "route", "get", pod.addressIpv6 ?? ""])).match(
      /dev (\S+)/,
    )?.[1];
    expect(await setting(`${host}.accept_ra`)).toBe("0");
  });

  test("cleanup gives every setting its value back", async () => {
    await cluster.killAgent("node");
    const words = ["cleanup", "--run-directory", "/run/ebpf-dataplane", "--sysctl-root", "/proc/sys"];
    await cluster.run("node", [
      process.execPath,
      program,
      ...words,
      "--cni-bin",
      "/opt/cni/bin",
      "--cni-conf",
      "/etc/cni/net.d",
    ]);
    expect(await setting("all.forwarding")).toBe("0");
    expect(await setting("eth0.forwarding")).toBe("0");
    expect(await setting("eth0.accept_ra")).toBe("1");
    expect(await cluster.run("node", ["ip", "-6", "route", "show", "proto", "235"])).toBe("");
  });
});
