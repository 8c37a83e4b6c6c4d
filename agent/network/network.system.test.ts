import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { Route } from "../compile/desired.ts";
import { noKernel } from "../kernel/bpffs.fixture.ts";
import { enterNamespace } from "../kernel/namespace.fixture.ts";
import { changeNetwork, withNamespace } from "../kernel/rtnetlink.ts";
import { networkDevices } from "./devices.ts";
import { changeEndpointRoutes } from "./endpoint-routes.ts";
import { ipBatch } from "./ip-command.ts";
import { addPair, deleteLink, setUp } from "./link-requests.ts";
import { removeMasquerade, retireMasquerade } from "./older-masquerade.ts";
import { reconcileOwnRequests, removeOwnRequests } from "./own-requests.ts";
import { reconcileRoutes, removeRoutes } from "./routes.ts";
import { ensureTunnel, TUNNEL_DEVICE } from "./tunnel.ts";
import { findUplinks } from "./uplinks.ts";
import { ensureWireguard, removeWireguard, WIREGUARD_DEVICE } from "./wireguard.ts";

if (noKernel) console.log(noKernel);

describe.skipIf(noKernel)("network", () => {
  enterNamespace();
  const index = () => networkDevices().find(({ name }) => name === "pod0")?.ifindex ?? 0;
  const context = {
    nodeAddress: "172.31.1.8",
    mtu: 1500,
    deviceName: (i: number) => (i === index() ? "pod0" : undefined),
  };

  test("a kernel has WireGuard's device, or says why not; it goes when packets are no longer encrypted", () => {
    const failure = ensureWireguard(networkDevices(), 1500, "IPv4");
    const made = networkDevices().find(({ name }) => name === WIREGUARD_DEVICE);
    if (failure === undefined) expect(made).toMatchObject({ kind: "wireguard", mtu: 1440, up: true });
    else expect([made, failure]).toEqual([undefined, expect.stringContaining("type wireguard")]);
    removeWireguard(networkDevices());
    expect(networkDevices().some(({ name }) => name === WIREGUARD_DEVICE)).toBe(false);
  });

  test("tunnel device, routes of each kind and their removal", async () => {
    ipBatch([
      "link add eth0 type veth peer name far",
      "address add 172.31.1.8/24 dev eth0",
      "link set eth0 up",
      "link set far up",
      "link add pod0 type veth peer name pod0-peer",
      "link set pod0 up",
    ]);
    expect(findUplinks(networkDevices(), "172.31.1.8", []).primary.name).toBe("eth0");
    ensureTunnel(networkDevices(), 1500);
    const tunnel = networkDevices().find(({ name }) => name === TUNNEL_DEVICE);
    expect(tunnel).toMatchObject({ kind: "vxlan", mtu: 1500, up: true });
    ensureTunnel(networkDevices(), 1500);
    expect(networkDevices().find(({ name }) => name === TUNNEL_DEVICE)?.ifindex).toBe(tunnel?.ifindex);

    const routes: Route[] = [
      { to: "endpoint", destination: "10.244.0.5/32", ifindex: index() },
      { to: "node", destination: "10.244.1.0/26", node: "172.31.1.207", encapsulated: false },
      { to: "node", destination: "10.244.2.0/26", node: "172.31.9.1", encapsulated: true },
      { to: "nowhere", destination: "10.244.0.0/26" },
    ];
    const written = async (wanted: Route[]) => (await reconcileRoutes(wanted, context)).written;
    expect(await written(routes)).toBe(4);
    expect(await written(routes)).toBe(0);
    expect(await written(routes.slice(1))).toBe(1);
    expect(execFileSync("ip", ["route", "get", "10.244.2.9"], { encoding: "utf8" })).toContain(
      "dev ebpf-vxlan src 172.31.1.8",
    );
    await removeRoutes();
    expect(await written([])).toBe(0);
  });

  test("IPv6 routes of each kind and their removal; the default route of the other family is neither theirs nor changed", async () => {
    ipBatch(["address add fd00:172:31:1::8/64 dev eth0 nodad", "route add default via 172.31.1.1 dev eth0"]);
    const routes: Route[] = [
      { to: "endpoint", destination: "fd00:10:244::5/128", ifindex: index() },
      {
        to: "node",
        destination: "fd00:10:244::40/122",
        node: "172.31.1.207",
        encapsulated: false,
        via: "fd00:172:31:1::207",
      },
      { to: "node", destination: "fd00:10:244::80/122", node: "172.31.9.1", encapsulated: true },
      { to: "nowhere", destination: "fd00:10:244::/122" },
      { to: "node", destination: "10.244.1.0/26", node: "172.31.1.207", encapsulated: false },
    ];
    const dual = { ...context, nodeAddressIpv6: "fd00:172:31:1::8" };
    const written = async (wanted: Route[]) => (await reconcileRoutes(wanted, dual)).written;
    expect(await written(routes)).toBe(5);
    expect(await written(routes)).toBe(0);
    const get = (address: string) => execFileSync("ip", ["route", "get", address], { encoding: "utf8" });
    expect(get("fd00:10:244::5")).toContain("dev pod0");
    expect(get("fd00:10:244::41")).toContain("via fd00:172:31:1::207 dev eth0");
    expect(get("fd00:10:244::81")).toMatch(/dst 172\.31\.9\.1 .*dev ebpf-vxlan .*src fd00:172:31:1::8/);
    expect(() => get("fd00:10:244::6")).toThrow("No route to host");
    expect(await reconcileRoutes([...routes, { to: "nowhere", destination: "::/0" }], dual)).toEqual({
      written: 1,
      conflicts: [],
    });
    expect(await written(routes)).toBe(1);
    expect(await written(routes.slice(1))).toBe(1);
    await removeRoutes();
    expect(await written([])).toBe(0);
    expect(execFileSync("ip", ["route"], { encoding: "utf8" })).toContain("default via 172.31.1.1");
    ipBatch(["route delete default"]);
  });

  test("SCTP of the machine's own to Services takes the tunnel's device, nothing else does, and what is led no longer leaves no rule", async () => {
    const contexts = [
      { source: "172.31.1.8", mtu: 1450 },
      { source: "fd00:172:31:1::8", mtu: 1450 },
    ];
    const shown = () => execFileSync("ip", ["route", "show", "table", "all", "proto", "235"], { encoding: "utf8" });
    const shownIpv6 = () => execFileSync("ip", ["-6", "route", "show", "table", "235"], { encoding: "utf8" });
    const rules = () => ["-4", "-6"].map((of) => execFileSync("ip", [of, "rule"], { encoding: "utf8" })).join("");
    ipBatch(["address replace fd00:172:31:1::8/64 dev eth0 nodad", "route add default via 172.31.1.1 dev eth0"]);
    const before = rules();
    await reconcileOwnRequests([], contexts);
    expect(rules()).toBe(before);
    await reconcileOwnRequests(["10.96.0.14", "fd00:10:96::14"], contexts);
    const written = rules();
    await reconcileOwnRequests(["10.96.0.14", "fd00:10:96::14"], contexts);
    expect(rules()).toBe(written);
    // Packets that this machine makes, of SCTP alone.
    expect(written.match(/^235:\tfrom all iif lo ipproto sctp lookup 235/gm)).toHaveLength(2);
    // And the way back of answers, which IPv4 alone looks for.
    expect(written.match(/^235:\tfrom all fwmark 0xebf00006 lookup 235/gm)).toHaveLength(1);
    const wayBack = ["route", "get", "10.96.0.14", "from", "172.31.1.8", "mark", "0xebf00006"];
    expect(execFileSync("ip", wayBack, { encoding: "utf8" })).toContain("dev ebpf-vxlan");
    execFileSync("ip", ["rule", "delete", "pref", "235", "fwmark", "0xebf00006"]); // as of an agent of before
    await reconcileOwnRequests(["10.96.0.14", "fd00:10:96::14"], contexts);
    expect(rules().match(/lookup 235/g)).toHaveLength(3);
    expect(shown()).toMatch(/^10\.96\.0\.14 dev ebpf-vxlan table 235 .*src 172\.31\.1\.8 mtu 1450/m);
    expect(shownIpv6()).toMatch(/^fd00:10:96::14 dev ebpf-vxlan .*src fd00:172:31:1::8 .*mtu 1450/m);
    expect(execFileSync("ip", ["route", "get", "10.96.0.14"], { encoding: "utf8" })).toContain("dev eth0");
    await reconcileOwnRequests(["fd00:10:96::14"], contexts);
    expect(shown()).not.toContain("10.96.0.14");
    expect(rules().match(/lookup 235/g)).toHaveLength(1);
    await removeOwnRequests(["IPv4", "IPv6"]);
    expect(rules()).toBe(before);
    await removeOwnRequests(["IPv4", "IPv6"]);
    ipBatch(["route delete default"]);
  });

  test("the kernel's route to the nodes' network is neither replaced nor deleted", async () => {
    const shown = () => execFileSync("ip", ["route", "show", "172.31.1.0/24"], { encoding: "utf8" });
    const connected = shown();
    expect(connected).toContain("proto kernel");
    const { written, conflicts } = await reconcileRoutes([{ to: "nowhere", destination: "172.31.1.0/24" }], context);
    expect(written).toBe(0);
    expect(conflicts).toMatchObject([{ destination: "172.31.1.0/24" }]);
    expect(shown()).toBe(connected);
    await reconcileRoutes([], context);
    expect(shown()).toBe(connected);
  });

  test("the rules of an older agent go, and a chain stays for the connections that they have translated", () => {
    expect(retireMasquerade()).toBe(false);
    const rule = "ip saddr 10.244.0.0/16 meta l4proto { tcp, udp, sctp } masquerade to :32768-65535 fully-random";
    const chain = `chain postrouting { type nat hook postrouting priority srcnat; policy accept; ${rule}\n }`;
    const table = `table ip ebpf_dataplane { comment "0123456789abcdef"; ${chain}\n }\n`;
    execFileSync("nft", ["--file", "-"], { input: table });
    expect(retireMasquerade()).toBe(true);
    const left = execFileSync("nft", ["list", "ruleset"], { encoding: "utf8" });
    expect(left).toContain("type nat hook postrouting");
    expect(left).not.toMatch(/masquerade|comment/);
    expect(retireMasquerade()).toBe(false);
    removeMasquerade();
    expect(execFileSync("nft", ["list", "tables"], { encoding: "utf8" })).toBe("");
  });

  test("a failed command is named", () => {
    expect(() => ipBatch(["link set lo up", "link set nothing up"])).toThrow(
      'ip failed to run "link set nothing up": Cannot find device',
    );
  });

  test("routes to pods that come and go are written as if all were compared, and whatever else changes is compared", async () => {
    execFileSync("ip", ["link", "add", "pod1", "type", "veth", "peer", "name", "far1"]);
    execFileSync("ip", ["link", "set", "pod1", "up"]);
    const ifindex = networkDevices().find(({ name }) => name === "pod1")?.ifindex ?? 0;
    const dual = {
      ...{ nodeAddress: "172.31.1.8", nodeAddressIpv6: "fd00:172:31:1::8", mtu: 1500 },
      deviceName: (index: number) => (index === ifindex ? "pod1" : undefined),
    };
    const block: Route = { to: "nowhere", destination: "10.244.9.0/26" };
    const pods = ["10.244.9.1/32", "10.244.9.2/32", "fd00:10:244::9/128"].map(
      (destination): Route => ({ to: "endpoint", destination, ifindex }),
    );
    const gone: Route = { to: "endpoint", destination: "10.244.9.3/32", ifindex: 4_000_000 };
    expect((await reconcileRoutes([block], dual)).conflicts).toEqual([]);
    expect(await changeEndpointRoutes([block], [block, ...pods], dual)).toBe(true);
    expect(await reconcileRoutes([block, ...pods], dual)).toEqual({ written: 0, conflicts: [] });
    expect(await changeEndpointRoutes([block, ...pods, gone], [block, ...pods.slice(1)], dual)).toBe(true);
    expect(await reconcileRoutes([block, ...pods.slice(1)], dual)).toEqual({ written: 0, conflicts: [] });
    // Another one's route to the same destination, a route that somebody deleted, and a block.
    execFileSync("ip", ["route", "add", "10.244.9.1/32", "dev", "pod1"]);
    expect(await changeEndpointRoutes([block, ...pods.slice(1)], [block, ...pods], dual)).toBe(false);
    execFileSync("ip", ["route", "delete", "10.244.9.2/32"]);
    expect(await changeEndpointRoutes(pods.slice(1), pods.slice(2), dual)).toBe(false);
    expect(await changeEndpointRoutes([block], [], dual)).toBe(false);
    await removeRoutes();
  });

  test("requests to the kernel that fail are named, the others are done", async () => {
    const lo = () => execFileSync("ip", ["-json", "link", "show", "lo"], { encoding: "utf8" });
    execFileSync("ip", ["link", "set", "lo", "down"]);
    await expect(changeNetwork([setUp("nothing", 4_000_000), setUp("lo", 1)])).rejects.toThrow(
      "Cannot set nothing up: ENODEV: no such device.",
    );
    expect(lo()).toContain('"UP"');
    const nothing = changeNetwork([deleteLink("nothing", 4_000_000)]);
    await expect(nothing).rejects.toThrow("delete the interface nothing: ENODEV");
    await expect(changeNetwork([setUp("lo", 1)], "/run/netns/that-has-ended")).rejects.toThrow("ENOENT");
    const pair = (fd: number) => changeNetwork([addPair({ name: "lo", mac: "02:00:00:00:00:01" }, far, 1_500, fd)]);
    const far = { name: "eth9", mac: "02:00:00:00:00:02" };
    await expect(withNamespace("/proc/self/ns/net", pair)).rejects.toThrow("Cannot add the interface lo: EEXIST");
  });
});
