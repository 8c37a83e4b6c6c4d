import { type Cidr, FAMILIES, type Family, familyOf, writtenLength } from "../../model/address/address.ts";
import type { BgpPlan, BgpSession, Marking } from "../../model/bgp/plan.ts";
import type { BgpFilterRule } from "../../model/objects/bgp/filter.ts";
import { passwordFault } from "../../model/objects/bgp/values.ts";
import { PROTOCOL } from "../network/routes.ts";

// The text of BIRD's configuration. It contains only numbers, addresses and networks of the plan, and passwords that were checked.

/** Seconds that peers have after a start to announce everything again, before routes of earlier sessions are removed. */
const RECOVERY_S = 20;

/** The most routes of a family that BIRD accepts from a trusted peer: they are in the node's main table, which the agent reads as a
 * whole. */
export const MOST_ROUTES = 50_000;

/** Metrics in the kernel, where the lowest route to a network is used: first the routes to pods, then the node's other routes, then
 * BIRD's routes to other networks, including a default route. */
const METRIC = { block: 32, other: 32_768 };

/** A failure is detected in 1.5 s. BIRD's default, 0.5 s, is less than the time for which a busy node may not run BIRD. */
const BFD = `protocol bfd { accept direct; interface "*" { interval 300 ms; multiplier 5; }; }`;

/** The name that BIRD knows a session by. */
export function sessionName({ peer }: Pick<BgpSession, "peer">): string {
  return `peer_${peer.replaceAll(/[^0-9a-f]/g, "_")}`;
}

/** @param passwords by session name. A session is left out if its password is missing, or cannot be written in BIRD's language */
export function birdConfiguration(plan: BgpPlan, passwords: ReadonlyMap<string, string>): string {
  const families = FAMILIES.filter((family) => plan.sessions.some(({ peer }) => familyOf(peer) === family));
  const sessions = plan.sessions.filter(
    (session) => !session.password || passwordFault(passwords.get(sessionName(session)) ?? "") === undefined,
  );
  return `# Written by the agent of ebpf-dataplane, which replaces it.
log stderr { fatal, bug };
router id ${plan.routerId};
graceful restart wait ${RECOVERY_S};
protocol device {}
protocol direct { ipv4; ipv6; }
${sessions.some(({ bfd }) => bfd) ? `${BFD}\n` : ""}${families.map((family) => tables(plan, family)).join("")}
${sessions.map((session) => protocol(plan, session, passwords.get(sessionName(session)))).join("")}`;
}

const channel = (family: Family): string => family.toLowerCase();
const ofFamily = (networks: readonly Cidr[], family: Family) => networks.filter((network) => network.family === family);

/** The routes of a family that this node announces, and those it hears that are for the kernel. */
function tables(plan: BgpPlan, family: Family): string {
  const name = channel(family);
  const announced = (protocol: string, networks: readonly Cidr[]) => `protocol static ${protocol}_${name} {
  ${name};
${indented(
  2,
  ofFamily(networks, family).map(({ text }) => `route ${text} blackhole;`),
)}}
`;
  const blocks = among(ofFamily(plan.carried, family).map(exactly));
  const never = [...ofFamily(plan.own, family).map(orLonger), ...ofFamily(plan.pods, family).flatMap(longer)];
  return `${announced("blocks", plan.blocks)}${announced("services", plan.services)}filter for_kernel_${name} {
  if source != RTS_BGP then reject;
${indented(2, [`krt_metric = ${METRIC.block};`, ...acceptOrReject(blocks, "accept"), ...acceptOrReject(among(never), "reject"), `krt_metric = ${METRIC.other};`, "accept;"])}}
protocol kernel kernel_${name} {
  learn;
  metric 0; # that of the filter
  merge paths on;
  ${name} { import where krt_source != ${PROTOCOL}; export filter for_kernel_${name}; };
}
`;
}

function protocol(plan: BgpPlan, session: BgpSession, password: string | undefined): string {
  const { peer, port, peerAs, localAs, source, onLink, ttlHops, restartSeconds, ownAsAllowed, bfd } = session;
  const family = familyOf(peer) as Family;
  const isExternal = peerAs !== localAs;
  const lines = [
    `local${source === undefined ? "" : ` ${source}`} port ${plan.listenPort} as ${localAs};`,
    ...(source === undefined ? [] : ["strict bind on;"]),
    `neighbor ${peer} port ${port} as ${peerAs};`,
    ...way(onLink && (isExternal || bfd), ttlHops),
    "connect delay time 1; connect retry time 5; error wait time 2, 30; hold time 90;",
    `graceful restart on;${restartSeconds === undefined ? "" : ` graceful restart time ${restartSeconds};`}`,
    ...(bfd ? ["bfd on;"] : []),
    ...(ownAsAllowed > 0 ? [`allow local as ${ownAsAllowed};`] : []),
    ...(session.clusterId === undefined ? [] : [`rr client; rr cluster id ${session.clusterId};`]),
    ...(password === undefined ? [] : [`password "${password}";`]),
  ];
  return `protocol bgp ${sessionName(session)} {
${indented(2, lines)}  ${channel(family)} {
${indented(4, [...nextHop(session), ...importLimit(session)])}    import filter {
${indented(6, importRules(session))}    };
    export filter {
${indented(6, exportRules(plan, session, family))}    };
  };
}
`;
}

