// Policies of forwarded traffic whose rules tell the end on their own side.
import { expect, test } from "vitest";
import { snapshotOf } from "../../test/model/calico/compiled.ts";
import { compiledHostVerdicts } from "../../test/model/calico/compiled-hosts.ts";
import type { Direction, HostEndpoint, Rule } from "../../test/model/calico/objects.ts";
import { ADDRESSES, globalPolicy, packetOf, smallWorld } from "../../test/model/calico/small-world.ts";
import { longestMatch } from "../../test/model/packet-path.ts";
import type { MapDefinition } from "../kernel/codec.ts";
import { EndpointFlag, HostStage, POLICY_ANY_IDENTITY, POLICY_OWN_SIDE, PolicyVerdict } from "../kernel/layout.gen.ts";
import type { MapStores } from "../kernel/map-store.ts";
import { MemoryMap, memoryMaps } from "../kernel/memory-map.ts";
import { Reconciler } from "../reconcile/reconciler.ts";
import { Compiler } from "./compile.ts";
import { entriesOf } from "./desired.ts";

const allow: Rule = { action: "Allow" };
const denied = (destination: NonNullable<Rule["destination"]>): Rule => ({ action: "Deny", destination });
const toDb = denied({ selector: "app == 'db'" });
const eth0: HostEndpoint = {
  metadata: { name: "host", labels: { role: "host" } },
  spec: { node: "master", interfaceName: "eth0" },
};

function snapshot(
  ingress: Rule[],
  { spec = {}, pods = smallWorld().pods }: { spec?: object; pods?: ReturnType<typeof smallWorld>["pods"] } = {},
) {
  const said = { applyOnForward: true, types: ["Ingress" as const], ingress, ...spec };
  return snapshotOf(
    smallWorld({ pods, hostEndpoints: [eth0], globalNetworkPolicies: [globalPolicy("forward", said)] }),
  );
}

/** How many policies a stage has beside the one for everybody; undefined: it does not ask who the end is. */
function others(ingress: Rule[], spec: object = {}, stage: HostStage = HostStage.FORWARDED) {
  const { maps, problems } = new Compiler().compile(snapshot(ingress, { spec }));
  expect(problems).toEqual([]);
  const judged = entriesOf(maps.hostEndpoints).find(({ key }) => key.stage === stage)?.value;
  if (!judged || !(judged.flags & EndpointFlag.BY_OWN_SIDE)) return undefined;
  const found = entriesOf(maps.policies).filter(
    ({ key }) => key.policy === judged.policy && key.direction & POLICY_OWN_SIDE,
  );
  return new Set(found.map(({ value }) => value.rule)).size;
}

test.each<[string, Rule[], number]>([
  ["a selector", [toDb, allow], 1],
  ["two of them, and nobody is both", [toDb, denied({ selector: "app == 'web'" }), allow], 2],
  ["a network", [denied({ nets: [`${ADDRESSES.db}/32`] }), allow], 1],
  ["all but a network", [denied({ notNets: [`${ADDRESSES.db}/32`] }), allow], 1],
  ["a port of that name", [{ action: "Deny", protocol: "TCP", destination: { ports: ["http"] } }, allow], 2],
  ["nobody here", [denied({ selector: "app == 'cache'" }), allow], 0],
])("there are as many as the rules can tell: %s", (_, ingress, count) => {
  expect(others(ingress)).toBe(count);
});

test("what the rules do not tell is not asked about", () => {
  const toPort = (port: number | string): Rule => ({ action: "Deny", protocol: "TCP", destination: { ports: [port] } });
  expect(others([toPort(5432), allow])).toBeUndefined();
  expect(others([toPort("http"), allow], {}, HostStage.OWN)).toBeUndefined();
  expect(others([toDb, allow], { applyOnForward: false })).toBeUndefined();
});

test.each<[string, string, Partial<Rule>, string]>([
  ["a network of one card", "*", { destination: { nets: ["172.31.1.0/24"] } }, "allow deny"],
  [
    "... that has the only address of its interface",
    "eth0",
    { destination: { nets: ["172.31.1.0/24"] } },
    "allow deny",
  ],
  ["all but a network", "*", { destination: { notNets: ["172.31.1.0/24"] } }, "deny allow"],
  ["both", "*", { destination: { selector: "role == 'host'", notNets: ["10.9.0.0/24"] } }, "allow deny"],
  ["a network set", "*", { destination: { selector: "zone == 'b'" } }, "deny allow"],
  ["the host endpoint", "*", { destination: { selector: "role == 'host'" } }, "allow allow"],
  ["somebody else", "*", { destination: { selector: "app == 'db'" } }, "deny deny"],
  ["its ports", "*", { protocol: "TCP", destination: { selector: "role == 'host'", ports: ["web"] } }, "allow allow"],
  ["others' ports", "*", { protocol: "TCP", destination: { ports: ["http"] } }, "deny deny"],
])("of its own traffic a node asks which of its addresses it is: %s", (_, interfaceName, rule, expected) => {
  const ports = [{ name: "web", port: 5432, protocol: "TCP" as const }];
  const world = smallWorld({
    hostEndpoints: [{ ...eth0, spec: { node: "master", interfaceName, ports } }],
    globalNetworkSets: [{ metadata: { name: "b", labels: { zone: "b" } }, spec: { nets: ["10.9.0.0/24"] } }],
    globalNetworkPolicies: [
      globalPolicy("own", {
        ingress: [{ action: "Allow", ...rule }],
        egress: [{ action: "Allow", ...(rule.protocol && { protocol: rule.protocol }), source: rule.destination }],
      }),
    ],
  });
  const ask = compiledHostVerdicts(world);
  const verdicts = (direction: Direction, ends: (own: string) => { source: string; destination: string }) =>
    ["172.31.1.8", "10.9.0.8"].map((own) => {
      const packet = { ...packetOf("client:5432 -> web tcp/5432"), ...ends(own) };
      return ask({ node: "master", interface: { name: "eth0", addresses: [] }, direction, way: "own", packet });
    });
  const { client } = ADDRESSES;
  expect(verdicts("ingress", (destination) => ({ source: client, destination })).join(" ")).toBe(expected);
  expect(verdicts("egress", (source) => ({ source, destination: client })).join(" ")).toBe(expected);
});

