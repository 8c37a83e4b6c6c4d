import { overheadOf } from "../../model/pool/encapsulation.ts";
import type { Route } from "../compile/desired.ts";
import { interfaceIndex } from "../kernel/interface-names.ts";
import { VNI_OVERLAY } from "../kernel/layout.gen.ts";
import { ipBatch, ipJson, ipLines, ipLinesSoon } from "./ip-command.ts";
import { TUNNEL_DEVICE } from "./tunnel.ts";

// The agent's routes and neighbors have this protocol number (`ip route … proto`), by which a restarted agent recognizes them.
// It is not in /etc/iproute2/rt_protos, and no well-known routing daemon uses it.
export const PROTOCOL = 235;

export interface RouteContext {
  readonly nodeAddress: string;
  /** Undefined: the node has none. */
  readonly nodeAddressIpv6?: string | undefined;
  readonly mtu: number;
  readonly deviceName: (ifindex: number) => string | undefined;
}

/** A destination that already has another route: the kernel's to a connected network, or an administrator's. */
export interface RouteConflict {
  readonly destination: string;
  /** The other route, as ip(8) prints it. */
  readonly other: string;
}

/** Changes the agent's routes in the kernel to the desired ones, writing only differences, and returns those that were
 * not written because their destination has another route. A route to an endpoint whose interface does not exist is omitted:
 * its removal will follow. */
export async function reconcileRoutes(desired: readonly Route[], context: RouteContext) {
  const { commands, conflicts } = routeCommands(desired, await presentRoutes(), context);
  ipBatch(commands);
  return { written: commands.length, conflicts };
}

/** The interface by which this node's routes lead to an address; undefined: there is no route. */
export function interfaceTowards(address: string): { ifindex: number; name: string } | undefined {
  try {
    const [{ dev: name } = { dev: "" }] = ipJson<{ dev: string }>("route", "get", address);
    const ifindex = interfaceIndex(name);
    return ifindex === undefined ? undefined : { ifindex, name };
  } catch {
    return undefined;
  }
}

export async function removeRoutes(): Promise<void> {
  const present = await presentRoutes();
  ipBatch(present.filter(isOurs).map((line) => `route delete ${destinationOf(line)} proto ${PROTOCOL}`));
}

/** The number of BIRD's routes, as ip(8) prints it: from /etc/iproute2/rt_protos, where the image has that file. */
const BIRD_PROTOCOL = / proto (?:bird|12)\b/;

/** The routes that BIRD left for its successor (bgp/). */
export function removeLearnedRoutes(): void {
  for (const family of ["-4", "-6"]) ipLines(family, "route", "flush", "proto", "12");
}

/** The main table of both families, as ip(8) prints it. */
async function presentRoutes(): Promise<string[]> {
  const [ipv4, ipv6] = await Promise.all([ipLinesSoon("route", "show"), ipLinesSoon("-6", "route", "show")]);
  // It prints both default routes in the same form.
  return [...ipv4, ...ipv6.map((line) => line.replace(/^((?:\w+ )?)default\b/, "$1::/0"))];
}

/** The commands that change `actual` (lines of `ip route show`) to `desired`. Only the agent's routes are ever replaced or deleted. If
 * the destination has another route, with any metric, the agent's route is not written: the kernel would prefer it, which could
 * disconnect the node from its network. BIRD's routes do not count as other routes: BIRD follows a change a moment later. */
export function routeCommands(desired: readonly Route[], actual: readonly string[], context: RouteContext) {
  const present = new Map(actual.filter(isOurs).map((line) => [destinationOf(line), line]));
  const others = new Map(
    actual.filter((line) => !isOurs(line) && !BIRD_PROTOCOL.test(line)).map((line) => [destinationOf(line), line]),
  );
  const lines = desired
    .flatMap((route) => routeLine(route, context))
    .map((line) => [destinationOf(line), line] as const);
  const wanted = new Map(lines.filter(([destination]) => !others.has(destination)));
  const differing = [...wanted].filter(
    ([destination, line]) => meaning(line) !== meaning(present.get(destination) ?? ""),
  );
  const gone = [...present.keys()].filter((destination) => !wanted.has(destination));
  const commands = [
    ...differing.map(
      ([destination, line]) => `route ${present.has(destination) ? "replace" : "add"} ${line} proto ${PROTOCOL}`,
    ),
    ...gone.map((destination) => `route delete ${destination} proto ${PROTOCOL}`),
  ];
  const conflicts = [...new Set(lines.map(([destination]) => destination))].flatMap((destination): RouteConflict[] => {
    const other = others.get(destination);
    return other ? [{ destination, other }] : [];
  });
  return { commands, conflicts };
}

function isOurs(line: string): boolean {
  return line.includes(` proto ${PROTOCOL}`);
}

// A route in the syntax of ip(8).
function routeLine(route: Route, { nodeAddress, nodeAddressIpv6, mtu, deviceName }: RouteContext): string[] {
  const isIpv6 = route.destination.includes(":");
  const destination = route.destination.replace(isIpv6 ? /\/128$/ : /\/32$/, "");
  const own = [nodeAddress, nodeAddressIpv6].find((address) => address?.includes(":") === isIpv6);
  const source = own ? ` src ${own}` : "";
  switch (route.to) {
    case "endpoint": {
      const device = deviceName(route.ifindex);
      return device ? [`${destination} dev ${device} scope link${source}`] : [];
    }
    case "node": {
      if (!route.encapsulated) return [`${destination} via ${route.via ?? route.node}${source}`];
      const outer = route.node.includes(":") ? "IPv6" : "IPv4";
      const encap = outer === "IPv6" ? "encap ip6" : "encap ip";
      const checksum = outer === "IPv6" ? " csum" : ""; // a receiver takes no datagram of IPv6 without one (RFC 8200, 8.1)
      const encapsulation = `${encap} id ${VNI_OVERLAY} dst ${route.node}${checksum} dev ${TUNNEL_DEVICE} scope link`;
      // The kernel must not create packets that no longer fit the link after encapsulation.
      return [`${destination} ${encapsulation}${source} mtu ${mtu - overheadOf("VXLAN", outer)}`];
    }
    case "nowhere":
      return [`unreachable ${destination}`];
  }
}

function destinationOf(line: string): string {
  const destination = line.replace(/^(unreachable|blackhole|prohibit|throw) /, "").split(" ")[0] as string;
  return destination === "default" ? "0.0.0.0/0" : destination;
}

// The parts of a route's text that identify it: the kernel adds words (ttl, flags, the device of a gateway).
function meaning(line: string): string {
  const words = line.split(/\s+/);
  const after = (word: string) => words[words.lastIndexOf(word) + 1];
  if (words[0] === "unreachable") return "unreachable";
  if (words.includes("encap"))
    return ["encap", after("id"), after("dst"), after("dev"), after("src"), after("mtu")].join(" ");
  return words.includes("via") ? `via ${after("via")} ${after("src")}` : `dev ${after("dev")} ${after("src")}`;
}