/** A peer in a subnet of this node is one hop away, unless it states its distance. */
function way(isDirect: boolean, hops: number | undefined): string[] {
  if (hops !== undefined) return [`multihop ${hops};`, "ttl security on;"];
  return [isDirect ? "direct;" : "multihop;"];
}

function nextHop({ nextHop }: BgpSession): string[] {
  return nextHop === "Auto" ? [] : [`next hop ${nextHop === "Self" ? "self" : "keep"};`];
}

/** More are ignored, and those that are followed stay: a session that ended would take the routes to other nodes' pods with it. */
function importLimit({ believed }: BgpSession): string[] {
  return believed ? [] : [`import limit ${MOST_ROUTES} action block;`];
}

function importRules({ believed, imports }: BgpSession): string[] {
  if (believed) return [...acceptOrReject(among(believed.map(exactly)), "accept"), "reject;"];
  return [...imports.flatMap(ruleLine), "accept;"];
}

/** No route of the kernel's own is announced, whatever filters say. */
function exportRules(plan: BgpPlan, session: BgpSession, family: Family): string[] {
  const heard = ofFamily([...plan.pods, ...plan.serviceNetworks], family).map(orLonger);
  return [
    "if !(source ~ [ RTS_STATIC, RTS_BGP ]) then reject;",
    ...(session.getsServices ? [] : [`if proto = "services_${channel(family)}" then reject;`]),
    ...plan.marked.filter(({ cidr }) => cidr.family === family).flatMap(marks),
    ...session.exports.flatMap(ruleLine),
    "if source = RTS_STATIC then accept;",
    ...(session.reflects ? acceptOrReject(among(heard), "accept") : []),
    "reject;",
  ];
}

function marks({ cidr, communities }: Marking): string[] {
  return communities.map((numbers) => {
    const list = numbers.length === 3 ? "bgp_large_community" : "bgp_community";
    return `if ${among([orLonger(cidr)])} then ${list}.add((${numbers.join(", ")}));`;
  });
}

function ruleLine({ action, cidr, matchOperator, prefixLength, source }: BgpFilterRule): string[] {
  const isNetwork = cidr == null ? [] : [matches(cidr, matchOperator ?? "In", prefixLength ?? undefined)];
  const tests = [...isNetwork, ...(source == null ? [] : ["source = RTS_BGP"])];
  return acceptOrReject(tests.length > 0 ? tests.join(" && ") : "true", action === "Accept" ? "accept" : "reject");
}

function matches(
  cidr: string,
  operator: NonNullable<BgpFilterRule["matchOperator"]>,
  lengths: { readonly min?: number | null | undefined; readonly max?: number | null | undefined } = {},
): string {
  if (operator === "Equal") return `net = ${cidr}`;
  if (operator === "NotEqual") return `net != ${cidr}`;
  const [, own = ""] = cidr.split("/");
  const least = Math.max(lengths.min ?? 0, Number(own));
  const most = lengths.max ?? (cidr.includes(":") ? 128 : 32);
  const within = least <= most ? `net ~ [ ${cidr}{${least},${most}} ]` : "false";
  return operator === "In" ? within : `!(${within})`;
}

const exactly = ({ text }: Cidr): string => text;
const orLonger = ({ text }: Cidr): string => `${text}+`;
const longer = (cidr: Cidr): string[] => {
  const [length, most] = [writtenLength(cidr), cidr.family === "IPv4" ? 32 : 128];
  return length < most ? [`${cidr.text}{${length + 1},${most}}`] : [];
};
/** BIRD's grammar has no empty set. */
const among = (items: readonly string[]): string => (items.length > 0 ? `net ~ [ ${items.join(", ")} ]` : "false");
const acceptOrReject = (test: string, action: "accept" | "reject"): string[] =>
  test === "false" ? [] : [`if ${test} then ${action};`];
const indented = (by: number, lines: readonly string[]): string =>
  lines.map((line) => `${" ".repeat(by)}${line}\n`).join("");
