import { type InputPlace, requireRule } from "../refusal/refusal.ts";
import {
  addressRule,
  anyCidrRule,
  anyUnicastCidrRule,
  cidrRule,
  podNetworkIpv6Rule,
  podNetworkRule,
  serviceNetworkIpv6Rule,
  serviceNetworkRule,
  unicastCidrRule,
} from "../rules/addresses.ts";

/** Refuses anything but an IPv4 address in four decimal parts. */
export const requireAddress = (place: InputPlace, value: string): string => requireRule(place, value, addressRule);

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

/** Refuses anything but a network of either address family whose addresses machines and pods can have. */
export const requireAnyUnicastCidr = (place: InputPlace, value: string): string =>
  requireRule(place, value, anyUnicastCidrRule);

/** Refuses anything but a network of either address family whose host bits are zero. */
export const requireAnyCidr = (place: InputPlace, value: string): string => requireRule(place, value, anyCidrRule);
