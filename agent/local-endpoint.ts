import type { Endpoint } from "./cni/endpoint-store.ts";
import type { LocalEndpoint } from "./compile/snapshot.ts";
import { namespaceCookie } from "./kernel/network-namespace.ts";

// The lookup costs a change of namespaces, and the result does not change: an endpoint is the same object for its lifetime.
const cookies = new WeakMap<Endpoint, string>();

/** What the compiler needs to know of a pod of this node. */
export function localEndpoint(endpoint: Endpoint): LocalEndpoint {
  const { namespace, pod, uid, address, secondAddress, ifindex, mac, hostMac, netns } = endpoint;
  const cookie = cookies.get(endpoint) ?? namespaceCookie(netns);
  if (cookie !== undefined) cookies.set(endpoint, cookie);
  return { namespace, pod, uid, address, secondAddress, ifindex, mac, hostMac, namespaceCookie: cookie };
}
