// Rules by chance, all of them legal: few words, blocks and ports, so that they often match, touch and overlap.
import fc from "fast-check";
import { BLOCKS, twinOf } from "./families.ts";
import type { Direction, EntityRule, Rule } from "./objects.ts";

export const NAMESPACES = ["alpha", "beta"];
export const ACCOUNTS = ["default", "robot"];
export const PORTS = [53, 80, 81, 443, 8080];
/** Each name of a service is in both namespaces. */
export const SERVICES = ["db", "web"];

/** In so many of a hundred cases; otherwise undefined, which means that the field is absent. */
export function maybe<T>(value: fc.Arbitrary<T>, percent = 50): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 100 - percent, arbitrary: fc.constant(undefined) }, { weight: percent, arbitrary: value });
}

/** Without fields that are undefined: JSON has none. */
export function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

export const few = { maxLength: 2 };
/** One begins like another. */
export const name = fc.constantFrom("a1", "a1-b", "n2", "n3", "z4");
export const labels = fc.record(
  { app: fc.constantFrom("web", "db"), tier: fc.constantFrom("front", "frozen") },
  { requiredKeys: [] },
) as fc.Arbitrary<Record<string, string>>;

export const selector = fc.constantFrom(
  ...[
    "app == 'web'",
    "app == 'db'",
    "app != 'web'",
    "has(app)",
    "!has(tier)",
    "all()",
    "tier == 'front'",
    "tier != 'front'",
  ],
  ...["app in {'web','db'}", "app not in {'db'}", "tier contains 'ro'", "tier starts with 'fr'", "tier ends with 'nt'"],
  ...[
    "app contains 'we'",
    "tier starts with 'ro'",
    "app == 'web' && tier == 'front'",
    "app == 'web' || tier == 'front'",
  ],
  ...["!(app == 'web') && has(tier)", "! has(app) && tier == 'front'", "!(app == 'db' || has(tier))"],
  ...[
    "app == 'db' || app == 'web' && has(tier)",
    "projectcalico.org/namespace == 'alpha'",
    'app == "web" && !has(tier)',
  ],
);
export const namespaceSelector = fc.constantFrom(
  ...["all()", "team == 'a'", "team == 'b'", "team in {'a','c'}", "has(team)", "projectcalico.org/name == 'beta'"],
  "kubernetes.io/metadata.name == 'alpha'",
  "app == 'web'",
);
export const accountSelector = fc.constantFrom("role == 'api'", "has(role)", "projectcalico.org/name == 'robot'");
const serviceAccounts = fc.oneof(
  fc.record({ names: fc.subarray(ACCOUNTS, { minLength: 1 }) }),
  fc.record({ selector: accountSelector }),
  fc.record({ names: fc.subarray(ACCOUNTS, { minLength: 1 }), selector: accountSelector }),
);

/** An address is a block of its own. */
const blocks = fc.subarray([...BLOCKS, "8.8.8.8"], { minLength: 1, maxLength: 3 });
/** A block of everything is refused there. */
const excluded = fc.subarray(
  BLOCKS.filter((block) => !block.endsWith("/0")),
  { minLength: 1, maxLength: 3 },
);
const entity: fc.Arbitrary<EntityRule> = fc.oneof(
  { weight: 2, arbitrary: fc.constant({}) },
  { weight: 3, arbitrary: fc.record({ nets: blocks, notNets: maybe(excluded) }) },
  { weight: 1, arbitrary: fc.record({ notNets: excluded }) },
  {
    weight: 4,
    arbitrary: fc.record({ selector, notSelector: maybe(selector), namespaceSelector: maybe(namespaceSelector) }),
  },
  { weight: 2, arbitrary: fc.record({ notSelector: selector }) },
  { weight: 1, arbitrary: fc.record({ notSelector: selector, namespaceSelector }) },
  { weight: 2, arbitrary: fc.record({ namespaceSelector: fc.oneof(namespaceSelector, fc.constant("global()")) }) },
  { weight: 1, arbitrary: fc.record({ selector, namespaceSelector: fc.constant("global()") }) },
  {
    weight: 2,
    arbitrary: fc.record({
      serviceAccounts,
      selector: maybe(selector),
      namespaceSelector: maybe(namespaceSelector),
    }),
  },
  { weight: 1, arbitrary: fc.record({ nets: blocks, selector, notSelector: maybe(selector) }) },
) as fc.Arbitrary<EntityRule>;

function services(isNamespaced: boolean): fc.Arbitrary<EntityRule> {
  const namespace = fc.constantFrom(...NAMESPACES);
  return fc.record({
    services: fc.record({ name: fc.constantFrom(...SERVICES), namespace: isNamespaced ? maybe(namespace) : namespace }),
  }) as fc.Arbitrary<EntityRule>;
}

