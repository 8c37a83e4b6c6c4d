// Two subnets and a router between them, without Kubernetes.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBareLab } from "./bare.ts";
import { runIn } from "./enter.ts";
import { impairmentFault } from "./impairment.ts";
import { killedAfter } from "./killed-maker.fixture.ts";
import { findRemains, removeLab } from "./removal.ts";

/** Of this process: two runs on one computer leave each other's labs alone. */
const [lab, killed, lossy] = ["subnets", "killed", "lossy"].map((name) => `${name}${process.pid.toString(36)}`) as [
  string,
  string,
  string,
];
const nothing = { processes: [], namespaces: [], cgroups: [], mounts: [], folders: [] };
const subnets = [
  { name: "west", cidr: "10.1.1.0/24" },
  { name: "east", cidr: "10.1.2.0/24", cidrIpv6: "fd00:e::/64", link: { mtu: 1400 } },
];
const machines = [
  { name: "router", role: "router", address: "10.1.1.1" },
  { name: "left", address: "10.1.1.8" },
  { name: "right", address: "10.1.2.207" },
  { name: "narrow", address: "10.1.1.9", link: { mtu: 1300 } },
];
const noRouter =
  spawnSync("sh", ["-c", "command -v bird"]).status !== 0 && "SKIP: bird is not installed (tools/bootstrap tests)";
const noNetem = (await impairmentFault()) !== undefined && "SKIP: this kernel has no netem";
if (noNetem) console.log(`${noNetem}, so no link loses or delays packets`);

const shell = async (machine: string, script: string): Promise<string> =>
  (await runIn(lab, machine, ["sh", "-c", script])).stdout.trim();

/** Whether a packet of this size that must not be cut is answered. */
const ping = async (machine: string, to: string, bytes: number): Promise<boolean> => {
  const headers = to.includes(":") ? 48 : 28;
  return (await shell(machine, `busybox ping -c 1 -W 1 -s ${bytes - headers} ${to} && echo answered`)).endsWith(
    "answered",
  );
};

describe.skipIf(noRouter)("two subnets and a router", () => {
  beforeAll(() => createBareLab(lab, machines, subnets));
  afterAll(() => removeLab(lab));

  it.each(["10.1.2.207", "fd00:e::207"])("the router passes packets to %s, and counts them down", async (right) => {
    await expect.poll(() => ping("left", right, 1000)).toBe(true);
    await expect.poll(() => shell("left", `busybox ping -c 1 ${right}`)).toContain("ttl=63");
    expect(await shell("right", "ip route show default; ip -6 route show default")).toMatch(
      /10\.1\.2\.1 .*\n.*fd00:e::1 /,
    );
  });

  it.each([
    ["10.1.2.207", "need to frag (mtu 1400)"],
    ["fd00:e::207", "packet too big, mtu 1400"],
  ])("a packet that is too large for the link of %s is answered by the router", async (right, answer) => {
    const tcpdump = "exec tcpdump -nlc 1 'icmp[0] == 3 or (icmp6 and ip6[40] == 2)' 2>/tmp/tcpdump.said";
    await shell("left", ": >/tmp/tcpdump.said");
    const watch = runIn(lab, "left", ["sh", "-c", tcpdump], { timeout: 600_000 });
    await expect.poll(() => shell("left", "cat /tmp/tcpdump.said")).toContain("listening on");
    expect(await ping("left", right, 1500)).toBe(false);
    expect((await watch).stdout).toContain(answer);
    await expect.poll(() => ping("left", right, 1400)).toBe(true);
  });

  it("one machine's link may be smaller than its subnet's", async () => {
    expect(await shell("narrow", "cat /sys/class/net/eth0/mtu")).toBe("1300");
    expect(await shell("left", "cat /sys/class/net/eth0/mtu")).toBe("1500");
    expect(await shell("router", "cat /sys/class/net/eth0/mtu /sys/class/net/eth1/mtu")).toBe("1500\n1400");
  });

  it("the router learns networks that a machine announces, puts them into the kernel, and forgets them with the machine", async () => {
    const configuration = `router id 10.1.2.207; protocol device {}
      protocol static { ipv4; route 10.9.0.0/26 blackhole; }
      protocol static { ipv6; route fd00:9::/122 blackhole; }
      protocol bgp { local as 64512; connect delay time 1; neighbor 10.1.2.1 as 64500; ipv4 { import all; export all; }; ipv6 { import all; export all; }; }`;
    const bird = `cat >/tmp/bird.conf; exec bird -f -c /tmp/bird.conf -s /tmp/bird.ctl`;
    const speaker = runIn(lab, "right", ["sh", "-c", bird], { input: configuration });
    const learned = () => shell("router", "ip route show proto bird; ip -6 route show proto bird");
    await expect
      .poll(learned)
      .toMatch(/^10\.9\.0\.0\/26 via 10\.1\.2\.207 dev eth1 .*\nfd00:9::\/122 via fd00:e::207 dev eth1 /);
    expect(await shell("router", "birdc show route 10.9.0.0/26")).toContain("AS64512");
    await shell("right", "birdc -s /tmp/bird.ctl down");
    await speaker;
    await expect.poll(learned).toBe("");
  });

  it.each([50, 200, 500])("is removed completely when its creator is killed after %i ms", async (delay) => {
    const program = `
      const { createBareLab } = await import(${JSON.stringify(join(import.meta.dirname, "bare.ts"))});
      await createBareLab("${killed}", ${JSON.stringify(machines)}, ${JSON.stringify(subnets)});`;
    await killedAfter(delay, program);
    await removeLab(killed);
    expect(findRemains(killed)).toEqual(nothing);
  });
});

const impaired = [machines[1], { ...machines[3], link: { delayMs: 50, lossPercent: 20 } }] as typeof machines;

it.runIf(noNetem)("loss and delay are refused, and nothing is left, where the kernel has no netem", async () => {
  await expect(createBareLab(lossy, impaired, subnets.slice(0, 1))).rejects.toThrow(
    "lossPercent and delayMs of a link need",
  );
  expect(findRemains(lossy)).toEqual(nothing);
});

it("a link loses and delays packets as asked", async ({ skip }) => {
  if (noNetem) skip("SKIP: this kernel has no netem (CONFIG_NET_SCH_NETEM), so links lose and delay nothing");
  await createBareLab(lossy, impaired, subnets.slice(0, 1));
  try {
    // A neighbor that is looked for over such a link takes seconds, now and then.
    const once = async () => (await runIn(lossy, "left", ["busybox", "ping", "-c", "1", "-W", "1", "10.1.1.9"])).status;
    await expect.poll(once).toBe(0);
    const { stdout } = await runIn(lossy, "left", [
      "busybox",
      "ping",
      "-c",
      "100",
      "-i",
      "0.02",
      "-W",
      "1",
      "10.1.1.9",
    ]);
    const [, lost, fastest] = /(\d+)% packet loss\n.* = ([\d.]+)\//.exec(stdout) ?? [];
    expect(Number(lost)).toBeGreaterThan(2);
    expect(Number(lost)).toBeLessThan(50);
    expect(Number(fastest)).toBeGreaterThan(49);
  } finally {
    await removeLab(lossy);
  }
});
