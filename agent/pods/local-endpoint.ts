import type { Endpoint } from "../cni/endpoint-store.ts";
import type { LocalEndpoint } from "../compile/snapshot.ts";
import { namespaceCookie } from "../kernel/network-namespace.ts";

// An endpoint is the same object for its lifetime, and so is the object made of it, so the compiler skips those that it knows. The lookup
// of the cookie costs a change of namespaces, and its result does not change.
const known = new WeakMap<Endpoint, LocalEndpoint>();

/** The facts about a pod of this node that the compiler needs. */
export function localEndpoint(endpoint: Endpoint, cookieOf = namespaceCookie): LocalEndpoint {
  const { namespace, pod, uid, address, secondAddress, ifindex, mac, hostMac, netns } = endpoint;
  const before = known.get(endpoint);
  const cookie = before?.namespaceCookie ?? cookieOf(netns);
  if (before && before.namespaceCookie === cookie) return before;
  const made = { namespace, pod, uid, address, secondAddress, ifindex, mac, hostMac, namespaceCookie: cookie };
  known.set(endpoint, made);
  return made;
}
