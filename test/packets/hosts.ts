// Policies of the node under test itself, written straight to its maps: what the compiler makes of objects is tested beside it.

import * as layout from "../../agent/kernel/layout.gen.ts";
import {
  ANY_INTERFACE,
  Direction,
  EndpointFlag,
  type Failsafe,
  FROM_WORKLOADS,
  POLICY_ANY_IDENTITY,
  type PolicyKey,
  type PolicyValue,
  PolicyVerdict,
  SettingsFlag,
} from "../../agent/kernel/layout.gen.ts";
import type { Loaded } from "../../agent/kernel/load.ts";

/** Another version (bench/) may lack them. */
const { HostStage = { OWN: 0, FORWARDED: 1, PRE_DNAT: 2, UNTRACKED: 3 }, POLICY_OWN_SIDE = 4 } = layout as Partial<
  typeof layout
>;

export const protocols = { icmp: 1, tcp: 6, udp: 17, gre: 47, icmpv6: 58 } as const;

/** "tcp 22", "udp", "icmp 13/0" (of ICMPv6 too), or "everything"; "!tcp 22" denies. */
export type Allowed = string;

/** What is allowed in a direction, from and to anybody; absent: the direction is not isolated. */
export interface HostPolicy {
  readonly ingress?: readonly Allowed[];
  readonly egress?: readonly Allowed[];
  /** Not even fail-safe ports are open. */
  readonly closed?: true;
  /** What holds instead for flows whose end on this side is that address, which policies tell from others. */
  readonly instead?: Readonly<Record<string, Pick<HostPolicy, "ingress" | "egress">>>;
}

/** `untracked`: before connections are looked up; `early`: before translation; `forwarded`: of what the node forwards; what early ones do not allow or deny goes on. */
export interface HostPolicies {
  readonly uplink?: HostPolicy;
  readonly tunnel?: HostPolicy;
  readonly any?: HostPolicy;
  readonly workloads?: HostPolicy;
  readonly uplinkForwarded?: HostPolicy;
  readonly tunnelForwarded?: HostPolicy;
  readonly uplinkEarly?: HostPolicy;
  readonly uplinkUntracked?: HostPolicy;
  readonly failsafes?: readonly Failsafe[];
}

/** One for IPv4 and one for IPv6 peers: a test's failsafe is meant for both. */
export function failsafe(direction: keyof typeof Direction, protocol: "tcp" | "udp", port: number): Failsafe {
  return {
    prefixLength: 32,
    direction: Direction[direction],
    protocol: protocols[protocol],
    port,
    peer: "::",
  };
}

/** The compiler's numbers are hashes, and could be any. */
const numbers: Readonly<Record<HostName, number>> = {
  ...{ uplink: 0xf0000001, tunnel: 0xf0000002, any: 0xf0000003, workloads: 0xf0000004 },
  ...{ uplinkForwarded: 0xf0000005, tunnelForwarded: 0xf0000006, uplinkEarly: 0xf0000007, uplinkUntracked: 0xf0000008 },
};
type HostName = Exclude<keyof HostPolicies, "failsafes">;

const KEYS: Readonly<Record<HostName, readonly ["uplink" | "tunnel" | number, number]>> = {
  uplink: ["uplink", HostStage.OWN],
  tunnel: ["tunnel", HostStage.OWN],
  any: [ANY_INTERFACE, HostStage.OWN],
  workloads: [FROM_WORKLOADS, HostStage.OWN],
  uplinkForwarded: ["uplink", HostStage.FORWARDED],
  tunnelForwarded: ["tunnel", HostStage.FORWARDED],
  uplinkEarly: ["uplink", HostStage.PRE_DNAT],
  uplinkUntracked: ["uplink", HostStage.UNTRACKED],
};

/** The policy that holds instead of one. */
const insteadOf = (policy: number, place: number) => policy + 0x100 * (place + 1);

function isOfHost({ policy }: PolicyKey): boolean {
  return Object.values<number>(numbers).includes((policy & 0xffff_00ff) >>> 0);
}

