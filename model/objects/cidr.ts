import { z } from "zod";
import { readCidr } from "../address/address.ts";

/** An address block. Host bits are cleared, as Kubernetes and Calico do. */
export const cidr = z.string().transform((text, context) => {
  const read = readCidr(text);
  if (read) return read.text;
  context.addIssue(`"${text}" is no CIDR; expected the form 10.244.0.0/16 or fd00::/64`);
  return z.NEVER;
});
