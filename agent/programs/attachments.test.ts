import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Endpoint } from "../cni/endpoint-store.ts";
import type { Attacher } from "../kernel/attach.ts";
import type { NodeNetwork } from "../machine/node-network.ts";
import { Attachments } from "./attachments.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

const noDevices = { tunnel: undefined, wireguard: undefined, uplinkDevices: [] } as unknown as NodeNetwork;
const endpointOf = (ifindex: number) => ({ hostInterface: `ebpf${ifindex}`, ifindex }) as Endpoint;

/** What an agent does with programs, in words. `failure` is what the kernel says to a link; `meanwhile` happens while it makes the first one. */
function agent({ hasFilters = true, failure = "", meanwhile = () => {} } = {}) {
  const done: string[] = [];
  const linked = new Set<string>();
  let looks = 0;
  const attacherOf = (programs: { programFd: unknown }): Attacher => {
    const by = programs.programFd === undefined ? "" : " traced";
    return {
      method: "tcx",
      replace() {
        done.push("older ones replaced");
        return [];
      },
      device: () => "unchanged",
      newWorkload: async ({ name }: { name: string }) => {
        done.push(`${name} filters${by}`);
        return hasFilters;
      },
      workload({ name }: { name: string }, closes: boolean) {
        looks++;
        if (closes) done.push(`${name} looked at${by}`);
        const awaitsLinks = hasFilters && !linked.has(`${name} from_workload`);
        return { awaitsLinks, results: [] };
      },
      link(program: string, { name }: { name: string }) {
        if (failure) throw new Error(failure);
        if (linked.size === 0) meanwhile();
        linked.add(`${name} ${program}`);
        if (program === "from_workload") done.push(`${name} linked`);
      },
      forget: ({ name }: { name: string }) => void done.push(`${name} forgotten`),
      detach: () => {},
      cgroup: () => {},
      sweep: () => [],
    } as unknown as Attacher;
  };
  const log = { info: () => {}, debug: () => {} };
  const attachments = new Attachments(attacherOf as never, {} as never, noDevices, log as never);
  const endpoints: Endpoint[] = [];
  return {
    done,
    attachments,
    async add(ifindex: number) {
      await attachments.newEndpoint({ name: `ebpf${ifindex}`, ifindex }, async () => {});
      endpoints.push(endpointOf(ifindex));
      attachments.endpoint(endpointOf(ifindex));
    },
    remove(ifindex: number) {
      const place = endpoints.findIndex((one) => one.ifindex === ifindex);
      for (const one of endpoints.splice(place, 1)) attachments.gone(one);
    },
    look: () => attachments.look(endpoints),
    looks: () => looks,
    /** What has happened since the last call. */
    since: () => done.splice(0),
  };
}

test("pods' programs get their links when no interface has been made for three seconds, all of them", async () => {
  const { add, look, since } = agent();
  await add(1);
  vi.advanceTimersByTime(2_000);
  await look();
  await add(2);
  vi.advanceTimersByTime(2_000);
  await look();
  expect(since()).toEqual(["ebpf1 filters", "ebpf2 filters"]);
  vi.advanceTimersByTime(2_000);
  await look();
  expect(since()).toEqual(["ebpf1 linked", "ebpf2 linked"]);
  await look();
  expect(since()).toEqual([]);
});

test("where pods start all the time, one interface at a time gets its links after thirty seconds", async () => {
  const { add, look, since } = agent();
  await add(1);
  await add(2);
  for (let count = 3; count < 23; count++) {
    vi.advanceTimersByTime(1_500);
    await add(count);
    await look();
  }
  expect(since().filter((what) => what.endsWith("linked"))).toEqual([]);
  vi.advanceTimersByTime(500);
  await add(23);
  await look();
  expect(since().filter((what) => what.endsWith("linked"))).toEqual(["ebpf1 linked"]);
  await look();
  expect(since()).toEqual(["ebpf2 linked"]);
});

test("links wait for a pod that starts while they are made", async () => {
  const { add, look, since } = agent({ meanwhile: () => void add(3) });
  await add(1);
  await add(2);
  since();
  vi.advanceTimersByTime(3_500);
  await look();
  expect(since()).toEqual(["ebpf3 filters"]);
});

test("a pod that begins to start keeps further links waiting, also the second one of an interface", async () => {
  const one = agent({ meanwhile: () => one.attachments.expectNew() });
  await one.add(1);
  await one.add(2);
  one.since();
  vi.advanceTimersByTime(3_500);
  await one.look();
  expect(one.since()).toEqual([]); // one of two links
  vi.advanceTimersByTime(3_500);
  await one.look();
  expect(one.since()).toEqual(["ebpf1 linked", "ebpf2 linked"]);
});

test("an interface that has gone while another one got its links gets none; programs are looked at meanwhile", async () => {
  const one = agent({
    meanwhile: () => {
      one.remove(2);
      looked = one.look();
    },
  });
  let looked: Promise<void> | undefined;
  await one.add(1);
  await one.add(2);
  one.since();
  vi.advanceTimersByTime(3_500);
  await one.look();
  await looked;
  expect(one.since()).toEqual(["ebpf2 forgotten", "ebpf1 linked"]);
  expect(one.looks()).toBe(3); // at two interfaces, then at one
});

test("an interface whose programs were replaced while it was made is looked at; one that is gone is forgotten", async () => {
  const { add, attachments, look, remove, since } = agent();
  await attachments.newEndpoint({ name: "ebpf1", ifindex: 1 }, async () => {});
  attachments.use({ programFd: () => 7 } as never);
  attachments.endpoint(endpointOf(1));
  expect(since()).toEqual(["ebpf1 filters", "ebpf1 looked at traced"]);
  await add(2);
  remove(2);
  vi.advanceTimersByTime(3_500);
  await look();
  expect(since()).toEqual(["ebpf2 filters traced", "ebpf2 forgotten", "ebpf1 linked"]);
});

test("where the kernel has no filters, an endpoint's programs are attached by links at once", async () => {
  const { add, look, since } = agent({ hasFilters: false });
  await add(1);
  expect(since()).toEqual(["ebpf1 filters", "ebpf1 looked at"]);
  vi.advanceTimersByTime(3_500);
  await look();
  expect(since()).toEqual([]);
});

test("an interface that goes meanwhile needs no links; another failure is told, and tried again", async () => {
  const gone = agent({ failure: "Cannot attach to ebpf1 egress: ENODEV: no such device." });
  await gone.add(1);
  vi.advanceTimersByTime(3_500);
  await gone.look();
  const refused = agent({ failure: "Cannot attach to ebpf1 egress: EPERM: not permitted." });
  await refused.add(1);
  vi.advanceTimersByTime(3_500);
  await expect(refused.look()).rejects.toThrow("EPERM");
  await expect(refused.look()).rejects.toThrow("EPERM");
});

test("connections of older programs are taken over when those are replaced, before the interfaces are looked at", () => {
  const { attachments, since } = agent();
  const replaced = () => {
    throw new Error(`so far: ${since()}`);
  };
  expect(() => attachments.ensure(() => [endpointOf(1)], "/", replaced)).toThrow("so far: older ones replaced");
  expect(since()).toEqual([]);
});