/** Replaces what the node under test judges itself by. */
export function writeHostPolicies(
  maps: Loaded["maps"],
  { failsafes = [], ...hosts }: HostPolicies,
  ifindex: (name: "uplink" | "tunnel") => number,
): void {
  const { hostEndpoints, policies, settings } = maps;
  hostEndpoints.delete(hostEndpoints.entries().map(([key]) => key));
  maps.failsafes.delete(maps.failsafes.entries().map(([key]) => key));
  policies.delete(policies.entries().flatMap(([key]) => (isOfHost(key) ? [key] : [])));
  const [[, value] = []] = settings.entries();
  if (!value) throw new Error("The node under test has no settings.");
  const all = Object.entries(hosts) as [HostName, HostPolicy][];
  all.forEach(([name, host], index) => {
    const policy = numbers[name];
    const [at, stage] = KEYS[name];
    const isEarly = stage === HostStage.PRE_DNAT || stage === HostStage.UNTRACKED;
    const write = (number: number, said: HostPolicy) =>
      policies.update(
        WAYS.flatMap((way) => [
          ...(isEarly && said[way] ? [entryOf(number, way, PolicyVerdict.NEXT)] : []),
          ...(said[way] ?? []).flatMap((text) => entriesOf(number, way, text)),
        ]),
      );
    write(policy, host);
    Object.entries(host.instead ?? {}).forEach(([address, said], place) => {
      const other = insteadOf(policy, place);
      write(other, said);
      policies.update(WAYS.flatMap((way) => (said[way] ? [ownEndOf(maps, policy, way, address, other)] : [])));
    });
    const key = { interface: typeof at === "number" ? at : ifindex(at), stage };
    const flags =
      (host.ingress ? EndpointFlag.INGRESS_ISOLATED : 0) |
      (host.egress ? EndpointFlag.EGRESS_ISOLATED : 0) |
      (host.closed ? EndpointFlag.WITHOUT_FAILSAFES : 0) |
      (host.instead ? EndpointFlag.BY_OWN_SIDE : 0);
    const mac = "00:00:00:00:00:00";
    hostEndpoints.update([[key, { ifindex: 0, policy, flags, revision: changes + index + 1, mac, hostMac: mac }]]);
  });
  maps.failsafes.update(failsafes.map((key) => [key, 1]));
  const own = SettingsFlag.HOST_POLICIES | SettingsFlag.WORKLOADS_TO_HOST | SettingsFlag.UNTRACKED;
  const flags =
    (value.flags & ~own) |
    (all.length > 0 ? SettingsFlag.HOST_POLICIES : 0) |
    (hosts.uplinkUntracked ? SettingsFlag.UNTRACKED : 0) |
    (hosts.workloads ? SettingsFlag.WORKLOADS_TO_HOST : 0);
  changes += 16;
  const hostRevision = all.some(([name]) => KEYS[name][1] !== HostStage.OWN) ? changes : 0;
  settings.update([[0, { ...value, flags, hostRevision, policyRevision: value.policyRevision + changes }]]);
}

const WAYS = ["ingress", "egress"] as const;

function ownEndOf(
  { locations }: Loaded["maps"],
  policy: number,
  way: "ingress" | "egress",
  address: string,
  rule: number,
): [PolicyKey, PolicyValue] {
  const identity = locations.entries().find(([key]) => key.address === address)?.[1].identity;
  if (!identity) throw new Error(`No policy tells ${address} from others.`);
  const [key] = entryOf(policy, way, PolicyVerdict.BY_OWN_SIDE);
  return [
    { ...key, identity, direction: key.direction | POLICY_OWN_SIDE },
    { verdict: PolicyVerdict.BY_OWN_SIDE, flags: 0, rule },
  ];
}

/** So that each change has revisions of its own. */
let changes = 16;

function entryOf(policy: number, way: "ingress" | "egress", verdict: PolicyVerdict): [PolicyKey, PolicyValue] {
  const direction = way === "ingress" ? Direction.INGRESS : Direction.EGRESS;
  const scope = { policy, identity: POLICY_ANY_IDENTITY, direction };
  return [
    { prefixLength: 72, ...scope, protocol: 0, port: 0 },
    { verdict, flags: 0, rule: 0 },
  ];
}

/** "!tcp 80" denies it. */
function entriesOf(policy: number, way: "ingress" | "egress", text: string): [PolicyKey, PolicyValue][] {
  const verdict = text.startsWith("!") ? PolicyVerdict.DENY : PolicyVerdict.ALLOW;
  const [name = "", port] = text.replace("!", "").split(" ");
  const [whole, value] = entryOf(policy, way, verdict);
  if (name === "everything") return [[whole, value]];
  const protocolsOf =
    name === "icmp" ? [protocols.icmp, protocols.icmpv6] : [protocols[name as keyof typeof protocols]];
  const [number = "0", code] = port?.split("/") ?? [];
  const last = code === undefined ? Number(number) : (Number(number) << 8) | Number(code);
  return protocolsOf.map((protocol) => [{ ...whole, prefixLength: port ? 96 : 80, protocol, port: last }, value]);
}
