import { isIpv6, prefixLength } from "../rules/addresses.ts";

/** An ingress rule of a security group, with the names of @pulumi/aws. */
export interface IngressRule {
  /** "tcp", "udp", "icmp", or "-1" for every protocol. */
  ipProtocol: string;
  /** First port; absent for every port. */
  fromPort?: number;
  /** Last port. */
  toPort?: number;
  /** IPv4 network of the peers; absent where the peer is a security group. */
  cidrIpv4?: string;
  /** IPv6 network of the peers. */
  cidrIpv6?: string;
}

/** The properties of an instance that the guardrails check, with the names of @pulumi/aws. */
export interface GuardedInstance {
  metadataOptions?: { httpTokens?: string; httpEndpoint?: string };
  rootBlockDevice?: { encrypted?: boolean };
}

/** A network with a shorter prefix counts as the whole internet, so that two networks of /1 do not evade the check. The largest private
 * network is a /8. */
const LONGEST = 8;
/** Registries assign networks of /12 to regions, and networks of at most /19 to one owner. */
const LONGEST_IPV6 = 19;
const NODE_PORTS = [30000, 32767] as const;
const SSH = [22, 22] as const;

/** Whether a network is so large that it is open to practically everybody. */
export function isWorld(cidr: string): boolean {
  return prefixLength(cidr) < (isIpv6(cidr) ? LONGEST_IPV6 : LONGEST);
}

/**
 * Checks in the style of CrossGuard: plain functions from a resource's properties to what is wrong with them, in one sentence, or to
 * nothing. The components of this package use them on what they make; a policy pack can use them on anything else:
 * `validateResource: (args, report) => { const wrong = sshNotOpenToWorld(args.props); if (wrong) report(wrong); }`.
 */
export function sshNotOpenToWorld(rule: IngressRule): string | undefined {
  return openTo(rule, SSH, ["tcp"])
    ? `port 22 (SSH) is open to ${peersOf(rule)}: name the networks that need it`
    : undefined;
}

/** No node port is open to everybody. */
export function nodePortsNotOpenToWorld(rule: IngressRule): string | undefined {
  return openTo(rule, NODE_PORTS, ["tcp", "udp"])
    ? `node ports (30000-32767) are open to ${peersOf(rule)}: name the networks that need them`
    : undefined;
}

/** The metadata service requires a session token (IMDSv2), which a request that is forged through a server does not have. */
export function metadataNeedsToken({ metadataOptions }: GuardedInstance): string | undefined {
  const { httpTokens, httpEndpoint } = metadataOptions ?? {};
  if (httpTokens === "required" || httpEndpoint === "disabled") return undefined;
  return 'the instance metadata service answers without a token: set metadataOptions.httpTokens to "required"';
}

/** The root disk is encrypted. */
export function diskIsEncrypted({ rootBlockDevice }: GuardedInstance): string | undefined {
  return rootBlockDevice?.encrypted === true
    ? undefined
    : "the root disk is not encrypted: set rootBlockDevice.encrypted";
}

const peersOf = ({ cidrIpv4, cidrIpv6 }: IngressRule): string | undefined => cidrIpv4 ?? cidrIpv6;

function openTo(rule: IngressRule, [first, last]: readonly [number, number], protocols: string[]): boolean {
  const peers = peersOf(rule);
  if (peers === undefined || !isWorld(peers)) return false;
  if (rule.ipProtocol === "-1") return true;
  return protocols.includes(rule.ipProtocol) && (rule.fromPort ?? 0) <= last && (rule.toPort ?? 65535) >= first;
}
