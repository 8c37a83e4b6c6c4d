import ipaddr from "ipaddr.js";
import { z } from "zod";

/** An IPv4 or IPv6 address in canonical form. */
export const address = z
  .string()
  .refine((text) => ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text), {
    error: (issue) => `"${issue.input}" is no IP address; expected the form 172.31.1.8 or fd00::1`,
  })
  .transform((text) => ipaddr.process(text).toString());

/** An address block. Host bits are cleared, as Kubernetes and Calico do. */
export const cidr = z
  .string()
  .refine((text) => ipaddr.IPv4.isValidCIDRFourPartDecimal(text) || ipaddr.IPv6.isValidCIDR(text), {
    error: (issue) => `"${issue.input}" is no CIDR; expected the form 10.244.0.0/16 or fd00::/64`,
  })
  .transform(canonicalCidr);

function canonicalCidr(text: string): string {
  const [ip, length] = ipaddr.parseCIDR(text);
  const base =
    ip.kind() === "ipv4" ? ipaddr.IPv4.networkAddressFromCIDR(text) : ipaddr.IPv6.networkAddressFromCIDR(text);
  return `${base.kind() === "ipv6" ? (base as ipaddr.IPv6).toRFC5952String() : base.toString()}/${length}`;
}
