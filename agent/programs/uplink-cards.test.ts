import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import type { XdpMode } from "../../model/mode/mode.ts";
import type { Attacher } from "../kernel/attach.ts";
import { type Card, CardRefusal } from "../kernel/xdp.ts";
import { processorNumbers, queuesInUse, unfitForXdp, type XdpMachine } from "../network/cards.ts";
import type { NetworkDevice } from "../network/devices.ts";
import { UplinkCards } from "./uplink-cards.ts";

/** The driver of these tests takes no larger MTU. */
const LARGEST = 3500;
const TOO_LARGE = "virtio_net: MTU too large to enable XDP";

/** Two processors, and any card has one pair of queues in use. */
const MACHINE: XdpMachine = { onVeth: false, kernel: "6.1.0-57-amd64", processors: 2, queuesInUse: () => 1 };

const device = (name: string, part: Partial<NetworkDevice> = {}): NetworkDevice => ({
  ...{ name, ifindex: name.length, mtu: 1500, mac: "", up: true, kind: "", addresses: [] },
  ...part,
});

/** What an agent does whose uplinks these are, and whose kernel refuses so. */
function agentWith(uplinks: NetworkDevice[], refusal?: string, others: NetworkDevice[] = [], reason?: string) {
  const attached = new Map<string, number>();
  const [asked, logged]: [string[], string[]] = [[], []];
  let mode: XdpMode = "Native";
  let encrypts = false;
  let refuses = refusal;
  let inUse = 1;
  const attacher: Pick<Attacher, "card" | "noOtherCards"> = {
    card({ name, mtu }) {
      asked.push(name);
      if (refuses) throw new CardRefusal(`Cannot attach to ${name} XDP: ${refuses}.`, reason);
      if (mtu > LARGEST) throw new CardRefusal(`Cannot attach to ${name} XDP: EINVAL: invalid argument.`, TOO_LARGE);
      if (attached.has(name)) return "unchanged";
      attached.set(name, mtu);
      return "created";
    },
    noOtherCards(kept: readonly Card[]) {
      const gone = [...attached].filter(([name, mtu]) => !kept.some((one) => one.name === name && one.mtu === mtu));
      for (const [name] of gone) attached.delete(name);
      return gone.map(([name]) => name);
    },
  };
  const cards = new UplinkCards({
    node: "node",
    mode: () => mode,
    encrypts: () => encrypts,
    uplinks: () => uplinks,
    devices: () => [...uplinks, ...others],
    machine: { ...MACHINE, queuesInUse: () => inUse },
    log: { info: (line) => logged.push(line) },
  });
  return {
    follow: () => cards.follow(attacher),
    attached: () => [...attached.keys()],
    ...{ asked, logged },
    hooks: () => cards.hooks().map(({ device }) => device.name),
    messages: () => cards.problems().map(({ kind, name, message }) => `${kind} ${name}: ${message}`),
    becomes: (now: XdpMode) => {
      mode = now;
    },
    encrypts: () => {
      encrypts = true;
    },
    status: () => cards.status(),
    uses: (queues: number) => {
      inUse = queues;
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
  expect([agent.attached(), agent.hooks(), agent.asked, agent.status()]).toEqual([[], [], [], null]);
  agent.becomes("Native");
  agent.follow();
  expect([agent.attached(), agent.hooks(), agent.messages()]).toEqual([["eth0", "eth11"], ["eth0", "eth11"], []]);
  expect(agent.status()).toEqual([
    { uplink: "eth0", reason: null },
    { uplink: "eth11", reason: null },
  ]);
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
  [
    "ENOTSUP: operation not supported on socket",
    "its driver refuses (Cannot attach to eth0 XDP: ENOTSUP: operation not supported on socket), for example for its MTU, its queues or what it merges (LRO); the kernel's log can say why",
  ],
  [
    "ERANGE: result too large",
    "its driver refuses (Cannot attach to eth0 XDP: ERANGE: result too large), for example for its MTU, its queues or what it merges (LRO); the kernel's log can say why",
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

test("what a driver says is told, but not that it has no XDP at all", () => {
  const said = (reason: string) => {
    const agent = agentWith([device("eth0")], "ENOTSUP: operation not supported on socket", [], reason);
    agent.follow();
    return agent.messages()[0];
  };
  expect(said("virtio_net: Can't set XDP while host is implementing GRO_HW/CSUM, disable GRO_HW/CSUM first")).toContain(
    'on the uplink eth0: its driver refuses: "virtio_net: Can\'t set XDP while host is implementing GRO_HW/CSUM, disable GRO_HW/CSUM first".',
  );
  expect(said("Underlying driver does not support XDP in native mode")).toContain("its driver has no native XDP.");
});

test("another MTU is attached anew, so that the driver is asked; one that is too large is named, and tc goes on", () => {
  const uplinks = [device("eth0")];
  const agent = agentWith(uplinks);
  agent.follow();
  uplinks[0] = device("eth0", { mtu: 9000 });
  agent.follow();
  agent.follow();
  expect([agent.attached(), agent.asked]).toEqual([[], ["eth0", "eth0"]]);
  expect(agent.messages()[0]).toContain(`its driver refuses: "${TOO_LARGE}".`);
  uplinks[0] = device("eth0", { mtu: 1400 });
  agent.follow();
  expect([agent.attached(), agent.messages()]).toEqual([["eth0"], []]);
  expect(agent.logged).toEqual([
    "xdp_uplink on eth0: created (XDP)",
    "xdp_uplink on eth0: detached, because the interface has another MTU now",
    `xdp_uplink on eth0: its driver refuses: "${TOO_LARGE}"`,
    "xdp_uplink on eth0: created (XDP)",
  ]);
});

test.each<[string, NetworkDevice, NetworkDevice[], RegExp]>([
  ["veth", device("eth0", { kind: "veth" }), [], /one end of a veth pair/],
  ["a bond", device("bond0", { kind: "bond" }), [], /it is a bond/],
  ["a team", device("team0", { kind: "team" }), [], /it is a team/],
  [
    "virtio-net whose packets fit no page",
    device("eth0", { bus: "virtio", mtu: 3507, queues: 1 }),
    [],
    /drops what is larger than 3506/,
  ],
  ["a card with VLANs", device("eth0"), [device("lan5", { kind: "vlan", parent: "eth0" })], /lan5 is a VLAN on it/],
])("%s is left alone, and its node says why", (_, uplink, others, why) => {
  const agent = agentWith([uplink], undefined, others);
  agent.follow();
  expect([agent.asked, agent.messages().length]).toEqual([[], 1]);
  expect(agent.messages()[0]).toMatch(why);
  agent.becomes("Disabled");
  expect(agent.messages()).toEqual([]);
});

test.each([
  ["virtio", 3506, "6.2.1"],
  ["virtio", 9000, "6.3.0-1-amd64"],
  ["virtio", 9000, "7.0"],
  ["pci", 9000, "6.1.0"],
])("a card on the bus %s with an MTU of %i is its driver's to judge on Linux %s", (bus, mtu, kernel) => {
  expect(unfitForXdp(device("eth0", { bus, mtu, queues: 1 }), [], { ...MACHINE, kernel })).toBeUndefined();
});

// The driver adds a queue for each processor where there are so many left. Where there are not, it shares those in use, but takes them for its own if they
// are more than the processors: it then sends by queues that do not exist.
test.each<[inUse: number, queues: number, processors: number, makesItFit: number | undefined]>([
  [1, 1, 2, undefined],
  [2, 4, 2, undefined],
  [2, 2, 2, undefined],
  [3, 5, 2, undefined],
  [3, 4, 2, 2],
  [5, 6, 2, 4],
  [4, 4, 1, 3],
  [2, 2, 1, 1],
  [8, 16, 8, undefined],
  [9, 16, 8, 8],
])("virtio-net with %i of %i queues in use and %i processors", (inUse, queues, processors, makesItFit) => {
  const card = device("eth0", { bus: "virtio", queues });
  const why = (used: number) => unfitForXdp(card, [], { ...MACHINE, processors, queuesInUse: () => used });
  expect(why(inUse)?.match(/combined (\d+) makes it fit/)?.[1]).toBe(makesItFit?.toString());
  if (makesItFit !== undefined) expect(why(makesItFit)).toBeUndefined();
});

test("queues of a card on another bus are its driver's to judge; virtio-net whose queues cannot be read is left alone", () => {
  const all = { ...MACHINE, queuesInUse: () => 4 };
  expect(unfitForXdp(device("eth0", { bus: "pci", queues: 4 }), [], all)).toBeUndefined();
  const virtio = device("eth0", { bus: "virtio", queues: 4 });
  const unread = [
    unfitForXdp(virtio, [], { ...MACHINE, queuesInUse: () => undefined }),
    unfitForXdp(virtio, [], { ...MACHINE, processors: undefined }),
    unfitForXdp(device("eth0", { bus: "virtio" }), [], MACHINE),
  ];
  for (const reason of unread) expect(reason).toMatch(/cannot be read/);
});

test("a card has the program no longer, and not yet, while it uses too many queues", () => {
  const agent = agentWith([device("eth0", { bus: "virtio", queues: 4 })]);
  agent.follow();
  agent.uses(3);
  agent.follow();
  expect([agent.attached(), agent.hooks()]).toEqual([[], []]);
  expect(agent.messages()).toEqual([
    "Node node: XDP is not used on the uplink eth0: it uses 3 of its 4 pairs of queues: with more than the node's 2 processors, and fewer than 2 left, virtio-net ends the kernel (ethtool -L eth0 combined 2 makes it fit). Its packets are handled at tc, as without XDP.",
  ]);
  agent.uses(2);
  agent.follow();
  expect([agent.attached(), agent.messages()]).toEqual([["eth0"], []]);
});

test("queues and processors are those of this machine", () => {
  expect(queuesInUse("lo")).toBe(1);
  expect(queuesInUse("no-such-card")).toBeUndefined();
  expect(processorNumbers()).toBeGreaterThanOrEqual(availableParallelism());
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