const numericPort = fc.oneof(
  fc.constantFrom(...PORTS),
  fc.constantFrom("80:81", "81:443", "1:80", "443:8080", "54:79"),
);
const namedPort = fc.constantFrom("http", "dns");
const ports = fc.array(fc.oneof({ weight: 3, arbitrary: numericPort }, namedPort), { minLength: 1, maxLength: 2 });
const sourcePorts = fc.array(fc.constantFrom(53, 1024, "1024:2000", "2000:65535", "1:1023"), {
  minLength: 1,
  maxLength: 1,
});

const rarely = { weight: 1, arbitrary: fc.constant(true) };
const seldom = fc.oneof({ weight: 7, arbitrary: fc.constant(false) }, rarely);

type Ports = Pick<EntityRule, "ports" | "notPorts">;
interface Match {
  fields: Partial<Rule>;
  ports?: Ports;
  sourcePorts?: Ports;
}
const withPorts: fc.Arbitrary<Match> = fc
  .record({
    protocol: fc.constantFrom<(string | number)[]>("TCP", "TCP", "UDP", "SCTP", 6, 17),
    ports: maybe(ports, 75),
    notPorts: maybe(ports, 25),
    from: maybe(sourcePorts, 15),
    notFrom: maybe(sourcePorts, 10),
  })
  .map(({ protocol, ports: these, notPorts, from, notFrom }) => ({
    fields: { protocol },
    ports: { ports: these, notPorts } as Ports,
    sourcePorts: { ports: from, notPorts: notFrom } as Ports,
  }));
const icmpTypes = fc.record({ type: fc.constantFrom(0, 3, 8), code: maybe(fc.constantFrom(0, 4)) });
const icmpv6Types = fc.record({ type: fc.constantFrom(1, 128, 129), code: maybe(fc.constantFrom(0, 4)) });
const match: fc.Arbitrary<Match> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ fields: {} }) },
  { weight: 6, arbitrary: withPorts },
  {
    weight: 1,
    arbitrary: fc.constantFrom("TCP", "UDP", "ICMP", "SCTP", 47).map((notProtocol) => ({ fields: { notProtocol } })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("ICMP", 1, 47, "UDPLite", "ICMPv6", 58).map((protocol) => ({ fields: { protocol } })),
  },
  { weight: 1, arbitrary: icmpv6Types.map((icmp) => ({ fields: { protocol: "ICMPv6", icmp } })) },
  { weight: 1, arbitrary: icmpv6Types.map((notICMP) => ({ fields: { protocol: "ICMPv6", notICMP } })) },
  { weight: 2, arbitrary: icmpTypes.map((icmp) => ({ fields: { protocol: "ICMP", icmp } })) },
  { weight: 2, arbitrary: icmpTypes.map((notICMP) => ({ fields: { protocol: "ICMP", notICMP } })) },
  { weight: 1, arbitrary: fc.constantFrom<[4, 6]>(4, 6).map((ipVersion) => ({ fields: { ipVersion } })) },
  { weight: 1, arbitrary: namedPort.map((name) => ({ fields: {}, ports: { ports: [name] } })) },
) as fc.Arbitrary<Match>;

const action = fc.oneof(
  { weight: 5, arbitrary: fc.constant("Allow" as const) },
  { weight: 4, arbitrary: fc.constant("Deny" as const) },
  { weight: 2, arbitrary: fc.constant("Pass" as const) },
  { weight: 1, arbitrary: fc.constant("Log" as const) },
);

/** A rule for one direction; services only where they are legal, and never together with ports. */
export function rule(direction: Direction, isNamespaced: boolean): fc.Arbitrary<Rule> {
  const service = services(isNamespaced);
  const peerEnd = fc.oneof({ weight: 7, arbitrary: entity }, { weight: 1, arbitrary: service });
  const ownEnd = fc.oneof({ weight: 6, arbitrary: fc.constant<EntityRule>({}) }, { weight: 1, arbitrary: entity });
  return fc
    .record({ action, match, peer: peerEnd, own: ownEnd, bare: seldom, isIpv6: fc.boolean() })
    .map(({ action: does, match: { fields, ports: to = {}, sourcePorts: from = {} }, peer, own, bare, isIpv6 }) => {
      const ends = direction === "ingress" ? [peer, own] : [own, peer];
      if (bare) return { action: does };
      // Blocks of a rule are of one family, that of its ipVersion if it has one.
      const inIpv6 = fields.ipVersion ? fields.ipVersion === 6 : isIpv6;
      const [source, destination] = (inIpv6 ? ends.map(withTwins) : ends) as [EntityRule, EntityRule];
      return {
        action: does,
        ...fields,
        source: source.services ? source : { ...source, ...from },
        destination: destination.services ? destination : { ...destination, ...to },
      };
    });
}

function withTwins({ nets, notNets, ...rest }: EntityRule): EntityRule {
  return { ...rest, ...(nets && { nets: nets.map(twinOf) }), ...(notNets && { notNets: notNets.map(twinOf) }) };
}