test("of its own traffic the end is never a pod: there is none for those that a rule selects", () => {
  const own = (rule: Rule) => others([rule, allow], { applyOnForward: false }, HostStage.OWN);
  expect(own(toDb)).toBe(0);
  expect(own(denied({ nets: [`${ADDRESSES.db}/32`] }))).toBe(0);
  expect(own(denied({ nets: ["172.31.1.8/32"] }))).toBe(1);
});

test("preDNAT and doNotTrack tell it too", () => {
  expect(others([toDb], { preDNAT: true, types: undefined }, HostStage.PRE_DNAT)).toBe(1);
  expect(others([toDb], { doNotTrack: true }, HostStage.UNTRACKED)).toBe(1);
});

test("connections are judged again when somebody comes whom the rules tell, and not when somebody else does", () => {
  const compiler = new Compiler();
  const { pods } = smallWorld();
  const revision = (names: string[]) => {
    const { maps } = compiler.compile(
      snapshot([toDb, allow], { pods: pods.filter(({ metadata }) => names.includes(metadata.name)) }),
    );
    return entriesOf(maps.settings)[0]?.value.hostRevision;
  };
  const first = revision(["web"]);
  expect(revision(["web", "other"])).toBe(first);
  expect(revision(["web", "other", "db"])).not.toBe(first);
  expect(revision(["web"])).toBe(first);
});

/** One entry of the policies cannot be written: the `nth` of those that come. */
class StuckMap<K, V> extends MemoryMap<K, V> {
  nth = 0;
  readonly #come: string[] = [];

  protected override write(key: K, value: V) {
    const text = JSON.stringify(key);
    if (this.nth > 0 && !this.#come.includes(text)) this.#come.push(text);
    if (this.nth === 0 || this.#come[this.nth - 1] !== text) return super.write(key, value);
    return { key, full: true, reason: "no room" };
  }
}

test("whichever entry of the policies cannot be written, nobody is judged by a part of a version", () => {
  const toTcp = (app: string): Rule => ({ ...denied({ selector: `app == '${app}'` }), protocol: "TCP" });
  const next = [toTcp("web"), toTcp("db"), allow];
  let held = 0;
  for (let nth = 1; nth === held + 1; nth++) {
    const maps = memoryMaps(<K, V>(definition: MapDefinition<K, V>) => new StuckMap(definition));
    const [compiler, reconciler] = [new Compiler(), new Reconciler(maps)];
    const sync = (...ingress: Rule[]) => reconciler.sync(compiler.compile(snapshot(ingress)).maps);
    const opened = () => [ADDRESSES.web, ADDRESSES.db, ADDRESSES.client].map((address) => isOpenTo(maps, address));
    expect(sync(toTcp("db"), allow)).toMatchObject({ pending: 0 });
    expect(opened()).toEqual([true, false, true]);
    Object.assign(maps.policies, { nth });
    if (sync(...next).pending > 0) held = nth;
    expect(opened().slice(1), `entry ${nth}`).toEqual([false, true]);
    expect(isOpenTo(maps, ADDRESSES.db, 17), `UDP, entry ${nth}`).toBe(true);
    Object.assign(maps.policies, { nth: 0 });
    expect(sync(...next)).toMatchObject({ problems: [], pending: 0 });
    expect(opened()).toEqual([false, false, true]);
  }
  expect(held).toBeGreaterThan(8);
});

/** For what is forwarded there. */
function isOpenTo(maps: MapStores, address: string, protocol = 6): boolean {
  const judged = maps.hostEndpoints.entries().find(([{ stage }]) => stage === HostStage.FORWARDED)?.[1];
  const { identity = 0 } = longestMatch(maps.locations, { prefixLength: 128, address }) ?? {};
  const key = { prefixLength: 96, policy: judged?.policy ?? 0, direction: POLICY_OWN_SIDE, protocol: 0, port: 0 };
  const policy = longestMatch(maps.policies, { ...key, identity })?.rule ?? judged?.policy ?? 0;
  const asked = { ...key, policy, direction: 0, identity: POLICY_ANY_IDENTITY, protocol };
  return longestMatch(maps.policies, asked)?.verdict === PolicyVerdict.ALLOW;
}
