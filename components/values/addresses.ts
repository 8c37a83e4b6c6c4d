import { type InputPlace, requireRule } from "../refusal/refusal.ts";
import {
  addressIpv6Rule,
  addressRule,
  anyCidrRule,
  anyUnicastCidrRule,
  cidrRule,
  isIpv6,
  podNetworkIpv6Rule,
  podNetworkRule,
  serviceNetworkIpv6Rule,
  serviceNetworkRule,
  subnetNetworkIpv6Rule,
  unicastCidrRule,
} from "../rules/addresses.ts";

/** Refuses anything but an IPv4 address in four decimal parts. */
export const requireAddress = (place: InputPlace, value: string): string => requireRule(place, value, addressRule);

/** Refuses anything but an IPv6 address in its shortest form. */
export const requireAddressIpv6 = (place: InputPlace, value: string): string =>
  requireRule(place, value, addressIpv6Rule);

/** Refuses anything but an address of either family. */
export const requireAnyAddress = (place: InputPlace, value: string): string =>
  isIpv6(value) && /^[\da-f:.]+$/i.test(value) ? requireAddressIpv6(place, value) : requireAddress(place, value);

/** Refuses anything but an IPv4 network whose host bits are zero, and prefixes longer than `longest`. */
export const requireCidr = (place: InputPlace, value: string, longest = 32): string =>
  requireRule(place, value, (cidr) => cidrRule(cidr, longest));

/** Refuses, besides what `requireCidr` refuses, networks with addresses that no host can have. */
export const requireUnicastCidr = (place: InputPlace, value: string, longest = 32): string =>
  requireRule(place, value, (cidr) => unicastCidrRule(cidr, longest));

/** Refuses what is no network for pods. */
export const requirePodNetwork = (place: InputPlace, value: string): string =>
  requireRule(place, value, podNetworkRule);

/** Refuses what is no network for Services. */
export const requireServiceNetwork = (place: InputPlace, value: string): string =>
  requireRule(place, value, serviceNetworkRule);

/** Refuses what is no IPv6 network for pods. */
export const requirePodNetworkIpv6 = (place: InputPlace, value: string): string =>
  requireRule(place, value, podNetworkIpv6Rule);

/** Refuses what is no IPv6 network for Services. */
export const requireServiceNetworkIpv6 = (place: InputPlace, value: string): string =>
  requireRule(place, value, serviceNetworkIpv6Rule);

/** Refuses anything but an IPv6 network of 64 bits, as a link has it. */
export const requireSubnetNetworkIpv6 = (place: InputPlace, value: string): string =>
  requireRule(place, value, subnetNetworkIpv6Rule);

/** Refuses anything but a network of either address family whose addresses machines and pods can have. */
export const requireAnyUnicastCidr = (place: InputPlace, value: string): string =>
  requireRule(place, value, anyUnicastCidrRule);

/** Refuses anything but a network of either address family whose host bits are zero. */
export const requireAnyCidr = (place: InputPlace, value: string): string => requireRule(place, value, anyCidrRule);
