import { isEverything } from "../../address/address.ts";
import { hasPorts, PROTOCOLS, portsOf, protocolOf, readNet } from "./values.ts";

// Which values of a rule exclude each other, without zod. A value that is wrong by itself (values.ts) is skipped.

/** Something wrong with a field: its path below the object, and what is allowed. */
export interface Fault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

type Maybe<T> = T | null | undefined;

/** One side of a rule as it is written. */
export interface WrittenEntity {
  readonly nets?: Maybe<readonly string[]>;
  readonly notNets?: Maybe<readonly string[]>;
  readonly selector?: Maybe<string>;
  readonly notSelector?: Maybe<string>;
  readonly namespaceSelector?: Maybe<string>;
  readonly services?: Maybe<{ readonly name?: Maybe<string>; readonly namespace?: Maybe<string> }>;
  readonly serviceAccounts?: Maybe<{ readonly names?: Maybe<readonly string[]>; readonly selector?: Maybe<string> }>;
  readonly ports?: Maybe<readonly (number | string)[]>;
  readonly notPorts?: Maybe<readonly (number | string)[]>;
}

export interface WrittenRule {
  readonly action: string;
  readonly ipVersion?: Maybe<number>;
  readonly protocol?: Maybe<number | string>;
  readonly notProtocol?: Maybe<number | string>;
  readonly icmp?: Maybe<{ readonly type?: Maybe<number>; readonly code?: Maybe<number> }>;
  readonly notICMP?: Maybe<{ readonly type?: Maybe<number>; readonly code?: Maybe<number> }>;
  readonly source?: Maybe<WrittenEntity>;
  readonly destination?: Maybe<WrittenEntity>;
}

const SIDES = ["source", "destination"] as const;
type Side = (typeof SIDES)[number];

/** Fields of a rule that cannot be combined. `ownNamespace`: the policy has a namespace, which its services default to. */
export function ruleFaults(rule: WrittenRule, direction: "ingress" | "egress", ownNamespace: boolean): Fault[] {
  return [
    ...portFaults(rule),
    ...icmpFaults(rule),
    ...familyFaults(rule),
    ...SIDES.flatMap((side) => serviceFaults(rule[side] ?? {}, side, direction, ownNamespace)),
  ];
}

function portFaults(rule: WrittenRule): Fault[] {
  const protocol = rule.protocol == null ? undefined : protocolOf(rule.protocol);
  if (protocol !== undefined && hasPorts(protocol)) return [];
  return SIDES.flatMap((side) =>
    (["ports", "notPorts"] as const).flatMap((field): Fault[] => {
      const ports = rule[side]?.[field] ?? [];
      const named = ports.every((port) => "name" in (portsOf(port) ?? { name: "" }));
      if (ports.length === 0 || (protocol === undefined && named)) return [];
      return [{ path: [side, field], message: "needs protocol TCP, UDP or SCTP: other protocols have no ports" }];
    }),
  );
}

function icmpFaults({ protocol, icmp, notICMP }: WrittenRule): Fault[] {
  const number = protocol == null ? undefined : protocolOf(protocol);
  const isIcmp = number === PROTOCOLS.ICMP || number === PROTOCOLS.ICMPv6;
  return Object.entries({ icmp, notICMP }).flatMap(([field, match]): Fault[] => {
    if (match == null) return [];
    if (!isIcmp) return [{ path: [field], message: "needs protocol ICMP or ICMPv6" }];
    if (match.code != null && match.type == null) return [{ path: [field, "code"], message: "needs a type beside it" }];
    return [];
  });
}

/** A rule is about one address family. */
function familyFaults(rule: WrittenRule): Fault[] {
  const faults: Fault[] = [];
  const { ipVersion } = rule;
  for (const field of ["protocol", "notProtocol"] as const) {
    const number = rule[field] == null ? undefined : protocolOf(rule[field]);
    const version = number === PROTOCOLS.ICMP ? 4 : number === PROTOCOLS.ICMPv6 ? 6 : undefined;
    if (version !== undefined && ipVersion != null && version !== ipVersion)
      faults.push({ path: [field], message: `${version === 4 ? "ICMP" : "ICMPv6"} is of ipVersion ${version} only` });
  }
  let seen = ipVersion ?? undefined;
  const source = ipVersion == null ? "the networks before it" : "ipVersion";
  for (const side of SIDES)
    for (const field of ["nets", "notNets"] as const)
      for (const [index, net] of (rule[side]?.[field] ?? []).entries()) {
        const cidr = readNet(net);
        if (!cidr) continue;
        const version = cidr.family === "IPv4" ? 4 : 6;
        const path = [side, field, index];
        if (seen !== undefined && seen !== version)
          faults.push({
            path,
            message: `is of IPv${version}, but ${source} of IPv${seen}: a rule is about one address family`,
          });
        if (field === "notNets" && isEverything(cidr))
          faults.push({ path, message: "excludes every address, so the rule matches nothing" });
        seen ??= version;
      }
  return faults;
}

/** Which side of a rule may name services: the one that is not the policy's own. */
const SERVICES: Record<"ingress" | "egress", Side> = { ingress: "source", egress: "destination" };
const EXCLUDED = ["selector", "notSelector", "namespaceSelector", "serviceAccounts", "nets", "notNets"] as const;

function serviceFaults(entity: WrittenEntity, side: Side, direction: "ingress" | "egress", own: boolean): Fault[] {
  const { services } = entity;
  if (services == null) return [];
  const path = [side, "services"];
  if (side !== SERVICES[direction])
    return [{ path, message: `allowed in ${SERVICES[direction]} of ${direction} rules only` }];
  const excluded = [...EXCLUDED, ...(side === "destination" ? (["ports", "notPorts"] as const) : [])];
  const beside = excluded.filter((field) => isGiven(entity[field]));
  return [
    ...(services.name ? [] : [{ path: [...path, "name"], message: "must name a Service" }]),
    ...(own || services.namespace ? [] : [{ path: [...path, "namespace"], message: "is needed in a global policy" }]),
    ...beside.map((field) => ({ path: [side, field], message: "cannot stand beside services" })),
  ];
}

/** An empty text or list has no effect. */
function isGiven(value: unknown): boolean {
  return value != null && value !== "" && !(Array.isArray(value) && value.length === 0);
}

/** What of a global policy's fields for hosts cannot stand together. */
export function hostFieldFaults(spec: {
  readonly doNotTrack?: Maybe<boolean>;
  readonly preDNAT?: Maybe<boolean>;
  readonly applyOnForward?: Maybe<boolean>;
  readonly types?: Maybe<readonly string[]>;
  readonly egress?: Maybe<readonly unknown[]>;
}): Fault[] {
  const { doNotTrack, preDNAT, applyOnForward, types, egress } = spec;
  const faults: Fault[] = [];
  if (doNotTrack && preDNAT) faults.push({ path: ["preDNAT"], message: "cannot be true beside doNotTrack" });
  if ((doNotTrack || preDNAT) && !applyOnForward)
    faults.push({ path: ["applyOnForward"], message: `must be true beside ${preDNAT ? "preDNAT" : "doNotTrack"}` });
  if (preDNAT && egress?.length) faults.push({ path: ["egress"], message: "must be empty: preDNAT is about ingress" });
  if (preDNAT && types?.includes("Egress"))
    faults.push({ path: ["types"], message: "must not have Egress: preDNAT is about ingress" });
  return faults;
}
