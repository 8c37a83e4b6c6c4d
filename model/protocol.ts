/** IP protocol numbers (IANA). */
export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;
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

/** The number of a port's protocol, which is TCP where an object names none; undefined for one that nothing here carries. */
export function carriedProtocol(name: string | null | undefined): number | undefined {
  if (name == null || name === "TCP") return TCP;
  return name === "UDP" ? UDP : undefined;
}
