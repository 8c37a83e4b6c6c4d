/** Families of addresses. */
export enum AddressFamily {
  /** IPv4. */
  Ipv4 = "IPv4",
  /** IPv6. */
  Ipv6 = "IPv6",
}
