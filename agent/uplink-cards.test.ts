import { expect, test } from "vitest";
import type { XdpMode } from "../model/mode/mode.ts";
import type { Attacher } from "./kernel/attach.ts";
import type { Device } from "./kernel/device-hooks.ts";
import type { NetworkDevice } from "./network/devices.ts";
import { UplinkCards } from "./uplink-cards.ts";

const device = (name: string, part: Partial<NetworkDevice> = {}): NetworkDevice => ({
  ...{ name, ifindex: name.length, mtu: 1500, mac: "", up: true, kind: "", addresses: [] },
  ...part,
});

/** What an agent does whose uplinks these are, and whose kernel refuses so. */
function agentWith(uplinks: NetworkDevice[], refusal?: string, others: NetworkDevice[] = []) {
  const attached = new Set<string>();
  const [asked, logged]: [string[], string[]] = [[], []];
  let mode: XdpMode = "Native";
  let encrypts = false;
  let refuses = refusal;
  const attacher: Pick<Attacher, "card" | "noOtherCards"> = {
    card({ name }) {
      asked.push(name);
      if (refuses) throw new Error(`Cannot attach to ${name} XDP: ${refuses}.`);
      if (attached.has(name)) return "unchanged";
      attached.add(name);
      return "created";
    },
    noOtherCards(kept: readonly Device[]) {
      const gone = [...attached].filter((name) => !kept.some((one) => one.name === name));
      for (const name of gone) attached.delete(name);
      return gone;
    },
  };
  const cards = new UplinkCards({
    node: "node",
    mode: () => mode,
    encrypts: () => encrypts,
    uplinks: () => uplinks,
    devices: () => [...uplinks, ...others],
    onVeth: false,
    log: { info: (line) => logged.push(line) },
  });
  return {
    follow: () => cards.follow(attacher),
    attached: () => [...attached],
    ...{ asked, logged },
    hooks: () => cards.hooks().map(({ device }) => device.name),
    messages: () => cards.problems().map(({ kind, name, message }) => `${kind} ${name}: ${message}`),
    becomes: (now: XdpMode) => {
      mode = now;
    },
    encrypts: () => {
      encrypts = true;
    },
    looksAgain: () => cards.lookAgain(),
    allows: () => {
      refuses = undefined;
      cards.lookAgain();
    },
  };
}

test("the cards of all uplinks have the program while that is asked for, and those of others do not", () => {
  const uplinks = [device("eth0"), device("eth11")];
  const agent = agentWith(uplinks);
  agent.becomes("Disabled");
  agent.follow();
  expect([agent.attached(), agent.hooks(), agent.asked]).toEqual([[], [], []]);
  agent.becomes("Native");
  agent.follow();
  expect([agent.attached(), agent.hooks(), agent.messages()]).toEqual([["eth0", "eth11"], ["eth0", "eth11"], []]);
  uplinks.pop();
  agent.follow();
  expect(agent.attached()).toEqual(["eth0"]);
  agent.becomes("Disabled");
  agent.follow();
  expect([agent.attached(), agent.messages()]).toEqual([[], []]);
});

test.each([
  ["EBUSY: resource busy or locked", "it has the XDP program of somebody else, which stays"],
  ["EEXIST: file already exists", "it has the XDP program of somebody else, which stays"],
  ["ENOTSUP: operation not supported on socket", "its driver has no native XDP"],
  [
    "ERANGE: result too large",
    "its driver refuses (Cannot attach to eth0 XDP: ERANGE: result too large), for example because its MTU is too large for XDP",
  ],
])("a driver that refuses with %s is named at the node, and asked again later", (refusal, reason) => {
  const agent = agentWith([device("eth0")], refusal);
  agent.follow();
  agent.follow();
  expect(agent.asked).toEqual(["eth0"]);
  agent.looksAgain();
  agent.follow();
  expect(agent.asked).toEqual(["eth0", "eth0"]);
  expect(agent.logged).toHaveLength(1);
  expect(agent.messages()).toEqual([
    `Node node: XDP is not used on the uplink eth0: ${reason}. Its packets are handled at tc, as without XDP.`,
  ]);
  agent.allows();
  agent.follow();
  expect([agent.attached(), agent.messages()]).toEqual([["eth0"], []]);
});

test.each<[string, NetworkDevice, NetworkDevice[], RegExp]>([
  ["veth", device("eth0", { kind: "veth" }), [], /one end of a veth pair/],
  ["a bond", device("bond0", { kind: "bond" }), [], /it is a bond/],
  ["a team", device("team0", { kind: "team" }), [], /it is a team/],
  ["a card with VLANs", device("eth0"), [device("lan5", { kind: "vlan", parent: "eth0" })], /lan5 is a VLAN on it/],
])("%s is left alone, and its node says why", (_, uplink, others, why) => {
  const agent = agentWith([uplink], undefined, others);
  agent.follow();
  expect([agent.asked, agent.messages().length]).toEqual([[], 1]);
  expect(agent.messages()[0]).toMatch(why);
  agent.becomes("Disabled");
  expect(agent.messages()).toEqual([]);
});

test("another card's VLANs do not count", () => {
  const agent = agentWith([device("eth0")], undefined, [device("lan5", { kind: "vlan", parent: "eth1" })]);
  agent.follow();
  expect(agent.attached()).toEqual(["eth0"]);
});

test("where packets between nodes are encrypted, no card has the program", () => {
  const agent = agentWith([device("eth0")]);
  agent.follow();
  agent.encrypts();
  agent.follow();
  expect([agent.attached(), agent.hooks()]).toEqual([[], []]);
  expect(agent.messages()[0]).toMatch(/what is forwarded leaves this node encrypted/);
});
