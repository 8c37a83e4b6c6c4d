import { execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Attacher, attacher, detachAll } from "./attach.ts";
import { WORKLOAD_PROGRAMS } from "./attach-workload.ts";
import { noKernel, temporaryBpffs } from "./bpffs.fixture.ts";
import { cgroupMount } from "./cgroup-mount.ts";
import type { Device } from "./device-hooks.ts";
import { KernelMap } from "./kernel-map.ts";
import { libbpf } from "./libbpf.ts";
import { removeLink } from "./links.ts";
import { type Loaded, type LoadOptions, load } from "./load.ts";
import { mapStoreCases, settings } from "./map-store.cases.ts";
import { enterNamespace } from "./namespace.fixture.ts";
import { programInfo } from "./object-info.ts";
import { outcomeReader } from "./outcomes.ts";
import { compilePassObjects } from "./pass-objects.fixture.ts";
import { pinsUnder, removeOtherLayouts } from "./pins.ts";
import { programNames, programs } from "./programs.ts";
import { knock, received, veth } from "./veth.fixture.ts";
import { type Card, CardRefusal } from "./xdp.ts";

if (noKernel) console.log(noKernel);

const BPF_PROG_TYPE_XDP = 6;
const BPF_CGROUP_UDP4_RECVMSG = 19; // enum bpf_attach_type

