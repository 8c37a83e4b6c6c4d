import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { attacher } from "./attach.ts";
import { WORKLOAD_PROGRAMS } from "./attach-workload.ts";
import { noKernel, temporaryBpffs } from "./bpffs.fixture.ts";
import { closeBehindLinks } from "./closing.ts";
import { attachFilter } from "./clsact.ts";
import { TCX } from "./device-hooks.ts";
import { ENODEV, ENOENT } from "./libbpf.ts";
import { removeLink } from "./links.ts";
import { load } from "./load.ts";
import { enterNamespace } from "./namespace.fixture.ts";
import { outcomeReader } from "./outcomes.ts";
import { compilePassObjects } from "./pass-objects.fixture.ts";
import { pinsUnder } from "./pins.ts";
import { ChangeRefused, changeNetwork, type RouteRequest } from "./rtnetlink.ts";
import { knock, received, veth } from "./veth.fixture.ts";

if (noKernel) console.log(noKernel);

const [PROGRAM, BEHIND] = [0xebf, 0xec0];

describe.skipIf(noKernel)("a workload's new interface", () => {
  const { folder, bpf } = temporaryBpffs();
  enterNamespace();
  const objects = join(folder, "objects");
  const changed = join(folder, "changed");
  const pins = pinsUnder(join(bpf, "dataplane"));
  beforeAll(() => {
    compilePassObjects(objects);
    compilePassObjects(changed, 1);
  });
  afterEach(() => {
    execFileSync("ip", ["link", "delete", "new0"]);
    agent().forget({ name: "new0", ifindex: 0 });
    expect(pinned()).toEqual([]);
  });

  /** Of an agent that has just started. */
  const agent = (of = objects) =>
    attacher(load({ objects: of, pins, logFile: join(folder, "verifier.log") }), pins, false);
  const isDown = () => veth("new0", false);
  const setUp = () => execFileSync("ip", ["link", "set", "new0", "up"]);
  const make = (requests: readonly RouteRequest[]) => changeNetwork(requests);
  const pinned = () => readdirSync(pins.links).filter((name) => name.startsWith("new0"));
  const filters = () =>
    ["ingress", "egress"].map((direction) => {
      const shown = execFileSync("tc", ["filter", "show", "dev", "new0", direction], { encoding: "utf8" });
      return [...shown.matchAll(/pref (\d+) .*? (\w+)(?::\[\d+\])? direct-action/g)].map(
        ([, at, name]) => `${at} ${name}`,
      );
    });
  const passes = async (expected = 1) => {
    const before = received();
    knock("new0");
    if (expected === 1) await expect.poll(() => received() - before).toBe(1);
    else expect(received() - before).toBe(0); // it is received within the call that sends it, or never
  };

  test("has its programs as filters, what drops behind them, and then links in place of the programs' filters", async (context) => {
    const [device, by] = [isDown(), agent()];
    expect(await by.newWorkload(device, make)).toBe(true);
    expect(filters()).toEqual([
      [`${PROGRAM} from_workload`, `${BEHIND} closed`],
      [`${PROGRAM} to_workload`, `${BEHIND} closed`],
    ]);
    const unchanged = { results: [{ result: "unchanged" }, { result: "unchanged" }] };
    expect(by.workload(device, true)).toMatchObject(unchanged);
    expect(pinned()).toEqual([]);
    setUp();
    for (const program of WORKLOAD_PROGRAMS) by.link(program, device);
    if (by.method !== "tcx") context.skip("SKIP: this kernel has no links for interfaces: the programs stay filters");
    expect(filters()).toEqual([[`${BEHIND} closed`], [`${BEHIND} closed`]]);
    expect(pinned().sort()).toEqual(["new0-egress", "new0-ingress"]);
    expect(by.workload(device, true)).toMatchObject({ ...unchanged, awaitsLinks: false });
  });

  test("carries packets at every moment, also where the agent is replaced in between", async () => {
    const device = isDown();
    await agent().newWorkload(device, make);
    setUp();
    await passes();
    agent().workload(device, true);
    await passes();
    for (const program of WORKLOAD_PROGRAMS) {
      agent().link(program, device);
      await passes();
      agent(changed).workload(device, true);
      await passes();
      agent().workload(device, true);
    }
  });

  test("asks one program for each packet, also where an agent has ended between a link and the filter that it replaces", async (context) => {
    const [device, by] = [isDown(), agent()];
    await by.newWorkload(device, make);
    setUp();
    by.link("from_workload", device);
    if (by.method !== "tcx") context.skip("SKIP: this kernel has no TCX");
    const loaded = load({ objects, pins, logFile: join(folder, "verifier.log") });
    expect(attachFilter(loaded.programFd("from_workload"), device.ifindex, "ingress")).toBe("created");
    const counted = () => [...outcomeReader(pins)().values()].reduce((sum, { packets }) => sum + Number(packets), 0);
    const before = counted();
    await passes();
    expect(counted() - before).toBe(1);
    expect(agent().workload(device, true)).toMatchObject({ awaitsLinks: true, results: [{}, { result: "unchanged" }] });
    expect(filters()).toEqual([[`${BEHIND} closed`], [`${PROGRAM} to_workload`, `${BEHIND} closed`]]);
    await passes();
    expect(counted() - before).toBe(2);
  });

  test("is closed without its programs, and open again with them", async () => {
    const [device, by] = [isDown(), agent()];
    await by.newWorkload(device, make);
    setUp();
    execFileSync("tc", ["filter", "delete", "dev", "new0", "ingress", "pref", String(PROGRAM)]);
    await passes(0);
    expect(by.workload(device, false).results).toMatchObject([{ result: "unchanged" }, { result: "created" }]);
    await passes();
    // Of filters that somebody has removed all, the agent makes new ones.
    execFileSync("tc", ["qdisc", "delete", "dev", "new0", "clsact"]);
    expect(by.workload(device, true).results).toMatchObject([{ result: "created" }, { result: "created" }]);
    expect(filters()[0]).toEqual([`${PROGRAM} from_workload`, `${BEHIND} closed`]);
  });

  test("that is gone is told so", async () => {
    const { ifindex } = isDown();
    await expect(agent().newWorkload({ name: "new0", ifindex: ifindex + 1_000 }, make)).rejects.toThrow("ENODEV");
  });

  test("comes up also where the kernel has no filters, and has links then", async (context) => {
    const [device, by] = [isDown(), agent()];
    const refused = (requests: readonly RouteRequest[], code: number) =>
      new ChangeRefused(requests.map((request) => ({ request, code })));
    const up = { what: "set new0 up", type: 16, flags: 0, body: Buffer.alloc(0) };
    const refusing = (code: number, also: RouteRequest[] = []) =>
      by.newWorkload(device, async (requests) => {
        if (requests.length > 0) throw refused([...requests, ...also], code);
      });
    await expect(refusing(-ENODEV)).rejects.toThrow("ENODEV");
    await expect(refusing(-ENOENT, [up])).rejects.toThrow("cannot set new0 up");
    expect(await refusing(-ENOENT)).toBe(false);
    expect(await refusing(-ENODEV)).toBe(false); // it asks for none any more
    setUp();
    if (by.method !== "tcx") context.skip("SKIP: this kernel has no TCX");
    expect(by.workload(device, true)).toMatchObject({
      awaitsLinks: false,
      results: [{ result: "created" }, { result: "created" }],
    });
    await passes();
    removeLink(join(pins.links, "new0-ingress"));
    await passes(0);
  });

  test("asks its filter's program also where an agent before has closed it by TCX", async (context) => {
    const [device, by] = [isDown(), agent()];
    setUp();
    by.link("from_workload", device);
    if (by.method !== "tcx") context.skip("SKIP: this kernel has no TCX");
    closeBehindLinks(device.ifindex, TCX.ingress);
    removeLink(join(pins.links, "new0-ingress"));
    await passes(0);
    by.workload(device, true);
    await passes();
  });

  test("of an agent before, which is closed by TCX behind its links, is left as it is", (context) => {
    const [device, by] = [isDown(), agent()];
    setUp();
    for (const program of WORKLOAD_PROGRAMS) by.link(program, device);
    if (by.method !== "tcx") context.skip("SKIP: this kernel has no TCX");
    for (const attachType of [TCX.ingress, TCX.egress]) closeBehindLinks(device.ifindex, attachType);
    expect(agent().workload(device, true)).toMatchObject({ awaitsLinks: false });
    expect(filters()).toEqual([[], []]);
  });
});
