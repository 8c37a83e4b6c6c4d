/** IP protocol numbers (IANA). */
export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;
export const ICMPV6 = 58;
export const SCTP = 132;

/** The protocols that Kubernetes' objects name, and their numbers. */
export const protocolNumbers = { TCP, UDP, SCTP } as const;

const names = new Map([
  [ICMP, "icmp"],
  [TCP, "tcp"],
  [UDP, "udp"],
  [SCTP, "sctp"],
]);

/** "tcp"; the number in digits where it has no name here. */
export function protocolName(protocol: number): string {
  return names.get(protocol) ?? String(protocol);
}

type ProtocolName = keyof typeof protocolNumbers;

/** The number of a port's protocol, which is TCP where an object names none; undefined for one that Kubernetes does not know today. */
export function portProtocol(name: ProtocolName | null | undefined): number;
export function portProtocol(name: string | null | undefined): number | undefined;
export function portProtocol(name: string | null | undefined): number | undefined {
  return protocolNumbers[(name ?? "TCP") as ProtocolName];
}