describe.skipIf(noKernel)("kernel", () => {
  const { folder, bpf } = temporaryBpffs();
  enterNamespace();
  const objects = join(folder, "objects");
  const changed = join(folder, "changed");
  const pins = pinsUnder(join(bpf, "dataplane"));
  const options = { objects, pins, logFile: join(folder, "verifier.log") };

  beforeAll(() => {
    compilePassObjects(objects);
    compilePassObjects(changed, 1);
  });

  let maps = 0;
  mapStoreCases("kernel", (definition) => {
    const path = join(bpf, `case-${maps++}`);
    const flags = definition.flags ? ["flags", String(definition.flags)] : [];
    const sizes = ["key", definition.key.size, "value", definition.value.size, "entries", definition.maxEntries].map(
      String,
    );
    execFileSync("bpftool", ["map", "create", path, "type", definition.type, ...sizes, "name", "case", ...flags]);
    return new KernelMap(definition, libbpf().getPinned(path));
  });

  test("a second load() shares the maps of the first", () => {
    load(options).maps.settings.update([[0, settings]]);
    expect(load(options).maps.settings.lookup(0)).toEqual(settings);
  });

  describe("the programs of the agent before", () => {
    let nodes = 0;
    const agentBefore = () => {
      const own = { ...options, pins: pinsUnder(join(bpf, `kept-${nodes++}`)) };
      return { own, ids: idsOf(load(own)) };
    };
    const idsOf = ({ programFd }: Loaded) => programNames.map((name) => programInfo(programFd(name)).id);
    const keptIn = (folder: string) => readdirSync(folder).map((key) => join(folder, key));

    test("are used again", () => {
      const { own, ids } = agentBefore();
      expect(idsOf(load(own))).toEqual(ids);
    });

    test.each<[string, (own: LoadOptions) => LoadOptions]>([
      ["another object", (own) => ({ ...own, objects: changed })],
      ["a map of another size", (own) => ({ ...own, sizes: { affinities: 77 } })],
      ["a map that is made again", (own) => without(own, join(own.pins.maps, "affinities"))],
      ["a program without its pin", (own) => without(own, join(keptIn(own.pins.programs)[0] as string, "from_uplink"))],
    ])("are loaded again for %s, and kept", (_, change) => {
      const { own, ids } = agentBefore();
      const now = change(own);
      const again = idsOf(load(now));
      expect(again.filter((id) => ids.includes(id))).toEqual([]);
      expect(keptIn(own.pins.programs)).toHaveLength(1);
      expect(idsOf(load(now))).toEqual(again);
    });

    function without(own: LoadOptions, pin: string): LoadOptions {
      rmSync(pin);
      return own;
    }
  });

  test("a program that the verifier rejects is named, with the end of the log and the path of the rest", () => {
    const broken = join(folder, "broken");
    compilePassObjects(broken, "*(volatile int *)0");
    expect(() => load({ ...options, objects: broken })).toThrow(
      /^The kernel rejected program from_uplink of uplink.bpf.o: .*\n[\s\S]*processed \d+ insns[\s\S]*Full log: /,
    );
    expect(readFileSync(options.logFile, "utf8")).toContain("BEGIN PROG LOAD LOG");
  });

  test("maps of another layout are removed on request, ours and the links stay", () => {
    mkdirSync(join(pins.root, "0123456789ab", "maps"), { recursive: true });
    expect(removeOtherLayouts(pins)).toEqual(["0123456789ab"]);
    expect(existsSync(pins.maps) && existsSync(pins.links)).toBe(true);
  });

  describe.each([["tcx"], ["clsact"]])("attach by %s", (method) => {
    const names = { tcx: "tcx0", clsact: "cls0" } as Record<string, string>;
    const name = names[method] as string;
    let device: Device;
    beforeAll(() => {
      device = veth(name);
    });

    const start = (folderOfObjects: string): Attacher =>
      attacher(load({ ...options, objects: folderOfObjects }), pins, method === "clsact");

    test("a packet runs the program; a restart with the same program changes nothing", async (context) => {
      const first = start(objects);
      expect(first.device("from_uplink", device)).toBe("created");
      if (first.method !== method) context.skip(`SKIP: this kernel has no ${method}`);
      const before = packets(0);
      knock(name);
      await expect.poll(() => packets(0)).toBe(before + 1n);
      expect(start(objects).device("from_uplink", device)).toBe("unchanged");
    });

    test("removing a pin detaches nothing while the agent runs, and the pin is restored", async (context) => {
      if (method !== "tcx") context.skip("SKIP: filters have no pins");
      const attached = start(objects);
      for (const pin of readdirSync(pins.links)) rmSync(join(pins.links, pin));
      const before = packets(0);
      for (let count = 0; count < 20; count++) knock(name);
      await expect.poll(() => packets(0)).toBe(before + 20n);
      expect(attached.device("from_uplink", device)).toBe("pinned again");
      expect(readdirSync(pins.links)).toEqual([`${name}-ingress`]);
      knock(name);
      await expect.poll(() => packets(0)).toBe(before + 21n);
    });

    test("a workload's interface is closed without its program, and open again with it", async (context) => {
      const workload = veth("work0");
      const attached = start(objects);
      for (let time = 0; time < 2; time++) {
        expect(attached.workload(workload, true).awaitsLinks).toBe(time === 0 && attached.method === "tcx");
        for (const program of WORKLOAD_PROGRAMS) attached.link(program, workload);
      }
      if (attached.method !== method) context.skip(`SKIP: this kernel has no ${method}`);
      let before = received();
      const arriving = () => {
        before = received();
        for (let count = 0; count < 20; count++) knock("work0");
        return expect.poll(() => received() - before);
      };
      await arriving().toBe(20);
      if (method === "tcx") removeLink(join(pins.links, "work0-ingress"));
      else execFileSync("tc", ["filter", "delete", "dev", "work0", "ingress", "pref", String(0xebf)]);
      await arriving().toBe(0);
      expect(attached.workload(workload, false).results).toMatchObject([
        { result: "unchanged" },
        { result: "created" },
      ]);
      await arriving().toBe(20);
      execFileSync("ip", ["link", "delete", "work0"]);
      attached.sweep();
    });

    test("a changed program replaces the old one, also together with those of other hooks, and where none is, none comes", async () => {
      expect(start(changed).device("from_uplink", device)).toBe("replaced");
      const hooks = [
        { program: "from_uplink", device },
        { program: "to_uplink", device },
      ] as const;
      expect(start(objects).replace(hooks)).toMatchObject([hooks[0]]);
      expect(start(changed).replace(hooks)).toMatchObject([hooks[0]]);
      expect(start(changed).replace(hooks)).toEqual([]);
      expect(start(changed).device("from_uplink", device)).toBe("unchanged");
      const [old, current] = [packets(0), packets(1)];
      knock(name);
      await expect.poll(() => packets(1)).toBe(current + 1n);
      expect(packets(0)).toBe(old);
    });

    test("a device that is re-created under its name is attached again", () => {
      const { ifindex } = device;
      execFileSync("ip", ["link", "delete", name]);
      device = veth(name);
      expect(device.ifindex).not.toBe(ifindex);
      expect(start(objects).device("from_uplink", device)).toBe("created");
    });

    test("the links of removed devices are removed", () => {
      execFileSync("ip", ["link", "delete", name]);
      expect(start(objects).sweep()).toEqual(method === "tcx" ? ["tcx0-ingress"] : []);
      expect(readdirSync(pins.links)).toEqual([]);
    });
  });

  test("changing the method leaves one attachment", async () => {
    const device = veth("switch0");
    const loaded = load(options);
    attacher(loaded, pins, false).device("from_uplink", device);
    attacher(loaded, pins, true).device("from_uplink", device);
    expect(readdirSync(pins.links)).toEqual([]);
    attacher(loaded, pins, false).device("from_uplink", device);
    const before = packets(0);
    knock("switch0");
    await expect.poll(() => packets(0) - before).toBe(1n);
  });

  test("a workload's interface stays open when the method changes", async () => {
    const device = veth("switch1");
    const loaded = load(options);
    for (const clsact of [false, true, false]) {
      const attached = attacher(loaded, pins, clsact);
      attached.workload(device, true);
      if (!clsact) for (const program of WORKLOAD_PROGRAMS) attached.link(program, device);
      const before = received();
      knock("switch1");
      await expect.poll(() => received() - before).toBe(1);
    }
  });

  describe("in an uplink's card", () => {
    let device: Card;
    beforeEach(() => {
      device = { ...veth("card0"), mtu: 1500 };
      return () => {
        execFileSync("ip", ["link", "delete", "card0"]);
        start(objects).sweep();
      };
    });
    const refusalOf = (attach: () => void): CardRefusal => {
      try {
        attach();
      } catch (error) {
        if (error instanceof CardRefusal) return error;
        throw error;
      }
      expect.fail("it was attached");
    };
    const start = (folderOfObjects: string) => attacher(load({ ...options, objects: folderOfObjects }), pins, false);
    const attached = () => {
      const [link] = JSON.parse(execFileSync("ip", ["-json", "-details", "link", "show", "dev", "card0"]).toString());
      const { mode, prog } = link.xdp ?? {};
      return { inDriver: mode === 1, name: prog?.name, id: prog?.id }; // XDP_ATTACHED_DRV
    };

    test("the program is in its driver, stays at a restart, is replaced by a changed one, and detached where it is not wanted", () => {
      expect(start(objects).card(device)).toBe("created");
      const first = attached();
      expect(first).toMatchObject({ inDriver: true, name: "xdp_uplink" });
      expect(start(objects).card(device)).toBe("unchanged");
      const hooks = [
        { program: "from_uplink", device },
        { program: "xdp_uplink", device },
      ] as const;
      expect(start(objects).replace(hooks)).toEqual([]);
      expect(start(changed).replace(hooks)).toMatchObject([hooks[1]]);
      expect(attached()).toMatchObject({ inDriver: true, name: "xdp_uplink" });
      expect(attached().id).not.toBe(first.id);
      expect(start(changed).noOtherCards([device])).toEqual([]);
      expect(start(changed).noOtherCards([])).toEqual(["card0"]);
      expect(attached()).toEqual({ inDriver: false });
      expect(readdirSync(pins.links).filter((pin) => pin.startsWith("card0-xdp"))).toEqual([]);
    });

    test("under another MTU the driver is asked anew, and what it says is told", () => {
      const agent = start(objects);
      agent.card(device);
      expect(agent.noOtherCards([{ ...device, mtu: 1400 }])).toEqual(["card0"]);
      expect(attached()).toEqual({ inDriver: false });
      expect(agent.card({ ...device, mtu: 1400 })).toBe("created");
      expect(agent.noOtherCards([{ ...device, mtu: 1400 }])).toEqual([]);
      expect(agent.noOtherCards([])).toEqual(["card0"]);
    });

    test("the link of an agent before MTUs were told apart is replaced", () => {
      const agent = start(objects);
      agent.card(device);
      renameSync(join(pins.links, "card0-xdp-1500"), join(pins.links, "card0-xdp"));
      expect(start(objects).noOtherCards([device])).toEqual(["card0"]);
      expect(start(objects).card(device)).toBe("created");
    });

    test.each(["xdpdrv", "xdpgeneric"])("somebody else's program (%s) stays", (mode) => {
      const other = join(bpf, `other-${mode}`);
      const passes = Buffer.from("b700000002000000" + "9500000000000000", "hex"); // return XDP_PASS
      libbpf().pin(libbpf().programLoad(BPF_PROG_TYPE_XDP, "other", "GPL", passes, 2, null), other);
      execFileSync("bpftool", ["net", "attach", mode, "pinned", other, "dev", "card0"]);
      const before = attached();
      expect(() => start(objects).card(device)).toThrow(/^Cannot attach to card0 XDP: (EBUSY|EEXIST): /);
      expect(attached()).toEqual(before);
      expect(start(objects).noOtherCards([])).toEqual([]);
      expect(attached()).toEqual(before);
    });

    test("a driver without XDP refuses", () => {
      const [loopback] = JSON.parse(execFileSync("ip", ["-json", "link", "show", "dev", "lo"]).toString());
      const refusal = refusalOf(() => start(objects).card({ name: "lo", ifindex: loopback.ifindex, mtu: 65_536 }));
      expect(refusal.message).toMatch(/^Cannot attach to lo XDP: ENOTSUP: /);
      expect(refusal.reason).toBe("Underlying driver does not support XDP in native mode");
    });

    test("what a driver says of why it refuses is told, and nothing is left attached", () => {
      // veth: a packet of one end must fit a page of the other.
      execFileSync("ip", ["link", "set", "card0-peer", "mtu", "65000"]);
      const refusal = refusalOf(() => start(objects).card(device));
      expect(refusal.message).toMatch(/^Cannot attach to card0 XDP: /);
      expect(refusal.reason).toMatch(/MTU is too large/);
      expect(attached()).toEqual({ inDriver: false });
    });

    test("goes with everything else when the dataplane is removed", () => {
      start(objects).card(device);
      detachAll(pins, []);
      expect(attached()).toEqual({ inDriver: false });
      load(options); // for what follows
    });
  });

  test("socket hooks are attached to a cgroup, and one that only an older version has is detached", (context) => {
    const folderOfCgroup = join(cgroupMount("/sys/fs/cgroup"), `dataplane-test-${process.pid}`);
    mkdirSync(folderOfCgroup);
    context.onTestFinished(() => {
      execFileSync("rmdir", [folderOfCgroup]);
    });
    const attached = () => {
      const shown = JSON.parse(execFileSync("bpftool", ["-j", "cgroup", "show", folderOfCgroup], { encoding: "utf8" }));
      return shown.map((entry: { name: string }) => entry.name) as string[];
    };
    attacher(load(options), pins, false).cgroup(folderOfCgroup);
    const older = join(pins.links, "cgroup-sock_release"); // of an older version, which had one hook more
    const folderFd = openSync(folderOfCgroup, "r");
    const olderProgram = load({ ...options, pins: pinsUnder(join(bpf, "older")) }).programFd("recvmsg4");
    expect(libbpf().pin(libbpf().linkCreate(olderProgram, folderFd, BPF_CGROUP_UDP4_RECVMSG, null), older)).toBe(0);
    closeSync(folderFd);
    expect(attached()).toHaveLength(9);
    attacher(load(options), pins, false).cgroup(folderOfCgroup);
    expect(attached().sort()).toEqual(
      Object.entries(programs)
        .filter(([, { hook }]) => hook.kind === "cgroup")
        .map(([name]) => name)
        .sort(),
    );
    detachAll(pins, []);
    expect(existsSync(pins.root)).toBe(false);
  });

  function packets(outcome: number): bigint {
    const totals = [...outcomeReader(pins)().values()];
    return totals[outcome]?.packets ?? 0n;
  }
});
