import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { listLabs } from "../list/list.ts";
import { createBareLab, withBareLab } from "./bare.ts";
import { enterArgv, runIn } from "./enter.ts";
import { killedAfter } from "./killed-maker.fixture.ts";
import { firstProcess, stopMachine } from "./machine.ts";
import { findRemains, removeLab, requireNoStrangers } from "./removal.ts";

const machines = [
  { name: "left", address: "172.31.1.8" },
  { name: "right", address: "172.31.1.207" },
];
const nothing = { processes: [], namespaces: [], cgroups: [], mounts: [], folders: [] };
/** Of this process: two runs on one computer leave each other's labs alone. */
const [bare, other] = ["bare", "other"].map((name) => `${name}${process.pid.toString(36)}`) as [string, string];
const labs = [bare, other];

const shell = async (lab: string, machine: string, script: string): Promise<string> =>
  (await runIn(lab, machine, ["sh", "-c", script])).stdout.trim();

afterEach(async () => {
  for (const lab of labs) await removeLab(lab);
});

describe("a bare lab", () => {
  it("has machines with their own names, networks, processes and cgroups, and leaves nothing behind", async () => {
    await withBareLab(bare, machines, async () => {
      expect(await shell(bare, "left", "hostname")).toBe("left");
      expect(await shell(bare, "left", "ls /sys/class/net")).toBe("eth0\nlo");
      expect(await shell(bare, "left", "cat /proc/1/comm")).toBe("bash");
      expect(await shell(bare, "left", "grep ^0:: /proc/self/cgroup")).toBe("0::/init");
      expect(await shell(bare, "left", "findmnt -no FSTYPE /sys/fs/bpf")).toBe("bpf");
    });
    for (const lab of labs) expect(findRemains(lab)).toEqual(nothing);
  });

  it("has machines with addresses of both families, which reach each other and their gateway", async () => {
    const machinesIpv6 = [{ ...machines[0], addressIpv6: "fd00:172:31:1::a" }, machines[1]] as typeof machines;
    await withBareLab(bare, machinesIpv6, async () => {
      // Nothing listens on the discard port: who is reached says so.
      const reach = (address: string) =>
        shell(bare, "right", `timeout 60 bash -c ': >/dev/tcp/${address}/9' 2>&1 | grep -om1 refused | head -1`);
      for (const address of ["172.31.1.8", "fd00:172:31:1::a", "172.31.1.1", "fd00:172:31:1::1"])
        expect([address, await reach(address)]).toEqual([address, "refused"]);
      // The same last number as its IPv4 address, usable at once, and a way out.
      expect(await shell(bare, "right", "ip -6 -brief address show dev eth0")).toContain("fd00:172:31:1::207/64");
      expect(await shell(bare, "right", "ip -6 address show dev eth0 tentative scope global")).toBe("");
      expect(await shell(bare, "right", "ip -6 route show default")).toContain("via fd00:172:31:1::1 dev eth0");
    });
  });

  it("hides a machine's files from the host and from other machines", async () => {
    await withBareLab(bare, machines, async () => {
      await shell(bare, "left", "for d in /etc /var/lib /opt /tmp /run; do touch $d/lab-was-here; done");
      expect(await shell(bare, "right", "ls /etc/lab-was-here /tmp/lab-was-here 2>/dev/null")).toBe("");
      const host = await once(spawn("ls", ["/etc/lab-was-here", "/run/lab-was-here"], { stdio: "ignore" }), "exit");
      expect(host[0]).not.toBe(0);
      expect(await shell(bare, "left", "touch /usr/lab-was-here 2>/dev/null || echo refused")).toBe("refused");
    });
  });

  it("says to another user that only root can see it", async () => {
    await withBareLab(bare, machines, async () => {
      // Loaded before: that user may not be allowed to read the checkout either.
      const script = `
        const { readState } = await import(${JSON.stringify(join(import.meta.dirname, "..", "cluster", "state.ts"))});
        process.setuid(65534);
        try { console.log(readState(${JSON.stringify(bare)})) } catch (error) { console.log(error.message) }`;
      const said = execFileSync(process.execPath, ["--input-type=module", "--no-warnings", "--eval", script]);
      expect(String(said)).toBe(`only root can see lab ${bare}, or that there is none\n`);
    });
  });

  it("runs next to another with the same addresses", async () => {
    await Promise.all(labs.map((lab) => createBareLab(lab, machines)));
    const names = await Promise.all(labs.map((lab) => shell(lab, "right", "cat /etc/hosts | grep -c left; hostname")));
    expect(names).toEqual(["1\nright", "1\nright"]);
    await removeLab(bare);
    expect(findRemains(bare)).toEqual(nothing);
    expect(await shell(other, "left", "hostname")).toBe("left");
  });

  it("of a container is refused on its host, and only what a container left behind is removed there", async () => {
    const source = JSON.stringify(join(import.meta.dirname, "bare.ts"));
    const program = `import { createBareLab } from ${source}; await createBareLab("${bare}", ${JSON.stringify(machines)});
      console.log("made"); setInterval(() => {}, 60_000);`;
    // As containers have them: PIDs, /run and /var/lib of its own, and the host's hierarchies of cgroups.
    const inside = `mount -t tmpfs none /run && mount -t tmpfs none /var/lib && exec "$0" "$@"`;
    const node = [process.execPath, "--no-warnings", "--input-type=module", "--eval", program];
    const unshare = ["--pid", "--fork", "--kill-child", "--mount", "--mount-proc", "sh", "-c", inside, ...node];
    const container = spawn("unshare", unshare, { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(container, "exit");
    try {
      expect(String(await Promise.race([once(container.stdout, "data"), ended]))).toBe("made\n");
      const running = findRemains(bare);
      expect(running.namespaces).toEqual([]);
      expect(() => requireNoStrangers(bare)).toThrow(
        `there is a lab ${bare} in a container of this computer: the cgroup `,
      );
      const main = join(import.meta.dirname, "..", "main.ts");
      const down = spawnSync(process.execPath, ["--no-warnings", main, "down", bare], { encoding: "utf8" });
      expect([down.status, down.stderr]).toEqual([
        1,
        expect.stringContaining("next: run the same command in that container"),
      ]);
      expect(findRemains(bare)).toEqual(running);
    } finally {
      container.kill("SIGKILL");
      await ended;
    }
    await expect.poll(() => findRemains(bare).processes).toEqual([]);
    requireNoStrangers(bare);
    await removeLab(bare);
    expect(findRemains(bare)).toEqual(nothing);
  });

  it("ends all processes of a machine with its first process, and leaves only its files", async () => {
    await createBareLab(bare, machines);
    const init = firstProcess(bare, "left");
    process.kill(init?.pid as number, "SIGKILL");
    await stopMachine(bare, "left");
    expect(firstProcess(bare, "left")).toBeUndefined();
    expect(findRemains(bare).namespaces.sort()).toEqual([`${bare}-right`, `${bare}-switch`]);
  });

  it.each([50, 150, 300, 500])("is removed completely when its creator is killed after %i ms", async (delay) => {
    const program = `
      const { createBareLab } = await import(${JSON.stringify(join(import.meta.dirname, "bare.ts"))});
      await createBareLab("${bare}", ${JSON.stringify(machines)});`;
    await killedAfter(delay, program);
    await removeLab(bare);
    expect(findRemains(bare)).toEqual(nothing);
  });
});

describe("a command inside a machine", () => {
  it("returns its exit status and gets its input", async () => {
    await withBareLab(bare, machines, async () => {
      expect((await runIn(bare, "left", ["sh", "-c", "exit 7"])).status).toBe(7);
      expect((await runIn(bare, "left", ["cat"], { input: "abc" })).stdout).toBe("abc");
    });
  });

  it("ends with its caller", async () => {
    await withBareLab(bare, machines, async () => {
      const [file = "", ...words] = enterArgv(bare, "left", ["sleep", "1234"]);
      const caller = spawn(file, words, { stdio: "ignore" });
      const sleeping = () =>
        shell(
          bare,
          "left",
          "for one in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$one; echo; done 2>/dev/null | grep -c '^sleep 1234'",
        );
      await expect.poll(sleeping).toBe("1");
      caller.kill("SIGKILL");
      await expect.poll(sleeping).toBe("0");
    });
  });
});

describe("the list of labs", () => {
  it("has a bare lab with its maker, and as a leftover with the command that removes it once that has ended", async () => {
    const listed = async (name: string) => (await listLabs()).find(({ lab }) => lab === name);
    await withBareLab(bare, machines, async () => {
      expect(await listed(bare)).toMatchObject({
        kind: "machines",
        state: "in use",
        reason: `process ${process.pid} made it and runs`,
        checkout: join(import.meta.dirname, "../.."),
        namespaces: expect.arrayContaining([`${bare}-left`, `${bare}-right`, `${bare}-switch`]),
      });
    });
    expect(await listed(bare)).toBeUndefined();
    const source = JSON.stringify(join(import.meta.dirname, "bare.ts"));
    const script = `import { createBareLab } from ${source}; await createBareLab("${other}", ${JSON.stringify(machines)});`;
    execFileSync(process.execPath, ["--input-type=module", "--eval", script]);
    const left = await listed(other);
    expect(left).toMatchObject({ state: "leftover" });
    const [program = "", ...argv] = left?.remove?.split(" ") ?? [];
    expect([program, ...argv.slice(-2)]).toEqual(["node", "down", other]);
    execFileSync(process.execPath, argv, { stdio: "ignore" });
    expect(findRemains(other)).toEqual(nothing);
  });
});
