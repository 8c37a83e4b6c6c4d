import type { Route } from "../compile/desired.ts";
import { VNI_OVERLAY } from "../kernel/layout.gen.ts";
import { ipBatch, ipLines } from "./ip_command.ts";
import { TUNNEL_DEVICE, VXLAN_OVERHEAD } from "./tunnel.ts";

// Routes of ours carry this number (`ip route … proto`): it is how a restarted agent knows them. Not in
// /etc/iproute2/rt_protos, not used by a well-known routing daemon.
const PROTOCOL = 235;

export interface RouteContext {
  readonly nodeAddress: string;
  readonly mtu: number;
  readonly deviceName: (ifindex: number) => string | undefined;
}

/** Brings the kernel's routes of ours to the desired ones, writing only what differs. Returns how many were written.
 * A route to an endpoint whose interface is gone is left out: its removal is on its way. */
export function reconcileRoutes(desired: readonly Route[], context: RouteContext): number {
  const commands = routeCommands(desired, ipLines("route", "show", "proto", String(PROTOCOL)), context);
  ipBatch(commands);
  return commands.length;
}

export function removeRoutes(): void {
  ipBatch(
    ipLines("route", "show", "proto", String(PROTOCOL)).map(
      (line) => `route delete ${destinationOf(line)} proto ${PROTOCOL}`,
    ),
  );
}

/** The commands that lead from `actual` (lines of `ip route show`) to `desired`. */
export function routeCommands(desired: readonly Route[], actual: readonly string[], context: RouteContext): string[] {
  const wanted = new Map(
    desired.flatMap((route) => routeLine(route, context)).map((line) => [destinationOf(line), line]),
  );
  const present = new Map(actual.map((line) => [destinationOf(line), line]));
  const differing = [...wanted].filter(
    ([destination, line]) => meaning(line) !== meaning(present.get(destination) ?? ""),
  );
  const gone = [...present.keys()].filter((destination) => !wanted.has(destination));
  return [
    ...differing.map(([, line]) => `route replace ${line} proto ${PROTOCOL}`),
    ...gone.map((destination) => `route delete ${destination} proto ${PROTOCOL}`),
  ];
}

// A route as ip(8) reads and prints it.
function routeLine(route: Route, { nodeAddress, mtu, deviceName }: RouteContext): string[] {
  const destination = route.destination.replace(/\/32$/, "");
  switch (route.to) {
    case "endpoint": {
      const device = deviceName(route.ifindex);
      return device ? [`${destination} dev ${device} scope link src ${nodeAddress}`] : [];
    }
    case "node": {
      if (!route.encapsulated) return [`${destination} via ${route.node} src ${nodeAddress}`];
      const encapsulation = `encap ip id ${VNI_OVERLAY} dst ${route.node} dev ${TUNNEL_DEVICE} scope link`;
      // The kernel must not make packets that no longer fit once they are wrapped.
      return [`${destination} ${encapsulation} src ${nodeAddress} mtu ${mtu - VXLAN_OVERHEAD}`];
    }
    case "nowhere":
      return [`unreachable ${destination}`];
  }
}

function destinationOf(line: string): string {
  return line.replace(/^unreachable /, "").split(" ")[0] as string;
}

// What of a route's text tells it from another: the kernel adds words (ttl, flags, the device of a gateway).
function meaning(line: string): string {
  const words = line.split(/\s+/);
  const after = (word: string) => words[words.lastIndexOf(word) + 1];
  if (words[0] === "unreachable") return "unreachable";
  if (words.includes("encap"))
    return ["encap", after("id"), after("dst"), after("dev"), after("src"), after("mtu")].join(" ");
  return words.includes("via") ? `via ${after("via")} ${after("src")}` : `dev ${after("dev")} ${after("src")}`;
}
