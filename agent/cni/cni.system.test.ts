import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Allocator } from "../ipam/allocator.ts";
import type { Block } from "../ipam/block.ts";
import { noKernel } from "../kernel/bpffs.fixture.ts";
import type { Device } from "../kernel/device-hooks.ts";
import { interfaceIndex, interfaceName } from "../kernel/interface-names.ts";
import { enterNamespace } from "../kernel/namespace.fixture.ts";
import { NodeNetwork } from "../machine/node-network.ts";
import { type Endpoint, EndpointStore } from "./endpoint-store.ts";
import { installPlugin, uninstallPlugin } from "./install.ts";
import { type CniPlugin, CniPlugin as Plugin } from "./plugin.ts";
import { attachmentOf, CniError, parseRequest } from "./request.ts";
import { serveCni } from "./server.ts";

const noGo =
  spawnSync("go", ["version"]).status === 0 ? false : "SKIP: the CNI shim is a Go program, and there is no go";
const skip = noKernel || noGo;
if (skip) console.log(skip);

describe.skipIf(skip)("CNI", () => {
  const node = enterNamespace();
  const pod = `${node}-pod`;
  const folder = mkdtempSync(join(tmpdir(), "dataplane-cni-"));
  const socket = join(folder, "agent.sock");
  const file = join(folder, "endpoints.json");
  const shim = join(folder, "shim");
  const config = { cniVersion: "1.1.0", name: "ebpf-dataplane", type: "ebpf-dataplane", socket };
  let plugin: CniPlugin;
  let endpoints: EndpointStore;
  let ready: (endpoint: Endpoint) => Promise<void>;
  const gone: string[] = [];
  /** Of each new interface, whether it was up when its programs were to be attached. */
  const wasUp: boolean[] = [];
  let hasIpv6 = false;
  let expectReady = () => {};

  beforeAll(async () => {
    execFileSync("ip", ["netns", "add", pod]);
    execFileSync("go", ["build", "-o", shim, "."], {
      cwd: join(import.meta.dirname, "shim"),
      env: { ...process.env, CGO_ENABLED: "0" },
    });
    endpoints = new EndpointStore(file);
    const blocks: Block[] = [];
    const pools = [
      { name: "default", cidr: "10.244.0.0/24", blockSize: 26 },
      { name: "six", cidr: "fd00:10:244::/64", blockSize: 122 },
    ];
    const claim = (block: Block) => {
      blocks.push(block);
      return "created" as const;
    };
    const allocator = new Allocator({
      node: "master",
      claims: {
        list: () => blocks,
        create: async (block) => claim(block),
        lend: async () => undefined,
        free: async () => undefined,
      },
      use: endpoints,
      families: () => (hasIpv6 ? ["IPv4", "IPv6"] : ["IPv4"]),
    });
    let begun = 0;
    const life = {
      begins: () => void begun++,
      created: async ({ name }: Device, setUp: (first: []) => Promise<void>) => {
        expect(begun).toBeGreaterThan(wasUp.length); // before the kernel is asked for an interface
        wasUp.push(flagsOf(name).includes("UP"));
        await setUp([]);
      },
      ready: (endpoint: Endpoint) => ready(endpoint),
      gone: (endpoint: Endpoint) => void gone.push(endpoint.pod),
    };
    plugin = new Plugin({
      endpoints,
      allocator,
      poolsOf: async () => pools,
      life,
      mtu: () => 1450,
      sysctlRoot: "/proc/sys",
      expectReady: () => expectReady(),
    });
    await serveCni(socket, plugin, pino({ level: "silent" }));
    ready = async () => undefined;
  });
  afterAll(() => {
    execFileSync("ip", ["netns", "delete", pod]);
    rmSync(folder, { recursive: true });
  });

  const environment = (command: string, container = "c1", ifname = "eth0") => ({
    CNI_COMMAND: command,
    CNI_CONTAINERID: container,
    CNI_NETNS: `/var/run/netns/${pod}`,
    CNI_IFNAME: ifname,
    CNI_ARGS: "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;K8S_POD_UID=u1",
  });
  const call = (command: string, container = "c1", more: object = {}) =>
    plugin.call(parseRequest({ env: environment(command, container), config: { ...config, ...more } }));
  const flagsOf = (name: string): string[] =>
    JSON.parse(execFileSync("ip", ["-json", "link", "show", "dev", name], { encoding: "utf8" }))[0].flags;
  const inPod = (...command: string[]) =>
    execFileSync("nsenter", [`--net=/run/netns/${pod}`, ...command], { encoding: "utf8" });

  test("a pod's interface is opened only after its policy is written", async () => {
    let sawPodSide = "";
    ready = async () => {
      sawPodSide = inPod("ip", "-brief", "link", "show", "eth0");
    };
    const result = (await call("ADD")) as { ips: { address: string }[]; interfaces: { name: string }[] };
    expect(sawPodSide).toContain("DOWN");
    expect(inPod("ip", "-brief", "link", "show", "eth0")).toContain("UP");
    expect(inPod("ip", "-brief", "address", "show", "eth0")).toContain(result.ips[0]?.address);
    expect(inPod("ip", "-brief", "address", "show", "lo")).toContain("127.0.0.1/8");
    expect(inPod("ip", "route")).toContain("default via 169.254.1.1 dev eth0 onlink");
    expect(inPod("ip", "neighbour")).toContain("PERMANENT");
    const [{ name: hostInterface = "" } = {}] = result.interfaces;
    expect(wasUp).toEqual([false]);
    expect(flagsOf(hostInterface)).toContain("UP");
    const settings = ["rp_filter", "forwarding"].map((name) => `net.ipv4.conf.${hostInterface}.${name}`);
    expect(execFileSync("sysctl", ["-n", ...settings], { encoding: "utf8" })).toBe("2\n1\n");
    expect(JSON.parse(readFileSync(file, "utf8")).endpoints[0]).toMatchObject({
      namespace: "default",
      pod: "web",
      uid: "u1",
    });
  });

  test("a repeated ADD returns the same result, and CHECK succeeds", async () => {
    expect(await call("ADD")).toEqual(await call("ADD"));
    expect(await call("CHECK")).toBeUndefined();
  });

  test("CHECK names what is missing: an address, a route, the interface's state, an address of the result", async () => {
    const [endpoint] = endpoints.list() as [Endpoint];
    const broken = async (...command: string[]) => {
      inPod("ip", ...command);
      const message = await call("CHECK").then(
        () => "nothing",
        ({ code, message }) => `${code} ${message}`,
      );
      await call("ADD"); // repairs it
      expect(await call("CHECK")).toBeUndefined();
      return message;
    };
    expect(await broken("address", "delete", `${endpoint.address}/32`, "dev", "eth0")).toMatch(
      /^101 .*lost its address/,
    );
    expect(await broken("route", "delete", "default")).toMatch(/^101 .*no default route by eth0/);
    expect(await broken("link", "set", "eth0", "down")).toMatch(/^101 .*is down/);
    const other = { prevResult: { ips: [{ address: "10.9.9.9/32" }] } };
    await expect(call("CHECK", "c1", other)).rejects.toMatchObject({ code: 101 });
    expect(await call("CHECK", "c1", { prevResult: await call("ADD") })).toBeUndefined();
  });

  test("a second interface is refused in words, and the first one stays as it is", async () => {
    const before = inPod("ip", "-4", "route") + inPod("ip", "-brief", "address");
    const second = () => plugin.call(parseRequest({ env: environment("ADD", "c1", "net1"), config }));
    await expect(second()).rejects.toMatchObject({ code: 7, message: expect.stringContaining("network by eth0") });
    await plugin.call(parseRequest({ env: environment("DEL", "c1", "net1"), config })); // as a runtime does after a failed ADD
    expect(inPod("ip", "-4", "route") + inPod("ip", "-brief", "address")).toBe(before);
    // Also where another plugin has made the first one.
    const [endpoint] = endpoints.list() as [Endpoint];
    const elsewhere = plugin.call(parseRequest({ env: environment("ADD", "c9", "net1"), config }));
    await expect(elsewhere).rejects.toMatchObject({ code: 7, message: expect.stringContaining("network by eth0") });
    expect(endpoints.list()).toEqual([endpoint]);
  });

  test("STATUS says why ADD cannot be served", async () => {
    expect(await call("STATUS", "")).toBeUndefined();
    expectReady = () => {
      throw new CniError(50, "No IPPool gives addresses to pods of this node.");
    };
    await expect(call("STATUS", "")).rejects.toMatchObject({ code: 50 });
    expectReady = () => {};
  });

  test("a restarted agent restores the endpoint", () => {
    const [{ hostInterface, ifindex }] = endpoints.list() as [Endpoint];
    expect([interfaceIndex(hostInterface), interfaceName(ifindex)]).toEqual([ifindex, hostInterface]);
    expect(new EndpointStore(file).find(attachmentOf(parseRequest({ env: environment("CHECK"), config })))).toEqual(
      endpoints.list()[0],
    );
  });

  test("DEL can be repeated; CHECK then reports what is missing", async () => {
    const [endpoint] = endpoints.list();
    await call("DEL");
    await call("DEL");
    expect(interfaceIndex(endpoint?.hostInterface ?? "")).toBeUndefined();
    expect(interfaceName(endpoint?.ifindex ?? 0)).toBeUndefined();
    expect(gone).toEqual(["web"]);
    await expect(call("CHECK")).rejects.toMatchObject({
      code: 3,
      message: expect.stringContaining("no endpoint for default/web"),
    });
  });

  test("an ADD whose policy fails leaves nothing behind", async () => {
    ready = async () => {
      throw new Error("map policies is full");
    };
    await expect(call("ADD", "c2")).rejects.toThrow("map policies is full");
    expect(endpoints.list()).toEqual([]);
    expect(inPod("ip", "-brief", "link")).not.toContain("eth0");
    ready = async () => undefined;
  });

  test("an ADD that cannot be recorded leaves nothing behind, and works once it can be", async () => {
    mkdirSync(`${file}.new`);
    await expect(call("ADD", "c5")).rejects.toThrow();
    expect(endpoints.list()).toEqual([]);
    expect(inPod("ip", "-brief", "link")).not.toContain("eth0");
    rmdirSync(`${file}.new`);
    await call("ADD", "c5");
    expect(endpoints.list().length).toBe(1);
    await call("DEL", "c5");
  });

  test("a repeated ADD opens an interface that the first call left closed", async () => {
    await call("ADD", "c6");
    inPod("ip", "link", "set", "dev", "eth0", "down");
    await call("ADD", "c6");
    expect(inPod("ip", "-brief", "link", "show", "eth0")).toContain("UP");
    expect(inPod("ip", "route")).toContain("default via 169.254.1.1");
    await call("DEL", "c6");
  });

  test("DEL finds an endpoint that was recovered from the maps, by its interface", async () => {
    await call("ADD", "c7");
    const [known] = endpoints.list() as [Endpoint];
    endpoints.remove(known);
    endpoints.add({ ...known, containerId: `recovered-${known.hostInterface}`, netns: "", uid: "" });
    await call("DEL", "c7");
    expect(endpoints.list()).toEqual([]);
  });

  test("a pod has an address of each family; its router is its node in both, and it accepts no other", async () => {
    hasIpv6 = true;
    const byDefault = (value: 0 | 1) => ["sysctl", "-qw", `net.ipv6.conf.default.disable_ipv6=${value}`] as const;
    try {
      inPod(...byDefault(1)); // as some distributions do
      execFileSync("sysctl", byDefault(1).slice(1));
      const result = (await call("ADD", "c9")) as { ips: { address: string; interface: number }[]; routes: object[] };
      const [ipv4 = "", ipv6 = ""] = result.ips.map(({ address }) => address);
      expect([ipv4, ipv6]).toEqual([expect.stringMatching(/^10\..*\/32$/), expect.stringMatching(/^fd00:.*\/128$/)]);
      expect(result.routes).toEqual([{ dst: "0.0.0.0/0" }, { dst: "::/0" }]);
      const [endpoint] = endpoints.list() as [Endpoint];
      expect(endpoint).toMatchObject({ address: ipv4.split("/")[0], secondAddress: ipv6.split("/")[0] });
      // Usable at once: without duplicate address detection it is never tentative.
      const shown = inPod("ip", "-6", "address", "show", "dev", "eth0");
      expect(shown).toMatch(new RegExp(`inet6 ${ipv6} scope global nodad`));
      expect(inPod("ip", "-6", "route")).toContain("default via fe80::1 dev eth0 metric 1024 onlink");
      expect(inPod("ip", "-6", "neighbour")).toContain(`fe80::1 dev eth0 lladdr ${endpoint.hostMac} PERMANENT`);
      expect(inPod("sysctl", "-n", "net.ipv6.conf.eth0.accept_ra", "net.ipv6.conf.eth0.accept_redirects")).toBe(
        "0\n0\n",
      );
      const neighbours = execFileSync("ip", ["neighbour", "show", "dev", endpoint.hostInterface], { encoding: "utf8" });
      for (const address of [ipv4, ipv6])
        expect(neighbours).toContain(`${address.split("/")[0]} lladdr ${endpoint.mac} PERMANENT`);
      inPod("ip", "link", "set", "dev", "eth0", "down"); // which loses IPv6 addresses
      expect(await call("ADD", "c9")).toEqual(result);
      expect(inPod("ip", "-6", "address", "show", "dev", "eth0")).toContain(ipv6);
      expect(((await call("ADD", "c9", { cniVersion: "0.3.1" })) as { ips: object[] }).ips).toMatchObject([
        { version: "4" },
        { version: "6" },
      ]);
      await call("DEL", "c9");
      expect(endpoints.freed().map(({ address }) => address)).toContain(ipv6.split("/")[0]);
      expect(endpoints.used().size).toBe(0);
    } finally {
      execFileSync("sysctl", byDefault(0).slice(1));
      inPod(...byDefault(0));
      hasIpv6 = false;
    }
  });

  test("pods follow the MTU of their node's uplink, at both ends of their interface", async () => {
    const ip = (...args: string[]) => execFileSync("ip", args, { encoding: "utf8" });
    ip("link", "add", "up0", "type", "veth", "peer", "name", "far0");
    ip("address", "add", "172.31.1.8/24", "dev", "up0");
    ip("link", "set", "up0", "up");
    const network = new NodeNetwork({
      ...{
        nodeName: "master",
        uplinks: [],
        mtu: undefined,
        apiServer: undefined,
        salt: "",
        loadBalancer: false,
        countsServices: false,
      },
      sysctls: { root: "/proc/sys", memory: join(folder, "sysctls.json") },
      ...{ serviceSubnet: "10.96.0.0/12", serviceSubnetIpv6: undefined },
    });
    await call("ADD", "c10");
    const [endpoint] = endpoints.list() as [Endpoint];
    const steps = [
      { uplink: 1440, mode: "Always", pod: 1390 },
      { uplink: 1440, mode: "Never", pod: 1440 },
      { uplink: 8940, mode: "Always", pod: 8890 },
      { uplink: 1500, mode: "Always", pod: 1450 },
    ] as const;
    for (const { uplink, mode, pod } of steps) {
      ip("link", "set", "up0", "mtu", `${uplink}`);
      await network.refresh({ underlay: "172.31.1.8", ipv6: undefined });
      network.pools = () => [{ spec: { vxlanMode: mode } }];
      expect(network.podMtu).toBe(pod);
      const stale = { ...endpoint, netns: "/var/run/netns/that-has-ended" };
      expect(await network.followMtu([stale], pod)).toBe(0);
      expect(await network.followMtu(endpoints.list(), pod)).toBe(1);
      expect(await network.followMtu(endpoints.list(), pod)).toBe(0);
      expect(inPod("ip", "link", "show", "dev", "eth0")).toContain(` mtu ${pod} `);
      expect(ip("link", "show", "dev", endpoint.hostInterface)).toContain(` mtu ${pod} `);
    }
    await call("DEL", "c10");
  });

  test("GC without a list is refused and removes nothing", async () => {
    await call("ADD", "c8");
    for (const missing of [{}, { "cni.dev/valid-attachments": null }])
      await expect(call("GC", "", missing)).rejects.toMatchObject({ code: 7 });
    expect(endpoints.list().length).toBe(1);
    await call("DEL", "c8");
  });

  test("GC removes endpoints that the runtime does not know", async () => {
    await call("ADD", "c3");
    await call("GC", "", { "cni.dev/valid-attachments": [{ containerID: "c3", ifname: "eth0" }] });
    expect(endpoints.list().length).toBe(1);
    await call("GC", "", { "cni.dev/valid-attachments": [] });
    expect(endpoints.list()).toEqual([]);
  });

  test("GC of a network leaves the pods of another one alone", async () => {
    await call("ADD", "c3", { name: "mine" });
    await call("GC", "", { "cni.dev/valid-attachments": [] });
    expect(endpoints.list().length).toBe(1);
    await call("GC", "", { name: "mine", "cni.dev/valid-attachments": [] });
    expect(endpoints.list()).toEqual([]);
  });

  test("loopback is served for runtimes that request it", async () => {
    await call("ADD", "c4", { cniVersion: "0.3.1", type: "loopback" });
    expect(inPod("ip", "-brief", "link", "show", "lo")).toContain("UP");
  });

  test("the plugin is installed, not rewritten if it is the same, and removed", () => {
    const where = { binary: shim, binFolder: join(folder, "bin"), confFolder: join(folder, "conf") };
    installPlugin({ ...where, socket });
    installPlugin({ ...where, socket });
    const conflist = JSON.parse(readFileSync(join(folder, "conf", "05-ebpf-dataplane.conflist"), "utf8"));
    expect(conflist.plugins).toEqual([{ type: "ebpf-dataplane", socket }]);
    uninstallPlugin(where);
    expect(spawnSync("ls", [where.binFolder, where.confFolder], { encoding: "utf8" }).stdout).not.toContain("ebpf");
  });

  test("the shim prints the agent's answer", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const { execFile } = await import("node:child_process");
    const child = execFile(shim, { env: environment("CHECK", "unknown") }, (_, stdout) => resolve(stdout));
    child.stdin?.end(JSON.stringify(config));
    expect(JSON.parse(await promise)).toMatchObject({ cniVersion: "1.1.0", code: 3 });
  });
});
