import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { facts } from "../compile/policy-cluster.fixture.ts";
import { collectGarbage } from "../process/collect-garbage.fixture.ts";
import { Machine, type WantedOfMachine } from "./machine.ts";

/** A machine whose looks end when they are told to. */
function machine() {
  const did: string[] = [];
  const waiting: (() => void)[] = [];
  const world = {
    facts,
    slow: false,
    failure: "",
    routeFailure: "",
    mtuFailure: "",
    mtu: 1450,
    /** How often pods' MTU was looked at. */
    followed: 0,
    felixConfigurations: [] as object[],
  };
  const asked = async (what: string) => {
    did.push(what);
    if (world.slow) await new Promise<void>((resolve) => waiting.push(resolve));
    if (world.failure) throw new Error(world.failure);
  };
  const network = {
    get podMtu() {
      return world.mtu;
    },
    encrypts: () => false,
    followMtu: async () => {
      world.followed++;
      if (world.mtuFailure) throw new Error(world.mtuFailure);
      return 0;
    },
    refresh: async () => {
      await asked("look");
      return world.facts;
    },
    routePods: async () => {
      did.push("route pods");
      return true;
    },
    route: async () => {
      await asked("routes");
      if (world.routeFailure) throw new Error(world.routeFailure);
      return [];
    },
    lead: async () => undefined,
  };
  const list = (kind: string) => (kind === "felixConfigurations" ? world.felixConfigurations : []);
  const parts = {
    options: { node: facts.nodeName, nodeAddress: facts.address },
    cluster: { store: { list } },
    endpoints: { list: () => [] },
    log: { info: () => {} },
    network,
  };
  return {
    ...{ did, world },
    of: new Machine(parts as never),
    /** Ends what is asked of the kernel now. */
    answer: async () => {
      waiting.shift()?.();
      await setTimeout(0);
    },
  };
}

const wanted = (...pods: string[]): WantedOfMachine => ({
  routes: pods.map((destination) => ({ to: "endpoint", destination, ifindex: 7 })),
  ownRequests: { addresses: [], atNode: false },
  kubeProxy: "active",
});
const nothing = () => {};

test("a look under way delays no pass that has nothing to write to the machine", async () => {
  const { of, world, did, answer } = machine();
  await of.follow(wanted("10.244.0.2/32"), await of.known(), nothing);
  did.length = 0;
  world.slow = true;
  const look = of.lookAgain();
  await of.follow(wanted("10.244.0.2/32"), await of.known(), nothing);
  expect(did).toEqual(["look"]);
  await answer();
  await of.follow(wanted("10.244.0.2/32"), await of.known(), nothing);
  expect(did).toEqual(["look", "routes"]);
  await answer();
  await look;
});

test("a pass with other routes waits for the look, and then they are in force", async () => {
  const { of, world, did, answer } = machine();
  await of.follow(wanted(), await of.known(), nothing);
  did.length = 0;
  world.slow = true;
  void of.lookAgain();
  let routed = false;
  const pass = of.follow(wanted("10.244.0.2/32"), await of.known(), () => {
    routed = true;
  });
  await answer();
  expect([did, routed]).toEqual([["look", "routes"], false]);
  await answer();
  expect([did, routed]).toEqual([["look", "routes", "route pods", "routes"], true]);
  await answer();
  await pass;
});

test("routes that are as they were are written again to a machine that has another address", async () => {
  const { of, world, did } = machine();
  await of.follow(wanted("10.244.0.2/32"), await of.known(), nothing);
  world.facts = { ...facts, addressIpv6: "fd00::1" };
  did.length = 0;
  await of.lookAgain();
  expect(did).toEqual(["look"]); // the routes of the next pass may be others
  await of.follow(wanted("10.244.0.2/32"), await of.known(), nothing);
  expect(did).toEqual(["look", "route pods", "routes"]);
  expect(of.facts()).toBe(world.facts);
});

test("a look that fails is silent, and the next pass looks itself and says why", async () => {
  const { of, world, did } = machine();
  await of.known();
  world.failure = "ip was killed after 60 s";
  await of.lookAgain();
  await expect(of.known()).rejects.toThrow("ip was killed after 60 s");
  world.failure = "";
  did.length = 0;
  expect(await of.known()).toBe(facts);
  expect(await of.known()).toBe(facts);
  expect(did).toEqual(["look"]);
});

test("routes that could not be written are written by the next call", async () => {
  const { of, world, did } = machine();
  const known = await of.known();
  world.failure = "no buffer space";
  await expect(of.follow(wanted("10.244.0.2/32"), known, nothing)).rejects.toThrow("no buffer space");
  world.failure = "";
  await of.follow(wanted("10.244.0.2/32"), known, nothing);
  expect(did).toEqual(["look", "route pods", "routes", "route pods", "routes"]);
});

test("encryption that is asked for needs a look, and other MTUs of routes", async () => {
  const { of, world, did } = machine();
  await of.follow(wanted("10.244.0.2/32"), await of.known(), nothing);
  did.length = 0;
  world.felixConfigurations = [{ metadata: { name: "default" }, spec: { wireguardEnabled: true } }];
  await of.follow(wanted("10.244.0.2/32"), await of.known(), nothing);
  expect(did).toEqual(["look", "route pods", "routes"]);
});

test("a look that cannot give pods their MTU leaves that to the next pass, which says why", async () => {
  const { of, world } = machine();
  await of.follow(wanted(), await of.known(), nothing);
  world.mtuFailure = "no buffer space";
  await of.lookAgain();
  await expect(of.follow(wanted(), await of.known(), nothing)).rejects.toThrow("no buffer space");
  world.mtuFailure = "";
  await of.follow(wanted(), await of.known(), nothing);
});

test("a route that the kernel refuses keeps no pod from its MTU", async () => {
  const { of, world } = machine();
  await of.follow(wanted(), await of.known(), nothing);
  world.routeFailure = "invalid gateway";
  const before = world.followed;
  await of.lookAgain();
  expect(world.followed).toBe(before + 1);
  world.mtu = 1390;
  await expect(of.follow(wanted("10.244.0.2/32"), await of.known(), nothing)).rejects.toThrow("invalid gateway");
  expect(world.followed).toBe(before + 2);
});

test("of a pass's state, nothing is kept but what was written to the machine", async () => {
  const { of } = machine();
  let state: object | undefined = { ...wanted("10.244.0.2/32"), services: [] };
  const kept = new WeakRef(state);
  await of.follow(state as WantedOfMachine, await of.known(), nothing);
  state = undefined;
  await collectGarbage();
  expect(kept.deref()).toBeUndefined();
});
