import { familyOf } from "../../model/address/address.ts";
import { addressesOf } from "../../model/objects/pod-of.ts";
import { interfaceIndex } from "../kernel/interface-names.ts";
import { ipJsonIn } from "../network/ip-command.ts";
import type { Endpoint } from "./endpoint-store.ts";
import { type Attachment, CniCode, CniError, type CniRequest } from "./request.ts";

interface Link {
  readonly flags: readonly string[];
  readonly addr_info: readonly { readonly local?: string }[];
}

/** Checks that a pod's network is as ADD made it. @throws CniError that says what is missing */
export async function checkEndpoint(
  { netns, ifname }: Attachment,
  endpoint: Endpoint,
  prevResult: CniRequest["config"]["prevResult"],
): Promise<void> {
  const addresses = addressesOf(endpoint);
  const told = prevResult?.ips?.map(({ address }) => address.split("/")[0]);
  const missing = addresses.find((address) => told && !told.includes(address));
  if (missing) fail(endpoint, `has the address ${missing}, which is not in the result of its ADD (prevResult)`);
  if (interfaceIndex(endpoint.hostInterface) !== endpoint.ifindex)
    fail(endpoint, `has no interface ${endpoint.hostInterface} on the node any more`);
  if (!netns) throw new CniError(CniCode.BAD_ENVIRONMENT, "CNI_NETNS must be set for CHECK.");
  const [link] = await inPod<Link>(endpoint, netns, "address", "show", "dev", ifname);
  if (!link?.flags.includes("UP")) fail(endpoint, `has an interface ${ifname} that is down`);
  const present = link?.addr_info.map(({ local }) => local);
  const lost = addresses.find((address) => !present?.includes(address));
  if (lost) fail(endpoint, `has lost its address ${lost} on ${ifname}`);
  for (const address of addresses) {
    const family = familyOf(address) === "IPv6" ? "-6" : "-4";
    const routes = await inPod(endpoint, netns, family, "route", "show", "default", "dev", ifname);
    if (routes.length === 0) fail(endpoint, `has no default route by ${ifname} for ${address}`);
  }
}

async function inPod<T>(endpoint: Endpoint, netns: string, ...args: string[]): Promise<T[]> {
  try {
    return await ipJsonIn<T>(netns, ...args);
  } catch (error) {
    fail(endpoint, `cannot be asked for its interface: ${error instanceof Error ? error.message : error}`);
  }
}

function fail({ namespace, pod, containerId }: Endpoint, what: string): never {
  throw new CniError(CniCode.CHECK_FAILED, `The pod ${namespace}/${pod} (container ${containerId}) ${what}.`);
}
