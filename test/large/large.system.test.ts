// The load that one namespace can put on a node, while kubelet probes its agent and requests networks for pods.
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../datapath/cluster/until.ts";
import type { Answers } from "./asker.ts";
import { NodeUnderLoad } from "./node-under-load.ts";
import { largePolicy, largeService, largeSlice } from "./objects.ts";

let node: NodeUnderLoad;
beforeAll(async () => {
  node = await NodeUnderLoad.start();
});
afterAll(() => node?.close());

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const MINUTES = 60_000;

// What kubelet would not stand. How long the answers take on an idle machine is printed, and is no result: the machine may be busy.
/** Of a test: only a hang takes so long. */
const LIMIT = 20 * MINUTES;
/** Kubelet restarts an agent whose /live takes longer than 3 s six times in a row: here, without its waiting for a processor. */
const LIVE_MS = 3000;
const LIVE_FAILURES = 6;
/** Kubelet gives a sandbox, of which the network is a part, twice its runtimeRequestTimeout of 2 minutes. */
const ADD_MS = 4 * MINUTES;

function longestRun(answers: readonly number[], bad: (ms: number) => boolean): number {
  let [run, longest] = [0, 0];
  for (const answer of answers) {
    run = bad(answer) ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}

async function ask(what: string, work: () => Promise<void>): Promise<void> {
  const { live, ready, add, served, failed }: Answers = await node.ask(work);
  const worst = (all: readonly number[]) => `${Math.max(...all).toFixed(0)} ms of ${all.length}`;
  console.log(
    `${what}: worst /live ${worst(live)} (with a processor ${worst(served)}), /ready ${worst(ready)}, ADD ${worst(add)}`,
  );
  expect(failed).toEqual([]);
  expect(node.ended, node.log).toBeUndefined();
  expect(longestRun(served, (ms) => ms > LIVE_MS)).toBeLessThan(LIVE_FAILURES);
  expect(Math.max(...add)).toBeLessThan(ADD_MS);
}

test(
  "ten policies of 2,000 blocks",
  async () => {
    const policies = times(10, (at) => largePolicy(`p${at}`, at * 2000, 2000));
    await ask("ten policies of 2,000 blocks", async () => {
      await node.apply(...policies);
      await node.holds("policies", 20_000);
    });
    await ask("they go", () => node.remove(...policies));
  },
  LIMIT,
);

test(
  "fifty services of 1,000 ports",
  async () => {
    const services = times(50, (at) => largeService(`s${at}`, `10.96.1.${at}`, 1000));
    const slices = times(50, (at) => largeSlice(`s${at}`, 0, 2, 1000));
    await ask("fifty services of 1,000 ports", async () => {
      await node.apply(...services, ...slices);
      await node.holds("frontends", 50_000);
    });
    await ask("they go", () => node.remove(...services, ...slices));
  },
  LIMIT,
);

test(
  "one service with 50 slices of 1,000 endpoints, one of which flaps",
  async () => {
    const service = largeService("wide", "10.96.2.1", 1);
    const slices = times(50, (at) => largeSlice("wide", at, 1000, 1));
    await ask("50 slices of 1,000 endpoints", async () => {
      await node.apply(service, ...slices);
      await node.holds("slots", 50_000);
    });
    await ask("one of them flaps", async () => {
      for (let turn = 0; turn < 50; turn++) {
        await node.apply(largeSlice("wide", 0, turn % 2 ? 1000 : 999, 1));
        await pause(100);
      }
    });
    await ask("they go", () => node.remove(service, ...slices));
  },
  LIMIT,
);

test(
  "two thousand services with the same 50 endpoints",
  async () => {
    const services = times(2000, (at) => largeService(`t${at}`, `10.97.${at >> 8}.${at & 255}`, 1));
    const slices = times(2000, (at) => largeSlice(`t${at}`, 0, 50, 1));
    await ask("2,000 services with the same endpoints", async () => {
      await node.apply(...services, ...slices);
      await node.holds("slots", 100_000);
    });
    await ask("they go", () => node.remove(...services, ...slices));
  },
  LIMIT,
);

test(
  "a service of 1,000 ports with 10,000 endpoints is refused, and affects no other service",
  async () => {
    const service = largeService("both", "10.96.2.2", 1000);
    const slices = times(10, (at) => largeSlice("both", at, 1000, 1000));
    await ask("1,000 ports with 10,000 endpoints", async () => {
      await node.apply(service, ...slices);
      await until("the service to be refused", async () => (await node.metric("services_closed")) === 1);
    });
  },
  LIMIT,
);
