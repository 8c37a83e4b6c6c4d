import {
  type Address,
  canonicalAddress,
  covers,
  type Family,
  familyOf,
  hostCidr,
  parseCidr,
} from "../address/address.ts";
import { firstFew } from "../first-few.ts";
import type { IpPool } from "../objects/calico.ts";
import type { Pod } from "../objects/core.ts";
import { isPodOf, ownAddresses, type PodName } from "../objects/pod-of.ts";
import { type Applicant, admitted, type Choice, listOf } from "./choice.ts";
import { isForWorkloads } from "./uses.ts";

/** Calico's annotation of a pod that names its addresses, one of each family. */
export const ADDRESSES = "cni.projectcalico.org/ipAddrs";
/** Calico's annotation of a pod that names addresses outside its IPAM. */
export const ADDRESSES_WITHOUT_IPAM = "cni.projectcalico.org/ipAddrsNoIpam";

const NOT_OURS =
  "refused: whoever writes pods could take any address, another pod's too. Next: name an address of an IPPool in cni.projectcalico.org/ipAddrs";

/**
 * The addresses that a pod asks for with the pools that they are of; undefined: it asks for none. As in Calico it gets no other ones, and neither `nodeSelector`
 * nor `assignmentMode` is asked. It gets none that its namespace may not have (`namespaceSelector`).
 */
export function askedAddresses(
  pools: readonly IpPool[],
  { pod, namespace }: Omit<Applicant, "node">,
): Readonly<Record<Family, Choice>> | undefined {
  const [text, withoutIpam] = [pod.annotations?.[ADDRESSES], pod.annotations?.[ADDRESSES_WITHOUT_IPAM]];
  const place = (annotation: string) => `Pod ${pod.name}, metadata.annotations[${annotation}]`;
  const refused = (annotation: string, fault: string) => {
    const choice = { fault: `${place(annotation)}: ${fault}` };
    return { IPv4: choice, IPv6: choice };
  };
  if (withoutIpam !== undefined) return refused(ADDRESSES_WITHOUT_IPAM, NOT_OURS);
  if (text === undefined) return undefined;
  const addresses = oneOfEachFamily(text);
  if (!addresses) return refused(ADDRESSES, `"${text.slice(0, 100)}" is no list of addresses; expected ${EXPECTED}`);
  const choice = (family: Family): Choice => {
    const address = addresses.find((one) => familyOf(one) === family);
    const found: Choice = address === undefined ? { pools: [] } : poolAround(address, pools, namespace);
    return "fault" in found ? { fault: `${place(ADDRESSES)}: ${found.fault}` } : found;
  };
  return { IPv4: choice("IPv4"), IPv6: choice("IPv6") };
}

const EXPECTED = 'one of a family, like ["10.244.0.7"] or ["10.244.0.7", "fd00:10:244::7"]';

function oneOfEachFamily(text: string): Address[] | undefined {
  const all = listOf(text) ?? [];
  const addresses = all.flatMap((one) => canonicalAddress(one) ?? []);
  const isWhole = addresses.length > 0 && addresses.length === all.length;
  return isWhole && new Set(addresses.map(familyOf)).size === addresses.length ? addresses : undefined;
}

function poolAround(address: Address, pools: readonly IpPool[], namespace: Applicant["namespace"]): Choice {
  const around = pools.find(({ spec }) => covers(parseCidr(spec.cidr), hostCidr(address)));
  if (!around) {
    const networks = pools.filter(isForWorkloads).map(({ metadata, spec }) => `${metadata.name} (${spec.cidr})`);
    const allowed = networks.length > 0 ? `there are ${firstFew(networks.sort())}` : "there is none";
    return { fault: `${address} is in no IPPool; ${allowed}` };
  }
  const choice = admitted([around], namespace);
  return "fault" in choice ? { fault: `${address}: ${choice.fault}` } : { ...choice, only: address };
}

/** The pod that has the address, beside the one that asks for it. */
export function podWithAddress(address: Address, pods: readonly Pod[], asking: PodName): Pod | undefined {
  return pods.find((pod) => !isPodOf(pod, asking) && ownAddresses(pod).includes(address));
}
