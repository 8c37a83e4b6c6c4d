import type { Route } from "../compile/desired.ts";
import { changeNetwork, type RouteRequest } from "../kernel/rtnetlink.ts";
import { addDeviceRoute, deleteDeviceRoute } from "./link-requests.ts";
import type { RouteContext } from "./routes.ts";

/** Writes the changes of the routes to pods, without reading the routes in the kernel. @returns false: other routes have changed too, or
 * another program has changed the routes */
export async function changeEndpointRoutes(
  before: readonly Route[],
  after: readonly Route[],
  context: RouteContext,
): Promise<boolean> {
  const requests = endpointRequests(before, after, context);
  if (!requests) return false;
  try {
    if (requests.length > 0) await changeNetwork(requests);
    return true;
  } catch {
    return false;
  }
}

type EndpointRoute = Extract<Route, { to: "endpoint" }>;

/** The requests that change the routes in the kernel to others, if only pods have come and gone. undefined: other routes have changed
 * too */
export function endpointRequests(
  before: readonly Route[],
  after: readonly Route[],
  { nodeAddress, nodeAddressIpv6, deviceName }: RouteContext,
): RouteRequest[] | undefined {
  const [old, wanted] = [byDestination(before), byDestination(after)];
  const requests: RouteRequest[] = [];
  const { come, gone } = changes(old, wanted);
  if (!come.every(isEndpoint) || !gone.every(isEndpoint)) return undefined;
  // If a pod was removed and created again, the kernel may have either of its routes.
  if (come.some(({ destination }) => old.has(destination))) return undefined;
  for (const { destination, ifindex } of come) {
    const device = deviceName(ifindex);
    const source = [nodeAddress, nodeAddressIpv6].find((one) => one?.includes(":") === destination.includes(":"));
    if (device) requests.push(addDeviceRoute(destination, device, ifindex, source));
  }
  // The kernel has already deleted the routes of an interface that no longer exists.
  for (const { destination, ifindex } of gone) {
    const device = deviceName(ifindex);
    if (device) requests.push(deleteDeviceRoute(destination, device, ifindex));
  }
  return requests;
}

/** Of two routes to one destination the last counts. */
function byDestination(routes: readonly Route[]): Map<string, Route> {
  return new Map(routes.map((route) => [route.destination, route]));
}

function changes(before: ReadonlyMap<string, Route>, after: ReadonlyMap<string, Route>) {
  const differ = (one: ReadonlyMap<string, Route>, other: ReadonlyMap<string, Route>) =>
    [...one.values()].filter((route) => !isSame(route, other.get(route.destination)));
  return { come: differ(after, before), gone: differ(before, after) };
}

/** Called for every route whenever a pod comes or goes. */
function isSame(route: Route, other: Route | undefined): boolean {
  if (route === other) return true;
  if (other?.to === "endpoint" && route.to === "endpoint") return route.ifindex === other.ifindex;
  if (other?.to === "node" && route.to === "node")
    return route.node === other.node && route.encapsulated === other.encapsulated && route.via === other.via;
  return route.to === "nowhere" && other?.to === "nowhere";
}

function isEndpoint(route: Route): route is EndpointRoute {
  return route.to === "endpoint";
}
